"""Sales data: documents that say what an order or a refund should add up to, item by item.

Sales data can only be added to, so that what is sent may be the difference to what was sent before; delivery works that
out from `parts_of` and `with_parts`. Belongs here: what orders and refunds share. Source: Emarsys API contract 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from stokly_sync.contracts.money import nano, rounded
from stokly_sync.flow import Json, Part

Sold = dict[str, tuple[int, int]]
"""Units and nano units of money by item."""


def add(sold: Sold, item: str, units: int, amount: int) -> None:
    """Count units and an amount under an item."""
    before = sold.get(item, (0, 0))
    sold[item] = (before[0] + units, before[1] + amount)


def lines_of(sold: Mapping[str, tuple[int, int]], currency: str | None) -> list[Json]:
    """Lines by item in ascending order; each amount is rounded once, half-even, to the currency's minor unit."""
    return [
        {"item": item, "quantity": units, "price": rounded(amount, currency)}
        for item, (units, amount) in sorted(sold.items())
        if units or rounded(amount, currency)
    ]


def value_of(lines: list[Json]) -> int:
    """What lines add up to, in nano units."""
    return sum(nano(line["price"]) for line in lines)


def parts_of(body: Json) -> dict[str, Part]:
    """What a document adds up to, by item."""
    return {line["item"]: Part(int(line["quantity"]), nano(line["price"])) for line in body["lines"]}


def with_parts(body: Json, parts: Mapping[str, Part]) -> Json:
    """The same document with other lines: those that are still to be added."""
    sold = {item: (part.quantity, part.value) for item, part in parts.items()}
    return {**body, "lines": lines_of(sold, body["currency"])}


def ordered_at(body: Json) -> datetime:
    """When the order was made (UTC), which says whether it belongs to our history."""
    return datetime.fromisoformat(body["ordered_at"])
