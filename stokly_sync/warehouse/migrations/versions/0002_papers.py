"""Landed rows: what follows an order, from invoices to dispatches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stokly_sync.warehouse.sqltypes import FLAG, TEXT, TIME, WHOLE

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = (
    "stokly_invoices",
    "stokly_refunds",
    "stokly_refund_lines",
    "stokly_credit_notes",
    "stokly_dispatches",
    "stokly_dispatch_lines",
)


def upgrade() -> None:
    _create_invoices()
    _create_refunds()
    _create_refund_lines()
    _create_credit_notes()
    _create_dispatches()
    _create_dispatch_lines()


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)


def _create_invoices() -> None:
    op.create_table(
        "stokly_invoices",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("invoice_id", TEXT, nullable=False),
        sa.Column("number", TEXT),
        sa.Column("order_id", TEXT),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("status", TEXT),
        sa.Column("issued_at", TIME, nullable=False),
        sa.Column("due_at", TIME),
        sa.Column("live", FLAG, nullable=False),
        sa.Column("content_hash", TEXT, nullable=False),
        sa.Column("version", TIME, nullable=False),
        sa.Column("extra", TEXT),
        sa.Column("window_start", TIME, nullable=False),
        sa.Column("landed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("brand", "invoice_id", name="stokly_invoices_pk"),
    )
    op.create_index("stokly_invoices_by_order_id", "stokly_invoices", ["brand", "order_id"])
    op.create_index("stokly_invoices_by_window_start", "stokly_invoices", ["brand", "window_start"])


def _create_refunds() -> None:
    op.create_table(
        "stokly_refunds",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("refund_id", TEXT, nullable=False),
        sa.Column("number", TEXT),
        sa.Column("order_id", TEXT),
        sa.Column("credit_note_id", TEXT),
        sa.Column("status", TEXT),
        sa.Column("reason", TEXT),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("total", WHOLE, nullable=False),
        sa.Column("tax", WHOLE),
        sa.Column("shipping", WHOLE),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME),
        sa.Column("live", FLAG, nullable=False),
        sa.Column("content_hash", TEXT, nullable=False),
        sa.Column("version", TIME, nullable=False),
        sa.Column("extra", TEXT),
        sa.Column("window_start", TIME, nullable=False),
        sa.Column("landed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("brand", "refund_id", name="stokly_refunds_pk"),
    )
    op.create_index("stokly_refunds_by_credit_note_id", "stokly_refunds", ["brand", "credit_note_id"])
    op.create_index("stokly_refunds_by_order_id", "stokly_refunds", ["brand", "order_id"])
    op.create_index("stokly_refunds_by_window_start", "stokly_refunds", ["brand", "window_start"])


def _create_refund_lines() -> None:
    op.create_table(
        "stokly_refund_lines",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("refund_id", TEXT, nullable=False),
        sa.Column("position", WHOLE, nullable=False, autoincrement=False),
        sa.Column("line_id", TEXT),
        sa.Column("item_id", TEXT),
        sa.Column("sku", TEXT),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("unit_price", WHOLE, nullable=False),
        sa.Column("unit_tax", WHOLE),
        sa.Column("line_total", WHOLE, nullable=False),
        sa.Column("restocked", FLAG),
        sa.PrimaryKeyConstraint("brand", "refund_id", "position", name="stokly_refund_lines_pk"),
    )


def _create_credit_notes() -> None:
    op.create_table(
        "stokly_credit_notes",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("credit_note_id", TEXT, nullable=False),
        sa.Column("number", TEXT),
        sa.Column("order_id", TEXT),
        sa.Column("customer_id", TEXT),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("value", WHOLE, nullable=False),
        sa.Column("balance", WHOLE),
        sa.Column("status", TEXT),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("live", FLAG, nullable=False),
        sa.Column("content_hash", TEXT, nullable=False),
        sa.Column("version", TIME, nullable=False),
        sa.Column("extra", TEXT),
        sa.Column("window_start", TIME, nullable=False),
        sa.Column("landed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("brand", "credit_note_id", name="stokly_credit_notes_pk"),
    )
    op.create_index("stokly_credit_notes_by_order_id", "stokly_credit_notes", ["brand", "order_id"])
    op.create_index("stokly_credit_notes_by_window_start", "stokly_credit_notes", ["brand", "window_start"])


def _create_dispatches() -> None:
    op.create_table(
        "stokly_dispatches",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("dispatch_id", TEXT, nullable=False),
        sa.Column("number", TEXT),
        sa.Column("order_id", TEXT, nullable=False),
        sa.Column("location_id", TEXT),
        sa.Column("courier", TEXT),
        sa.Column("service", TEXT),
        sa.Column("tracking_number", TEXT),
        sa.Column("tracking_url", TEXT),
        sa.Column("status", TEXT),
        sa.Column("dispatched_at", TIME, nullable=False),
        sa.Column("live", FLAG, nullable=False),
        sa.Column("content_hash", TEXT, nullable=False),
        sa.Column("version", TIME, nullable=False),
        sa.Column("extra", TEXT),
        sa.Column("window_start", TIME, nullable=False),
        sa.Column("landed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("brand", "dispatch_id", name="stokly_dispatches_pk"),
    )
    op.create_index("stokly_dispatches_by_order_id", "stokly_dispatches", ["brand", "order_id"])
    op.create_index("stokly_dispatches_by_window_start", "stokly_dispatches", ["brand", "window_start"])


def _create_dispatch_lines() -> None:
    op.create_table(
        "stokly_dispatch_lines",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("dispatch_id", TEXT, nullable=False),
        sa.Column("position", WHOLE, nullable=False, autoincrement=False),
        sa.Column("line_id", TEXT),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("brand", "dispatch_id", "position", name="stokly_dispatch_lines_pk"),
    )
