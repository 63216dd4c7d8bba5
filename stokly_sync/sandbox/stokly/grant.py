"""Letting callers in: the signed grant, the tokens it gives, and what is said to a bad one.

Tokens look like JWTs and carry all that is needed to judge them, so that they outlive a restart of the
sandbox. Source: Stokly API contract 1.1.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from stokly_sync.sandbox.kit import Clock, NotJsonError, decode, encode
from stokly_sync.sandbox.seeds.words import stamp

ACCOUNT_KEY = "sandbox-account"
CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret-not-a-real-one"  # noqa: S105 - works nowhere but on loopback
_HEADER = {"alg": "HS256", "typ": "JWT"}


class RefusedError(Exception):
    """The caller is refused; the text is what goes into `message`, with status 401."""


@dataclass(frozen=True)
class Granted:
    """A token and the moment at which it ends, as the sandbox spells times."""

    token: str
    expiry: str


class Grants:
    """The tokens of one account. `generation` grows with `revoke_all`, and older tokens are expired."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.generation = 0
        self._good: dict[str, tuple[float, int]] = {}

    def grant(self, body: bytes, *, lifetime: float) -> Granted:
        """A token for a correctly signed request, good for `lifetime` seconds.

        Raises:
            RefusedError: if the body is not the expected one or is not signed with the client's secret.
        """
        try:
            asked = decode(body)
        except NotJsonError as error:
            raise RefusedError("Invalid request body") from error
        expected = {"accountkey": ACCOUNT_KEY, "clientId": CLIENT_ID, "signature": signature()}
        if not isinstance(asked, dict) or any(asked.get(name) != value for name, value in expected.items()):
            raise RefusedError("Invalid credentials")
        now = self.clock.now().timestamp()
        expires = round((now + lifetime) * 1000)
        claims = {
            "exp": expires // 1000,
            "exp_ms": expires,
            "generation": self.generation,
            "jti": secrets.token_hex(8),
        }
        head, payload = _base64(encode(_HEADER)), _base64(encode(claims))
        token = f"{head}.{payload}.{_seal(f'{head}.{payload}')}"
        return Granted(token, stamp(datetime.fromtimestamp(expires / 1000, UTC)))

    def check(self, authorization: str | None) -> None:
        """Let a call pass whose `Authorization` header holds a good token.

        Raises:
            RefusedError: if there is none, or it is not ours, or its time is over (`jwt expired`).
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme != "Bearer" or not token:
            raise RefusedError("No authorization token was found")
        if token not in self._good:
            self._good[token] = _read(token)
        expires, generation = self._good[token]
        if generation != self.generation or self.clock.now().timestamp() >= expires:
            raise RefusedError("jwt expired")

    def revoke_all(self) -> None:
        """Make every token given so far an expired one."""
        self.generation += 1


def signature() -> str:
    """The only right signature: lower-case hex HMAC-SHA256 of the client id, keyed with the secret's bytes."""
    return hmac.new(CLIENT_SECRET.encode(), CLIENT_ID.encode(), hashlib.sha256).hexdigest()


def _read(token: str) -> tuple[float, int]:
    signed, _, seal = token.rpartition(".")
    if not hmac.compare_digest(seal.encode(), _seal(signed).encode()):
        raise RefusedError("invalid token")
    payload = signed.partition(".")[2]
    claims = decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims["exp_ms"] / 1000, claims["generation"]


def _seal(text: str) -> str:
    return _base64(hmac.new(CLIENT_SECRET.encode(), text.encode(), hashlib.sha256).digest())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
