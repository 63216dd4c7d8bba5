"""What Magento says it holds, and the same facts from our own documents (X7, G1, G4, G5).

Magento holds more than ours: products, shipments and credit memos that Stokly knows nothing of. Those are found by
`matching` with a rule and an owner; here only what we should have brought there is compared, so the feeds are declared
as shared. Stock is no part of it: Magento changes it itself, so every plan compares it with what was read last.
Source: Magento API contract 7, 9, 10.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import pandas as pd

from stokly_sync.contracts.money import nano
from stokly_sync.flow import Facts, Json
from stokly_sync.systems.magento.client import Found, MagentoClient
from stokly_sync.systems.magento.documents.common import identity, objects
from stokly_sync.systems.magento.documents.goods import COMPOSED
from stokly_sync.systems.magento.documents.parcels import plain
from stokly_sync.systems.magento.documents.products import ENABLED
from stokly_sync.systems.magento.extracts import PRODUCTS, REFUNDS, SHIPMENTS
from stokly_sync.systems.magento.reading import by_id

PRODUCT_FACTS: Final = ("name", "price", "status")


def product_facts(records: Sequence[Json]) -> pd.DataFrame:
    """Facts of products: name, price and status as texts; what takes its price from others has none."""
    return _frame(
        (
            {
                "key": record["sku"],
                "name": record.get("name"),
                "price": _price(record),
                "status": _status(record.get("status")),
            }
            for record in records
        ),
        PRODUCT_FACTS,
    )


def read_products(client: MagentoClient) -> Iterator[Facts]:
    """Every product of the shop."""
    for found in by_id(client, PRODUCTS, size=client.settings.product_page, key="id", cursor=None):
        yield Facts(product_facts(found.rows))


def shipment_facts(records: Sequence[Json]) -> pd.DataFrame:
    """Facts of shipments: known by order and tracking number, or by what they hold where they have none."""
    return _frame({"key": _parcel(r["order"], r["tracking"] or "", r["units"])} for r in records)


def read_shipments(client: MagentoClient) -> Iterator[Facts]:
    """Every shipment of the shop, under each of the names that a dispatch may know it by."""
    for found in by_id(client, SHIPMENTS, size=client.settings.product_page, cursor=None):
        yield Facts(_frame({"key": key} for row in found.rows for key in _names(row)))


def refund_facts(records: Sequence[Json]) -> pd.DataFrame:
    """Facts of credit memos: known by order and amount."""
    return _frame(
        {"key": _memo(r["order"], r["total"]), "value": _nano(r["total"]), "currency": r["currency"]} for r in records
    )


def read_refunds(client: MagentoClient) -> Iterator[Facts]:
    """Every credit memo of the shop."""
    for found in by_id(client, REFUNDS, size=client.settings.product_page, cursor=None):
        yield Facts(_memos(found))


def _memos(found: Found) -> pd.DataFrame:
    return _frame(
        {
            "key": _memo(identity(row.get("order_id")), row.get("grand_total")),
            "value": _nano(row.get("grand_total")),
            "currency": row.get("order_currency_code"),
        }
        for row in found.rows
    )


def _names(row: Mapping[str, Any]) -> list[str]:
    order = str(identity(row.get("order_id")))
    units: dict[str, int] = {}
    for item in objects(row.get("items")) or []:
        sku = str(item.get("sku"))
        units[sku] = units.get(sku, 0) + int(item.get("qty") or 0)
    tracks = [str(track.get("track_number")) for track in objects(row.get("tracks")) or []]
    return [*(_parcel(order, number, {}) for number in tracks), _parcel(order, "", units)]


def _parcel(order: str, tracking: str, units: Mapping[str, int]) -> str:
    return f"{order}/{plain(tracking) or ','.join(f'{sku}x{n}' for sku, n in sorted(units.items()))}"


def _memo(order: Any, total: Any) -> str:
    return f"{order}/{Decimal(total or 0):.2f}"


def _price(record: Mapping[str, Any]) -> str:
    price = record.get("price")
    if not isinstance(price, int | Decimal) or (not price and record.get("type_id") in COMPOSED):
        return ""
    return format(Decimal(price).normalize(), "f")


def _status(value: Any) -> str:
    return "" if value is None else "enabled" if value == ENABLED else "disabled"


def _nano(value: Any) -> int | None:
    return nano(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def _frame(rows: Iterable[Mapping[str, Any]], compared: Sequence[str] = ()) -> pd.DataFrame:
    told = list(rows)
    columns: dict[str, Any] = {
        "key": pd.Series([row["key"] for row in told], dtype="str"),
        "value": pd.array([row.get("value") for row in told], dtype="Int64"),
        "refunded": pd.array([None] * len(told), dtype="Int64"),
        "currency": pd.Series([row.get("currency") for row in told], dtype="str"),
    }
    return pd.DataFrame(columns | {name: pd.Series([row.get(name) for row in told], dtype="str") for name in compared})
