"""Imports: started while there is room, followed to their end, and what they report.

Belongs here: the vendor's two kinds of import, their states, and the limit on those under way. What a report means for
a record stands in `settling`. Source: Dotdigital API contract 2 (bulk import), 3 (bulk import).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from stokly_sync.errors import TransientError
from stokly_sync.flow import Json
from stokly_sync.systems.dotdigital.client import VENDOR, DotdigitalClient

UNDERWAY: Final = frozenset({"NotFinished", "NotStarted", "Processing"})
DONE: Final = frozenset({"Finished", "Complete"})
"""Both are ends: the vendor's pages and its clients spell it differently. Source: Dotdigital API contract 7.5."""
LOST: Final = "lost"
"""Our word for an import that the vendor does not know (any more)."""
REMEMBERED: Final = 64
"""Finished imports whose report and records are kept, for the question that follows."""
FIRST_LOOK: Final = 1.0
"""Seconds after which an import is looked at for the first time, until one has shown how long they take."""
SLOWER: Final = 1.5
LONGEST_PAUSE: Final = 30.0
"""Each pause is that much longer than the last, up to what the vendor advises. Source: Dotdigital API contract 2."""


@dataclass(frozen=True)
class Report:
    """How an import stands: the vendor's word, and failures by record where it has ended."""

    status: str
    failures: Sequence[Json] = ()
    suppressed: int = 0
    """Contacts that were left as they are because they are suppressed; the vendor counts them and names none."""
    written: Sequence[Json] = ()
    """Identifiers of each contact that was created or updated."""

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status not in UNDERWAY

    @property
    def done(self) -> bool:
        """Whether it was carried out, whatever became of single records."""
        return self.status in DONE


@dataclass(frozen=True)
class Kind:
    """One kind of import: its path and the member that holds the records."""

    path: str
    records: str

    def limit(self, client: DotdigitalClient) -> int:
        """How many of ours may be under way at once."""
        settings = client.settings
        return settings.contact_imports if self is CONTACTS else settings.insight_imports


CONTACTS: Final = Kind("/contacts/v3/import", "contacts")
INSIGHT: Final = Kind("/insightData/v3/import", "records")


@dataclass
class Imports:
    """Imports of one kind that one client has started."""

    client: DotdigitalClient
    kind: Kind
    sent: dict[str, Json] = field(default_factory=dict)
    """Bodies by import id, as long as they may be needed again."""
    reports: dict[str, Report] = field(default_factory=dict)
    _active: dict[str, float] = field(default_factory=dict)
    """When each import under way was started, the oldest first."""
    _lasts: float = FIRST_LOOK
    """Seconds that the last import took, so that the next one is looked at once."""
    _room: threading.Lock = field(default_factory=threading.Lock)

    def start(self, body: Json) -> str:
        """Start an import and give its id; waits while too many are under way.

        Safe to repeat, because records replace what is there. Raises BatchRefused when the whole import is malformed.
        """
        with self._room:
            self._make_room()
            data = self.client.request("PUT", self.kind.path, json=body).data
            import_id = data.get("importId") if isinstance(data, Mapping) else None
            if not isinstance(import_id, str) or not import_id:
                raise TransientError(f"{VENDOR}: PUT {self.kind.path} gave no import id; try again later.")
            self._active[import_id] = self.client.clock.monotonic()
            self.sent[import_id] = body
            self._forget()
        return import_id

    def look(self, import_id: str) -> Report:
        """How an import stands now."""
        known = self.reports.get(import_id)
        if known is not None:
            return known
        data = self.client.read(f"{self.kind.path}/{import_id}", missing={"status": LOST})
        status = data.get("status") if isinstance(data, Mapping) else None
        if not isinstance(status, str):
            raise TransientError(f"{VENDOR}: GET {self.kind.path} tells no status; try again later.")
        report = _report(status, data)
        if report.over:
            self.reports[import_id] = report
            began = self._active.pop(import_id, None)
            if began is not None:
                self._lasts = self.client.clock.monotonic() - began
        return report

    def wait(self, import_id: str) -> Report:
        """The report of an import once it is over; one that lasts longer than the settings allow is given as it is."""
        clock, settings = self.client.clock, self.client.settings
        began, pause = self._active.get(import_id), settings.poll_seconds
        if began is not None and import_id not in self.reports:
            self._sleep(began + min(self._lasts, pause) - clock.monotonic())
        end = clock.monotonic() + settings.import_wait
        while not (report := self.look(import_id)).over and clock.monotonic() < end:
            clock.sleep(pause)
            pause = max(pause, min(pause * SLOWER, LONGEST_PAUSE))
        return report

    def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.client.clock.sleep(seconds)

    def _make_room(self) -> None:
        while len(self._active) >= self.kind.limit(self.client):
            if not self.wait(next(iter(self._active))).over:
                raise TransientError(f"{VENDOR}: {len(self._active)} imports are under way and none ends; try later.")

    def _forget(self) -> None:
        over = [import_id for import_id in self.sent if import_id not in self._active]
        for import_id in over[: max(0, len(over) - REMEMBERED)]:
            self.sent.pop(import_id, None)
            self.reports.pop(import_id, None)


def _report(status: str, data: Mapping[str, Any]) -> Report:
    failures, counts = data.get("failures"), data.get("summary")
    suppressed = counts.get("globallySuppressed") if isinstance(counts, Mapping) else None
    rows = [row for name in ("created", "updated") for row in data.get(name) or [] if isinstance(row, Mapping)]
    return Report(
        status,
        failures if isinstance(failures, list) else (),
        suppressed if isinstance(suppressed, int) else 0,
        [row["identifiers"] for row in rows if isinstance(row.get("identifiers"), Mapping)] if suppressed else (),
    )


def imports(client: DotdigitalClient, kind: Kind) -> Imports:
    """The client's imports of a kind."""
    with client.guard:
        found: Imports = client.shared.setdefault(f"imports {kind.path}", Imports(client, kind))
        return found


def start_insight(client: DotdigitalClient, collection: Json, records: Sequence[Any]) -> str:
    """Start an import of insight data; `collection` is its name, scope and type as the vendor's members."""
    return imports(client, INSIGHT).start({**collection, "records": list(records)})
