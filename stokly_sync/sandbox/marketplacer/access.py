"""Keys, HTTP Basic, rate windows, and what a seller's key may not ask for.

Belongs here: who may call and how often. A missing, wrong or unknown key gives one and the same text.
Source: Marketplacer API contract 1, 2.1, 2.2, 2.5.
"""

import base64
import hmac
from collections.abc import Iterable

from starlette.datastructures import Headers

from stokly_sync.sandbox.kit import Clock, FixedWindow, Taken
from stokly_sync.sandbox.marketplacer.call import Principal
from stokly_sync.sandbox.marketplacer.furniture import OUR_SELLER
from stokly_sync.sandbox.marketplacer.switches import MarketplacerSwitches

KEY_HEADER = "MARKETPLACER-API-KEY"
FOR_OPERATORS = frozenset(
    {
        "Invoice.order",
        "Query.remittanceAdvices",
        "Query.commissionPackages",
        "Mutation.orderCreate",
        "Mutation.refundRequestRefund",
        "Mutation.externalIdUpsert",
    }
)
"""Fields that make the whole query fail under a seller's key."""


class Access:
    """Who is calling, and the windows of calls."""

    def __init__(self, *, switches: MarketplacerSwitches, clock: Clock) -> None:
        self.on = True
        self._switches = switches
        self._clock = clock
        self._windows: dict[str, FixedWindow] = {}

    def basic_passes(self, headers: Headers) -> bool:
        """Whether HTTP Basic is off, or its credentials are right."""
        switches = self._switches
        if not switches.basic_user:
            return True
        pair = f"{switches.basic_user}:{switches.basic_password}".encode()
        return _same(headers.get("Authorization", ""), f"Basic {base64.b64encode(pair).decode()}")

    def principal(self, headers: Headers) -> Principal | None:
        """Whose key was sent, in either header form; None if it is nobody's, or it came in both forms."""
        word, _, bearer = headers.get("Authorization", "").partition(" ")
        sent = [bearer] if word.lower() == "bearer" else []
        if KEY_HEADER in headers:
            sent.append(headers[KEY_HEADER])
        if not sent or (len(sent) == 2 and self._switches.refuse_two_keys):
            return None
        if _same(sent[0], self._switches.operator_key):
            return Principal(None)
        return Principal(OUR_SELLER) if _same(sent[0], self._switches.seller_key) else None

    def count_address(self, address: str) -> Taken:
        """Count a call of a source address."""
        return self._take(f"address {address}", self._switches.per_ip)

    def count_key(self, principal: Principal) -> Taken:
        """Count a call of a key, and of the operator whose marketplace it is."""
        taken = self._take(f"key {principal.seller}", self._switches.per_key)
        return taken if not taken.allowed else self._take("operator", self._switches.per_operator)

    def forget_calls(self) -> None:
        """Begin every window anew."""
        self._windows.clear()

    def _take(self, name: str, limit: int) -> Taken:
        window = self._windows.get(name)
        if window is None:
            window = self._windows[name] = FixedWindow(limit, self._switches.window, clock=self._clock)
        window.limit, window.period, window.on = limit, self._switches.window, self.on
        return window.take()


def forbidden(principal: Principal, touched: Iterable[str]) -> str | None:
    """The first field that this key may not ask for."""
    if principal.operator:
        return None
    return next((field for field in touched if field in FOR_OPERATORS), None)


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())
