"""One HTTP session of one client: counted against the rate budget, repeated only where that is harmless.

Belongs here: what happens between "call this" and one of our errors. The single question that decides everything is
whether a request may have taken effect: a read or an idempotent write ("safe") is repeated, any other write ("once")
is never sent again after it may have arrived and raises `InDoubt` instead. Redirects are not followed: they would
carry the credentials to another host.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import quote, urlencode

import requests
import tenacity

from stokly_sync.errors import PermanentError, StoklySyncError, TransientError
from stokly_sync.flow import Budget, Lane
from stokly_sync.systems.transport.answers import Answer, Verdict, decode, encode, in_doubt, verdict
from stokly_sync.systems.transport.auth import Auth
from stokly_sync.systems.transport.redaction import excerpt, redact
from stokly_sync.systems.transport.retry import Clock, RetryPolicy, retry_after
from stokly_sync.systems.transport.wire import (
    addressed,
    cause,
    certificate_refused,
    exchanged,
    never_sent,
    new_session,
    said,
    start,
)

log = logging.getLogger(__name__)

Retry = Literal["safe", "once"]
_READS = frozenset({"GET", "HEAD"})
# Short enough not to hang on a dead host, long enough for a page of 1000 rows with a busy database behind it.
CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 90.0


@dataclass(frozen=True)
class _Call:
    method: str
    path: str
    url: str
    body: bytes | None
    headers: Mapping[str, str]
    safe: bool
    expect: Collection[int]
    read: Callable[[bytes], Any]

    @property
    def name(self) -> str:
        return f"{self.method} {redact(self.path)}"


class _Again(Exception):
    """A failed attempt after which another one is allowed; `wait` in seconds, or None for the usual backoff.

    `limited` says that too many calls were made, and nobody said how long to wait.
    """

    def __init__(self, error: StoklySyncError, wait: float | None = None, *, limited: bool = False) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait
        self.limited = limited


class _Writes:
    """Whether calls that write may leave this process."""

    allowed = True


@contextmanager
def reading_only() -> Iterator[None]:
    """Refuse every call of this process that does not read, whoever makes it (X11: an audit writes nothing)."""
    _Writes.allowed = False
    try:
        yield
    finally:
        _Writes.allowed = True


class Transport:
    """The wire to one vendor under one credential; safe to use from several threads.

    `vendor` is its name in messages, `secrets` are values that no message may show, `errors` the vendor's own rows
    before the common table, `remaining_header` the header with the calls left in the server's window, `stay_away` the
    vendor's own way to say in headers how many seconds to wait (given the headers and the time), `message` its own way
    to say in a decoded body what is wrong. `sign` is called with each request as it leaves, for vendors that want every
    request signed. `concurrency` bounds the connections. `calls` counts every request that was attempted, repetitions
    included.
    """

    def __init__(
        self,
        base_url: str,
        *,
        vendor: str,
        auth: Auth,
        budget: Budget,
        lane: Lane,
        concurrency: int = 1,
        errors: Sequence[Verdict] = (),
        retry: RetryPolicy | None = None,
        remaining_header: str | None = None,
        stay_away: Callable[[Mapping[str, str], datetime], float | None] | None = None,
        message: Callable[[Any], str | None] | None = None,
        sign: Callable[[requests.PreparedRequest], requests.PreparedRequest] | None = None,
        secrets: Iterable[str] = (),
        verify_tls: bool = True,
        timeout: tuple[float, float] = (CONNECT_TIMEOUT, READ_TIMEOUT),
        clock: Clock | None = None,
    ) -> None:
        self.vendor = vendor
        self.calls = 0
        self._base = base_url.rstrip("/")
        self._auth, self._budget, self._lane = auth, budget, lane
        self._errors, self._remaining_header = tuple(errors), remaining_header
        self._stay_away, self._message, self._sign = stay_away, message, sign
        self._policy, self._clock = retry or RetryPolicy(), clock or Clock()
        self._secrets, self._timeout = tuple(secrets), timeout
        self._counting = threading.Lock()
        self._session = new_session(self._base, concurrency=concurrency, verify_tls=verify_tls)
        # The same few addresses are called again and again, and reading one takes longer than all else of a request.
        self._blank = lru_cache(64)(lambda method, url: self._session.prepare_request(requests.Request(method, url)))
        self._retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Again),
            wait=self._wait,
            stop=self._stop,
            sleep=self._clock.sleep,
            before_sleep=self._log_retry,
            reraise=True,
        )

    def __repr__(self) -> str:
        return f"Transport({self.vendor}, {redact(self._base)})"

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        retry: Retry = "safe",
        reads: bool | None = None,
        expect: Collection[int] = (),
        read: Callable[[bytes], Any] = decode,
    ) -> Answer:
        """Make one request and give its answer; `expect` names statuses beside 2xx that are answers too.

        `reads` says of a call whether it leaves everything as it is; left out, a GET does and others do not.
        `json` is encoded with exact decimals; `body` is sent as it is (say its type in `headers`). With
        `retry="once"` the request is repeated only while it is certain that it did not arrive. `read` makes the
        answer's `data` of its body and raises ValueError when the body is no JSON.
        Raises TransientError, PermanentError (CredentialsError, PermissionDenied), InDoubt, or what the vendor's
        table says.
        """
        if not _Writes.allowed and not (method in _READS if reads is None else reads):
            raise PermanentError(f"{self.vendor}: {method} {redact(path)} would write, and nothing may be written now.")
        query = "?" + urlencode(params, quote_via=quote) if params else ""
        sent = {"Accept": "application/json", **(headers or {})}
        if json is not None:
            body = encode(json)
            sent.setdefault("Content-Type", "application/json")
        call = _Call(method, path, f"{self._base}{path}{query}", body, sent, retry == "safe", expect, read)
        try:
            return self._retrying(self._attempt, call)
        except _Again as again:
            raise again.error from again.__cause__

    def _attempt(self, call: _Call) -> Answer:
        answer, auth = self._exchange(call)
        if self._auth.renew(status=answer.status, body=answer.body, sent=auth) if answer.status >= 400 else False:
            answer, _ = self._exchange(call)
        if 200 <= answer.status < 300 or answer.status in call.expect:
            return self._decoded(call, answer)
        raise self._refusal(call, answer)

    def _exchange(self, call: _Call) -> tuple[Answer, Mapping[str, str]]:
        auth = self._auth.headers()
        self._budget.take(lane=self._lane)
        with self._counting:
            self.calls += 1
        started, at = self._clock.monotonic(), self._clock.now()
        try:
            request = addressed(self._blank(call.method, call.url), {**call.headers, **auth}, call.body)
            request = self._sign(request) if self._sign else request
            response, body = exchanged(self._session, request, timeout=self._timeout)
        except requests.RequestException as error:
            raise self._unanswered(call, error) from error
        elapsed = self._clock.monotonic() - started
        self._observe(response.headers)
        return Answer(response.status_code, response.headers, None, body, at, elapsed), auth

    def _decoded(self, call: _Call, answer: Answer) -> Answer:
        if not answer.body:
            return answer
        try:
            data = call.read(answer.body)
        except ValueError as error:
            if answer.status >= 300:
                return answer
            kind = answer.headers.get("Content-Type", "no content type")
            what = f"{self.vendor}: {call.name} answered {answer.status} without readable JSON ({kind}, "
            what += f"{len(answer.body)} bytes{start(answer.body, self._secrets)})"
            if not call.safe:
                raise in_doubt(what) from error
            raise _Again(TransientError(f"{what}; try again later")) from error
        return Answer(answer.status, answer.headers, data, answer.body, answer.requested_at, answer.elapsed)

    def _refusal(self, call: _Call, answer: Answer) -> Exception:
        """The error for an answer with an error status, wrapped in `_Again` where another attempt is allowed."""
        row = verdict(self._errors, status=answer.status, body=answer.body)
        words = said(answer.body, self._secrets, self._message)
        what = f"{self.vendor}: {call.name} answered {answer.status}{words}"
        if row.done and not call.safe:
            return in_doubt(what)
        if not issubclass(row.error, TransientError):
            return row.error(f"{what}. {row.sentence}")
        header = answer.headers.get("Retry-After")
        if header is None and self._stay_away is not None:
            seconds = self._stay_away(answer.headers, self._clock.now())
            header = None if seconds is None else f"{max(seconds, 0.0):.3f}"
        limited, wait = row.limit or answer.status == 429, None
        if header or limited:
            default = next(iter(self._policy.limit_waits), self._policy.default_retry_after)
            wait = retry_after(header, now=self._clock.now(), default=default)
        if limited:
            self._budget.observe(retry_after=wait)
        return _Again(row.error(f"{what}. {row.sentence}", retry_after=wait), wait, limited=limited and not header)

    def _unanswered(self, call: _Call, error: requests.RequestException) -> Exception:
        """The error for a request without an answer: not sent at all, or sent and nobody knows."""
        what = f"{self.vendor}: {call.name} got no answer ({cause(error)})"
        if certificate_refused(error):
            return PermanentError(f"{what}: the server's certificate is not accepted. Check the base URL.")
        if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
            return PermanentError(f"{what}. Check the base URL in the settings.")
        if call.safe or never_sent(error):
            return _Again(TransientError(f"{what}. Nothing was changed; try again later."))
        return in_doubt(what)

    def _observe(self, headers: Mapping[str, str]) -> None:
        text = headers.get(self._remaining_header, "") if self._remaining_header else ""
        if text.strip().isdecimal():
            self._budget.observe(remaining=int(text))

    def _wait(self, state: tenacity.RetryCallState) -> float:
        again = state.outcome.exception() if state.outcome else None
        if isinstance(again, _Again) and again.limited and (longer := self._policy.limit_waits):
            return longer[min(state.attempt_number, len(longer)) - 1]
        if isinstance(again, _Again) and again.wait is not None:
            return again.wait
        return self._policy.backoff(state.attempt_number)

    def _stop(self, state: tenacity.RetryCallState) -> bool:
        waited = state.idle_for + state.upcoming_sleep
        return state.attempt_number >= self._policy.attempts or waited > self._policy.patience

    def _log_retry(self, state: tenacity.RetryCallState) -> None:
        again = state.outcome.exception() if state.outcome else None
        call: _Call = state.args[0]
        why = excerpt(str(again), secrets=self._secrets)
        log.warning("%s attempt %d: %s; again in %.1f s", call.name, state.attempt_number, why, state.upcoming_sleep)
