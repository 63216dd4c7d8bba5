"""Derived rows: customer metrics."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stokly_sync.warehouse.sqltypes import FLAG, TEXT, TIME, WHOLE

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "derived_customer_metrics",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=False),
        sa.Column("order_count", WHOLE, nullable=False),
        sa.Column("first_order_at", TIME),
        sa.Column("last_order_at", TIME),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("lifetime_value", WHOLE),
        sa.Column("refunded_total", WHOLE),
        sa.Column("average_order_value", WHOLE),
        sa.Column("other_values", TEXT, nullable=False),
        sa.Column("last_order_skus", TEXT),
        sa.Column("sku_history", TEXT),
        sa.Column("last_location_country", TEXT),
        sa.Column("last_location_city", TEXT),
        sa.Column("live", FLAG, nullable=False),
        sa.Column("content_hash", TEXT, nullable=False),
        sa.Column("version", TIME, nullable=False),
        sa.Column("extra", TEXT),
        sa.Column("window_start", TIME, nullable=False),
        sa.Column("landed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("brand", "customer_id", name="derived_customer_metrics_pk"),
    )
    op.create_index("derived_customer_metrics_by_window_start", "derived_customer_metrics", ["brand", "window_start"])


def downgrade() -> None:
    op.drop_table("derived_customer_metrics")
