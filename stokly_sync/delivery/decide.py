"""What becomes of a record: pure decisions over what was built and what the ledger knows. No database in here.

The order of the questions is the rule: a record in doubt or ignored by a person is held whatever it says now; then a
rule may keep it back; then the ledger says whether the destination holds it already; then a gate may park it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from stokly_sync.contracts.rules import Catalogue, Effect
from stokly_sync.delivery.appending import Beginning, Held, missing
from stokly_sync.delivery.encoding import Encoded, encode
from stokly_sync.delivery.rules import BEFORE_HISTORY, LEFT_OUT, NO_HISTORY, WAITS
from stokly_sync.errors import PermanentError
from stokly_sync.flow import Append, Built, Document, Feed, Problem, ReplayClass, State


class Verdict(StrEnum):
    """What a plan decides for one record; the addends of its row sum."""

    __hash__ = str.__hash__  # see `State`

    SEND = "to_send"
    UNCHANGED = "unchanged"
    HELD = "held"
    QUARANTINED = "quarantined"
    EXCLUDED = "excluded"
    PARKED = "parked"


# Left out for good beats kept back for repair: nobody should repair what is never sent.
_PRECEDENCE: Final = {Effect.EXCLUDE: 0, Effect.QUARANTINE: 1, Effect.REJECT: 2, Effect.PARK: 3}
_VERDICTS: Final = {
    Effect.EXCLUDE: Verdict.EXCLUDED,
    Effect.QUARANTINE: Verdict.QUARANTINED,
    Effect.REJECT: Verdict.QUARANTINED,
    Effect.PARK: Verdict.PARKED,
}


class Entry(NamedTuple):
    """What the ledger knows of a record before this plan."""

    state: str
    rule: str | None
    document_hash: str | None
    accepted_hash: str | None
    accepted_version: datetime | None
    stale: bool
    tries: int


@dataclass(slots=True)
class Decision:
    """The verdict on one record; `encoded` is its document where there is one that may be sent.

    `found` says that the destination holds it by its own word, `receipt` is its id there where that is known.
    """

    key: str
    verdict: Verdict
    rule: str | None = None
    reason: str | None = None
    encoded: Encoded | None = None
    found: bool = False
    receipt: str | None = None


@dataclass(frozen=True)
class Known:
    """What is known of the records of a chunk: ledger entries, and the exceptions that a person chose to ignore.

    `ignored` holds pairs of key and rule. `sending` are keys that an open attempt names: a dead run may have sent them.
    `held` and `begins` are for append-only feeds: what the destination holds of each record, and where history begins.
    """

    entries: Mapping[str, Entry]
    ignored: Collection[tuple[str, str]] = ()
    sending: Collection[str] = ()
    held: Mapping[str, Held] = field(default_factory=dict)
    begins: Beginning = field(default_factory=Beginning)


@dataclass(frozen=True, slots=True)
class Wait:
    """Why a record must wait; `assumed` when the plan takes for granted that the reason will be gone in time.

    `left_out` when what it waits for is left out by a rule, and the record with it.
    """

    reason: str
    assumed: bool = False
    left_out: bool = False


Waits = Callable[[Collection[str]], Mapping[str, Wait]]
"""For keys that are due: those that a gate keeps."""


def decide(
    feed: Feed,
    keys: Collection[str],
    built: Built,
    known: Known,
    *,
    waits: Waits,
    catalogue: Catalogue,
    force: bool = False,
) -> list[Decision]:
    """Decide on each of `keys` exactly once.

    Raises PermanentError when the builder gives neither document nor problem for a key, or gives one for another key:
    then records would be lost or sent unasked. Source: X2, X5, X6, X18.
    """
    documents = {document.key: document for document in built.documents}
    problems = worst_problems(built.kept_back, catalogue)
    _refuse_lost(feed, set(keys), documents.keys() | problems.keys(), len(documents) != len(built.documents))
    decisions = [
        _decide_one(feed, key, documents.get(key), problems.get(key), built.held, known, catalogue, force)
        for key in keys
    ]
    _pass_gates(decisions, waits)
    return decisions


def _pass_gates(decisions: Sequence[Decision], waits: Waits) -> None:
    due = {d.key: d for d in decisions if d.verdict is Verdict.SEND}
    for key, wait in (waits(due.keys()) if due else {}).items():
        due[key].rule, due[key].reason = LEFT_OUT if wait.left_out else WAITS, wait.reason
        if not wait.assumed:
            due[key].verdict = Verdict.EXCLUDED if wait.left_out else Verdict.PARKED


def worst_problems(problems: Iterable[Problem], catalogue: Catalogue) -> dict[str, Problem]:
    """The one problem by which each key is counted; raises PermanentError for a rule that is not in the catalogue."""
    worst: dict[str, Problem] = {}
    for problem in problems:
        rank = _PRECEDENCE[effect_of(problem.rule, catalogue)]
        other = worst.get(problem.key)
        if other is None or rank < _PRECEDENCE[effect_of(other.rule, catalogue)]:
            worst[problem.key] = problem
    return worst


def effect_of(rule: str, catalogue: Catalogue) -> Effect:
    """The effect of a rule; raises PermanentError naming a rule that the catalogue lacks."""
    known = catalogue.get(rule)
    if known is None:
        raise PermanentError(f"rule {rule} is not in the rule catalogue; add it to its system's rules.py")
    return known.effect


def _decide_one(
    feed: Feed,
    key: str,
    document: Document | None,
    problem: Problem | None,
    there: Mapping[str, str | None] | None,
    known: Known,
    catalogue: Catalogue,
    force: bool,
) -> Decision:
    entry, found = known.entries.get(key), there is not None and key in there
    if entry is not None and entry.state == State.IN_DOUBT:
        return Decision(key, Verdict.HELD)
    if key in known.sending and feed.replay is not ReplayClass.UPSERT:
        return Decision(key, Verdict.HELD)
    # A document beside a problem cancels what the destination holds; there is nothing to cancel where it holds nothing.
    nothing_there = (entry is None or entry.accepted_hash is None) and not found
    if problem is not None and (document is None or nothing_there):
        if (key, problem.rule) in known.ignored:
            return Decision(key, Verdict.HELD)
        return Decision(key, _VERDICTS[effect_of(problem.rule, catalogue)], problem.rule, problem.detail)
    if document is None:
        raise AssertionError(f"{feed.id}: a record without document and problem was let through")
    if feed.append is not None:
        return _add(feed.append, document, entry, known)
    encoded = encode(document)
    if there is not None and found:
        return Decision(key, Verdict.UNCHANGED, encoded=encoded, found=True, receipt=there[key])
    return Decision(key, _against_ledger(feed, encoded, entry, force, told=there is not None), encoded=encoded)


def _add(append: Append, document: Document, entry: Entry | None, known: Known) -> Decision:
    """Send what the destination lacks of a record, never what it has; by no force again (E3)."""
    key, held = document.key, known.held.get(document.key, {})
    if known.begins.said and not held and not known.begins.covers(append, document.body):
        return Decision(key, Verdict.EXCLUDED, BEFORE_HISTORY, "it lies before the beginning of history")
    left = missing(append, document, held)
    if left is None:
        return Decision(key, Verdict.UNCHANGED, encoded=encode(document))
    encoded = encode(left)
    if not known.begins.said:
        return Decision(key, Verdict.PARKED, NO_HISTORY, known.begins.advice(append), encoded)
    if entry is None:
        return Decision(key, Verdict.SEND, encoded=encoded)
    if entry.accepted_version is not None and encoded.version < entry.accepted_version:
        return Decision(key, Verdict.UNCHANGED, encoded=encoded)
    refused = entry.state == State.REJECTED and entry.document_hash == encoded.hash and not entry.stale
    held_back = refused or entry.state == State.SUBMITTED
    return Decision(key, Verdict.HELD if held_back else Verdict.SEND, encoded=encoded)


def _against_ledger(feed: Feed, encoded: Encoded, entry: Entry | None, force: bool, *, told: bool) -> Verdict:
    """Send what the destination does not hold; never an older state over a newer one (DESIGN, windows and versions).

    `told` says that the destination itself told what it holds, and that this is not part of it.
    """
    if entry is None:
        return Verdict.SEND
    same = entry.document_hash == encoded.hash
    if entry.accepted_version is not None and encoded.version < entry.accepted_version:
        return Verdict.UNCHANGED
    if entry.state == State.SUBMITTED:
        return _against_submitted(feed, same=same, force=force)
    if entry.state == State.PLANNED and same:
        return Verdict.SEND
    if force or entry.stale:
        return Verdict.SEND
    if entry.accepted_hash == encoded.hash and not told:
        return Verdict.UNCHANGED
    if entry.state == State.REJECTED and same:
        return Verdict.HELD
    return Verdict.SEND


def _against_submitted(feed: Feed, *, same: bool, force: bool) -> Verdict:
    """The destination has taken it and not yet told its fate; only an upsert may be overtaken by newer content."""
    if same and not force:
        return Verdict.UNCHANGED
    return Verdict.SEND if feed.replay is ReplayClass.UPSERT else Verdict.HELD


def _refuse_lost(feed: Feed, asked: set[str], answered: set[str], doubled: bool) -> None:
    lost, strange = asked - answered, answered - asked
    if lost or strange or doubled:
        what = "two documents with one key" if doubled else f"nothing for {len(lost)} and {len(strange)} unasked"
        example = sorted(lost | strange)[:1]
        raise PermanentError(
            f"{feed.id}: of {len(asked)} records the builder gave {what}{f', for example {example[0]}' * bool(example)}"
            f". Nothing was planned from them; correct the feed's build function in systems/{feed.system}."
        )
