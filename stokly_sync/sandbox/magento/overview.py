"""The shop at a glance: counts, sums and short lists, for tests and the demo.

Belongs here: reading without the API's shapes. The routes are in `inspection`.
"""

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from stokly_sync.sandbox.magento.bulk import OPEN
from stokly_sync.sandbox.magento.figures import ZERO, Row, amount, wire
from stokly_sync.sandbox.magento.store import Store, Table

if TYPE_CHECKING:
    from stokly_sync.sandbox.magento.system import MagentoSandbox


def totals(system: "MagentoSandbox") -> dict[str, Any]:
    """Counts of everything, with the sums of orders and credit memos by currency."""
    store = system.store
    operations = Counter(operation["status"] for bulk in store.bulks for operation in bulk["operations"])
    answer: dict[str, Any] = {
        "orders": len(store.orders),
        "orders_by_state": dict(Counter(row["state"] for row in store.orders)),
        "grand_total": _sums(store.orders, "grand_total"),
        "total_refunded": _sums(store.creditmemos, "grand_total"),
        "invoices": len(store.invoices),
        "shipments": len(store.shipments),
        "shipped": sum((amount(row["total_qty"]) for row in store.shipments), ZERO),
        "tracks": sum(len(row["_tracks"]) for row in store.shipments),
        "creditmemos": len(store.creditmemos),
        "products": len(store.products),
        "customers": len(store.customers),
        "source_items": len(store.source_items),
        "quantities": _quantities(store),
        "reserved": sum((amount(row["quantity"]) for row in store.reservations), ZERO),
        "operations_open": operations.get(OPEN, 0),
        "operations": {str(status): number for status, number in operations.items()},
        "planted": len(store.planted),
    }
    told: dict[str, Any] = wire(answer)
    return told


def told(order: Row) -> Row:
    """An order in a line."""
    names = ("entity_id", "increment_id", "state", "status", "grand_total", "order_currency_code", "updated_at")
    return {**{name: order[name] for name in names}, "ext_order_id": order.get("ext_order_id")}


def orders(store: Store) -> list[Row]:
    """Every order in a line."""
    return [told(order) for order in store.orders]


def shipments(store: Store) -> list[Row]:
    """Every shipment with its order's number, its source, its quantities by SKU and its tracking numbers."""
    return [
        {
            "increment_id": row["increment_id"],
            "order": _number(store, row),
            "source_code": row["_source"],
            "quantities": _by_sku(row["_items"]),
            "tracks": [{name: track[name] for name in ("carrier_code", "track_number")} for track in row["_tracks"]],
        }
        for row in store.shipments
    ]


def creditmemos(store: Store) -> list[Row]:
    """Every credit memo with its order's number, its quantities by SKU and its money."""
    return [
        {
            "increment_id": row["increment_id"],
            "order": _number(store, row),
            "quantities": _by_sku(row["_items"]),
            "grand_total": row["grand_total"],
            "order_currency_code": row["order_currency_code"],
        }
        for row in store.creditmemos
    ]


def _number(store: Store, row: Row) -> str | None:
    order = store.orders.get(row["order_id"])
    return order["increment_id"] if order is not None else None


def _by_sku(items: list[Row]) -> dict[str, Decimal]:
    return {item["sku"]: amount(item["qty"]) for item in items}


def _sums(table: Table, name: str) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for row in table:
        currency = row["order_currency_code"]
        sums[currency] = sums.get(currency, ZERO) + amount(row[name])
    return sums


def _quantities(store: Store) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for row in store.source_items:
        sums[row["source_code"]] = sums.get(row["source_code"], ZERO) + amount(row["quantity"])
    return sums
