"""${message}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stokly_sync.warehouse.sqltypes import FLAG, TEXT, TIME, WHOLE

revision = "${up_revision}"
down_revision = "${down_revision}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades}


def downgrade() -> None:
    ${downgrades}
