"""What `GET /push/_errors` has told so far: which records failed, and whether entries may have fallen out unread.

The vendor keeps the newest 100 failures only, and nobody says that nobody else pushes. Belongs here: reading both
shapes of an entry, telling ours from others', and noticing a loss. When to ask stands in `client`.
Source: Ometria API contract 2 (per-record errors), 6.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from stokly_sync.systems.transport import excerpt

RING: Final = 100
"""Entries that the vendor keeps; as many at once may mean that there were more."""
SKEW: Final = timedelta(seconds=5)
"""How far the vendor's clock may be behind ours before a failure counts as older than our push."""

_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`")
_WHOLE_VALUE: Final = re.compile(r"\S*\d{4,}\S*")


@dataclass(frozen=True)
class Entry:
    """One failure; what an entry in the short shape lacks is None."""

    request_id: str | None
    kind: str | None
    record_id: str | None
    at: datetime | None
    reason: str


@dataclass(frozen=True)
class Push:
    """One push that was taken, as its receipt keeps it: the vendor's request id and when it was sent (UTC)."""

    request_id: str
    at: datetime

    @property
    def receipt(self) -> str:
        """The push as one text, for the ledger."""
        return f"{self.request_id}@{self.at.isoformat(timespec='microseconds')}"

    @classmethod
    def of(cls, receipt: str | None) -> Push | None:
        """The push behind a receipt, or None for a text that is none."""
        request_id, _, at = (receipt or "").rpartition("@")
        try:
            moment = datetime.fromisoformat(at)
        except ValueError:
            return None
        return cls(request_id, moment) if moment.tzinfo else None


@dataclass
class ErrorLog:
    """All that was read, and the spans in which failures may have been lost."""

    by_request: dict[tuple[str, str], str] = field(default_factory=dict)
    by_record: dict[tuple[str, str], list[Entry]] = field(default_factory=dict)
    lost: list[tuple[datetime, datetime]] = field(default_factory=list)
    read_at: datetime | None = None
    """When the list was read last."""
    _last: Sequence[Entry] = ()

    def take(self, elements: Sequence[Any], *, at: datetime, first_push: datetime, patience: timedelta) -> None:
        """Take in one answer, read at `at`.

        `first_push` is when the oldest of our pushes that are still open was sent, `patience` how long one may wait in
        the vendor's queue: pushes from before the previous reading less `patience` were covered by that reading.
        """
        entries = [entry for entry in map(read_entry, elements) if entry is not None]
        since = first_push if self.read_at is None else self.read_at - patience
        if self._may_have_lost(entries, len(elements), first_push):
            self.lost.append((since, at))
        for entry in entries:
            if entry.record_id is not None:
                if entry.request_id is not None:
                    self.by_request[(entry.request_id, entry.record_id)] = entry.reason
                elif entry not in (known := self.by_record.setdefault((entry.kind or "", entry.record_id), [])):
                    known.append(entry)
        self._last, self.read_at = entries, at

    def reason(self, push: Push, kind: str, record_id: str) -> str | None:
        """Why a record of that push failed, or None where nothing says that it did.

        Entries are matched by request id; one without is ours when it is not older than our push.
        """
        if not self.by_request and not self.by_record:
            return None
        found = self.by_request.get((push.request_id, record_id))
        if found is not None:
            return found
        for name in (kind, ""):
            for entry in self.by_record.get((name, record_id), ()):
                if entry.at is None or entry.at >= push.at - SKEW:
                    return entry.reason
        return None

    def may_have_missed(self, push: Push) -> bool:
        """Whether a failure of that push may have fallen out of the list before it was read."""
        return any(start <= push.at <= end for start, end in self.lost)

    def _may_have_lost(self, entries: Sequence[Entry], count: int, first_push: datetime) -> bool:
        if any(entry.record_id is None for entry in entries) and entries != self._last:
            return True  # the short shape names no record: any of ours may be meant
        if count < RING:
            return False
        known = set(self._last)
        if any(entry in known for entry in entries):
            return False
        return not any(entry.at is not None and entry.at < first_push - SKEW for entry in entries)


def read_entry(element: Any) -> Entry | None:
    """One element of the list in its full or its short shape; None for what is neither."""
    if not isinstance(element, Mapping):
        return None
    message = element.get("message")
    inner = message if isinstance(message, Mapping) else element
    if "error_message" not in inner and "error_path" not in inner:
        return None
    return Entry(
        _text(element.get("request_id")),
        _text(element.get("record_type")),
        _text(element.get("record_id")),
        _moment(element.get("timestamp")),
        explain(inner.get("error_message"), inner.get("error_path")),
    )


def explain(message: Any, path: Any) -> str:
    """The vendor's reason in one line. Values are cut out: they may be somebody's address or telephone number."""
    words = _WHOLE_VALUE.sub("…", _QUOTED.sub("…", str(message or "refused without a reason")))
    where = f" at {path}" if path else ""
    return excerpt(f"{words}{where}")


def _text(value: Any) -> str | None:
    return None if value in (None, "") else str(value)


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
