"""One POST to one address: requests in GraphQL, the three layers in which Marketplacer says no, and paging.

Belongs here: headers, what each refusal means, aliases, cursors. Texts of requests stand in `queries`. The shared
transport makes the call, so that retries, the rate budget and redaction hold as everywhere; a GraphQL client library
brings a session of its own and would go round them. Source: Marketplacer API contract 2.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from stokly_sync.errors import (
    BatchRefused,
    CredentialsError,
    InDoubt,
    PermanentError,
    PermissionDenied,
    TransientError,
)
from stokly_sync.flow import Budget, Json, Lane, Memory
from stokly_sync.systems.marketplacer import queries
from stokly_sync.systems.marketplacer.settings import MarketplacerSettings
from stokly_sync.systems.marketplacer.unverified import INTROSPECTION, Members, members
from stokly_sync.systems.transport import Clock, RetryPolicy, StaticAuth, Transport, Verdict, excerpt, found_once

VENDOR: Final = "Marketplacer"
KEY_ADVICE: Final = (
    "Marketplacer says this of a key that is missing, mistyped or really expired alike: check MARKETPLACER_API_KEY, "
    "that it belongs to the instance at MARKETPLACER_URL, and make a new one in the portal if both are right."
)
BASIC_ADVICE: Final = (
    "The site stands behind HTTP Basic: set MARKETPLACER_BASIC_USER and MARKETPLACER_BASIC_PASSWORD, or correct them."
)
ERRORS: Final = (
    Verdict(401, CredentialsError, KEY_ADVICE, contains="api token has expired"),
    Verdict(401, CredentialsError, BASIC_ADVICE),
    Verdict(404, PermanentError, "There is no GraphQL here; check MARKETPLACER_URL, which has no /graphql."),
    Verdict(413, BatchRefused, "The request is too large."),
    Verdict(429, TransientError, "Too many requests; wait and try again.", limit=True),
    # Known as a rate limit, but a gateway says the same when it lost the answer.
    Verdict(503, TransientError, "Too many requests, or the site is down; wait and try again.", done=True, limit=True),
)
"""What statuses mean here; the rest as everywhere. Source: Marketplacer API contract 2.2, 2.5."""
RETRY: Final = RetryPolicy(attempts=4, default_retry_after=60.0, limit_waits=(60.0, 120.0, 240.0))
"""Waits where no Retry-After is given. Source: Marketplacer API contract 2.5."""
_SCOPE: Final = "MISSING_SCOPE"
_DENIED: Final = ("permission", "not authorized", "not authorised", "unauthorized", "forbidden", "not permitted")
_VALUE: Final = ("was provided invalid value", "could not coerce", "expected value to not be null")

_ASKING: Final = threading.RLock()

Role = Literal["operator", "seller"]


@dataclass(frozen=True)
class Reply:
    """What came back with HTTP 200: `data` by alias, and top-level errors that name an alias, by that alias."""

    data: Mapping[str, Any]
    errors: Mapping[str, str]
    requested_at: datetime


@dataclass(frozen=True)
class ConnectionPage:
    """One page of a connection; `end` is the cursor after it, None on the last page."""

    nodes: Sequence[Json]
    requested_at: datetime
    end: str | None
    total: int | None


class MarketplacerClient:
    """One instance under one key in one lane; safe to use from several threads.

    Raises CredentialsError, PermissionDenied, PermanentError, TransientError; BatchRefused and InDoubt from changes.
    """

    def __init__(
        self,
        settings: MarketplacerSettings,
        budget: Budget,
        lane: Lane,
        *,
        retry: RetryPolicy = RETRY,
        clock: Clock | None = None,
    ) -> None:
        if settings.url is None or settings.api_key is None:
            raise CredentialsError("Marketplacer: not set up; set MARKETPLACER_URL and MARKETPLACER_API_KEY")
        self.settings = settings
        self.clock = clock or Clock()
        self.shared = settings.asked
        """What the instance said of itself, for all clients of a process."""
        self.memory: Memory | None = None
        """What it said of itself lately, where somebody keeps it."""
        self.guard = _ASKING
        """Held while `shared` is filled."""
        self.once: dict[str, Any] = {}
        """What this client has read, by name, so that it reads it once."""
        headers, secrets = _headers(settings)
        self._secrets = secrets
        self._wire = Transport(
            settings.url,
            vendor=VENDOR,
            auth=StaticAuth(headers),
            budget=budget,
            lane=lane,
            concurrency=settings.concurrency,
            errors=ERRORS,
            retry=retry,
            secrets=secrets,
            verify_tls=settings.verify_tls,
            clock=self.clock,
        )

    @property
    def calls(self) -> int:
        """Requests made so far, repetitions included."""
        return self._wire.calls

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def read(self, query: str, variables: Mapping[str, Any] | None = None) -> Reply:
        """One request that only reads: any error of the query as a whole or of a part of it is raised."""
        reply = self._post(query, variables or {}, write=False, once=False)
        if reply.errors:
            raise self._meaning("; ".join(dict.fromkeys(reply.errors.values())), None, write=False)
        return reply

    def change(self, mutation: str, inputs: Sequence[Json], *, once: bool = False) -> list[Any]:
        """Several changes of one kind in one request; gives for each its payload, or an exception of ours.

        With `once` a request that may have arrived is never repeated: InDoubt is raised for all of them. One change
        that fails does not undo the others. Raises BatchRefused where the request was refused as a whole because of a
        value in it. Source: Marketplacer API contract 2.3 (aliases), 2.2.
        """
        text = queries.mutation(mutation, len(inputs))
        variables = {queries.alias(i): given for i, given in enumerate(inputs)}
        reply = self._post(text, variables, write=True, once=once)
        found: list[Any] = []
        for i in range(len(inputs)):
            name = queries.alias(i)
            payload = reply.data.get(name)
            if isinstance(payload, Mapping):
                found.append(payload)
            else:
                said = reply.errors.get(name) or reply.errors.get("") or "no payload"
                found.append(self._meaning(said, None, write=False))
        return found

    def connection(
        self, query: str, name: str, variables: Mapping[str, Any], *, size: int | None = None
    ) -> Iterator[ConnectionPage]:
        """All pages of a connection, forwards; `first` is always said. Source: Marketplacer API contract 2.3."""
        given = {**variables, "first": size or self.settings.page_size}
        after: str | None = None
        for _ in range(self.settings.read_calls):
            reply = self.read(query, given | ({"after": after} if after else {}))
            page = page_of(reply.data.get(name), reply.requested_at, name)
            yield page
            if page.end is None:
                return
            if page.end == after or not page.nodes:
                raise TransientError(f"{VENDOR}: {name} gives the same place again while it says that there is more.")
            after = page.end
        raise PermanentError(
            f"{VENDOR}: {name} needs more than {self.settings.read_calls} calls; raise MARKETPLACER_READ_CALLS."
        )

    @property
    def members(self) -> Members:
        """What the open members are called here; the schema is asked for once a day."""
        if "members" not in self.once:
            types = found_once(self, "types", MarketplacerClient._types)
            self.once["members"] = members(types, self.settings.members)
        found: Members = self.once["members"]
        return found

    @property
    def role(self) -> Role:
        """Whose key it is; asked for once a day. Source: Marketplacer API contract 1, 3.1."""
        if self.settings.role != "auto":
            return self.settings.role
        role: Role = found_once(self, "role", MarketplacerClient._principal)
        return role

    def _principal(self) -> Role:
        try:
            principal = self.read(queries.PRINCIPAL).data.get("apiKeyPrincipal") or {}
        except PermissionDenied:
            # Less is asked for with a seller's key, so nothing fails that could have worked.
            return "seller"
        return "seller" if principal.get("seller") else "operator"

    def _types(self) -> Mapping[str, Any] | None:
        try:
            return self.read(INTROSPECTION).data
        except CredentialsError:
            raise
        except PermanentError:
            return None

    def _post(self, query: str, variables: Mapping[str, Any], *, write: bool, once: bool) -> Reply:
        body = {"query": query, "variables": dict(variables)}
        answer = self._wire.request("POST", "/graphql", json=body, retry="once" if once else "safe", reads=not write)
        told = answer.data
        if not isinstance(told, Mapping) or not ("data" in told or "errors" in told):
            what = f"{VENDOR}: POST /graphql answered {answer.status} with something that is no GraphQL"
            if once:
                raise InDoubt(f"{what}. Look at what arrived before sending it again.")
            raise TransientError(f"{what}; try again later.")
        data = told.get("data")
        errors = [e for e in told.get("errors") or () if isinstance(e, Mapping)]
        if errors and not (isinstance(data, Mapping) and any(v is not None for v in data.values())):
            raise self._worst(errors, write=write)
        by_alias: dict[str, str] = {}
        for error in errors:
            path = error.get("path")
            name = str(path[0]) if isinstance(path, list) and path else ""
            by_alias.setdefault(name, self._said(error))
        return Reply(data if isinstance(data, Mapping) else {}, by_alias, answer.requested_at)

    def _worst(self, errors: Sequence[Mapping[str, Any]], *, write: bool) -> Exception:
        scoped = next((e for e in errors if _code(e) == _SCOPE), errors[0])
        return self._meaning(self._said(scoped), _code(scoped), write=write)

    def _said(self, error: Mapping[str, Any]) -> str:
        text = excerpt(str(error.get("message") or "an error without words"), secrets=self._secrets)
        return f"{_SCOPE}: {text}" if _code(error) == _SCOPE else text

    def _meaning(self, said: str, code: str | None, *, write: bool) -> Exception:
        """The error for a top-level GraphQL error. Source: Marketplacer API contract 2.1, 2.2."""
        lower = said.lower()
        if code == _SCOPE or said.startswith(_SCOPE):
            return PermissionDenied(
                f"{VENDOR}: the key lacks a scope ({said}). Scopes are fixed when a key is made: make one with that "
                "scope in the portal and set MARKETPLACER_API_KEY."
            )
        if any(word in lower for word in _DENIED):
            advice = "A seller's key may not read orders, payouts or other sellers; ask the operator for the right."
            return PermissionDenied(f"{VENDOR}: refused for lack of rights ({said}). {advice}")
        if write and any(word in lower for word in _VALUE):
            return BatchRefused(f"{VENDOR}: a value was not acceptable ({said}).")
        return PermanentError(f"{VENDOR}: the request was not understood ({said}). See `stokly-sync doctor`.")


def page_of(connection: Any, requested_at: datetime, name: str) -> ConnectionPage:
    """A page as the server gave it; raises TransientError for what is no connection."""
    if not isinstance(connection, Mapping):
        raise TransientError(f"{VENDOR}: {name} was answered without a list; try again later.")
    nodes = [node for node in connection.get("nodes") or () if isinstance(node, Mapping)]
    info = connection.get("pageInfo") or {}
    end = info.get("endCursor") if info.get("hasNextPage") else None
    if info.get("hasNextPage") and not end:
        raise TransientError(f"{VENDOR}: {name} says that there is more and not where; try again later.")
    return ConnectionPage([dict(node) for node in nodes], requested_at, end, connection.get("totalCount"))


def refusal(payload: Mapping[str, Any]) -> str | None:
    """What a payload's errors say, None on success; `status` is only a hint. Source: contract 2.2."""
    errors = [e for e in payload.get("errors") or () if isinstance(e, Mapping)]
    if not errors:
        return None
    words = []
    for error in errors:
        messages = "; ".join(str(m) for m in error.get("messages") or ()) or "refused"
        words.append(f"{error['field']}: {messages}" if error.get("field") else messages)
    return excerpt("; ".join(words))


def _code(error: Mapping[str, Any]) -> str | None:
    extensions = error.get("extensions")
    code = extensions.get("code") if isinstance(extensions, Mapping) else None
    return str(code) if code else None


def _headers(settings: MarketplacerSettings) -> tuple[dict[str, str], tuple[str, ...]]:
    """The key in its own header, so that HTTP Basic may stand beside it. Source: contract 2.1."""
    key = settings.api_key.get_secret_value() if settings.api_key else ""
    headers = {"MARKETPLACER-API-KEY": key}
    if settings.basic_user is None or settings.basic_password is None:
        return headers, (key,)
    password = settings.basic_password.get_secret_value()
    token = base64.b64encode(f"{settings.basic_user}:{password}".encode()).decode()
    return {**headers, "Authorization": f"Basic {token}"}, (key, password, token)


def connect(settings: MarketplacerSettings, budget: Budget, lane: Lane) -> MarketplacerClient:
    """A client of the instance in `settings` whose calls count against the lane's share of `budget`."""
    return MarketplacerClient(settings, budget, lane)
