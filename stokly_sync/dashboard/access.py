"""Who may see the dashboard: sign-in where others can reach it, signed sessions, a token in every form (X14).

On loopback without users whoever sits at the machine is let in, as with Dagster's own page. Anywhere else the dashboard
refuses to start without users. Passwords are kept as argon2 hashes; sessions hold a name and no data.
"""

from __future__ import annotations

import ipaddress
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import SecretStr
from starlette.requests import Request

from stokly_sync.errors import SettingsError

LOCAL: Final = "local"
"""Who acts where nobody signs in."""
SESSION_S: Final = 12 * 3600
_MOST_FAILURES: Final = 5
_PAUSE_S: Final = 60.0
_HASHER: Final = PasswordHasher()


class Forbidden(Exception):
    """A form did not come from our own page; nothing was done."""


@dataclass
class Access:
    """Users by name with the hash of their password, and how sessions are kept."""

    users: Mapping[str, SecretStr]
    session_key: str
    secure: bool
    hosts: tuple[str, ...]
    _failures: dict[str, tuple[int, float]] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether nobody has to sign in."""
        return not self.users

    def admits(self, name: str, password: str) -> bool:
        """Whether a name and password are right; after some failures a name has to wait a minute."""
        failures, until = self._failures.get(name, (0, 0.0))
        if failures >= _MOST_FAILURES and time.monotonic() < until:
            return False
        known = self.users.get(name)
        # A name that nobody has costs as much time as a wrong password, so that names cannot be found out.
        right = _verified(known.get_secret_value() if known else _NOBODY, password) and known is not None
        if right:
            self._failures.pop(name, None)
        elif name in self.users:
            self._failures[name] = (failures + 1, time.monotonic() + _PAUSE_S)
        return right


def access_for(*, host: str, url: str, users: Mapping[str, SecretStr], session_key: SecretStr | None) -> Access:
    """What a dashboard that listens on `host` has to ask for.

    Raises SettingsError without users on anything but loopback, and for a hash that is none.
    """
    if not users and not is_loopback(host):
        raise SettingsError(
            f"The dashboard does not listen on {host} without users: set STOKLY_SYNC_DASHBOARD_USERS to names and the "
            "hashes that `stokly-sync dashboard --hash` makes, or let it listen on 127.0.0.1."
        )
    for name, hashed in users.items():
        if not hashed.get_secret_value().startswith("$argon2"):
            raise SettingsError(
                f"STOKLY_SYNC_DASHBOARD_USERS: {name} has no hash but something else; `stokly-sync dashboard --hash` "
                "makes one."
            )
    address = urlsplit(url)
    named = {address.hostname or "", host, "127.0.0.1", "localhost", "::1"} - {"", "0.0.0.0", "::"}  # noqa: S104
    key = session_key.get_secret_value() if session_key else secrets.token_urlsafe(32)
    return Access(users, key, address.scheme == "https", tuple(sorted(named)))


def hashed(password: str) -> str:
    """The hash of a password, as the setting wants it."""
    return _HASHER.hash(password)


def is_loopback(host: str) -> bool:
    """Whether an address reaches this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def who(request: Request) -> str:
    """The name under which acts are written down."""
    return str(request.session.get("who", LOCAL))


def token(request: Request) -> str:
    """The token that every form of this session carries."""
    if "token" not in request.session:
        request.session["token"] = secrets.token_urlsafe(24)
    return str(request.session["token"])


def check_token(request: Request, given: object) -> None:
    """Raise Forbidden unless a form carries the token of its session."""
    known = request.session.get("token")
    if not isinstance(known, str) or not isinstance(given, str) or not secrets.compare_digest(known, given):
        raise Forbidden


def _verified(hashed_password: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed_password, password)
    except (VerificationError, InvalidHashError):
        return False


_NOBODY: Final = _HASHER.hash(secrets.token_urlsafe(16))
