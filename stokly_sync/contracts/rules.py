"""The kinds of rules: every rule that can keep a record back has a code, an owner and an advice (X2).

Each system declares its part in `systems/<name>/rules.py`; `catalogue` puts the parts together. The dashboard, the
alerts, the operations manual and the tests read rules from there and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from stokly_sync.flow import Team


class Effect(StrEnum):
    """What a rule does to the record that breaks it."""

    QUARANTINE = "quarantine"
    """Kept back as an exception with an owner until it passes."""
    EXCLUDE = "exclude"
    """Left out for good by policy; no exception is opened."""
    PARK = "park"
    """Waits for something that is expected to come by itself."""
    REJECT = "reject"
    """Refused by the destination; held until content, rule or dependency change, or a person retries."""


class Severity(StrEnum):
    """How much attention an open exception of this rule asks for."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True)
class Rule:
    """One rule of the catalogue."""

    code: str
    problem: str
    """One sentence of what is wrong."""
    advice: str
    """One sentence of what to do next."""
    owner: Team
    requirement: str
    effect: Effect = Effect.QUARANTINE
    severity: Severity = Severity.MEDIUM
    alert: bool = False
    """Whether its owner is told of every open exception at once, however few there are."""


Catalogue = dict[str, Rule]


def catalogue(rules: Iterable[Rule]) -> Catalogue:
    """Rules by code, sorted; raises ValueError when a code occurs twice."""
    by_code: Catalogue = {}
    for rule in rules:
        if rule.code in by_code:
            raise ValueError(f"rule {rule.code} is declared twice")
        by_code[rule.code] = rule
    return dict(sorted(by_code.items()))
