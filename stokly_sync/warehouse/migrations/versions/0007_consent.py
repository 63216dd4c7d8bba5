"""Consent: what was said, what holds, and its audit trail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stokly_sync.warehouse.sqltypes import TEXT, TIME

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "derived_consents",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=False),
        sa.Column("email_choice", TEXT),
        sa.Column("email_at", TIME),
        sa.Column("email_source", TEXT),
        sa.Column("sms_choice", TEXT),
        sa.Column("sms_at", TIME),
        sa.Column("sms_source", TEXT),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("content_hash", TEXT, nullable=False),
        sa.Column("version", TIME, nullable=False),
        sa.Column("extra", TEXT),
        sa.Column("window_start", TIME, nullable=False),
        sa.Column("landed_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("brand", "customer_id", name="derived_consents_pk"),
    )
    op.create_index("derived_consents_by_window_start", "derived_consents", ["brand", "window_start"])
    op.create_table(
        "consent_statements",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("statement_id", TEXT, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("person", TEXT),
        sa.Column("customer_id", TEXT),
        sa.Column("system", TEXT, nullable=False),
        sa.Column("choice", TEXT, nullable=False),
        sa.Column("said_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("reason", TEXT),
        sa.Column("run_id", TEXT),
        sa.PrimaryKeyConstraint("brand", "statement_id", name="consent_statements_pk"),
    )
    op.create_index("consent_statements_by_person", "consent_statements", ["brand", "person"])
    op.create_index("consent_statements_by_customer", "consent_statements", ["brand", "customer_id"])
    op.create_table(
        "consent_changes",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("change_id", TEXT, nullable=False),
        sa.Column("customer_id", TEXT, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("before", TEXT),
        sa.Column("after", TEXT, nullable=False),
        sa.Column("system", TEXT, nullable=False),
        sa.Column("said_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("run_id", TEXT),
        sa.PrimaryKeyConstraint("brand", "change_id", name="consent_changes_pk"),
    )
    op.create_index("consent_changes_by_customer", "consent_changes", ["brand", "customer_id"])


def downgrade() -> None:
    for table in ("consent_changes", "consent_statements", "derived_consents"):
        op.drop_table(table)
