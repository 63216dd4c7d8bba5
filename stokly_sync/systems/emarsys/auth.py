"""Who we say we are: OAuth2 tokens for v3, the WSSE header for v2, a fixed token for sales data.

Belongs here: the auth hooks of this system's transports. Source: Emarsys API contract 1.2, 1.3, 2.1.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from stokly_sync.errors import BatchRefused, CredentialsError, TransientError
from stokly_sync.systems.transport import Clock, Transport, Verdict

# Clients assume an hour where the answer does not say.
UNKNOWN_LIFETIME: Final = 3600.0
EARLY: Final = 60.0
"""Seconds before its end at which a token is renewed."""
_CHECK: Final = "Check EMARSYS_CLIENT_ID, EMARSYS_CLIENT_SECRET and EMARSYS_TOKEN_URL."
TOKEN_ERRORS: Final = (
    Verdict((400, 403), CredentialsError, f"Emarsys gives no token for these credentials. {_CHECK}"),
    Verdict(404, CredentialsError, f"There is no token at this address. {_CHECK}"),
)


class TokenAuth:
    """The bearer header of v3; one token for all threads of a client, renewed before it ends or when refused."""

    def __init__(self, transport: Transport, *, client_id: str, secret: str, clock: Clock) -> None:
        self._transport, self._clock = transport, clock
        self._basic = b64encode(f"{client_id}:{secret}".encode()).decode()
        self._token: str | None = None
        self._renew_at: datetime = datetime.min.replace(tzinfo=UTC)
        self._lock = threading.Lock()

    def headers(self) -> Mapping[str, str]:
        """The header; asks for a token first when there is none, or it is about to end."""
        with self._lock:
            if self._token is None or self._clock.now() >= self._renew_at:
                self._fetch()
            return {"Authorization": f"Bearer {self._token}"}

    def renew(self, *, status: int, body: bytes, sent: Mapping[str, str]) -> bool:  # noqa: ARG002
        """True when the refusal was about the token: the next `headers()` gives another one."""
        if status != 401:
            return False
        with self._lock:
            # Another thread may have renewed it meanwhile; then its token is the one to try.
            if sent.get("Authorization") == f"Bearer {self._token}":
                self._token = None
        return True

    def _fetch(self) -> None:
        asked = self._clock.now()
        headers = {"Authorization": f"Basic {self._basic}", "Content-Type": "application/x-www-form-urlencoded"}
        try:
            # A token too many is harmless, so asking again is safe.
            answer = self._transport.request(
                "POST", "", body=b"grant_type=client_credentials", headers=headers, reads=True
            )
        except BatchRefused as refused:
            raise CredentialsError(str(refused)) from refused
        told = answer.data if isinstance(answer.data, Mapping) else {}
        token, lifetime = told.get("access_token"), told.get("expires_in")
        if not isinstance(token, str) or not token:
            raise TransientError("Emarsys: the token address answered without access_token; try again later.")
        seconds = float(lifetime) if isinstance(lifetime, int) and lifetime > 0 else UNKNOWN_LIFETIME
        # A token that lives shorter than twice the margin is renewed at half its life, not on every call.
        self._renew_at = asked + timedelta(seconds=seconds - min(EARLY, seconds / 2))
        self._token = token


class WsseAuth:
    """The `X-WSSE` header of v2, new for each request."""

    def __init__(self, *, user: str, secret: str, clock: Clock) -> None:
        self._user, self._secret, self._clock = user, secret, clock

    def headers(self) -> Mapping[str, str]:
        """A header with a fresh nonce and the present time."""
        nonce = secrets.token_hex(16)
        created = self._clock.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        digest = password_digest(nonce=nonce, created=created, secret=self._secret)
        token = f'UsernameToken Username="{self._user}", PasswordDigest="{digest}", Nonce="{nonce}", '
        return {"X-WSSE": f'{token}Created="{created}"'}

    def renew(self, *, status: int, body: bytes, sent: Mapping[str, str]) -> bool:  # noqa: ARG002
        """Never: every header is new as it is."""
        return False


def password_digest(*, nonce: str, created: str, secret: str) -> str:
    """Base64 of the 40 hexadecimal characters of SHA-1 over nonce, created and secret, in this order."""
    sha = hashlib.sha1(f"{nonce}{created}{secret}".encode()).hexdigest()  # noqa: S324  # the vendor's rule
    return b64encode(sha.encode()).decode()
