"""Sending findings at least once: when a problem opens, as a reminder while it lasts, and when it is over.

A finding is marked as told after every channel that should have it has taken it. A crash between the two tells it
twice; a channel that is down leaves it for the next attempt. When many of one team are due at once, they are one
message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final

from stokly_sync.alerts.channels import Channels
from stokly_sync.alerts.links import Links
from stokly_sync.alerts.wording import Message, digest, message
from stokly_sync.errors import TransientError
from stokly_sync.warehouse import findings
from stokly_sync.warehouse.findings import Finding
from stokly_sync.warehouse.store import Warehouse

MOST_AT_ONCE: Final = 200
"""Findings that one go looks at: a sensor's tick has a time limit of a minute."""
STORM: Final = 5
"""From so many on, what is due for one team is told in one message."""


@dataclass(frozen=True)
class Told:
    """What one go did: `findings` were told in `messages`."""

    findings: int
    messages: int


def send_findings(
    warehouse: Warehouse,
    channels: Channels,
    *,
    links: Links,
    remind_after: timedelta | None = None,
    now: datetime | None = None,
) -> Told:
    """Tell what nobody was told of yet, what is over, and what was told of longer ago than `remind_after`.

    Raises TransientError behind the last message when a channel did not take one: what the others took stays told
    nowhere, so it is offered to all again.
    """
    at = now or datetime.now(UTC)
    with warehouse.reading() as conn:
        due = findings.unsent(conn, brand=warehouse.brand, remind_before=at - remind_after if remind_after else None)
    told = messages = 0
    failed: TransientError | None = None
    for some, words in _messages(due[:MOST_AT_ONCE], warehouse.brand, links):
        try:
            channels.tell(words)
        except TransientError as error:
            failed = error
            continue
        with warehouse.transaction() as conn:
            findings.mark_sent(conn, brand=warehouse.brand, findings=some, at=at)
        told, messages = told + len(some), messages + 1
    if failed is not None:
        raise failed
    return Told(told, messages)


def _messages(due: Iterable[Finding], brand: str, links: Links) -> Iterator[tuple[list[Finding], Message]]:
    """Findings with the message that tells them, team by team."""
    by_team = sorted(due, key=lambda f: f.owner.value if f.owner else "")
    for owner, group in groupby(by_team, key=lambda f: f.owner):
        some = list(group)
        if len(some) >= STORM:
            yield some, digest(some, owner=owner, brand=brand, links=links)
        else:
            for one in some:
                reminder = one.told and one.state == findings.OPEN
                yield [one], message(one, brand=brand, links=links, reminder=reminder)
