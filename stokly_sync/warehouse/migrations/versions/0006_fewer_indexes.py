"""Order lines are looked up by their order alone: indexes that nothing asked for cost a tenth of a first load."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("stokly_order_lines_by_item_id", "stokly_order_lines")
    op.drop_index("stokly_order_lines_by_sku", "stokly_order_lines")


def downgrade() -> None:
    op.create_index("stokly_order_lines_by_item_id", "stokly_order_lines", ["brand", "item_id"])
    op.create_index("stokly_order_lines_by_sku", "stokly_order_lines", ["brand", "sku"])
