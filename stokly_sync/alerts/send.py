"""Sending findings at least once: one message when a problem opens, one when it is over.

A finding is marked as sent after every channel has taken it. A crash between the two sends it twice; a channel that is
down leaves it for the next attempt. Messages hold counts, codes and links, no personal data and no secret.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import requests

from stokly_sync.errors import PermanentError, TransientError
from stokly_sync.warehouse import findings
from stokly_sync.warehouse.findings import Finding
from stokly_sync.warehouse.store import Warehouse

TIMEOUT_S: Final = 10.0
MOST_AT_ONCE: Final = 20
"""Findings sent in one go: a sensor's tick has a time limit of a minute."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Message:
    """What goes out for one finding; `state` is open or cleared, times are ISO 8601 in UTC."""

    title: str
    text: str
    state: str
    kind: str
    subject: str
    severity: str
    owner: str | None
    brand: str
    first_seen: str
    last_seen: str
    link: str
    numbers: Mapping[str, Any]


Channel = Callable[[Message], None]
"""Takes one message or raises; TransientError when it may be offered again."""


def message(finding: Finding, *, brand: str, dagster_url: str) -> Message:
    """Put a finding into words."""
    over = finding.state == findings.CLEARED
    title = f"Cleared: {finding.title}" if over else finding.title
    advice = str(finding.body.get("advice", ""))
    text = "The problem is over; nothing is left to do." if over else advice or "See the link for what to do."
    link = dagster_url.rstrip("/")
    if finding.run_id:
        link = f"{link}/runs/{finding.run_id}"
    return Message(
        title=title,
        text=text,
        state=finding.state,
        kind=finding.kind,
        subject=finding.subject,
        severity=finding.severity.value,
        owner=finding.owner.value if finding.owner else None,
        brand=brand,
        first_seen=finding.first_seen.isoformat(),
        last_seen=finding.last_seen.isoformat(),
        link=link,
        numbers=dict(finding.body),
    )


def log_channel(message: Message) -> None:
    """Write a message to the log, as a warning while the problem lasts."""
    level = logging.INFO if message.state == findings.CLEARED else logging.WARNING
    _log.log(level, "%s [%s] %s %s", message.title, message.owner or "unowned", message.text, message.link)


def webhook_channel(url: str) -> Channel:
    """A channel that posts each message as a JSON object to an address, which counts as a secret and is never shown."""

    def post(message: Message) -> None:
        try:
            answer = requests.post(
                url, json={"text": f"{message.title}. {message.text}", **_plain(message)}, timeout=TIMEOUT_S
            )
        except requests.RequestException as error:
            raise TransientError(
                f"The alert webhook cannot be reached ({type(error).__name__}); check STOKLY_SYNC_ALERT_WEBHOOK."
            ) from None
        if answer.status_code in (408, 429) or answer.status_code >= 500:
            raise TransientError(f"The alert webhook answered {answer.status_code}; the message is offered again.")
        if not answer.ok:
            raise PermanentError(f"The alert webhook answered {answer.status_code}; check STOKLY_SYNC_ALERT_WEBHOOK.")

    return post


def send_findings(
    warehouse: Warehouse, channels: Sequence[Channel], *, dagster_url: str, most: int = MOST_AT_ONCE
) -> int:
    """Send what nobody was told of yet, oldest first, and give the number sent.

    Raises what a channel raises; what was sent before that stays sent, the rest is due again.
    """
    with warehouse.reading() as conn:
        due = findings.unsent(conn, brand=warehouse.brand)[:most]
    for finding in due:
        words = message(finding, brand=warehouse.brand, dagster_url=dagster_url)
        for channel in channels:
            channel(words)
        with warehouse.transaction() as conn:
            findings.mark_sent(conn, brand=warehouse.brand, findings=[finding])
    return len(due)


def _plain(message: Message) -> dict[str, Any]:
    plain = asdict(message)
    plain["advice"] = plain.pop("text")
    return plain
