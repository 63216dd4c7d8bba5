"""The calls of Ometria's Data API v2, in the vendor's words: push, its errors, and the lists.

Belongs here: paths, paging, the vendor's error table, and keeping off a queue that is nearly full. What a record looks
like stands in `documents`, what becomes of it in `settling`. Source: Ometria API contract 1, 2, 4, 5.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from stokly_sync.errors import BatchRefused, CredentialsError, PermanentError, TransientError
from stokly_sync.flow import Budget, Json, Lane
from stokly_sync.systems.ometria.errorlog import ErrorLog, Push
from stokly_sync.systems.ometria.settings import OmetriaSettings
from stokly_sync.systems.transport import Clock, RetryPolicy, StaticAuth, Transport, Verdict

VENDOR: Final = "Ometria"
ERRORS: Final = (
    Verdict(401, CredentialsError, "Check OMETRIA_API_KEY."),
    Verdict(403, CredentialsError, "Check OMETRIA_API_KEY, and that the key has the right to this resource."),
    Verdict(404, PermanentError, "There is no such record or path; check OMETRIA_BASE_URL, which ends in /v2."),
    Verdict((400, 400), BatchRefused, "One of the records is not acceptable, or the request is malformed."),
    Verdict(413, BatchRefused, "The request is too large."),
    Verdict(422, BatchRefused, "One of the records is not acceptable."),
    Verdict(429, TransientError, "Too many calls, or too many records waiting in Ometria's queue; wait and try again."),
)
"""What statuses mean here; the rest as everywhere. Source: Ometria API contract 5."""
# No Retry-After is documented, and a full queue takes its time.
RETRY: Final = RetryPolicy(attempts=8, default_retry_after=5.0)
POLLS_PER_PUSH: Final = 0.05
"""Share of calls that may go into following errors while records are pushed."""
SECONDS_OF_ETA: Final = 600.0
"""Longest that anybody waits for the vendor's queue; what is open then is asked for again by the next run."""


@dataclass(frozen=True)
class PushAnswer:
    """What a push was answered: `rejected_items` is as the vendor sent it, its shape is not documented."""

    push: Push
    status: str
    accepted: int
    rejected: int
    rejected_items: Sequence[Any]


@dataclass
class Queue:
    """The vendor's queue, as far as its headers tell. Counts are records."""

    limit: int | None = None
    remaining: int | None = None
    pushed: int = 0
    first: tuple[float, int] | None = None
    """Time (monotonic) and records waiting, less ours pushed until then, when the headers were first seen."""
    pace: float | None = None
    """Records a second that the vendor was seen to work off."""

    def note(self, headers: Mapping[str, str], now: float) -> None:
        """Read the headers of an answer, if they are there."""
        limit, remaining = _whole(headers.get("X-QueueSize-Limit")), _whole(headers.get("X-QueueSize-Remaining"))
        if limit is None or remaining is None:
            return
        self.limit, self.remaining = limit, remaining
        if self.first is None:
            self.first = (now, limit - remaining - self.pushed)
        elif now > self.first[0]:
            done = self.pushed - (limit - remaining - self.first[1])
            self.pace = max(done, 0) / (now - self.first[0])

    @property
    def waiting(self) -> int:
        """Records waiting after the last push; 0 where no header tells."""
        return 0 if self.limit is None or self.remaining is None else self.limit - self.remaining

    def free_share(self) -> float:
        """Share of the queue that is free; 1 where no header tells."""
        return 1.0 if not self.limit or self.remaining is None else self.remaining / self.limit


class OmetriaClient:
    """One account under one key in one lane; safe to use from several threads.

    Raises CredentialsError, PermanentError, TransientError, and BatchRefused from `push`.
    """

    def __init__(
        self,
        settings: OmetriaSettings,
        budget: Budget,
        lane: Lane,
        *,
        retry: RetryPolicy = RETRY,
        clock: Clock | None = None,
    ) -> None:
        if settings.api_key is None:
            raise CredentialsError("Ometria: no API key; set OMETRIA_API_KEY")
        key = settings.api_key.get_secret_value()
        self.settings = settings
        self.clock = clock or Clock()
        self.log = ErrorLog()
        self.queue = Queue()
        self._low = {Lane.BULK: settings.queue_low_share, Lane.INTERVAL: settings.queue_low_share / 2}.get(lane, 0.0)
        self._lock = threading.Lock()
        self._pushes = 0
        self._polls = 0
        self._first_push: datetime | None = None
        self._transport = Transport(
            settings.base_url,
            vendor=VENDOR,
            auth=StaticAuth({"X-Ometria-Auth": key}),
            budget=budget,
            lane=lane,
            # One more than pushes in flight, so that following errors never waits for a push.
            concurrency=settings.concurrency + 1,
            errors=ERRORS,
            retry=retry,
            secrets=(key,),
            clock=self.clock,
        )

    @property
    def calls(self) -> int:
        """Requests made so far, repetitions included."""
        return self._transport.calls

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def push(self, documents: Sequence[bytes]) -> PushAnswer:
        """Push up to 100 encoded records of one type; an upsert, so it is repeated when no answer came.

        The answer says only that they were taken; what becomes of them is learnt from `errors`. Raises BatchRefused
        when the vendor refuses the request as a whole. Source: contract 2.
        """
        at = self.clock.now()
        body = b"[" + b",".join(documents) + b"]"
        answer = self._transport.request("POST", "/push", body=body, headers={"Content-Type": "application/json"})
        said = answer.data if isinstance(answer.data, Mapping) else {}
        with self._lock:
            self._pushes += 1
            self._first_push = self._first_push or at
            self.queue.pushed += len(documents)
            self.queue.note(answer.headers, self.clock.monotonic())
            crowded = self.queue.free_share() < self._low
            # One poll is kept for the end; the rest follows the load, so that few entries fall out unread.
            poll = self._pushes * POLLS_PER_PUSH - self._polls >= 2
        if poll:
            self.follow_errors()
        if crowded:
            self.clock.sleep(self.settings.queue_low_wait)
        return PushAnswer(
            Push(str(said.get("request_id") or ""), at),
            str(said.get("status") or "OK").upper(),
            _whole(said.get("accepted")) or 0,
            _whole(said.get("rejected")) or 0,
            said["rejected_items"] if isinstance(said.get("rejected_items"), list) else (),
        )

    def errors(self) -> list[Any]:
        """The newest failures, at most 100, as the vendor lists them. Source: contract 2."""
        return self._list("/push/_errors", {})

    def follow_errors(self, *, since: datetime | None = None) -> None:
        """Read the failures into `log`; `since` is when the oldest push was sent that somebody waits for."""
        at = self.clock.now()
        elements = self.errors()
        with self._lock:
            self._polls += 1
            firsts = [moment for moment in (self._first_push, since) if moment is not None]
            self.log.take(elements, at=at, first_push=min(firsts, default=at), patience=self.patience)

    @property
    def patience(self) -> timedelta:
        """How long a record may wait in the vendor's queue before it counts as processed.

        The setting, or longer where the headers say that more is waiting than the vendor works off in that time.
        """
        wait = self.settings.queue_drain_wait
        if self.queue.pace and self.queue.waiting:
            wait = max(wait, self.queue.waiting / self.queue.pace)
        return timedelta(seconds=min(wait, SECONDS_OF_ETA))

    def collections(self) -> dict[str, int]:
        """How many contacts each collection holds. Source: contract 4."""
        rows = self._list("/contacts", {})
        return {str(row.get("collection")): _whole(row.get("count")) or 0 for row in rows if isinstance(row, Mapping)}

    @property
    def contacts_path(self) -> str:
        """Path of the list of our collection; 404 before the first push to it."""
        return f"/contacts/{quote(self.settings.collection, safe='')}"

    def contacts(self) -> Iterator[list[Json]]:
        """Contacts of our collection, a page at a time."""
        return self._pages(self.contacts_path, {})

    def contacts_elsewhere(self, since: datetime | None) -> Iterator[list[Json]]:
        """Contacts of all collections but ours; with `since` no more than the newest pages, by time of update."""
        for name, count in self.collections().items():
            if name == self.settings.collection:
                continue
            path = f"/contacts/{quote(name, safe='')}"
            yield from self._pages(path, {}) if since is None else self._newest(path, count, since)

    def _newest(self, path: str, count: int, since: datetime) -> Iterator[list[Json]]:
        """Pages from the end of a list in the order of updates, until one holds a row that is older."""
        for end in range(count, 0, -self.settings.read_page):
            start = max(0, end - self.settings.read_page)
            query: dict[str, str | int] = {"orderby": "timestamp_update", "limit": end - start, "offset": start}
            rows = self._list(path, query)
            yield rows
            oldest = str(rows[0].get("dt_object_updated") or "") if rows else ""
            try:
                if datetime.fromisoformat(oldest) < since:
                    return
            except ValueError:
                continue

    def products(self) -> Iterator[list[Json]]:
        """Products with their variants, a page at a time; without the parameter only parents come back."""
        return self._pages("/products", {"includeVariants": "true"})

    def orders(self) -> Iterator[list[Json]]:
        """Orders, a page at a time."""
        return self._pages("/orders", {})

    def unsubscribes(self, since: datetime | None) -> Iterator[list[Json]]:
        """Who opted out since then, or ever, a page at a time. Source: contract 4."""
        return self._pages("/unsubscribes", {} if since is None else {"since": since.astimezone(UTC).isoformat()})

    def one(self, path: str, record_id: str) -> Json | None:
        """One record, such as `one("/orders", "1001")`; None where there is none."""
        answer = self._ask(f"{path}/{quote(record_id, safe='')}", {}, expect=(404,))
        return answer if isinstance(answer, dict) else None

    def ask_deletion(self, email: str) -> str:
        """Ask that the person with an address be made anonymous; gives the request's id. Source: contract 3."""
        said = self._ask("/data-deletion-requests", {}, json={"email": email})
        return str(said.get("id") or "taken") if isinstance(said, Mapping) else "taken"

    def sample(self, path: str) -> Json | None:
        """The first record of a list, or None where it is empty; raises as any call does."""
        rows = self._list(path, {"limit": 1})
        return rows[0] if rows and isinstance(rows[0], dict) else None

    def _pages(self, path: str, params: Mapping[str, str]) -> Iterator[list[Json]]:
        """Pages by offset, until one is shorter than asked for. Source: contract 4."""
        size, offset, before = self.settings.read_page, 0, None
        for _ in range(self.settings.read_calls):
            rows = self._list(path, {**params, "limit": size, "offset": offset})
            if rows and rows == before:
                raise TransientError(f"{VENDOR}: GET {path} gives the same page again at offset {offset}; try later.")
            if rows:
                yield rows
            if len(rows) < size:
                return
            before, offset = rows, offset + len(rows)
        raise PermanentError(
            f"{VENDOR}: reading {path} needs more than {self.settings.read_calls} calls; raise OMETRIA_READ_CALLS."
        )

    def _list(self, path: str, params: Mapping[str, str | int]) -> list[Any]:
        data = self._ask(path, params)
        if not isinstance(data, list):
            raise TransientError(f"{VENDOR}: GET {path} gave {type(data).__name__} instead of a list; try again later.")
        return data

    def _ask(self, path: str, params: Mapping[str, str | int], expect: tuple[int, ...] = (), json: Any = None) -> Any:
        method = "GET" if json is None else "POST"
        try:
            answer = self._transport.request(method, path, params=params, json=json, expect=expect)
        except BatchRefused as refused:
            raise PermanentError(str(refused)) from refused
        return None if answer.status in expect else answer.data


def connect(settings: OmetriaSettings, budget: Budget, lane: Lane) -> OmetriaClient:
    """A client of the account in `settings` whose calls count against the lane's share of `budget`."""
    return OmetriaClient(settings, budget, lane)


def wait_until(clock: Clock, moment: datetime) -> None:
    """Sleep until `moment` (UTC)."""
    while (left := (moment - clock.now()).total_seconds()) > 0:
        clock.sleep(left)


def _whole(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
