"""Journal entries made of payouts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stokly_sync.warehouse.sqltypes import TEXT, TIME, WHOLE

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "journal_lines",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("remittance_id", TEXT, nullable=False),
        sa.Column("entry", WHOLE, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("number", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("exported_at", TIME),
        sa.Column("exported_as", TEXT),
        sa.PrimaryKeyConstraint("brand", "channel", "remittance_id", "entry", "role", name="journal_lines_pk"),
    )


def downgrade() -> None:
    op.drop_table("journal_lines")
