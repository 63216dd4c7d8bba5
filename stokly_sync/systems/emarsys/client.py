"""The calls of Emarsys' Core API and Sales Data API, in the vendor's words: the envelope, its errors, and paging.

Belongs here: paths, reply codes, and what HTTP 200 with an error inside means. What a record looks like stands in
`documents`, set-up in `setup`, writing contacts and events in `contacts` and `events`. Source: Emarsys API contract 1,
2.1, 2.5.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from stokly_sync.errors import BatchRefused, CredentialsError, PermanentError, PermissionDenied, TransientError
from stokly_sync.flow import Budget, Json, Lane, Memory
from stokly_sync.systems.emarsys.auth import TOKEN_ERRORS, TokenAuth, WsseAuth
from stokly_sync.systems.emarsys.settings import EmarsysSettings
from stokly_sync.systems.transport import Auth, Clock, NoAuth, RetryPolicy, StaticAuth, Transport, Verdict

VENDOR: Final = "Emarsys"
ERRORS: Final = (
    Verdict(401, CredentialsError, "Check EMARSYS_CLIENT_ID and EMARSYS_CLIENT_SECRET."),
    Verdict(403, PermissionDenied, "Switch this endpoint on for the API user in Emarsys."),
    Verdict(404, PermanentError, "There is no such path or record; check EMARSYS_BASE_URL, which has no path."),
    Verdict(
        400,
        PermanentError,
        "Activate a program that listens to the event.",
        contains="no program or campaign is triggered",
    ),
    Verdict(400, PermanentError, "Set EMARSYS_DISPATCH_EVENT to an event that exists.", contains="invalid event id"),
    Verdict(400, BatchRefused, "One of the records is not acceptable, or the request is malformed."),
    Verdict(413, BatchRefused, "The request is too large."),
    Verdict(429, TransientError, "Too many calls; wait and try again."),
    Verdict(500, PermanentError, "The account has no room for another custom field.", contains='"replyCode":9004'),
)
"""What statuses mean here; the rest as everywhere. Source: Emarsys API contract 1.5, 1.6."""
SALES_ERRORS: Final = (
    Verdict(401, CredentialsError, "Check EMARSYS_SALES_TOKEN and EMARSYS_MERCHANT_ID."),
    Verdict(403, CredentialsError, "Check EMARSYS_SALES_TOKEN and EMARSYS_MERCHANT_ID."),
    Verdict(404, CredentialsError, "Check EMARSYS_SALES_URL and EMARSYS_MERCHANT_ID."),
    Verdict(
        400,
        PermanentError,
        "Set EMARSYS_SALES_COLUMNS to the columns as they were agreed for the account, in their order.",
        contains="header",
    ),
    Verdict(400, BatchRefused, "One of the lines is not acceptable."),
    Verdict(413, BatchRefused, "The upload is too large."),
    Verdict(429, TransientError, "Too many uploads; wait and try again."),
)
"""Refusals of an upload. Which texts mean what is not documented. Source: Emarsys API contract 2.5."""
RETRY: Final = RetryPolicy(attempts=8, default_retry_after=60.0)
TIMEOUT: Final = (10.0, 90.0)
MANY: Final = 1_000
"""Contacts in one call. Source: Emarsys API contract 1.6."""
PAGE: Final = 10_000


READING: Final = frozenset({"/contact/checkids", "/contact/getdata"})
"""Calls that read although they are no GET."""


def stay_away(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until the window of calls that was used up is over, or None where no header tells."""
    try:
        return float(headers.get("X-RateLimit-Reset", "")) - now.timestamp()
    except ValueError:
        return None


class ReplyError(PermanentError):
    """A call was answered with a reply code that says it failed, inside HTTP 200."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class EmarsysClient:
    """One account under one API user in one lane; safe to use from several threads.

    Raises CredentialsError, PermissionDenied, PermanentError, TransientError, BatchRefused from calls that write, and
    InDoubt from `upload_sales`.
    """

    def __init__(
        self,
        settings: EmarsysSettings,
        budget: Budget,
        lane: Lane,
        *,
        retry: RetryPolicy = RETRY,
        clock: Clock | None = None,
    ) -> None:
        if settings.client_id is None or settings.client_secret is None:
            raise CredentialsError("Emarsys: no credentials; set EMARSYS_CLIENT_ID and EMARSYS_CLIENT_SECRET")
        self.settings = settings
        self.clock = clock or Clock()
        self._budget, self._lane, self._retry = budget, lane, retry
        self._secret = settings.client_secret.get_secret_value()
        self._tokens: Transport | None = None
        self._core = self._transport(f"{settings.base_url}/api", self._auth(settings.client_id), ERRORS)
        self._version = "/v2" if settings.auth == "wsse" else "/v3"
        self._sales: Transport | None = None
        self.shared: dict[str, Any] = {}
        """What other parts of this system keep with the client: fields, choices and the event."""
        self.guard = threading.RLock()
        """Held while `shared` is filled."""
        self.memory: Memory | None = None  # of what set-up has found lately, where somebody keeps one

    @property
    def calls(self) -> int:
        """Requests made so far, repetitions and requests for tokens included."""
        return sum(one.calls for one in (self._core, self._tokens, self._sales) if one is not None)

    def close(self) -> None:
        """Close the connections."""
        for one in (self._core, self._tokens, self._sales):
            if one is not None:
                one.close()

    def ask(self, method: str, path: str, body: Any = None, *, params: Mapping[str, str | int] | None = None) -> Any:
        """One call of the Core API that is harmless to repeat; gives `data`.

        Raises ReplyError when the envelope names a failure although the status is 200. Source: contract 1.5.
        """
        reads = method == "GET" or path in READING
        answer = self._core.request(method, f"{self._version}{path}", json=body, params=params, reads=reads)
        envelope = answer.data
        if not isinstance(envelope, Mapping) or "replyCode" not in envelope:
            raise TransientError(f"{VENDOR}: {method} {path} answered without an envelope; try again later.")
        code = str(envelope["replyCode"])
        if code != "0":
            said = str(envelope.get("replyText", ""))[:200]
            raise ReplyError(f"{VENDOR}: {method} {path} answered reply code {code} ({said})", code=code)
        return envelope.get("data")

    def read(self, method: str, path: str, body: Any = None, *, params: Mapping[str, str | int] | None = None) -> Any:
        """One call that only reads; a refusal is no matter of any record."""
        try:
            return self.ask(method, path, body, params=params)
        except BatchRefused as refused:
            raise PermanentError(str(refused)) from refused

    def ids_of(self, key: str, values: Sequence[str]) -> dict[str, list[str]]:
        """Internal ids of the contacts that have these values of a field; absent where there are none.

        Source: contract 1.7 (checkids); with `get_multiple_ids` duplicates are told too.
        """
        found: dict[str, list[str]] = {}
        for start in range(0, len(values), MANY):
            body = {"key_id": key, "external_ids": list(values[start : start + MANY]), "get_multiple_ids": True}
            data = self._keyed(key, body, "/contact/checkids")
            ids = data.get("ids") if isinstance(data, Mapping) else None
            for value, held in (ids if isinstance(ids, Mapping) else {}).items():
                found[str(value)] = [str(one) for one in held] if isinstance(held, list) else [str(held)]
        return found

    def contacts(self, fields: Sequence[str], ids: Sequence[str]) -> Iterator[list[Json]]:
        """Fields of contacts by internal id, 1,000 a call; those not there are left out. Source: contract 1.7."""
        for start in range(0, len(ids), MANY):
            body = {"keyId": "id", "keyValues": list(ids[start : start + MANY]), "fields": list(fields)}
            data = self.read("POST", "/contact/getdata", body)
            result = data.get("result") if isinstance(data, Mapping) else None
            # False where nothing matches.
            yield [row for row in result if isinstance(row, dict)] if isinstance(result, list) else []

    def all_with(self, field: str) -> Iterator[list[Json]]:
        """Every contact that has a value of a field, with internal id and that value, 10,000 a call."""
        for offset in range(0, self.settings.read_calls * PAGE, PAGE):
            params: dict[str, str | int] = {"return": field, "excludeempty": "true", "limit": PAGE, "offset": offset}
            data = self.read("GET", "/contact/query/", params=params)
            result = data.get("result") if isinstance(data, Mapping) else None
            rows = [row for row in result if isinstance(row, dict)] if isinstance(result, list) else []
            yield rows
            if len(rows) < PAGE:
                return
        raise PermanentError(
            f"{VENDOR}: reading contacts needs more than {self.settings.read_calls} calls; raise EMARSYS_READ_CALLS."
        )

    def put_contacts(self, key: str, rows: Sequence[Json], *, create: bool) -> dict[str, tuple[str, str]]:
        """Update contacts (or create those that are not there); gives code and text of failed rows by key value.

        An upsert, so it is repeated when no answer came. Source: contract 1.7 (create or update).
        """
        body = {"key_id": key, "contacts": list(rows)}
        data = self._keyed(key, body, "/contact/", method="PUT", params={"create_if_not_exists": int(create)})
        return row_errors(data)

    def export(self, number: str) -> str:
        """What a finished export holds, as CSV. Source: contract 1.9."""
        answer = self._core.request("GET", f"{self._version}/export/{number}/data", read=_text)
        return str(answer.data or "")

    def upload_sales(self, content: bytes) -> str:
        """Append lines of sales data; never repeated once they may have arrived. Gives the vendor's answer.

        Raises InDoubt when nobody knows whether they arrived. Source: contract 2.1, 2.5.
        """
        settings = self.settings
        if settings.sales_token is None or settings.merchant_id is None:
            raise CredentialsError(
                "Emarsys: sales data need a token of their own; set EMARSYS_SALES_TOKEN and EMARSYS_MERCHANT_ID, or "
                "set the modes of orders and refunds to off."
            )
        with self.guard:
            if self._sales is None:
                token = settings.sales_token.get_secret_value()
                auth = StaticAuth({"Authorization": f"Bearer {token}"})
                self._sales = self._transport(
                    settings.sales_url, auth, SALES_ERRORS, secrets=(token,), timeout=(10.0, settings.sales_timeout)
                )
        answer = self._sales.request(
            "POST",
            f"/hapi/merchant/{settings.merchant_id}/sales-data/api",
            body=content,
            headers={"Content-Type": "text/csv", "Accept": "text/plain"},
            retry="once",
            read=_text,
        )
        return str(answer.data or "").strip()[:100]

    def _keyed(
        self, key: str, body: Json, path: str, *, method: str = "POST", params: Mapping[str, str | int] | None = None
    ) -> Any:
        """A call that finds contacts by a field, which must be indexed. Source: contract 1.7 (2004)."""
        try:
            data = self.ask(method, path, body, params=params)
        except ReplyError as error:
            if error.code == "2004":
                raise PermanentError(self._not_indexed(key)) from error
            raise
        if "<NO_KEY_ID>" in (data.get("errors") or {} if isinstance(data, Mapping) else {}):
            raise PermanentError(self._not_indexed(key))
        return data

    def _not_indexed(self, key: str) -> str:
        return (
            f"{VENDOR}: field {key} cannot be used to find contacts. Ask the vendor's support to index "
            f"{self.settings.id_field}, or set EMARSYS_ID_FIELD_INDEXED=false until it is done."
        )

    def _auth(self, client_id: str) -> Auth:
        if self.settings.auth == "wsse":
            return WsseAuth(user=client_id, secret=self._secret, clock=self.clock)
        self._tokens = self._transport(self.settings.token_url, NoAuth(), TOKEN_ERRORS)
        return TokenAuth(self._tokens, client_id=client_id, secret=self._secret, clock=self.clock)

    def _transport(
        self,
        base_url: str,
        auth: Auth,
        errors: Sequence[Verdict],
        *,
        secrets: tuple[str, ...] = (),
        timeout: tuple[float, float] = TIMEOUT,
    ) -> Transport:
        return Transport(
            base_url,
            vendor=VENDOR,
            auth=auth,
            budget=self._budget,
            lane=self._lane,
            concurrency=4,
            errors=errors,
            retry=self._retry,
            remaining_header="X-Ratelimit-Remaining",
            stay_away=stay_away,
            secrets=(self._secret, *secrets),
            timeout=timeout,
            clock=self.clock,
        )


def _text(body: bytes) -> str:
    """An answer that is plain text."""
    return body.decode("utf-8", "replace")


def row_errors(data: Any) -> dict[str, tuple[str, str]]:
    """Code and text of failed rows by key value; empty in each of the vendor's empty forms. Source: contract 1.5."""
    errors = data.get("errors") if isinstance(data, Mapping) else None
    found: dict[str, tuple[str, str]] = {}
    for key, told in (errors if isinstance(errors, Mapping) else {}).items():
        code, text = next(iter(told.items()), ("", "")) if isinstance(told, Mapping) else ("", told)
        found[str(key)] = (str(code), str(text))
    return found


def connect(settings: EmarsysSettings, budget: Budget, lane: Lane) -> EmarsysClient:
    """A client of the account in `settings` whose calls count against the lane's share of `budget`."""
    return EmarsysClient(settings, budget, lane)
