"""The calls to Magento in its own words: searches, single reads, writes, and what its refusals mean.

Belongs here: signing, the scope of a path, limits that a refusal tells. Which rows to ask for is decided in `reading`,
what a record looks like in `documents`. A SKU never stands in a path: releases differ in how they sign its reserved
characters. Source: Magento API contract 2 to 5, 13.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from threading import RLock
from typing import Any, Final, Literal, TypeVar, cast

import requests
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256
from oauthlib.oauth1 import Client as Signer

from stokly_sync.errors import CredentialsError, NotOffered, PermanentError, TransientError
from stokly_sync.flow import Budget, Json, Lane, Memory
from stokly_sync.systems.magento.answers import BEARER_ERRORS, ERRORS, Refused, limit_of, words_of
from stokly_sync.systems.magento.search import Search
from stokly_sync.systems.magento.settings import MagentoSettings
from stokly_sync.systems.transport import Auth, Clock, NoAuth, RetryPolicy, StaticAuth, Transport, excerpt
from stokly_sync.systems.transport.answers import verdict

# At its finest level it writes the access token and all that is signed into the log.
logging.getLogger("oauthlib").setLevel(logging.WARNING)

A = TypeVar("A")
B = TypeVar("B")

VENDOR: Final = "Magento"
# Reads and writes alike: without it a write would make values of one store view, which hide the general ones.
SCOPE: Final = "/rest/all/V1"
BULK: Final = "/rest/all/async/bulk/V1"
# What stands before a shop rarely says how long to wait.
RETRY: Final = RetryPolicy(default_retry_after=30.0)
TIMEOUT: Final = (10.0, 120.0)
ASKED: Final = (400, 404)
"""Statuses whose words decide what is to be done."""


@dataclass(frozen=True)
class Found:
    """Rows of one page, how many match in all, and when the request started (UTC)."""

    rows: Sequence[Json]
    total: int
    requested_at: datetime
    size: int
    """How many rows were asked for."""


class MagentoClient:
    """One shop under one integration in one lane; safe to use from several threads.

    Raises CredentialsError, PermissionDenied, TransientError, PermanentError, Refused, and InDoubt from writes that
    may not be repeated.
    """

    def __init__(
        self,
        settings: MagentoSettings,
        budget: Budget,
        lane: Lane,
        *,
        clock: Clock | None = None,
        retry: RetryPolicy = RETRY,
    ) -> None:
        if not settings.configured or settings.base_url is None:
            names = ", ".join(f"MAGENTO_{name.upper()}" for name in settings.missing)
            raise CredentialsError(f"{VENDOR}: no credentials; set {names}")
        self.settings = settings
        self.clock = clock or Clock()
        self.shared: dict[str, Any] = {}
        """What this client found out about the shop, by name, so that it asks once."""
        self.memory: Memory | None = None
        """What the shop said of itself lately, where somebody keeps it."""
        self.guard = RLock()
        """Held while `shared` is filled."""
        bearer = settings.bearer_token
        self._errors = ERRORS if bearer is None else BEARER_ERRORS
        auth: Auth = NoAuth() if bearer is None else _bearer(bearer.get_secret_value())
        self._secrets = _secrets_of(settings)
        self._transport = Transport(
            settings.base_url,
            vendor=VENDOR,
            auth=auth,
            budget=budget,
            lane=lane,
            concurrency=settings.concurrency,
            errors=self._errors,
            retry=retry,
            message=words_of,
            sign=_signing(settings, self.clock) if bearer is None else None,
            secrets=self._secrets,
            verify_tls=settings.verify_tls,
            timeout=TIMEOUT,
            clock=self.clock,
        )

    def __repr__(self) -> str:
        return f"MagentoClient({self.settings.base_url})"

    @property
    def calls(self) -> int:
        """Requests made so far, repetitions included."""
        return self._transport.calls

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def search(self, wanted: Search, *, page: int = 1, size: int) -> Found:
        """One page of a list; a page that the shop finds too large is asked for again as large as it allows.

        Raises Refused where the shop does not know a member of the criteria. Source: contract 3, 4, 13.
        """
        size = min(size, self.shared.get("page_limit", size))
        try:
            data, at = self._ask("GET", wanted.path, params=wanted.params(page=page, size=size))
        except Refused as refused:
            if refused.limit is None or refused.limit >= size or page != 1:
                raise
            self.shared["page_limit"] = refused.limit
            return self.search(wanted, page=page, size=size)
        rows, total = _rows(wanted.path, data)
        return Found(rows, total, at, size)

    def get(self, path: str, *, params: Mapping[str, str | int] | None = None) -> Any:
        """One read; raises Refused (status 404) where there is nothing of that id, NotOffered for a missing route."""
        return self._ask("GET", path, params=params)[0]

    def post(self, path: str, body: Json | list[Json], *, once: bool = False, bulk: bool = False) -> Any:
        """One write; with `once` it is never repeated after it may have arrived, and raises InDoubt instead.

        With `bulk` the body is a list that goes to the shop's queue.

        Raises Refused with the shop's own words where it does not like what it was sent: then nothing has happened.
        """
        return self._ask("POST", path, body=body, once=once, scope=BULK if bulk else SCOPE)[0]

    def delete(self, path: str) -> None:
        """Delete one thing; raises Refused (status 404) where there is nothing of that id. Repeating does no harm."""
        self._ask("DELETE", path)

    def each(self, function: Callable[[A], B], arguments: Iterable[A]) -> list[B]:
        """Results of several calls in the order of their arguments, at most `concurrency` at once."""
        todo = list(arguments)
        if self.settings.concurrency == 1 or len(todo) < 2:
            return [function(argument) for argument in todo]
        with ThreadPoolExecutor(self.settings.concurrency, thread_name_prefix="magento") as pool:
            return list(pool.map(function, todo))

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Json | list[Json] | None = None,
        once: bool = False,
        scope: str = SCOPE,
    ) -> tuple[Any, datetime]:
        answer = self._transport.request(
            method, f"{scope}{path}", params=params, json=body, retry="once" if once else "safe", expect=ASKED
        )
        if answer.status < 400:
            return answer.data, answer.requested_at
        row = verdict(self._errors, status=answer.status, body=answer.body)
        told = words_of(answer.data)
        words = excerpt(told or "no reason given", secrets=self._secrets)
        what = f"{VENDOR}: {method} {path} answered {answer.status} ({words})"
        if told is None:
            raise PermanentError(f"{what}. That is no answer of Magento; check MAGENTO_BASE_URL.")
        if row in self._errors:
            missing = answer.status == 404
            raise (NotOffered if missing else row.error)(f"{what}. {row.sentence}")
        raise Refused(what, status=answer.status, words=words, limit=limit_of(answer.data))


def _signing(settings: MagentoSettings, clock: Clock) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    """Signs each request as it leaves, query included; its body is no part of the signature when it is JSON."""
    token, secret, shared = settings.access_token, settings.access_token_secret, settings.consumer_secret

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        signer = Signer(
            settings.consumer_key or "",
            client_secret=shared.get_secret_value() if shared else None,
            resource_owner_key=token.get_secret_value() if token else None,
            resource_owner_secret=secret.get_secret_value() if secret else None,
            signature_method=SIGNATURE_HMAC_SHA256,
            timestamp=str(int(clock.now().timestamp())),
        )
        method = cast("Literal['GET', 'POST', 'DELETE']", request.method)
        _, headers, _ = signer.sign(str(request.url), http_method=method)
        request.headers.update(headers)
        return request

    return sign


def _bearer(token: str) -> StaticAuth:
    return StaticAuth({"Authorization": f"Bearer {token}"})


def _secrets_of(settings: MagentoSettings) -> tuple[str, ...]:
    held = (settings.consumer_secret, settings.access_token, settings.access_token_secret, settings.bearer_token)
    return (*(secret.get_secret_value() for secret in held if secret is not None), settings.consumer_key or "")


def _rows(path: str, data: Any) -> tuple[list[Json], int]:
    """The rows of a search answer; under `fields` no rows come as nothing."""
    if not isinstance(data, Mapping) or "items" not in data or not isinstance(data.get("total_count"), int):
        raise TransientError(f"{VENDOR}: GET {path} answered without items and their number; try again later.")
    rows = data["items"] if data["items"] is not None else []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise TransientError(f"{VENDOR}: GET {path} answered without a list of rows; try again later.")
    return rows, data["total_count"]


def connect(settings: MagentoSettings, budget: Budget, lane: Lane) -> MagentoClient:
    """A client of the shop in `settings` whose calls count against the lane's share of `budget`."""
    return MagentoClient(settings, budget, lane)
