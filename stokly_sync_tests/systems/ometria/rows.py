"""Landed rows for tests: what is not said is a plain, valid value, so that a test names only what it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from stokly_sync.contracts.datasets import TABLES
from stokly_sync.contracts.money import nano
from stokly_sync.contracts.tables import DTYPES, Kind
from stokly_sync.delivery.encoding import encode
from stokly_sync.delivery.loading import own_columns
from stokly_sync.flow import Built, Document, Frames
from stokly_sync.systems.ometria.feeds import feeds
from stokly_sync.systems.ometria.settings import OmetriaSettings
from stokly_sync.systems.transport import decode

T0 = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)

DEFAULTS: dict[str, dict[str, Any]] = {
    "stokly.customers": {"customer_id": "C1", "email": "buyer@example.com", "live": True, "created_at": T0},
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
        "source_type": "magento_two",
        "channel_name": "Web",
        "channel_reference": "100000123",
        "customer_id": "C1",
        "customer_email": "buyer@example.com",
        "country": "GB",
        "currency": "GBP",
        "subtotal": "20.00",
        "discount": "0",
        "tax": "5.00",
        "shipping": "5.00",
        "shipping_tax": "1.00",
        "total": "30.00",
        "payment_status": "paid",
        "item_statuses": '["unprocessed"]',
        "line_count": 1,
        "lines_total": "24.00",
        "created_at": T0,
        "live": True,
    },
    "stokly.order_lines": {
        "order_id": "O1",
        "line_id": "L1",
        "position": 0,
        "item_id": "I1",
        "sku": "SKU-1",
        "quantity": 2,
        "unit_price": "10.00",
        "unit_discount": "0",
        "line_price": "20.00",
        "line_tax": "4.00",
        "line_discount": "0",
        "line_total": "24.00",
    },
    "stokly.refunds": {
        "refund_id": "R1",
        "order_id": "O1",
        "status": "completed",
        "currency": "GBP",
        "total": "12.00",
        "created_at": T0,
        "live": True,
    },
    "stokly.refund_lines": {
        "refund_id": "R1",
        "position": 0,
        "line_id": "L1",
        "quantity": 1,
        "unit_price": "10.00",
        "line_total": "12.00",
    },
    "stokly.credit_notes": {
        "credit_note_id": "N1",
        "order_id": "O1",
        "currency": "GBP",
        "value": "5.00",
        "created_at": T0,
        "live": True,
    },
    "stokly.dispatches": {
        "dispatch_id": "D1",
        "order_id": "O1",
        "courier": "Royal Mail",
        "service": "Tracked 24",
        "tracking_number": "AB123456789GB",
        "tracking_url": "https://track.example.com/AB123456789GB",
        "dispatched_at": T0,
        "live": True,
    },
}
META = {"content_hash": "h", "version": T0, "extra": None}


def frame(table: str, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows of a table with its dtypes; money may be given as text in major units."""
    columns = TABLES[table].all_columns
    filled = [{**META, **DEFAULTS[table], **row} for row in rows]
    data = {}
    for column in columns:
        values = [row.get(column.name) for row in filled]
        if column.kind is Kind.MONEY:
            values = [nano(value) if isinstance(value, str) else value for value in values]
        data[column.name] = pd.Series(values, dtype=DTYPES[column.kind])  # type: ignore[call-overload]
    return pd.DataFrame(data)


def frames(**tables: Sequence[Mapping[str, Any]]) -> Frames:
    """Frames of all tables by their short name (`orders=[...]`); tables that are not named are empty."""
    return {name: frame(name, tables.get(name.removeprefix("stokly."), ())) for name in DEFAULTS}


def order_frames(
    order: Mapping[str, Any] | None = None,
    lines: Sequence[Mapping[str, Any]] = ({},),
    **tables: Sequence[Mapping[str, Any]],
) -> Frames:
    """Frames of one order with one line of one item, bought by one customer."""
    return frames(**{"orders": [order or {}], "order_lines": lines, "items": [{}], "customers": [{}], **tables})


def as_planned(tables: Frames, settings: OmetriaSettings) -> Frames:
    """The frames as a plan of orders reads them: with those columns of orders alone that the feed names."""
    (feed,) = (declared for declared in feeds(settings) if declared.name == "orders")
    return tables | {"stokly.orders": tables["stokly.orders"][sorted(own_columns(feed))]}


def body(built: Built) -> dict[str, Any]:
    """The one document that was built; fails when something was kept back."""
    assert built.kept_back == [] or not built.kept_back, built.kept_back
    (document,) = built.documents
    return wire(document)


def wire(document: Document) -> dict[str, Any]:
    """A document as it arrives at the other side."""
    arrived: dict[str, Any] = decode(encode(document).text)
    return arrived


def rules(built: Built) -> dict[str, str]:
    """Rule by key of what was kept back."""
    return {problem.key: problem.rule for problem in built.kept_back}
