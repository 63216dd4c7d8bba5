"""The calls of Dotdigital's API, v3 where there is one, in the vendor's words: discovery, imports, records and lists.

Belongs here: where the account lives, paths, paging and the vendor's error table. What a record looks like stands in
`documents`, following an import in `imports`, setting the account up in `setup`. Source: Dotdigital API contract 1, 6.
"""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

from stokly_sync.errors import BatchRefused, CredentialsError, PermanentError, TransientError
from stokly_sync.flow import Budget, Json, Lane, Memory
from stokly_sync.systems.dotdigital.settings import DotdigitalSettings
from stokly_sync.systems.transport import Answer, Clock, RetryPolicy, StaticAuth, Transport, Verdict, found_once

VENDOR: Final = "Dotdigital"
ERRORS: Final = (
    Verdict(401, CredentialsError, "Check DOTDIGITAL_USERNAME and DOTDIGITAL_PASSWORD."),
    Verdict(
        403,
        CredentialsError,
        "The account lives in another region: set DOTDIGITAL_BASE_URL to https://r1-api.dotdigital.com, "
        "which tells where.",
        contains="Access is denied",
    ),
    Verdict(400, TransientError, "The account's calls of this hour are used up.", contains="ERROR_APIUSAGE_EXCEEDED"),
    Verdict(404, PermanentError, "There is no such record or path; check DOTDIGITAL_BASE_URL."),
    Verdict(400, BatchRefused, "One of the records is not acceptable, or the request is malformed."),
    Verdict(413, BatchRefused, "The request is too large."),
    Verdict(429, TransientError, "Too many calls, or too many imports under way; wait and try again."),
)
"""What statuses mean here; the rest as everywhere. Source: Dotdigital API contract 1 (errors, limits)."""
RETRY: Final = RetryPolicy(attempts=8, default_retry_after=15.0)
TIMEOUT: Final = (10.0, 125.0)
"""The vendor asks to wait at least 121 seconds before giving up. Source: Dotdigital API contract 1."""
EPOCH: Final = 10**9
"""A reset above this is a time, one below it a number of seconds: the vendor's sources disagree."""
EVENTS: Final = 5000
OLD_PAGE: Final = 1000
"""Rows in one page of a v2 list. Source: Dotdigital API contract 6."""


def stay_away(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until the tier that refused a call is open again, or None where no header tells."""
    try:
        reset = float(headers.get("X-RateLimit-Reset", ""))
    except ValueError:
        return None
    return reset - now.timestamp() if reset > EPOCH else reset


class DotdigitalClient:
    """One account under one API user in one lane; safe to use from several threads.

    Raises CredentialsError, PermanentError, TransientError, and BatchRefused from calls that write.
    """

    def __init__(
        self,
        settings: DotdigitalSettings,
        budget: Budget,
        lane: Lane,
        *,
        retry: RetryPolicy = RETRY,
        clock: Clock | None = None,
    ) -> None:
        if settings.username is None or settings.password is None:
            raise CredentialsError("Dotdigital: no API user; set DOTDIGITAL_USERNAME and DOTDIGITAL_PASSWORD")
        self.settings = settings
        self.clock = clock or Clock()
        self._budget, self._lane, self._retry = budget, lane, retry
        self._password = settings.password.get_secret_value()
        token = b64encode(f"{settings.username}:{self._password}".encode()).decode()
        self._auth = StaticAuth({"Authorization": f"Basic {token}"})
        self._secrets = (self._password, token)
        self._first = self._transport(settings.base_url)
        self._home: Transport | None = None
        self.shared: dict[str, Any] = {}
        """What other parts of this system keep with the client: the state of set-up, imports and known contacts."""
        self.guard = threading.RLock()
        """Held while `shared` is filled."""
        self.memory: Memory | None = None
        """What set-up has found lately, where somebody keeps it."""

    @property
    def calls(self) -> int:
        """Requests made so far, repetitions included."""
        home = self._home.calls if self._home is not None and self._home is not self._first else 0
        return self._first.calls + home

    def close(self) -> None:
        """Close the connections."""
        self._first.close()
        if self._home is not None:
            self._home.close()

    @cached_property
    def account(self) -> dict[str, str]:
        """The account's properties by name. Source: Dotdigital API contract 1 (discovery)."""
        rows = self._first.request("GET", "/v2/account-info").data
        found = rows.get("properties") if isinstance(rows, Mapping) else None
        if not isinstance(found, list):
            raise TransientError(f"{VENDOR}: GET /v2/account-info lists no properties; try again later.")
        return {str(row.get("name")): str(row.get("value")) for row in found if isinstance(row, Mapping)}

    def request(self, method: str, path: str, **how: Any) -> Answer:
        """One call to the host where the account lives, which is asked for once."""
        return self._at_home().request(method, path, **how)

    def _at_home(self) -> Transport:
        if self._home is None:
            with self.guard:
                if self._home is None:
                    host = str(found_once(self, "host", _host))
                    same = not host or host == self.settings.base_url
                    self._home = self._first if same else self._transport(host)
        return self._home

    def read(self, path: str, *, params: Mapping[str, str | int] | None = None, missing: Any = None) -> Any:
        """What a GET gives; `missing` where there is nothing (404)."""
        try:
            answer = self.request("GET", path, params=params, expect=(404,))
        except BatchRefused as refused:
            raise PermanentError(str(refused)) from refused
        return missing if answer.status == 404 else answer.data

    def pages(self, path: str, params: Mapping[str, str | int]) -> Iterator[list[Json]]:
        """Pages of a v3 list, by marker; nothing where the list does not exist. Source: contract 6."""
        marker: str | None = None
        for _ in range(self.settings.read_calls):
            more = {"marker": marker} if marker else {}
            page = self.read(path, params={**params, "limit": self.settings.read_page, **more}, missing={})
            items = page.get("_items") or [] if isinstance(page, Mapping) else None
            if not isinstance(items, list):
                raise TransientError(f"{VENDOR}: GET {path} gave no list; try again later.")
            if items:
                yield items
            following = (page.get("_links") or {}).get("next") or {}
            before, marker = marker, following.get("marker")
            if not marker:
                return
            if marker == before:
                raise TransientError(f"{VENDOR}: GET {path} gives the same page again; try again later.")
        raise PermanentError(
            f"{VENDOR}: reading {path} needs more than {self.settings.read_calls} calls; raise DOTDIGITAL_READ_CALLS."
        )

    def contacts(self, **params: str) -> Iterator[list[Json]]:
        """Contacts of the account, a page at a time."""
        return self.pages("/contacts/v3", params)

    def orders(self) -> Iterator[list[Json]]:
        """Orders of all contacts, a page at a time."""
        return self.pages(f"/insightData/v3/contacts/{self.settings.orders_collection}", {})

    def products(self) -> Iterator[list[Json]]:
        """Products of our collection, a page at a time."""
        return self.pages(f"/insightData/v3/account/{self.settings.catalogue_collection}", {})

    def gone(self, since: datetime | None) -> Iterator[list[Json]]:
        """Who is unsubscribed or suppressed since then, or ever, a page at a time. Source: contract 2, 6."""
        start = since or datetime(2000, 1, 1, tzinfo=UTC)
        path = f"/v2/contacts/suppressed-since/{start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        for number in range(self.settings.read_calls):
            rows = self.read(path, params={"select": OLD_PAGE, "skip": number * OLD_PAGE}, missing=[])
            if not isinstance(rows, list):
                raise TransientError(f"{VENDOR}: GET {path} gave no list; try again later.")
            yield rows
            if len(rows) < OLD_PAGE:
                return
        raise PermanentError(f"{VENDOR}: {path} needs more calls than DOTDIGITAL_READ_CALLS allows; raise it.")

    def contact(self, identifier: str, value: str) -> Json | None:
        """The contact with that identifier, or None."""
        found = self.read(f"/contacts/v3/{identifier}/{quote(value, safe='')}")
        return found if isinstance(found, dict) else None

    def delete_order(self, owner: int, key: str) -> None:
        """Take an order away from the contact that has it. Source: Dotdigital API contract 3."""
        name = self.settings.orders_collection
        path = f"/insightData/v3/contacts/contactId/{owner}/{name}/{quote(key, safe='')}"
        self.request("DELETE", path, expect=(404,))

    def send_events(self, documents: list[bytes]) -> None:
        """Send events, at most 5000; never repeated once they may have arrived. Source: Dotdigital API contract 4."""
        body = b"[" + b",".join(documents) + b"]"
        headers = {"Content-Type": "application/json"}
        self.request("POST", "/events/v3/import", body=body, headers=headers, retry="once")

    def _transport(self, base_url: str) -> Transport:
        return Transport(
            base_url,
            vendor=VENDOR,
            auth=self._auth,
            budget=self._budget,
            lane=self._lane,
            # One more than imports that are being sent, so that following them never waits.
            concurrency=self.settings.contact_imports + 1,
            errors=ERRORS,
            retry=self._retry,
            stay_away=stay_away,
            secrets=self._secrets,
            timeout=TIMEOUT,
            clock=self.clock,
        )


def _host(client: DotdigitalClient) -> str:
    """Where the account lives; empty where discovery does not say."""
    return client.account.get("ApiEndpoint", "").rstrip("/")


def connect(settings: DotdigitalSettings, budget: Budget, lane: Lane) -> DotdigitalClient:
    """A client of the account in `settings` whose calls count against the lane's share of `budget`."""
    return DotdigitalClient(settings, budget, lane)
