"""Who was erased, and what the systems answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stokly_sync.warehouse.sqltypes import TEXT, TIME

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("erased_at", TIME, nullable=False),
        sa.Column("run_id", TEXT),
        sa.PrimaryKeyConstraint("brand", "kind", "digest", name="erasures_pk"),
    )
    op.create_table(
        "erasure_answers",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("person", TEXT, nullable=False),
        sa.Column("system", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("answer", TEXT, nullable=False),
        sa.Column("receipt", TEXT),
        sa.Column("at", TIME, nullable=False),
        sa.Column("run_id", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("brand", "person", "system", name="erasure_answers_pk"),
    )


def downgrade() -> None:
    op.drop_table("erasure_answers")
    op.drop_table("erasures")
