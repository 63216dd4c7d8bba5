"""The token: asked for with a signature, kept in memory, renewed before it ends or when the server says that it did.

Belongs here: `POST /v1/grant` and nothing else. The secret signs and never travels; the token is bound to the account,
so no later call names it. Source: Stokly API contract 1.1.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from stokly_sync.errors import CredentialsError, TransientError
from stokly_sync.systems.rows.times import parse_time
from stokly_sync.systems.transport import Clock, Transport, Verdict

GRANT_PATH: Final = "/v1/grant"
# What we assume where the answer's expiry is unreadable or lies in the past, as with a wrong clock of ours: the
# token is used, and the server's own word about it counts.
UNKNOWN_LIFETIME: Final = timedelta(minutes=10)

_CHECK = (
    "Check STOKLY_ACCOUNT_KEY, STOKLY_CLIENT_ID and STOKLY_CLIENT_SECRET, and that STOKLY_BASE_URL is their server."
)
GRANT_ERRORS: Final = (
    Verdict((400, 404), CredentialsError, f"Stokly gives no token for these credentials. {_CHECK}"),
    Verdict(422, CredentialsError, f"Stokly gives no token for these credentials. {_CHECK}"),
)


def signature(client_id: str, secret: str) -> str:
    """Lower-case hex of HMAC-SHA256 over the client id, keyed with the secret's UTF-8 bytes."""
    return hmac.new(secret.encode(), client_id.encode(), hashlib.sha256).hexdigest()


class GrantAuth:
    """The auth hook of Stokly's transport; one token for all threads of a client."""

    def __init__(
        self,
        transport: Transport,
        *,
        account_key: str,
        client_id: str,
        secret: Callable[[], str],
        early: float,
        clock: Clock,
    ) -> None:
        self._transport, self._clock = transport, clock
        self._account_key, self._client_id, self._secret = account_key, client_id, secret
        self._early = timedelta(seconds=early)
        self._token: str | None = None
        self._renew_at: datetime | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"GrantAuth({self._account_key})"

    def headers(self) -> Mapping[str, str]:
        """The bearer header; asks for a token first when there is none, or it is about to end."""
        with self._lock:
            if self._token is None or self._renew_at is None or self._clock.now() >= self._renew_at:
                self._grant()
            return {"Authorization": f"Bearer {self._token}"}

    def renew(self, *, status: int, body: bytes, sent: Mapping[str, str]) -> bool:
        """True when the refusal was about the token: the next `headers()` gives another one."""
        if status != 401 and b"jwt expired" not in body.lower():
            return False
        with self._lock:
            # Another thread may have renewed it meanwhile; then its token is the one to try.
            if sent.get("Authorization") == f"Bearer {self._token}":
                self._token = None
        return True

    def _grant(self) -> None:
        started = self._clock.now()
        asked = {
            "accountkey": self._account_key,
            "clientId": self._client_id,
            "signature": signature(self._client_id, self._secret()),
        }
        # A token too many is harmless, so asking again is safe.
        answer = self._transport.request("POST", GRANT_PATH, json=asked, retry="safe", reads=True)
        result = _member(_member(answer.data, "data"), "authenticationResult")
        token, expiry = _member(result, "accessToken"), _member(result, "expiry")
        if not isinstance(token, str) or not token:
            raise TransientError("Stokly: POST /v1/grant answered without data.authenticationResult.accessToken")
        ends = parse_time(expiry) if isinstance(expiry, str) else None
        if ends is None or ends <= started:
            ends = started + UNKNOWN_LIFETIME
        self._token = token
        # A token that lives shorter than twice the margin is renewed at half its life, not on every call.
        self._renew_at = ends - min(self._early, (ends - started) / 2)


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None
