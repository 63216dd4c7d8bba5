"""The calls to Stokly in its own words: lists, details, and what its refusals mean.

Belongs here: one call at a time, and several at once within the account's budget. Which rows to ask for is decided in
`paging` and `reading`, what is written in `writing`. A write is never repeated once it may have arrived: Stokly does
not deduplicate. Source: Stokly API contract 1, 2, 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from stokly_sync.errors import CredentialsError, NotOffered, PermanentError, StoklySyncError, TransientError
from stokly_sync.flow import Budget, Json, Lane, Received
from stokly_sync.systems.stokly.filters import Filter
from stokly_sync.systems.stokly.grant import GRANT_ERRORS, GrantAuth
from stokly_sync.systems.stokly.settings import StoklySettings
from stokly_sync.systems.transport import Clock, ListReader, NoAuth, RetryPolicy, Transport, Verdict, whole

A = TypeVar("A")
B = TypeVar("B")

REMAINING_HEADER: Final = "x-ratelimit-remaining"
# The server's window is taken to be a minute; its 429 is not known to say how long to wait.
LIMIT_WINDOW: Final = 60.0
GONE: Final = 404
# A refused write: wrong content, a conflict of state, or 422 should Stokly use it. Source: Stokly API contract 2.6.
REFUSALS: Final = (400, 409, 422)
# What reading a list needs to know of a row: what identifies it, the times it is sorted by, and where its lines are.
_READER: Final = ListReader(
    head=(
        *("saleOrderId", "customerId", "saleInvoiceId", "refundId", "creditNoteId", "dispatchId", "itemId"),
        *("createdAt", "updatedAt", "timeCreated", "timeUpdated", "issueDate", "dispatchedAt"),
    ),
    lists=("items",),
)


class FilterRefused(PermanentError):
    """Stokly does not know a field or an operator of the filter, or a sort field."""


class WriteRefused(StoklySyncError):
    """Stokly does not take a record: its content is wrong, or the state of what it is about; the message says why."""


ERRORS: Final = (
    Verdict((400, 499), CredentialsError, "A fresh token is refused; check this machine's clock.", "jwt expired"),
    Verdict(400, FilterRefused, "This account does not know the filter; see the settings for unproven ones.", "filter"),
    Verdict(400, FilterRefused, "This account cannot sort by that member.", "sortfield"),
    Verdict(404, NotOffered, "The account has no such resource; name its dataset under not_offered in [stokly]."),
)


@dataclass(frozen=True)
class ListPage:
    """Rows of one page, how many rows match in all (None where not said), and when the request started (UTC).

    `ordered` is False where rows of later pages may lie before these, so that their time is no place to go on from.
    """

    rows: Sequence[Received]
    count: int | None
    requested_at: datetime
    ordered: bool = True


class StoklyClient:
    """One account's API under one lane; safe to use from several threads."""

    def __init__(
        self,
        settings: StoklySettings,
        budget: Budget,
        lane: Lane,
        *,
        clock: Clock | None = None,
        retry: RetryPolicy | None = None,
    ) -> None:
        if settings.client_secret is None or settings.account_key is None or settings.client_id is None:
            raise CredentialsError("Stokly's credentials are not set: STOKLY_ACCOUNT_KEY, _CLIENT_ID, _CLIENT_SECRET.")
        self.settings = settings
        self.memory: dict[str, Any] = {}
        """What this client found out about the account, by name, so that it asks once."""
        secret = settings.client_secret
        self._clock = clock or Clock()
        shared: dict[str, Any] = {
            "vendor": "Stokly",
            "budget": budget,
            "lane": lane,
            "remaining_header": REMAINING_HEADER,
            "verify_tls": settings.verify_tls,
            "clock": self._clock,
            "retry": retry or RetryPolicy(default_retry_after=LIMIT_WINDOW),
            "secrets": (secret.get_secret_value(),),
        }
        self._granting = Transport(settings.base_url, auth=NoAuth(), errors=GRANT_ERRORS, **shared)
        auth = GrantAuth(
            self._granting,
            account_key=settings.account_key,
            client_id=settings.client_id,
            secret=secret.get_secret_value,
            early=settings.token_early,
            clock=self._clock,
        )
        self._transport = Transport(
            settings.base_url, auth=auth, errors=ERRORS, concurrency=settings.concurrency, **shared
        )

    def __repr__(self) -> str:
        return f"StoklyClient({self.settings.account_key})"

    @property
    def calls(self) -> int:
        """Requests made so far, those for tokens and repetitions included."""
        return self._transport.calls + self._granting.calls

    def now(self) -> datetime:
        """The time by the client's clock, UTC."""
        return self._clock.now()

    def pause(self, seconds: float) -> None:
        """Wait by the client's clock."""
        self._clock.sleep(seconds)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()
        self._granting.close()

    def page(
        self,
        path: str,
        *,
        filter: Filter | None = None,  # noqa: A002 - the vendor's word
        page: int = 0,
        size: int | None = None,
        sort: str | None = None,
        descending: bool = False,
    ) -> ListPage:
        """One page of a list; raises NotOffered for 404, FilterRefused where filter or sort are not known.

        Source: Stokly API contract 2.1, 2.2.
        """
        params: dict[str, str | int] = {"page": page, "size": size or self.settings.page_size}
        if sort:
            params |= {"sortField": sort, "sortDirection": "DESC" if descending else "ASC"}
        if filter is not None:
            params["filter"] = str(filter)
        answer = self._transport.request("GET", path, params=params, read=_READER)
        rows, count = _list(path, answer.data)
        return ListPage(rows, count, answer.requested_at)

    def detail(self, path: str) -> Json | None:
        """One record, or None when there is none of that id."""
        answer = self._transport.request("GET", path, expect=(GONE,))
        inner = answer.data.get("data") if isinstance(answer.data, dict) else None
        if answer.status != GONE and not isinstance(inner, dict):
            raise TransientError(f"Stokly: GET {path} answered without a record under data; try again later.")
        return inner if answer.status != GONE else None

    def write(self, method: str, path: str, body: Json | None = None) -> str | None:
        """Make one write and give the id that it was answered with, None where there is none.

        Its effect is seen a moment later. Raises WriteRefused with Stokly's words when the content or the state of the
        record does not allow it, NotOffered for 404, InDoubt when nobody knows whether it arrived. Source: Stokly API
        contract 2.1, 2.6.
        """
        answer = self._transport.request(method, path, json=body, retry="once", expect=REFUSALS)
        if answer.status in REFUSALS:
            said = answer.data.get("message") if isinstance(answer.data, dict) else None
            raise WriteRefused(str(said or f"status {answer.status} without a reason"))
        inner = answer.data.get("data") if isinstance(answer.data, dict) else None
        made = inner.get("id") if isinstance(inner, dict) else None
        return str(made) if made else None

    def sub_list(self, path: str, *, filter: Filter | None = None) -> list[Json] | None:  # noqa: A002
        """A whole list under one record, or None when the record (or the list) does not exist.

        Such lists are short: more than one page is read in order and counted against what the server says.
        """
        rows: list[Json] = []
        number = 0
        while True:
            try:
                found = self.page(path, filter=filter, page=number)
            except NotOffered:
                return None
            rows += map(whole, found.rows)
            if not found.rows or found.count is None or len(rows) >= found.count:
                return rows
            number += 1

    def each(self, function: Callable[[A], B], arguments: Iterable[A]) -> list[B]:
        """Results of several calls in the order of their arguments, at most `concurrency` at once."""
        todo = list(arguments)
        if self.settings.concurrency == 1 or len(todo) < 2:
            return [function(argument) for argument in todo]
        with ThreadPoolExecutor(self.settings.concurrency, thread_name_prefix="stokly") as pool:
            try:
                return list(pool.map(function, todo))
            except BaseException:
                # What has not begun is not begun any more: each of them would cost a call.
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def _list(path: str, data: object) -> tuple[list[Received], int | None]:
    rows = data.get("data") if isinstance(data, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise TransientError(f"Stokly: GET {path} answered without a list of rows under data; try again later.")
    metadata = data.get("metadata") if isinstance(data, dict) else None
    count = metadata.get("count") if isinstance(metadata, dict) else None
    return rows, count if isinstance(count, int) else None
