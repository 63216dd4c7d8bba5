"""The mode in which append-only feeds were last: who has observed must say anew where history begins."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stokly_sync.warehouse.sqltypes import TEXT, TIME

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feed_modes",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("feed", TEXT, nullable=False),
        sa.Column("mode", TEXT, nullable=False),
        sa.Column("history_from", TIME),
        sa.Column("asked_at", TIME),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("brand", "feed", name="feed_modes_pk"),
    )


def downgrade() -> None:
    op.drop_table("feed_modes")
