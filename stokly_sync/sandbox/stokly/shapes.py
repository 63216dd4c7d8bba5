"""How kept rows are written on the wire under the present switches.

Belongs here: everything between a kept row and the served one: members that the list leaves out, the two
readings of prices, numbers, rates and dates, and the drift ordered by a test. Rows are copied, never
changed. Source: Stokly API contract 2.4, 3.2, 3.6, 3.7.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from stokly_sync.sandbox.seeds.stock import UNASSIGNED
from stokly_sync.sandbox.seeds.words import NINE_PLACES
from stokly_sync.sandbox.stokly.conditions import Row
from stokly_sync.sandbox.stokly.disturbances import Drift, drifted
from stokly_sync.sandbox.stokly.schema import Kind
from stokly_sync.sandbox.stokly.store import Store
from stokly_sync.sandbox.stokly.sublists import SUBLISTS_BY_NAME
from stokly_sync.sandbox.stokly.switches import StoklySwitches
from stokly_sync.sandbox.stokly.times import is_iso, javascript
from stokly_sync.sandbox.stokly.top_level import COLLECTIONS

Step = Callable[[Row], None]

_RATE_PLACES = Decimal("0.000001")
_DISPLAY_LINE = ("displayLinePrice", "displayLineTax", "displayLineDiscount", "displayLineTotal")


class Shaper:
    """Makes served rows of kept ones for one store and its switches."""

    def __init__(self, store: Store, switches: StoklySwitches, drifts: list[Drift]) -> None:
        self._store = store
        self._switches = switches
        self._drifts = drifts

    def collection(self, name: str, rows: Iterable[Row], *, detail: bool = False) -> list[Row]:
        """Rows of a collection as its list (or, with `detail`, its detail call) serves them."""
        declared = COLLECTIONS[name]
        steps: list[Step] = []
        if declared.detail_only and not detail:
            steps.append(_without(declared.detail_only))
        if name == "customers" and not self._switches.customers_updated_at:
            steps.append(_without({"updatedAt"}))
        if name == "saleorders":
            steps += self._order_steps()
        if name == "inventory-records" and self._switches.unassigned_on_hand == "zero":
            steps.append(_zero_unassigned)
        return self._finish(name, rows, declared.members, steps)

    def sublist(self, name: str, rows: Iterable[Row]) -> list[Row]:
        """Rows of a sub-list (`saleorders/items`) as it serves them."""
        declared = SUBLISTS_BY_NAME[name]
        if name == "channels/listings":
            return self.collection("listings", rows)
        if declared.of:
            rows = [{member: row[member] for member in declared.members if member in row} for row in rows]
        steps: list[Step] = []
        if name == "saleorders/items":
            steps += _line_steps(self._switches)
        if name == "items/units-of-measure" and self._switches.unit_cost == "nested":
            steps.append(_nest_cost)
        return self._finish(name, rows, declared.members, steps)

    def _order_steps(self) -> list[Step]:
        steps: list[Step] = []
        if self._switches.exchange_rate == "base_by_document":
            steps.append(_invert_rate)
        if self._switches.embedded_items:
            steps.append(self._embed_items)
        return steps

    def _embed_items(self, row: Row) -> None:
        lines = self._store.children("saleorders/items", row["saleOrderId"])
        row["items"] = self.sublist("saleorders/items", lines)

    def _finish(self, name: str, rows: Iterable[Row], members: Mapping[str, Kind], steps: list[Step]) -> list[Row]:
        if self._switches.nice_id == "text" and "niceId" in members:
            steps.append(_text_nice_ids)
        if self._dates(name) == "javascript":
            times = [member for member, kind in members.items() if kind == "time"]
            if times:
                steps.append(_javascript_times(times))
        steps += [drifted(drift) for drift in self._drifts if drift.collection == name]
        if not steps:
            return list(rows)
        return [_apply(steps, row) for row in rows]

    def _dates(self, name: str) -> str:
        is_item = name == "items" or name.startswith(("item-", "items/"))
        return self._switches.item_dates if is_item else self._switches.other_dates


def _apply(steps: list[Step], row: Row) -> Row:
    served = dict(row)
    for step in steps:
        step(served)
    return served


def _without(names: Iterable[str]) -> Step:
    def without(row: Row) -> None:
        for name in names:
            row.pop(name, None)

    return without


def _javascript_times(names: list[str]) -> Step:
    def respell(row: Row) -> None:
        for name in names:
            value: Any = row.get(name)
            if is_iso(value):
                row[name] = javascript(value)

    return respell


def _text_nice_ids(row: Row) -> None:
    for name in ("niceId", "saleOrderNiceId"):
        if name in row:
            row[name] = str(row[name])


def _invert_rate(row: Row) -> None:
    rate = row.get("exchangeRate")
    if isinstance(rate, int | Decimal) and rate:
        row["exchangeRate"] = (1 / Decimal(rate)).quantize(_RATE_PLACES, ROUND_HALF_EVEN).normalize()


def _zero_unassigned(row: Row) -> None:
    if row.get("binId") == UNASSIGNED:
        row["onHand"] = 0


def _nest_cost(row: Row) -> None:
    if "cost" in row:
        row["cost"] = {"amount": row["cost"], "currency": row.pop("currency", None)}


def _line_steps(switches: StoklySwitches) -> list[Step]:
    steps: list[Step] = []
    if switches.line_price == "line":
        steps.append(_times_quantity(("price", "tax")))
    if switches.display_line_price == "line":
        steps.append(_times_quantity(("displayPrice", "displayTax")))
    if not switches.display_line_members:
        steps.append(_without(_DISPLAY_LINE))
    return steps


def _times_quantity(names: tuple[str, ...]) -> Step:
    def multiply(row: Row) -> None:
        quantity = row.get("quantity")
        for name in names:
            value: Any = row.get(name)
            if isinstance(value, int | Decimal) and isinstance(quantity, int | Decimal):
                row[name] = _nine_places(Decimal(value) * quantity)

    return multiply


def _nine_places(amount: Decimal) -> Decimal:
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -9:
        return amount.quantize(NINE_PLACES, ROUND_HALF_EVEN)
    return amount
