"""What people did about exceptions, and an index that answers the lists of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stokly_sync.warehouse.sqltypes import TEXT, TIME

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_LISTED = (
    *("brand", "state", "owner", "subject", "rule", "key", "first_seen"),
    *("severity", "value", "currency", "assigned_to"),
)


def upgrade() -> None:
    op.create_table(
        "actions",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("action_id", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("detail", TEXT),
        sa.PrimaryKeyConstraint("brand", "subject", "key", "rule", "action_id", name="actions_pk"),
    )
    op.create_index("actions_by_time", "actions", ["brand", "at"])
    op.create_index("exceptions_listed", "exceptions", list(_LISTED))


def downgrade() -> None:
    op.drop_index("exceptions_listed", "exceptions")
    op.drop_table("actions")
