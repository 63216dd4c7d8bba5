"""What append-only destinations hold, and where their history begins."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stokly_sync.warehouse.sqltypes import TEXT, TIME, WHOLE

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "booked",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("feed", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("part", TEXT, nullable=False),
        sa.Column("entry", WHOLE, nullable=False),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("value", WHOLE, nullable=False),
        sa.Column("currency", TEXT),
        sa.Column("at", TIME, nullable=False),
        sa.Column("receipt", TEXT),
        sa.PrimaryKeyConstraint("brand", "feed", "key", "part", "entry", name="booked_pk"),
    )
    op.create_table(
        "beginnings",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("feed", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("how", TEXT, nullable=False),
        sa.Column("before", TIME),
        sa.Column("run_id", TEXT),
        sa.PrimaryKeyConstraint("brand", "feed", name="beginnings_pk"),
    )


def downgrade() -> None:
    op.drop_table("beginnings")
    op.drop_table("booked")
