"""Landed rows: customers, items, stock and orders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stokly_sync.warehouse.sqltypes import FLAG, TEXT, TIME, WHOLE

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    "stokly_customers",
    "stokly_items",
    "stokly_stock",
    "stokly_orders",
    "stokly_order_lines",
)


def upgrade() -> None:
    _create_customers()
    _create_items()
    _create_stock()
    _create_orders()
    _create_order_lines()


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)


def _create_customers() -> None:
    op.create_table(
        "stokly_customers",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=False),
        sa.Column("account_code", TEXT),
        sa.Column("name", TEXT),
        sa.Column("forename", TEXT),
        sa.Column("surname", TEXT),
        sa.Column("email", TEXT),
        sa.Column("phone", TEXT),
        sa.Column("customer_type", WHOLE),
        sa.Column("country", TEXT),
        sa.Column("city", TEXT),
        sa.Column("postcode", TEXT),
        sa.Column("tags", TEXT),
        sa.Column("live", FLAG, nullable=False),
        sa.Column("merged_into", TEXT),
        sa.Column("created_at", TIME),
        sa.Column("updated_at", TIME),
        sa.Column("content_hash", TEXT, nullable=False),
        sa.Column("version", TIME, nullable=False),
        sa.Column("extra", TEXT),
        sa.Column("window_start", TIME, nullable=False),
        sa.Column("landed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("brand", "customer_id", name="stokly_customers_pk"),
    )
    op.create_index("stokly_customers_by_email", "stokly_customers", ["brand", "email"])
    op.create_index("stokly_customers_by_window_start", "stokly_customers", ["brand", "window_start"])


def _create_items() -> None:
    op.create_table(
        "stokly_items",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("item_id", TEXT, nullable=False),
        sa.Column("sku", TEXT),
        sa.Column("name", TEXT),
        sa.Column("format", WHOLE, nullable=False),
        sa.Column("type_name", TEXT),
        sa.Column("description", TEXT),
        sa.Column("parent_item_id", TEXT),
        sa.Column("barcodes", TEXT),
        sa.Column("tags", TEXT),
        sa.Column("attributes", TEXT),
        sa.Column("components", TEXT),
        sa.Column("images", TEXT),
        sa.Column("price", WHOLE),
        sa.Column("currency", TEXT),
        sa.Column("tax_class_id", TEXT),
        sa.Column("manufacturer", TEXT),
        sa.Column("weight", WHOLE),
        sa.Column("stocked", FLAG, nullable=False),
        sa.Column("live", FLAG, nullable=False),
        sa.Column("created_at", TIME),
        sa.Column("updated_at", TIME),
        sa.Column("content_hash", TEXT, nullable=False),
        sa.Column("version", TIME, nullable=False),
        sa.Column("extra", TEXT),
        sa.Column("window_start", TIME, nullable=False),
        sa.Column("landed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("brand", "item_id", name="stokly_items_pk"),
    )
    op.create_index("stokly_items_by_parent_item_id", "stokly_items", ["brand", "parent_item_id"])
    op.create_index("stokly_items_by_sku", "stokly_items", ["brand", "sku"])
    op.create_index("stokly_items_by_window_start", "stokly_items", ["brand", "window_start"])


def _create_stock() -> None:
    op.create_table(
        "stokly_stock",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("stock_id", TEXT, nullable=False),
        sa.Column("item_id", TEXT, nullable=False),
        sa.Column("location_id", TEXT),
        sa.Column("sku", TEXT),
        sa.Column("on_hand", WHOLE),
        sa.Column("available", WHOLE),
        sa.Column("quarantined", WHOLE),
        sa.Column("on_order", WHOLE),
        sa.Column("live", FLAG, nullable=False),
        sa.Column("content_hash", TEXT, nullable=False),
        sa.Column("version", TIME, nullable=False),
        sa.Column("extra", TEXT),
        sa.Column("window_start", TIME, nullable=False),
        sa.Column("landed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("brand", "stock_id", name="stokly_stock_pk"),
    )
    op.create_index("stokly_stock_by_item_id", "stokly_stock", ["brand", "item_id"])
    op.create_index("stokly_stock_by_location_id", "stokly_stock", ["brand", "location_id"])
    op.create_index("stokly_stock_by_sku", "stokly_stock", ["brand", "sku"])
    op.create_index("stokly_stock_by_window_start", "stokly_stock", ["brand", "window_start"])


def _create_orders() -> None:
    op.create_table(
        "stokly_orders",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("order_id", TEXT, nullable=False),
        sa.Column("number", TEXT),
        sa.Column("stage", TEXT, nullable=False),
        sa.Column("source_type", TEXT),
        sa.Column("channel_id", TEXT),
        sa.Column("channel_name", TEXT),
        sa.Column("channel_reference", TEXT),
        sa.Column("customer_reference", TEXT),
        sa.Column("customer_id", TEXT),
        sa.Column("customer_name", TEXT),
        sa.Column("customer_email", TEXT),
        sa.Column("customer_phone", TEXT),
        sa.Column("country", TEXT),
        sa.Column("region", TEXT),
        sa.Column("city", TEXT),
        sa.Column("postcode", TEXT),
        sa.Column("address_line1", TEXT),
        sa.Column("address_line2", TEXT),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("subtotal", WHOLE),
        sa.Column("discount", WHOLE),
        sa.Column("tax", WHOLE),
        sa.Column("shipping", WHOLE),
        sa.Column("shipping_tax", WHOLE),
        sa.Column("total", WHOLE, nullable=False),
        sa.Column("base_total", WHOLE),
        sa.Column("amount_paid", WHOLE),
        sa.Column("payment_status", TEXT),
        sa.Column("location_id", TEXT),
        sa.Column("tags", TEXT),
        sa.Column("item_statuses", TEXT),
        sa.Column("line_count", WHOLE, nullable=False),
        sa.Column("lines_total", WHOLE, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME),
        sa.Column("live", FLAG, nullable=False),
        sa.Column("content_hash", TEXT, nullable=False),
        sa.Column("version", TIME, nullable=False),
        sa.Column("extra", TEXT),
        sa.Column("window_start", TIME, nullable=False),
        sa.Column("landed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("brand", "order_id", name="stokly_orders_pk"),
    )
    op.create_index("stokly_orders_by_channel_reference", "stokly_orders", ["brand", "channel_reference"])
    op.create_index("stokly_orders_by_customer_id", "stokly_orders", ["brand", "customer_id"])
    op.create_index("stokly_orders_by_number", "stokly_orders", ["brand", "number"])
    op.create_index("stokly_orders_by_window_start", "stokly_orders", ["brand", "window_start"])


def _create_order_lines() -> None:
    op.create_table(
        "stokly_order_lines",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("order_id", TEXT, nullable=False),
        sa.Column("line_id", TEXT, nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column("item_id", TEXT),
        sa.Column("sku", TEXT),
        sa.Column("name", TEXT),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("unit_price", WHOLE),
        sa.Column("unit_discount", WHOLE),
        sa.Column("line_price", WHOLE, nullable=False),
        sa.Column("line_tax", WHOLE, nullable=False),
        sa.Column("line_discount", WHOLE),
        sa.Column("line_total", WHOLE, nullable=False),
        sa.Column("status", TEXT),
        sa.Column("fulfilment", TEXT),
        sa.PrimaryKeyConstraint("brand", "order_id", "line_id", name="stokly_order_lines_pk"),
    )
    op.create_index("stokly_order_lines_by_item_id", "stokly_order_lines", ["brand", "item_id"])
    op.create_index("stokly_order_lines_by_sku", "stokly_order_lines", ["brand", "sku"])
