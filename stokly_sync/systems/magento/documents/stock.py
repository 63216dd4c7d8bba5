"""Stock of Stokly as quantities of Magento's sources (G2, G8).

Magento takes its own open orders off what a source holds, and Stokly has taken off those that it imported. What is
imported and not yet shipped in Magento (dispatched by Stokly or not) would be taken off twice, so it is put back:

    source = available in Stokly at the mapped locations + imported and not yet shipped in Magento - buffer

Stokly tells what is available as a total and what is on the shelf by location; what is sold (the difference of the two
totals) is therefore taken off the mapped locations, the first source first. Orders that Stokly does not have yet are no
matter of this sum, but once they have shipped, Stokly's figure would give their units away again: so a SKU whose
orders are late goes with a larger buffer, or is held. What is held may still fall: less on sale is never sold twice.
Pure. Source: Magento API contract 11.1.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from stokly_sync.contracts.goods import sold
from stokly_sync.contracts.problems import later
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.magento import rules
from stokly_sync.systems.magento.documents.common import records, versioned
from stokly_sync.systems.magento.documents.goods import COMPOSED
from stokly_sync.systems.magento.documents.products import LISTINGS, by_sku, is_expected
from stokly_sync.systems.magento.settings import ALL_LOCATIONS, MagentoSettings

LEVELS: Final = "magento.stock_levels"
ORDERS: Final = "magento.orders"
LINES: Final = "magento.order_lines"
_CANCELLED: Final = "cancelled"
_DISPATCHED: Final = "dispatched"


@dataclass(frozen=True)
class Sold:
    """Units of one SKU on open orders of Magento, by what Stokly knows of them.

    `waiting` are imported and still in Stokly's stock, `sent` have left it and are not shipped in Magento yet, `late`
    have not reached Stokly in time.
    """

    waiting: int = 0
    sent: int = 0
    late: int = 0


def build_stock(frames: Frames, settings: MagentoSettings, *, now: datetime | None = None) -> Built:
    """Quantities for every source, one document a SKU; `held` are those that Magento has as they are.

    Keeps back SKUs that Magento does not have or keeps no stock of, and those that must wait for their orders.
    """
    listed = by_sku(frames[LISTINGS])
    items = frames["stokly.items"]
    by_id = {item["item_id"]: item for item in records(items.assign(goods=sold(items)))}
    stock = _by_sku(frames["stokly.stock"], by_id)
    there = _levels(frames)
    open_orders = sold_by_sku(frames, settings, now=now or datetime.now(UTC))
    documents: list[Document] = []
    kept: list[Problem] = []
    held: dict[str, str | None] = {}
    for sku, rows in stock.items():
        item, listing = by_id.get(rows[0]["item_id"]), listed.get(sku)
        waiting = open_orders.get(sku, Sold())
        current = there.get(sku, {})
        problem, levels = _kept_back(sku, rows, item, listing, settings), []
        if problem is None:
            wanted = _quantities(rows, item, waiting, settings)
            levels = _told(wanted, settings)
            if settings.stock_without_orders == "hold" and _unsure(waiting, settings):
                levels = _told(_not_above(wanted, current), settings)
                problem = _held_down(sku, wanted, levels, current, waiting)
        if problem is not None:
            kept.append(problem)
            continue
        version = versioned(f"stock of {sku}", *(row["version"] for row in (*rows, *current.values())))
        event = later(*(row["version"] for row in rows))
        documents.append(Document(sku, {"sku": sku, "levels": levels}, version, event_at=event))
        if all(_same(level, current.get(level["source_code"])) for level in levels):
            held[sku] = None
    return Built(documents, kept, held)


def sold_by_sku(frames: Frames, settings: MagentoSettings, *, now: datetime) -> dict[str, Sold]:
    """Units on open orders of Magento by SKU.

    Stokly holds a unit in a live order line that is not cancelled there, at most as many as are open in Magento. Units
    of orders that Stokly does not have are late once their order is older than the settings allow.
    """
    orders = {order["order_id"]: order for order in records(frames[ORDERS])}
    in_stokly = _taken_over(frames, settings)
    late_before = now - timedelta(minutes=settings.import_minutes)
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for (order_id, sku), units in _open_units(frames).items():
        order = orders.get(order_id)
        if order is None:
            continue
        held = in_stokly.get(order["number"])
        if held is not None:
            sent = min(held.sent[sku], max(0, units - held.waiting[sku]))
            found[sku].update(sent=sent, waiting=min(units - sent, held.waiting[sku]))
        elif order["state"] not in ("pending", "held") and order["placed_at"] < late_before:
            found[sku].update(late=units)
    return {sku: Sold(counts["waiting"], counts["sent"], counts["late"]) for sku, counts in found.items()}


def _open_units(frames: Frames) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = defaultdict(int)
    for line in records(frames[LINES]):
        if line["sku"] is None or not line["open"] or line["virtual"]:
            continue
        gone = sum(line[name] or 0 for name in ("quantity_shipped", "quantity_cancelled", "quantity_refunded"))
        found[line["order_id"], line["sku"]] += max(0, line["quantity"] - gone)
    return found


@dataclass(frozen=True)
class _Held:
    """What Stokly holds of an order, by SKU: units that wait, and units that it has dispatched."""

    waiting: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)


def _taken_over(frames: Frames, settings: MagentoSettings) -> dict[str, _Held]:
    """What Stokly holds of each order of the shop, by the order's number; nothing of one that it has removed."""
    alive: dict[str, str] = {}
    found: dict[str, _Held] = {}
    for order in records(frames["stokly.orders"]):
        if is_ours(order, settings):
            found.setdefault(order["channel_reference"], _Held())
            if order["live"]:
                alive[order["order_id"]] = order["channel_reference"]
    sent = _sent_units(frames)
    for line in records(frames["stokly.order_lines"]):
        if line["order_id"] not in alive or line["sku"] is None or line["status"] == _CANCELLED:
            continue
        gone = line["quantity"] if line["status"] == _DISPATCHED else min(line["quantity"], sent[line["line_id"]])
        held = found[alive[line["order_id"]]]
        held.sent[line["sku"]] += gone
        held.waiting[line["sku"]] += line["quantity"] - gone
    return found


def _sent_units(frames: Frames) -> Counter[str]:
    """Units that Stokly has dispatched, by its order line."""
    live = {row["dispatch_id"] for row in records(frames["stokly.dispatches"]) if row["live"]}
    found: Counter[str] = Counter()
    for line in records(frames["stokly.dispatch_lines"]):
        if line["dispatch_id"] in live and line["line_id"] is not None:
            found[line["line_id"]] += line["quantity"]
    return found


def is_ours(order: Mapping[str, object], settings: MagentoSettings) -> bool:
    """Whether an order of Stokly came from this shop."""
    if order["channel_reference"] is None or order["source_type"] not in settings.source_types:
        return False
    return not settings.channels or order["channel_id"] in settings.channels


def _by_sku(stock: object, by_id: Mapping[str, Json]) -> dict[str, list[Json]]:
    """Live rows of the stock by SKU; where a deleted item had the SKU too, those of the live one."""
    found: dict[str, list[Json]] = {}
    for row in records(stock):  # type: ignore[arg-type]
        if row["sku"] is not None:
            found.setdefault(row["sku"], []).append(row)
    for sku, rows in found.items():
        alive = [row for row in rows if by_id.get(row["item_id"], {}).get("live")]
        found[sku] = alive or rows
    return found


def _levels(frames: Frames) -> dict[str, dict[str, Json]]:
    found: dict[str, dict[str, Json]] = {}
    for row in records(frames[LEVELS]):
        if row["live"]:
            found.setdefault(row["sku"], {})[row["source"]] = row
    return found


def _kept_back(
    sku: str, rows: Iterable[Json], item: Json | None, listing: Json | None, settings: MagentoSettings
) -> Problem | None:
    # An item that is not landed, or kept back by its own contract, still has the stock that Stokly tells.
    goods = item is None or item["goods"]
    if listing is None:
        if item is None or not goods:
            # What keeps an item back is told of the item; its stock has nowhere to go.
            return Problem(sku, rules.NO_ITEM.code, "kept back, deleted or a service, and not in Magento")
        if not is_expected(item["tags"], settings):
            return Problem(sku, rules.NOT_SOLD_HERE.code, "none of its tags says that Magento sells it")
        return Problem(sku, rules.SKU_UNKNOWN.code, "no product of Magento has exactly this SKU")
    if listing["kind"] in COMPOSED or (item is not None and item["live"] and not item["stocked"]):
        return Problem(sku, rules.STOCK_COMPOSED.code, f"product type {listing['kind']} in Magento")
    live = [row for row in rows if row["live"]]
    if goods and live and not _knows_sold(live, settings):
        return Problem(sku, rules.STOCK_MISSING.code, "Stokly gives it by location, without a total")
    return None


def _unsure(waiting: Sold, settings: MagentoSettings) -> bool:
    """Whether Stokly may count units as its own that Magento has sold."""
    return waiting.late > 0 or not settings.order_import


def _not_above(wanted: Mapping[str, int], current: Mapping[str, Json]) -> dict[str, int]:
    """Quantities that no source has to rise to."""
    return {source: min(units, max(0, _units(current.get(source)))) for source, units in wanted.items()}


def _units(level: Json | None) -> int:
    return 0 if level is None else level["quantity"] or 0


def _held_down(
    sku: str, wanted: Mapping[str, int], levels: list[Json], current: Mapping[str, Json], waiting: Sold
) -> Problem | None:
    """Why a rise is not sent; None where there is none, or where at least a fall can be."""
    falls = any(level["quantity"] < _units(current.get(level["source_code"])) for level in levels)
    if falls or all(units == _units(current.get(source)) for source, units in wanted.items()):
        return None
    why = f"{waiting.late} units on orders that Stokly does not have" if waiting.late else "orders are not imported"
    return Problem(sku, rules.STOCK_HELD.code, why)


def _knows_sold(rows: Iterable[Json], settings: MagentoSettings) -> bool:
    """Whether it is known what of the stock is sold: by a total, or by locations that tell what is available."""
    rows = list(rows)
    mapped = [row for row in rows if row["location_id"] in settings.locations]
    return any(not row["location_id"] for row in rows) or all(row["available"] is not None for row in mapped)


def _quantities(rows: list[Json], item: Json | None, waiting: Sold, settings: MagentoSettings) -> dict[str, int]:
    """Units for each source; a deleted item has none left."""
    found = dict.fromkeys(settings.sources, 0)
    if item is not None and not item["goods"]:
        return found
    live = [row for row in rows if row["live"]]
    taken = _buffer(rows[0]["sku"], item, settings)
    if settings.stock_without_orders == "buffer" and _unsure(waiting, settings):
        taken += settings.late_buffer
    total = next((row for row in live if not row["location_id"]), None)
    whole = settings.locations.get(ALL_LOCATIONS)
    shelf = [] if total is None or whole is None else [({**total, "available": None}, whole)]
    if whole is None:
        shelf = [(row, place) for row in live if (place := settings.locations.get(row["location_id"] or ""))]
    for row, place in shelf:
        found[place.source] += _share(_first(row["available"], row["on_hand"]), place.share)
    if total is None or (shelf and all(row["available"] is not None for row, _ in shelf)):
        return _less(found, taken - waiting.waiting - waiting.sent)
    # Of what waits no more is put back than Stokly counts as sold: it may not have counted an order yet.
    spoken_for = _first(total["on_hand"], 0) - _first(total["available"], total["on_hand"])
    return _less(found, taken + max(0, spoken_for - waiting.waiting) - waiting.sent)


def _first(*values: int | None) -> int:
    return next((value for value in values if value is not None), 0)


def _share(units: int, share: Decimal) -> int:
    return int((units * share).to_integral_value(rounding=ROUND_FLOOR)) if share != 1 else units


def _less(quantities: dict[str, int], taken: int) -> dict[str, int]:
    """Quantities with some units taken off, the first source first; what is given back goes to the first. Never < 0."""
    left = dict(quantities)
    for source, units in left.items():
        off = min(max(units, 0), taken) if taken > 0 else taken
        left[source] = units - off
        taken -= off
    return {source: max(0, units) for source, units in left.items()}


def _buffer(sku: str, item: Json | None, settings: MagentoSettings) -> int:
    brand = item["manufacturer"] if item is not None else None
    return settings.sku_buffers.get(sku, settings.brand_buffers.get(brand or "", settings.buffer))


def _told(quantities: Mapping[str, int], settings: MagentoSettings) -> list[Json]:
    return [
        {"source_code": source, "quantity": units, "status": int(units > 0 or not settings.out_of_stock_at_zero)}
        for source, units in quantities.items()
    ]


def _same(level: Json, there: Json | None) -> bool:
    return (
        there is not None
        and level["quantity"] == there["quantity"]
        and bool(level["status"]) == bool(there["in_stock"])
    )
