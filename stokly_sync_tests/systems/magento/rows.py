"""Documents as Magento writes them and landed rows for tests: what is not said is a plain, valid value.

Amounts follow the examples of the contract page. Source: Magento API contract 6, 7, 9, 10.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pandas as pd

from stokly_sync.contracts.datasets import TABLES
from stokly_sync.contracts.money import nano
from stokly_sync.contracts.tables import DTYPES, Kind
from stokly_sync.flow import Built, Frames, Lane
from stokly_sync.systems.magento import MagentoClient, MagentoSettings
from stokly_sync.systems.transport import Clock, RetryPolicy, Unlimited

T0 = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
CREDENTIALS: dict[str, Any] = {
    "consumer_key": "consumer-key",
    "consumer_secret": "consumer-secret",
    "access_token": "access-token",
    "access_token_secret": "token-secret",
}
SETTINGS = MagentoSettings.model_validate({"locations": {"LOC": "default"}})

DEFAULTS: dict[str, dict[str, Any]] = {
    "stokly.items": {
        "item_id": "I1",
        "sku": "SKU-1",
        "name": "Mug",
        "format": 0,
        "price": "10.00",
        "currency": "GBP",
        "stocked": True,
        "live": True,
    },
    "stokly.stock": {"stock_id": "I1/", "item_id": "I1", "sku": "SKU-1", "live": True},
    "stokly.orders": {
        "order_id": "O1",
        "stage": "order",
        "source_type": "magento_two",
        "channel_id": "CH",
        "channel_reference": "000000005",
        "currency": "GBP",
        "total": "24.00",
        "line_count": 1,
        "lines_total": "24.00",
        "created_at": T0,
        "live": True,
        "item_statuses": '["unprocessed"]',
    },
    "stokly.order_lines": {
        "order_id": "O1",
        "line_id": "L1",
        "position": 0,
        "item_id": "I1",
        "sku": "SKU-1",
        "quantity": 2,
        "line_price": "20.00",
        "line_tax": "4.00",
        "line_total": "24.00",
        "status": "unprocessed",
    },
    "stokly.dispatches": {
        "dispatch_id": "D1",
        "number": "77",
        "order_id": "O1",
        "location_id": "LOC",
        "courier": "Royal Mail",
        "tracking_number": "AB123456789GB",
        "dispatched_at": T0,
        "live": True,
    },
    "stokly.dispatch_lines": {"dispatch_id": "D1", "position": 0, "line_id": "L1", "quantity": 2},
    "stokly.refunds": {
        "refund_id": "R1",
        "number": "9",
        "order_id": "O1",
        "status": "completed",
        "currency": "GBP",
        "total": "12.00",
        "tax": "2.00",
        "created_at": T0,
        "live": True,
    },
    "stokly.refund_lines": {
        "refund_id": "R1",
        "position": 0,
        "line_id": "L1",
        "sku": "SKU-1",
        "quantity": 1,
        "unit_price": "10.00",
        "line_total": "12.00",
    },
    "stokly.credit_notes": {
        "credit_note_id": "N1",
        "order_id": "O1",
        "currency": "GBP",
        "value": "12.00",
        "created_at": T0,
        "live": True,
    },
    "magento.orders": {
        "order_id": "5",
        "number": "000000005",
        "state": "open",
        "currency": "GBP",
        "total": "24.00",
        "line_count": 1,
        "lines_total": "24.00",
        "placed_at": T0,
        "live": True,
    },
    "magento.order_lines": {
        "order_id": "5",
        "line_id": "11",
        "position": 0,
        "sku": "SKU-1",
        "kind": "simple",
        "quantity": 2,
        "line_price": "20.00",
        "line_total": "24.00",
        "virtual": False,
        "open": True,
    },
    "magento.shipments": {"shipment_id": "3", "order_id": "5", "shipped_at": T0, "live": True},
    "magento.shipment_lines": {"shipment_id": "3", "position": 0, "line_id": "11", "sku": "SKU-1", "quantity": 2},
    "magento.refunds": {
        "refund_id": "8",
        "order_id": "5",
        "number": "000000008",
        "state": "completed",
        "currency": "GBP",
        "total": "12.00",
        "tax": "2.00",
        "created_at": T0,
        "live": True,
    },
    "magento.refund_lines": {
        "refund_id": "8",
        "position": 0,
        "line_id": "11",
        "sku": "SKU-1",
        "quantity": 1,
        "line_price": "10.00",
        "line_total": "12.00",
    },
    "magento.listings": {
        "listing_id": "1",
        "sku": "SKU-1",
        "name": "Mug",
        "kind": "simple",
        "price": "10.00",
        "currency": "GBP",
        "enabled": True,
        "on_sale": True,
        "live": True,
    },
    "magento.stock_levels": {
        "level_id": "SKU-1/default",
        "sku": "SKU-1",
        "source": "default",
        "quantity": 5,
        "in_stock": True,
        "live": True,
    },
}
META = {"content_hash": "h", "version": T0, "extra": None}


def frame(table: str, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows of a table with its dtypes; money may be given as text in major units."""
    filled = [{**META, **DEFAULTS[table], **row} for row in rows]
    data = {}
    for column in TABLES[table].all_columns:
        values = [row.get(column.name) for row in filled]
        if column.kind is Kind.MONEY:
            values = [nano(value) if isinstance(value, str) else value for value in values]
        data[column.name] = pd.Series(values, dtype=DTYPES[column.kind])  # type: ignore[call-overload]
    return pd.DataFrame(data)


def frames(tables: Mapping[str, Sequence[Mapping[str, Any]]], *, siblings: str | None = None) -> Frames:
    """Frames of all tables, empty where not named. `siblings` names the table whose rows stand there too."""
    made = {name: frame(name, tables.get(name, ())) for name in DEFAULTS}
    return made | {"siblings": made[siblings]} if siblings else made


def rules(built: Built) -> dict[str, str]:
    """Rule by key of what was kept back."""
    return {problem.key: problem.rule for problem in built.kept_back}


def body(built: Built) -> dict[str, Any]:
    """The one document that was built; fails when something was kept back."""
    assert not built.kept_back, built.kept_back
    (document,) = built.documents
    return document.body


def client_of(url: str, *, attempts: int = 3, slept: list[float] | None = None, **settings: Any) -> MagentoClient:
    """A client that waits for nothing and remembers for how long it would have waited."""
    waits = [] if slept is None else slept
    made = MagentoSettings.model_validate({"base_url": url, "locations": {"LOC": "default"}, **CREDENTIALS, **settings})
    clock = Clock(sleep=waits.append)
    return MagentoClient(made, Unlimited(), Lane.BULK, clock=clock, retry=RetryPolicy(attempts=attempts))


def item(number: int, sku: str, **members: Any) -> dict[str, Any]:
    """A line of an order: two pieces of 10.00 net with 20 % VAT."""
    return {
        "item_id": number,
        "order_id": 5,
        "product_id": number,
        "product_type": "simple",
        "sku": sku,
        "name": sku,
        "qty_ordered": 2,
        "qty_invoiced": 0,
        "qty_shipped": 0,
        "qty_refunded": 0,
        "qty_canceled": 0,
        "price": 10,
        "row_total": 20,
        "row_total_incl_tax": 24,
        "tax_percent": 20,
        "tax_amount": 4,
        "discount_amount": 0,
        "is_virtual": 0,
        **members,
    }


def order(*items: dict[str, Any], **members: Any) -> dict[str, Any]:
    """An order as `GET /V1/orders` gives it, trimmed to the members that are asked for."""
    address = {
        "firstname": "Customer",
        "lastname": "17850",
        "street": ["1 High Street", "Floor 2", "Rear"],
        "city": "Leeds",
        "region": "West Yorkshire",
        "postcode": "LS1 1AA",
        "country_id": "GB",
        "telephone": "0113 496 0000",
    }
    shipping = {"method": "flatrate_flatrate", "address": {**address, "city": "York"}}
    return {
        "entity_id": 5,
        "increment_id": "000000005",
        "state": "processing",
        "status": "processing",
        "store_id": 1,
        "customer_email": "buyer@example.com",
        "customer_firstname": "Customer",
        "customer_lastname": "17850",
        "order_currency_code": "GBP",
        "created_at": "2026-03-01 09:30:00",
        "updated_at": "2026-03-01 09:31:00",
        "discount_amount": 0,
        "tax_amount": 5,
        "shipping_amount": 5,
        "shipping_tax_amount": 1,
        "grand_total": 30,
        "payment": {"method": "checkmo"},
        "billing_address": address,
        "items": list(items),
        "extension_attributes": {"shipping_assignments": [{"shipping": shipping}]},
        **members,
    }


def money(text: str) -> int:
    """Major units as nano units."""
    return nano(Decimal(text))
