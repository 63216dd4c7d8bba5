"""Nodes as the marketplace gives them and landed rows: what is not said is plain, so that a test names its subject."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from stokly_sync.contracts.datasets import TABLES
from stokly_sync.contracts.money import nano
from stokly_sync.contracts.tables import DTYPES, Kind
from stokly_sync.flow import Built, Frames
from stokly_sync.systems.marketplacer import MarketplacerSettings

T0 = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
ASKED = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
INVOICE = "SW52b2ljZS0xMzIxOA=="


def settings(**given: Any) -> MarketplacerSettings:
    return MarketplacerSettings.model_validate(given)


def line_item(key: str = "L1", **more: Any) -> dict[str, Any]:
    given = {"id": key, "legacyId": 1, "quantity": 2, "status": "ALLOCATED", "variantSku": "SKU-1", "discountCents": 0}
    return {**given, "advertTitle": "Mug", "line_cost": 1200, "line_tax": 400, **more}


def invoice(**more: Any) -> dict[str, Any]:
    """Two mugs for 12.00 each with tax, and 3.00 of postage."""
    return {
        "id": INVOICE,
        "legacyId": 13218,
        "createdAt": "2026-03-01T09:29:00Z",
        "paidAt": "2026-03-01T09:30:00Z",
        "statusFlags": ["PAID"],
        "deliveryType": "ONLINE",
        "buyerFirstName": "Customer",
        "buyerSurname": "17850",
        "buyerEmailAddress": "buyer@example.com",
        "buyerPhone": "020 7946 0000",
        "buyerBillingAddress": {"address": "1 High Street\nFlat 2", "city": "Leeds", "postcode": "LS1 1AA"},
        "shippingAddress": {
            "address": "1 High Street",
            "city": "Leeds",
            "postcode": "LS1 1AA",
            "state": {"short": "YK"},
        },
        "seller": {"id": "S1", "businessName": "Shop"},
        "lineItems": [line_item()],
        "shipments": [],
        "amendments": [],
        "totalCents": 2700,
        "postage": 300,
        "postage_tax": 50,
        "commissionAmountCents": 270,
        "commissionAmountTaxCents": 54,
        **more,
    }


def advert(**more: Any) -> dict[str, Any]:
    flags = {"published": True, "online": True, "displayable": True, "vetted": True, "requiresVetting": False}
    return {"__typename": "Advert", "id": "A1", "title": "Mug", "updatedAt": "2026-03-01T08:00:00Z", **flags, **more}


def variant(**more: Any) -> dict[str, Any]:
    flags = {"published": True, "displayable": True, "buyable": True}
    given = {"id": "V1", "sku": "SKU-1", "countOnHand": 4, "lowestPrice": "12.0", "advert": advert(), **flags}
    return {**given, **more}


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
    "stokly.stock": {"stock_id": "I1/", "item_id": "I1", "sku": "SKU-1", "available": 5, "live": True},
    "stokly.orders": {
        "order_id": "O1",
        "stage": "order",
        "source_type": "marketplacer",
        "channel_reference": "13218",
        "currency": "GBP",
        "total": "27.00",
        "item_statuses": '["unprocessed"]',
        "line_count": 1,
        "lines_total": "24.00",
        "created_at": T0,
        "live": True,
    },
    "stokly.order_lines": {
        "order_id": "O1",
        "line_id": "OL1",
        "position": 0,
        "sku": "SKU-1",
        "quantity": 2,
        "line_price": "20.00",
        "line_tax": "4.00",
        "line_total": "24.00",
    },
    "stokly.dispatches": {
        "dispatch_id": "D1",
        "number": "7001",
        "order_id": "O1",
        "courier": "Royal Mail",
        "tracking_number": "AB123456789GB",
        "dispatched_at": datetime(2026, 3, 2, 10, 0, tzinfo=UTC),
        "live": True,
    },
    "stokly.dispatch_lines": {"dispatch_id": "D1", "position": 0, "line_id": "OL1", "quantity": 2},
    "stokly.refunds": {
        "refund_id": "R1",
        "number": "90",
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
        "sku": "SKU-1",
        "quantity": 1,
        "unit_price": "10.00",
        "line_total": "12.00",
    },
    "marketplacer.orders": {
        "order_id": "INV",
        "number": "13218",
        "state": "open",
        "currency": "GBP",
        "total": "27.00",
        "line_count": 1,
        "lines_total": "24.00",
        "placed_at": T0,
        "live": True,
    },
    "marketplacer.order_lines": {
        "order_id": "INV",
        "line_id": "L1",
        "position": 0,
        "sku": "SKU-1",
        "quantity": 2,
        "quantity_cancelled": 0,
        "quantity_shipped": 0,
        "quantity_refunded": 0,
        "line_price": "20.00",
        "line_tax": "4.00",
        "line_total": "24.00",
        "virtual": False,
        "open": True,
    },
    "marketplacer.shipments": {
        "shipment_id": "S1",
        "order_id": "INV",
        "tracking_number": "AB123456789GB",
        "shipped_at": T0,
        "live": True,
    },
    "marketplacer.shipment_lines": {"shipment_id": "S1", "position": 0, "line_id": "L1", "sku": "SKU-1", "quantity": 2},
    "marketplacer.refunds": {
        "refund_id": "M1",
        "order_id": "INV",
        "state": "completed",
        "currency": "GBP",
        "total": "12.00",
        "created_at": T0,
        "live": True,
    },
    "marketplacer.refund_lines": {
        "refund_id": "M1",
        "position": 0,
        "line_id": "L1",
        "sku": "SKU-1",
        "quantity": 1,
        "line_price": "10.00",
        "line_total": "12.00",
    },
    "marketplacer.listings": {
        "listing_id": "V1",
        "product_id": "A1",
        "sku": "SKU-1",
        "price": "12.00",
        "enabled": True,
        "on_sale": True,
        "live": True,
    },
    "marketplacer.stock_levels": {
        "level_id": "SKU-1/",
        "sku": "SKU-1",
        "listing_id": "V1",
        "quantity": 5,
        "live": True,
    },
    "marketplacer.remittances": {
        "remittance_id": "P1",
        "number": "500",
        "currency": "GBP",
        "payout": "20.00",
        "line_count": 1,
        "created_at": T0,
        "paid_at": T0,
        "live": True,
    },
    "marketplacer.remittance_lines": {
        "remittance_id": "P1",
        "position": 0,
        "kind": "sale",
        "order_id": "INV",
        "gross": "24.00",
        "tax": "4.00",
        "commission": "3.00",
        "commission_tax": "1.00",
        "payout": "20.00",
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


def frames(**tables: Sequence[Mapping[str, Any]]) -> Frames:
    """Frames of all tables by name with a double underscore for the dot (`stokly__orders=[...]`); others are empty."""
    return {name: frame(name, tables.get(name.replace(".", "__"), ())) for name in DEFAULTS}


def rules(built: Built) -> dict[str, str]:
    """Rule by key of what was kept back."""
    return {problem.key: problem.rule for problem in built.kept_back}


def bodies(built: Built) -> dict[str, dict[str, Any]]:
    """Documents by key."""
    return {document.key: document.body for document in built.documents}


def row(frame: pd.DataFrame, place: int = 0) -> dict[str, Any]:
    """One row as plain values, None where missing."""
    found = frame.iloc[place].to_dict()
    return {str(name): None if pd.isna(value) else value for name, value in found.items()}


def pounds(value: Any) -> str | None:
    """Nano units as text with two places."""
    return None if value is None else f"{int(value) / 10**9:.2f}"
