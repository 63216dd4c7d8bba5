"""Findings in words: what is wrong, the numbers, what to do, where to look. No personal data and no secret in here.

A finding's body holds the numbers; `advice` in it becomes a sentence, plain values become lines, nested ones stay on
the page that a link leads to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from stokly_sync.alerts.links import Links
from stokly_sync.flow import Team
from stokly_sync.warehouse.findings import CLEARED, Finding

_MOST_NUMBERS: Final = 12
_RANK: Final = ("high", "medium", "low")


@dataclass(frozen=True)
class Message:
    """What goes out: to one team, or to nobody's in particular; `over` for a problem that is gone."""

    title: str
    text: str
    owner: Team | None
    severity: str
    over: bool = False
    markdown: bool = False
    """Whether the text is Markdown; channels that cannot show it get it as it is."""


def message(finding: Finding, *, brand: str, links: Links, reminder: bool = False) -> Message:
    """One finding in words; a reminder says so."""
    over = finding.state == CLEARED
    start = "Cleared: " if over else "Still open: " if reminder else ""
    lines = [
        *_numbers(finding),
        *(() if over else (_advice(finding),)),
        _since(finding, brand),
        *links.of(finding),
    ]
    return Message(f"{start}{finding.title}", "\n".join(lines), finding.owner, finding.severity.value, over)


def digest(findings: Sequence[Finding], *, owner: Team | None, brand: str, links: Links) -> Message:
    """Many findings in one message, for a day on which everything fails at once: open ones first, by severity."""
    ordered = sorted(findings, key=lambda f: (f.state == CLEARED, _RANK.index(f.severity.value), f.title))
    still = sum(f.state != CLEARED for f in ordered)
    over = len(ordered) - still
    counts = [f"{still} problems" if still else "", f"{over} cleared" if over else ""]
    lines = [("cleared: " if f.state == CLEARED else "") + f.title for f in ordered]
    text = "\n".join([*lines, f"Brand {brand}.", *links.of_team(owner)])
    worst = ordered[0].severity.value
    return Message(" and ".join(c for c in counts if c) + " at once", text, owner, worst, over=not still)


def _numbers(finding: Finding) -> list[str]:
    plain = [
        f"{name.replace('_', ' ')}: {value}"
        for name, value in finding.body.items()
        if name != "advice" and value not in (None, "") and isinstance(value, str | int | float)
    ]
    return plain[:_MOST_NUMBERS]


def _advice(finding: Finding) -> str:
    return str(finding.body.get("advice", "")) or "See the link for what to do."


def _since(finding: Finding, brand: str) -> str:
    end = f" until {finding.cleared_at:%Y-%m-%d %H:%M}" if finding.cleared_at else ""
    return f"Brand {brand}, {finding.subject}, since {finding.first_seen:%Y-%m-%d %H:%M}{end} UTC."
