"""What is read from the sales channels: the same tables for each."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from stokly_sync.warehouse.sqltypes import FLAG, TEXT, TIME, WHOLE

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KINDS = ("orders", "shipments", "refunds", "listings", "stock_levels")
_LINES = ("order_lines", "shipment_lines", "refund_lines")


def _must(name: str, type_: sa.types.TypeEngine[Any] = TEXT) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=False)


def _may(name: str, type_: sa.types.TypeEngine[Any] = TEXT) -> sa.Column[Any]:
    return sa.Column(name, type_)


def _meta() -> tuple[sa.Column[Any], ...]:
    return (
        *(_must("content_hash"), _must("version", TIME), _may("extra")),
        *(_must("window_start", TIME), _must("landed_at", TIME)),
    )


def upgrade() -> None:
    for channel in ("magento", "marketplacer"):
        _orders(channel)
        _shipments(channel)
        _refunds(channel)
        _listings(channel)
        _stock_levels(channel)
    _remittances("marketplacer")


def downgrade() -> None:
    op.drop_table("marketplacer_remittance_lines")
    op.drop_table("marketplacer_remittances")
    for channel in ("magento", "marketplacer"):
        for table in (*_LINES, *_KINDS):
            op.drop_table(f"{channel}_{table}")


def _create(table: str, key: tuple[str, ...], *columns: sa.Column[Any], indexes: tuple[str, ...] = ()) -> None:
    primary = sa.PrimaryKeyConstraint("brand", *key, name=f"{table}_pk")
    op.create_table(table, _must("brand"), *columns, primary)
    for column in indexes:
        op.create_index(f"{table}_by_{column}", table, ["brand", column])


def _orders(channel: str) -> None:
    _create(
        f"{channel}_orders",
        ("order_id",),
        *(_must("order_id"), _must("number"), _may("parent_number"), _must("state"), _may("status")),
        *(_may("store"), _may("customer_key"), _may("customer_email"), _may("customer_forename")),
        *(_may("customer_surname"), _may("customer_phone"), _may("customer_tax_number")),
        *(_may("billing_name"), _may("billing_company"), _may("billing_line1"), _may("billing_line2")),
        *(_may("billing_city"), _may("billing_region"), _may("billing_postcode")),
        *(_may("billing_country"), _may("billing_phone"), _may("shipping_name")),
        *(_may("shipping_company"), _may("shipping_line1"), _may("shipping_line2")),
        *(_may("shipping_city"), _may("shipping_region"), _may("shipping_postcode")),
        *(_may("shipping_country"), _may("shipping_phone"), _may("payment_method")),
        *(_may("shipping_method"), _must("currency"), _may("subtotal", WHOLE), _may("discount", WHOLE)),
        *(_may("tax", WHOLE), _may("shipping", WHOLE), _may("shipping_tax", WHOLE)),
        *(_must("total", WHOLE), _may("amount_paid", WHOLE), _may("amount_invoiced", WHOLE)),
        *(_may("amount_refunded", WHOLE), _may("commission", WHOLE), _may("commission_tax", WHOLE)),
        *(_must("line_count", WHOLE), _must("lines_total", WHOLE), _must("placed_at", TIME)),
        *(_may("paid_at", TIME), _may("updated_at", TIME), _must("live", FLAG)),
        *_meta(),
        indexes=("customer_key", "number", "window_start"),
    )
    _create(
        f"{channel}_order_lines",
        ("order_id", "line_id"),
        *(_must("order_id"), _must("line_id"), _must("position", WHOLE), _may("sku")),
        *(_may("bundle_sku"), _may("name"), _may("kind"), _must("quantity", WHOLE)),
        *(_may("quantity_cancelled", WHOLE), _may("quantity_shipped", WHOLE)),
        *(_may("quantity_refunded", WHOLE), _must("line_price", WHOLE), _may("line_discount", WHOLE)),
        *(_may("line_tax", WHOLE), _must("line_total", WHOLE), _may("tax_rate", WHOLE)),
        *(_may("commission", WHOLE), _may("commission_tax", WHOLE), _may("ships_as")),
        *(_may("ships_units", WHOLE), _must("virtual", FLAG), _must("open", FLAG)),
        indexes=("sku",),
    )


def _shipments(channel: str) -> None:
    _create(
        f"{channel}_shipments",
        ("shipment_id",),
        *(_must("shipment_id"), _must("order_id"), _may("number"), _may("carrier")),
        *(_may("tracking_number"), _may("tracking_numbers"), _may("source"), _may("reference")),
        *(_must("shipped_at", TIME), _may("updated_at", TIME), _must("live", FLAG)),
        *_meta(),
        indexes=("order_id", "window_start"),
    )
    _create(
        f"{channel}_shipment_lines",
        ("shipment_id", "position"),
        *(_must("shipment_id"), _must("position", WHOLE), _may("line_id"), _may("sku")),
        _must("quantity", WHOLE),
    )


def _refunds(channel: str) -> None:
    _create(
        f"{channel}_refunds",
        ("refund_id",),
        *(_must("refund_id"), _must("order_id"), _may("number"), _must("state"), _may("status")),
        *(_must("currency"), _must("total", WHOLE), _may("tax", WHOLE), _may("shipping", WHOLE)),
        *(_may("shipping_tax", WHOLE), _may("adjustment", WHOLE), _may("commission", WHOLE)),
        *(_may("reason"), _may("reference"), _must("created_at", TIME), _may("updated_at", TIME)),
        _must("live", FLAG),
        *_meta(),
        indexes=("order_id", "window_start"),
    )
    _create(
        f"{channel}_refund_lines",
        ("refund_id", "position"),
        *(_must("refund_id"), _must("position", WHOLE), _may("line_id"), _may("sku")),
        *(_must("quantity", WHOLE), _must("line_price", WHOLE), _may("line_tax", WHOLE)),
        *(_must("line_total", WHOLE), _may("returned", FLAG)),
    )


def _listings(channel: str) -> None:
    _create(
        f"{channel}_listings",
        ("listing_id",),
        *(_must("listing_id"), _may("product_id"), _may("sku"), _may("name"), _may("kind")),
        *(_may("barcode"), _may("price", WHOLE), _may("currency"), _must("enabled", FLAG)),
        *(_must("on_sale", FLAG), _may("why_not"), _may("updated_at", TIME), _must("live", FLAG)),
        *_meta(),
        indexes=("product_id", "sku", "window_start"),
    )


def _stock_levels(channel: str) -> None:
    _create(
        f"{channel}_stock_levels",
        ("level_id",),
        *(_must("level_id"), _must("sku"), _may("listing_id"), _may("source"), _may("quantity", WHOLE)),
        *(_may("in_stock", FLAG), _must("live", FLAG)),
        *_meta(),
        indexes=("sku", "window_start"),
    )


def _remittances(channel: str) -> None:
    _create(
        f"{channel}_remittances",
        ("remittance_id",),
        *(_must("remittance_id"), _may("number"), _may("reference"), _must("currency")),
        *(_must("payout", WHOLE), _may("commission", WHOLE), _must("line_count", WHOLE)),
        *(_must("created_at", TIME), _may("paid_at", TIME), _must("live", FLAG)),
        *_meta(),
        indexes=("window_start",),
    )
    _create(
        f"{channel}_remittance_lines",
        ("remittance_id", "position"),
        *(_must("remittance_id"), _must("position", WHOLE), _must("kind"), _may("order_id")),
        *(_may("refund_id"), _must("gross", WHOLE), _may("tax", WHOLE), _must("commission", WHOLE)),
        *(_may("commission_tax", WHOLE), _must("payout", WHOLE)),
    )
