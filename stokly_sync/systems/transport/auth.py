"""Who a client says it is, and the budget of a client that needs none.

Belongs here: the shape of an auth hook and its simple cases. A system whose tokens expire writes its own hook.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from stokly_sync.flow import Lane


class Auth(Protocol):
    """How a client proves who it is."""

    def headers(self) -> Mapping[str, str]:
        """Headers for the next request; may fetch a token first."""

    def renew(self, *, status: int, body: bytes, sent: Mapping[str, str]) -> bool:
        """Whether a refusal of the headers `sent` was about an expired token and there is another one by now."""


@dataclass(frozen=True)
class StaticAuth:
    """The same headers on every request (API keys, basic authentication); they never show in a repr."""

    values: Mapping[str, str] = field(repr=False)

    def headers(self) -> Mapping[str, str]:
        """The headers, unchanged."""
        return self.values

    def renew(self, *, status: int, body: bytes, sent: Mapping[str, str]) -> bool:  # noqa: ARG002
        """Never: a refused key stays refused."""
        return False


class NoAuth(StaticAuth):
    """No credentials, for the request that fetches them."""

    def __init__(self) -> None:
        super().__init__({})


class Unlimited:
    """A budget that never waits: for probes without a database, and for tests."""

    def take(self, *, lane: Lane, cost: int = 1) -> None:
        """Return at once."""

    def observe(self, *, remaining: int | None = None, retry_after: float | None = None) -> None:
        """Ignore what the server says."""
