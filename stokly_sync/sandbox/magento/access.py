"""Who may call: the integration (signed, or by bearer where switched on) and the admin user's tokens.

Belongs here: recognising a caller, and 401. Credentials are random and belong to a process: a restart
makes new ones. Source: Magento API contract 2.
"""

import base64
import hmac
import secrets
from datetime import timedelta
from typing import Any

from stokly_sync.sandbox.kit import Clock, NotJsonError, decode, encode
from stokly_sync.sandbox.magento.errors import MagentoError
from stokly_sync.sandbox.magento.oauth import KEY_LENGTH, Asked, Integration, OAuth
from stokly_sync.sandbox.magento.switches import MagentoSwitches

ADMIN = "sandbox-admin"
FAILURES = 6
LOCKED_FOR = 1_800
INTEGRATION_USER, ADMIN_USER = 1, 2
_REFUSED = "The account sign-in was incorrect or your account is disabled temporarily. Please wait and try again later."
_TWO_FACTOR = "Please use the 2fa provider-specific endpoints to obtain a token."


class Access:
    """Credentials, nonces and tokens of one shop."""

    def __init__(self, *, switches: MagentoSwitches, clock: Clock) -> None:
        self.integration = Integration(*(secrets.token_hex(KEY_LENGTH // 2) for _ in range(4)))
        self.password = secrets.token_urlsafe(16)
        self._oauth = OAuth(self.integration, switches=switches, clock=clock)
        self._switches = switches
        self._clock = clock
        self._seal = secrets.token_bytes(32)
        self._failures = 0
        self._locked_until = 0.0

    def check(self, header: str, asked: Asked, *, resource: str) -> int:
        """The type of the caller (1 integration, 2 admin), if it may use this ACL resource.

        Raises:
            MagentoError: 401, or 400 for a signed request that is not well formed.
        """
        scheme, _, rest = header.partition(" ")
        user = None
        if scheme.lower() == "oauth":
            self._oauth.check(header, asked)
            user = INTEGRATION_USER
        elif scheme.lower() == "bearer":
            user = self._bearer(rest.strip())
        if user is None or resource in self._switches.denied:
            text = "The consumer isn't authorized to access %resources."
            raise MagentoError(text, {"resources": resource}, status=401)
        return user

    def _bearer(self, token: str) -> int | None:
        if hmac.compare_digest(token.encode(), self.integration.access_token.encode()):
            return INTEGRATION_USER if self._switches.takes_bearer else None
        claims = self._claims(token)
        good = claims is not None and claims["exp"] > self._clock.now().timestamp()
        return ADMIN_USER if good else None

    def sign_in(self, username: str, password: str) -> str:
        """An admin token for the right name and password.

        Raises:
            MagentoError: 401, also for half an hour after six failures; 400 where two factors are needed.
        """
        now = self._clock.monotonic()
        good = username == ADMIN and hmac.compare_digest(password.encode(), self.password.encode())
        if now < self._locked_until or not good:
            self._failures += 1
            if self._failures >= FAILURES:
                self._locked_until, self._failures = now + LOCKED_FOR, 0
            raise MagentoError(_REFUSED, status=401)
        if self._switches.two_factor:
            raise MagentoError(_TWO_FACTOR)
        self._failures = 0
        return self._issue()

    def revoke_tokens(self) -> None:
        """Make every admin token issued so far worthless."""
        self._seal = secrets.token_bytes(32)

    def _issue(self) -> str:
        now = self._clock.now()
        expires = now + timedelta(minutes=self._switches.admin_minutes)
        claims = {"uid": 1, "utypid": ADMIN_USER, "iat": int(now.timestamp()), "exp": int(expires.timestamp())}
        signed = f"{_part(encode({'kid': '1', 'alg': 'HS256'}))}.{_part(encode(claims))}"
        return f"{signed}.{_part(hmac.digest(self._seal, signed.encode(), 'sha256'))}"

    def _claims(self, token: str) -> dict[str, Any] | None:
        signed, _, seal = token.rpartition(".")
        if not hmac.compare_digest(seal.encode(), _part(hmac.digest(self._seal, signed.encode(), "sha256")).encode()):
            return None
        body = signed.partition(".")[2]
        try:
            found: dict[str, Any] = decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        except (ValueError, NotJsonError):
            return None
        return found


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
