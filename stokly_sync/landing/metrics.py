"""Customer metrics as plain arithmetic: counted rows in, one tally a customer out, tallies to a frame. No database.

Sums are Python integers, which cannot overflow, and stand by currency, so that no sum ever mixes two. Equal orders give
equal tallies in whatever order they came: ties of time are settled by the order's id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

import msgspec
import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.derived import CUSTOMER_METRICS
from stokly_sync.contracts.money import LARGEST, decimal
from stokly_sync.contracts.tables import DTYPES

SKUS: Final = 200
"""Most SKUs that are kept of a history or an order."""

_ENCODER: Final = msgspec.json.Encoder()


@dataclass
class Tally:
    """What the counted orders of one customer amount to; nano units by currency, `skus` newest first."""

    order_ids: list[str] = field(default_factory=list)
    """Oldest first."""
    first_at: datetime | None = None
    last_at: datetime | None = None
    country: str | None = None
    city: str | None = None
    amounts: dict[str, int] = field(default_factory=dict)
    refunded: dict[str, int] = field(default_factory=dict)
    sales: dict[str, int] = field(default_factory=dict)
    """Number of orders by currency."""
    version: datetime | None = None
    last_skus: list[str] = field(default_factory=list)
    skus: dict[str, None] = field(default_factory=dict)

    def seen(self, version: datetime | None) -> None:
        """Take note of the version of a counted row; the newest wins."""
        if version is not None and (self.version is None or version > self.version):
            self.version = version

    def add_lines(self, order_id: str, skus: Iterable[str]) -> None:
        """Add the SKUs of an order, in the order of its lines; orders come newest first."""
        if order_id == self.order_ids[-1]:
            self.last_skus = list(dict.fromkeys(skus))[:SKUS]
        for sku in skus:
            if len(self.skus) == SKUS:
                break
            self.skus.setdefault(sku)


def tallies(orders: pd.DataFrame, returns: pd.DataFrame) -> dict[str, Tally]:
    """Tallies by customer, still without SKUs, from what counts and nothing else.

    `orders`: `stokly.orders` with a customer. `returns`: refunds and credit notes of these orders, with `order_id`,
    `currency`, `amount` (nano units, positive) and `version`.
    """
    found: dict[str, Tally] = {}
    owners: dict[str, Tally] = {}
    rows = zip(
        columns.moments(orders["created_at"]),
        columns.keys(orders["order_id"]),
        columns.keys(orders["customer_id"]),
        columns.keys(orders["currency"]),
        columns.counts(orders["total"]).tolist(),
        columns.moments(orders["version"]),
        columns.texts(orders["country"]),
        columns.texts(orders["city"]),
        strict=True,
    )
    # Time and id alone decide: ids differ, so nothing behind them is ever compared.
    for at, order_id, customer, currency, total, version, country, city in sorted(rows, key=lambda row: row[:2]):
        tally = owners[order_id] = found.setdefault(customer, Tally())
        tally.order_ids.append(order_id)
        tally.first_at = tally.first_at or at
        tally.last_at, tally.country, tally.city = at, country, city
        tally.amounts[currency] = tally.amounts.get(currency, 0) + total
        tally.sales[currency] = tally.sales.get(currency, 0) + 1
        tally.seen(version)
    _take_off(owners, returns)
    return found


def _take_off(owners: Mapping[str, Tally], returns: pd.DataFrame) -> None:
    for order_id, currency, amount, version in zip(
        columns.keys(returns["order_id"]),
        columns.keys(returns["currency"]),
        columns.counts(returns["amount"]).tolist(),
        columns.moments(returns["version"]),
        strict=True,
    ):
        tally = owners[order_id]
        tally.amounts[currency] = tally.amounts.get(currency, 0) - amount
        tally.refunded[currency] = tally.refunded.get(currency, 0) + amount
        tally.seen(version)


def metrics_frame(found: Mapping[str, Tally], *, base: str) -> pd.DataFrame:
    """Rows of `derived.customer_metrics` with their `META` columns, in the order of `found`.

    A tally without orders is zero and not live. `base` is the brand's base currency, ISO 4217. The version is the
    tally's and may be missing.
    """
    rows = [_row(customer, tally, base) for customer, tally in found.items()]
    frame = pd.DataFrame(
        {
            c.name: pd.Series([row[place] for row in rows], dtype=DTYPES[c.kind])  # type: ignore[call-overload]
            for place, c in enumerate(CUSTOMER_METRICS.root.columns)
        }
    )
    hashes = [blake2b(repr(row).encode(), digest_size=16).hexdigest() for row in rows]
    versions: Any = [tally.version for tally in found.values()]
    return frame.assign(
        content_hash=pd.Series(hashes, dtype="str"),
        version=pd.Series(versions, dtype=frame["last_order_at"].dtype),
        extra=pd.Series([None] * len(rows), dtype="str"),
    )


def _row(customer: str, tally: Tally, base: str) -> tuple[Any, ...]:
    value, sales = tally.amounts.get(base, 0), tally.sales.get(base, 0)
    others = {currency: f"{decimal(nanos):f}" for currency, nanos in sorted(tally.amounts.items()) if currency != base}
    # In the order of the contract's columns.
    return (
        customer,
        len(tally.order_ids),
        tally.first_at,
        tally.last_at,
        base,
        _in_range(value),
        _in_range(tally.refunded.get(base, 0)),
        _in_range(_half_even(value, sales)) if sales else None,
        _json(others),
        _json(tally.last_skus),
        _json(list(tally.skus)),
        tally.country,
        tally.city,
        bool(tally.order_ids),
    )


def _half_even(value: int, parts: int) -> int:
    """`value / parts` as a whole number, a half to the even neighbour; exact for any size."""
    whole, rest = divmod(value, parts)
    return whole + (2 * rest > parts or (2 * rest == parts and whole % 2 == 1))


def _in_range(nanos: int) -> int | None:
    # A wrong amount would be worse than none; no database here could hold it.
    return nanos if abs(nanos) <= LARGEST else None


def _json(value: Any) -> str:
    return _ENCODER.encode(value).decode()
