"""What is told about the work, and what it looks up: findings, figures, links, reference data, budgets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stokly_sync.warehouse.sqltypes import TEXT, TIME, WHOLE

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLES = (
    "reconciliations",
    "findings",
    "run_figures",
    "links",
    "reference",
    "rate_budgets",
)


def upgrade() -> None:
    _create_reconciliations()
    _create_findings()
    _create_run_figures()
    _create_links()
    _create_reference()
    _create_rate_budgets()


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)


def _create_reconciliations() -> None:
    op.create_table(
        "reconciliations",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("run_id", TEXT),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("brand", "subject", "at", name="reconciliations_pk"),
    )
    op.create_index("reconciliations_by_run", "reconciliations", ["brand", "run_id"])


def _create_findings() -> None:
    op.create_table(
        "findings",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("finding_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("problem_key", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("owner", TEXT),
        sa.Column("severity", TEXT),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("run_id", TEXT),
        sa.Column("first_seen", TIME, nullable=False),
        sa.Column("last_seen", TIME, nullable=False),
        sa.Column("cleared_at", TIME),
        sa.Column("sent_at", TIME),
        sa.Column("cleared_sent_at", TIME),
        sa.PrimaryKeyConstraint("brand", "finding_id", name="findings_pk"),
    )
    op.create_index(
        "findings_one_open",
        "findings",
        ["brand", "kind", "subject", "problem_key"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    )


def _create_run_figures() -> None:
    op.create_table(
        "run_figures",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("stage", TEXT, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("brand", "run_id", "subject", "stage", name="run_figures_pk"),
    )
    op.create_index("run_figures_by_subject", "run_figures", ["brand", "subject", "at"])


def _create_links() -> None:
    op.create_table(
        "links",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("entity", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("system", TEXT, nullable=False),
        sa.Column("external_id", TEXT, nullable=False),
        sa.Column("origin", TEXT, nullable=False),
        sa.Column("known_by", TEXT, nullable=False),
        sa.Column("first_seen", TIME, nullable=False),
        sa.Column("last_seen", TIME, nullable=False),
        sa.PrimaryKeyConstraint("brand", "entity", "key", "system", name="links_pk"),
    )
    op.create_index("links_by_external", "links", ["brand", "system", "entity", "external_id"])


def _create_reference() -> None:
    op.create_table(
        "reference",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("system", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("valid_from", TIME, nullable=False),
        sa.Column("valid_to", TIME),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("run_id", TEXT),
        sa.PrimaryKeyConstraint("brand", "system", "kind", "key", "valid_from", name="reference_pk"),
    )


def _create_rate_budgets() -> None:
    op.create_table(
        "rate_budgets",
        sa.Column("key", TEXT, nullable=False),
        sa.Column("next_slot", TIME),
        sa.Column("blocked_until", TIME),
        sa.Column("failures", WHOLE, nullable=False, server_default="0"),
        sa.Column("breaker_until", TIME),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("key", name="rate_budgets_pk"),
    )
