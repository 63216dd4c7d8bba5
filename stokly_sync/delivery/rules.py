"""The rules that delivery itself can apply to any record, whatever the destination.

They are part of the rule catalogue like those of the systems. Rules about content belong to the systems.
"""

from __future__ import annotations

from typing import Final

from stokly_sync.contracts.rules import Effect, Rule, Severity
from stokly_sync.flow import Team

WAITS: Final = "DELIVERY-WAITS"
LEFT_OUT: Final = "DELIVERY-LEFT-OUT"
IN_DOUBT: Final = "DELIVERY-IN-DOUBT"
NO_HISTORY: Final = "DELIVERY-NO-HISTORY"
BEFORE_HISTORY: Final = "DELIVERY-BEFORE-HISTORY"
ERASED: Final = "DELIVERY-ERASED"

RULES: Final = (
    Rule(
        code=WAITS,
        problem="The record waits until another record that it depends on was accepted by the same destination.",
        advice="Look at the record it waits for: as soon as that one is accepted, this one leaves by itself.",
        owner=Team.OPERATIONS,
        requirement="X5",
        effect=Effect.PARK,
        severity=Severity.LOW,
    ),
    Rule(
        code=LEFT_OUT,
        problem="A named rule leaves out the record that this one belongs to, so there is nothing for it to belong to.",
        advice="Nothing to do; should that record be sent after all, this one follows by itself.",
        owner=Team.OPERATIONS,
        requirement="X5",
        effect=Effect.EXCLUDE,
        severity=Severity.LOW,
    ),
    Rule(
        code=IN_DOUBT,
        problem="The record was sent, no answer came, and the destination can neither deduplicate nor be asked.",
        advice="Look the record up at the destination; then tell `stokly-sync doubts` that it arrived, or to send it.",
        owner=Team.OPERATIONS,
        requirement="X6",
        effect=Effect.QUARANTINE,
        severity=Severity.HIGH,
    ),
    Rule(
        code=NO_HISTORY,
        problem="The destination can only be added to, and nobody has said yet what it holds already.",
        advice="Set history_from if it holds nothing from a time on, or run `stokly-sync adopt` if it holds all of it.",
        owner=Team.OPERATIONS,
        requirement="E3",
        effect=Effect.PARK,
        severity=Severity.HIGH,
    ),
    Rule(
        code=BEFORE_HISTORY,
        problem="The record lies before the time from which history is sent to the destination.",
        advice="Nothing to do; history_from says where history begins.",
        owner=Team.OPERATIONS,
        requirement="E3",
        effect=Effect.EXCLUDE,
        severity=Severity.LOW,
    ),
    Rule(
        code=ERASED,
        problem="The person whom the record is about was erased.",
        advice="Nothing to do; `stokly-sync erase` was run for this person, and nothing of theirs is sent any more.",
        owner=Team.MARKETING,
        requirement="X14",
        effect=Effect.EXCLUDE,
        severity=Severity.LOW,
    ),
)
