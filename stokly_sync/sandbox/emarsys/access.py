"""Who may call: OAuth2 tokens for v3, the WSSE header for v2, and the calls of each API user in a minute.

Belongs here: recognising a caller. How a refusal is answered is in `guard`. Tokens and nonces belong to a
process: a restart forgets them, as a vendor's revocation would.
Source: Emarsys API contract 1.2 (WSSE), 1.3 (OAuth2) and 1.6 (limits).
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from stokly_sync.sandbox.emarsys.switches import EmarsysSwitches
from stokly_sync.sandbox.kit import Clock, encode

VIENNA = ZoneInfo("Europe/Vienna")
"""The server's own zone, in which stamps without one are read and exports are dated."""

WSSE_WINDOW = timedelta(minutes=5)
PERIOD = 60.0

_PAIR = re.compile(r'(\w+)\s*=\s*"([^"]*)"')


class Access:
    """Tokens, nonces and counters of one sandbox."""

    def __init__(self, *, switches: EmarsysSwitches, clock: Clock) -> None:
        self.limits_on = True
        self._switches = switches
        self._clock = clock
        self._tokens: dict[str, float] = {}
        self._nonces: set[str] = set()
        self._windows: dict[str, tuple[float, int]] = {}

    def issue(self) -> str:
        """A fresh token in the form of a JWT, good for `token_lifetime` seconds."""
        now = self._clock.now()
        expires = now + timedelta(seconds=self._switches.token_lifetime)
        claims = {
            "sub": self._switches.client_id,
            "jti": secrets.token_hex(8),
            "iat": int(now.timestamp()),
            "exp": int(expires.timestamp()),
        }
        signed = f"{_part(encode({'alg': 'HS256', 'typ': 'JWT'}))}.{_part(encode(claims))}"
        seal = hmac.digest(self._switches.client_secret.encode(), signed.encode(), "sha256")
        token = f"{signed}.{_part(seal)}"
        self._tokens[token] = self._clock.monotonic() + self._switches.token_lifetime
        return token

    def revoke_tokens(self) -> None:
        """Make every token issued so far worthless."""
        self._tokens.clear()

    def bearer_user(self, header: str) -> str | None:
        """The API user that an `Authorization` header stands for, if its token is one of ours and still good."""
        scheme, _, token = header.partition(" ")
        until = self._tokens.get(token.strip())
        good = until is not None and self._clock.monotonic() < until and not self._switches.refuse_tokens
        return self._switches.client_id if scheme.lower() == "bearer" and good else None

    def wsse_user(self, header: str) -> str | None:
        """The API user that an `X-WSSE` header stands for; its members may come in any order and case."""
        if not header.strip().lower().startswith("usernametoken"):
            return None
        parts = {name.lower(): value for name, value in _PAIR.findall(header)}
        nonce, created = parts.get("nonce", ""), parts.get("created", "")
        if not (nonce and created and _same(parts.get("username", ""), self._switches.wsse_user)):
            return None
        digest = wsse_digest(nonce=nonce, created=created, secret=self._switches.wsse_secret)
        if not _same(parts.get("passworddigest", ""), digest) or not self._is_fresh(created):
            return None
        if self._switches.refuse_used_nonces and nonce in self._nonces:
            return None
        self._nonces.add(nonce)
        return self._switches.wsse_user

    def _is_fresh(self, created: str) -> bool:
        try:
            at = datetime.fromisoformat(created)
        except ValueError:
            return False
        at = at.replace(tzinfo=VIENNA) if at.tzinfo is None else at
        return abs(self._clock.now() - at) <= WSSE_WINDOW

    def count(self, user: str) -> "Counted":
        """Count one call of a user in the present minute of the clock."""
        limit = self._switches.requests_per_minute
        now = self._clock.now().timestamp()
        started, used = self._windows.get(user, (0.0, 0))
        if now - started >= PERIOD:
            started, used = now // PERIOD * PERIOD, 0
        allowed = used < limit or not self.limits_on
        if self.limits_on and allowed:
            used += 1
        self._windows[user] = (started, used)
        reset = started + PERIOD
        return Counted(allowed, limit, max(limit - used, 0) if self.limits_on else limit, int(reset), reset - now)


@dataclass(frozen=True)
class Counted:
    """What the counter said: whether the call may pass, and the figures of the three headers."""

    allowed: bool
    limit: int
    remaining: int
    reset: int
    wait: float


def wsse_digest(*, nonce: str, created: str, secret: str) -> str:
    """Base64 of the 40 hexadecimal characters of SHA-1 over nonce, created and secret (section 1.2)."""
    sha = hashlib.sha1(f"{nonce}{created}{secret}".encode()).hexdigest()  # noqa: S324 - the vendor's rule
    return base64.b64encode(sha.encode()).decode()


def basic_credentials(header: str) -> tuple[str, str] | None:
    """User and password of an HTTP Basic header."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, found, password = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return (user, password) if found else None


def is_client(credentials: tuple[str, str] | None, switches: EmarsysSwitches) -> bool:
    """Whether these are the id and secret of the account's OAuth2 client."""
    if credentials is None:
        return False
    return _same(credentials[0], switches.client_id) and _same(credentials[1], switches.client_secret)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
