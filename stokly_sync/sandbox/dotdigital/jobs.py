"""Asynchronous work: imports, bulk deletes and emptied collections, from acceptance to their end.

Belongs here: ids, waiting, which statuses are shown meanwhile, and how many are under way. What a job
does is decided in `imports`. Jobs are worked lazily, in the order in which they came, whenever a call
comes in. Source: Dotdigital API contract 2 and 3 (bulk import).
"""

import uuid
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from stokly_sync.sandbox.dotdigital.switches import DotdigitalSwitches
from stokly_sync.sandbox.kit import Clock

Kind = Literal["contacts", "insight", "delete", "collection"]

WAITING: dict[str, tuple[str, str]] = {
    "contacts": ("NotFinished", "NotFinished"),
    "insight": ("NotStarted", "Processing"),
    "delete": ("NotStarted", "NotFinished"),
    "collection": ("NotStarted", "NotFinished"),
}
"""What a job is called in the first and in the second half of its time."""


class Job(msgspec.Struct):
    """One job; `since` and `due` are in seconds of the sandbox's clock, `due` None means never."""

    id: str
    kind: str
    body: Any
    since: float
    due: float | None
    status: str | None = None
    result: dict[str, Any] = msgspec.field(default_factory=dict)


class Jobs:
    """All jobs by id, and the ids of those under way."""

    def __init__(self, *, switches: DotdigitalSwitches, clock: Clock) -> None:
        self._switches = switches
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._open: dict[str, Job] = {}

    def active(self, kind: Kind) -> int:
        """How many jobs of a kind are under way."""
        return sum(job.kind == kind for job in self._open.values())

    def add(self, kind: Kind, body: Any, *, records: int, stuck: bool = False) -> str:
        """Accept a job and say its id; a stuck one stays under way for ever."""
        now = self._clock.monotonic()
        job = Job(str(uuid.uuid4()), kind, body, now, None if stuck else now + self._duration(records))
        self._jobs[job.id] = self._open[job.id] = job
        return job.id

    def due(self) -> Iterator[Job]:
        """Take out, oldest first, the jobs whose time is over."""
        now = self._clock.monotonic()
        # A hair's breadth is forgiven, because sums of binary fractions fall short of whole numbers.
        for job in [job for job in self._open.values() if job.due is not None and job.due <= now + 1e-9]:
            del self._open[job.id]
            yield job
            job.body = None

    def find(self, kind: Kind, number: str) -> Job | None:
        """The job with that id, if it is one of that kind."""
        job = self._jobs.get(number)
        return job if job is not None and job.kind == kind else None

    def status(self, job: Job) -> str:
        """What a job is called now; a finished one as the switch spells it."""
        if job.status is None:
            first, second = WAITING[job.kind]
            half = job.since + (0.0 if job.due is None else (job.due - job.since) / 2)
            return first if self._clock.monotonic() < half else second
        done = job.kind == "insight" and job.status == "Finished"
        return self._switches.done if done else job.status

    def counts(self) -> dict[str, int]:
        """How many jobs there were, by kind and status."""
        found: dict[str, int] = {}
        for job in self._jobs.values():
            key = f"{job.kind}/{self.status(job)}"
            found[key] = found.get(key, 0) + 1
        return found

    def dump(self) -> list[Job]:
        """Every job, oldest first."""
        return list(self._jobs.values())

    def load(self, jobs: Any) -> None:
        """Replace all jobs by saved ones; those under way start again from now."""
        now = self._clock.monotonic()
        self._jobs = {job.id: job for job in msgspec.convert(jobs, list[Job])}
        self._open = {job.id: job for job in self._jobs.values() if job.status is None}
        for job in self._open.values():
            job.due = None if job.due is None else now + job.due - job.since
            job.since = now

    def _duration(self, records: int) -> float:
        pace = self._switches.records_per_second
        return self._switches.import_delay + (records / pace if pace else 0.0)
