"""The tables that the work keeps: windows, ledger, attempts, exceptions, findings, figures and the rest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stokly_sync.warehouse.sqltypes import FLAG, TEXT, TIME, WHOLE

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = (
    "windows",
    "watermarks",
    "feed_windows",
    "ledger",
    "attempts",
    "exceptions",
    "plans",
    "reconciliations",
    "findings",
    "run_figures",
    "links",
    "reference",
    "rate_budgets",
)


def upgrade() -> None:
    _create_windows()
    _create_watermarks()
    _create_feed_windows()
    _create_ledger()
    _create_attempts()
    _create_exceptions()
    _create_plans()
    _create_reconciliations()
    _create_findings()
    _create_run_figures()
    _create_links()
    _create_reference()
    _create_rate_budgets()


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)


def _create_windows() -> None:
    op.create_table(
        "windows",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("dataset", TEXT, nullable=False),
        sa.Column("window_start", TIME, nullable=False),
        sa.Column("window_end", TIME, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("revision", WHOLE, nullable=False, server_default="0"),
        sa.Column("read", WHOLE, nullable=False, server_default="0"),
        sa.Column("changed", WHOLE, nullable=False, server_default="0"),
        sa.Column("quarantined", WHOLE, nullable=False, server_default="0"),
        sa.Column("excluded", WHOLE, nullable=False, server_default="0"),
        sa.Column("reason", TEXT),
        sa.Column("run_id", TEXT),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("brand", "dataset", "window_start", name="windows_pk"),
    )


def _create_watermarks() -> None:
    op.create_table(
        "watermarks",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("dataset", TEXT, nullable=False),
        sa.Column("watermark", TIME),
        sa.Column("baseline_to", TIME),
        sa.Column("baseline_cursor", TEXT),
        sa.Column("baseline_done", FLAG, nullable=False),
        sa.PrimaryKeyConstraint("brand", "dataset", name="watermarks_pk"),
    )


def _create_feed_windows() -> None:
    op.create_table(
        "feed_windows",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("feed", TEXT, nullable=False),
        sa.Column("dataset", TEXT, nullable=False),
        sa.Column("window_start", TIME, nullable=False),
        sa.Column("revision", WHOLE, nullable=False),
        sa.Column("run_id", TEXT),
        sa.Column("planned_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("brand", "feed", "dataset", "window_start", name="feed_windows_pk"),
    )


def _create_ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("feed", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("entry", WHOLE, nullable=False, server_default="0", autoincrement=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("rule", TEXT),
        sa.Column("reason", TEXT),
        sa.Column("document", TEXT),
        sa.Column("document_hash", TEXT),
        sa.Column("version", TIME),
        sa.Column("event_at", TIME),
        sa.Column("value", WHOLE),
        sa.Column("currency", TEXT),
        sa.Column("plan_id", TEXT),
        sa.Column("receipt", TEXT),
        sa.Column("tries", WHOLE, nullable=False, server_default="0"),
        sa.Column("planned_at", TIME),
        sa.Column("sent_at", TIME),
        sa.Column("settled_at", TIME),
        sa.Column("accepted_hash", TEXT),
        sa.Column("accepted_version", TIME),
        sa.Column("accepted_at", TIME),
        sa.Column("stale", FLAG, nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("brand", "feed", "key", "entry", name="ledger_pk"),
    )
    op.create_index("ledger_by_state", "ledger", ["brand", "feed", "state", "key"])
    op.create_index(
        "ledger_stale",
        "ledger",
        ["brand", "feed"],
        postgresql_where=sa.text("stale"),
        sqlite_where=sa.text("stale = 1"),
    )


def _create_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("attempt_id", TEXT, nullable=False),
        sa.Column("feed", TEXT, nullable=False),
        sa.Column("run_id", TEXT),
        sa.Column("plan_id", TEXT),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("closed_at", TIME),
        sa.Column("records", WHOLE, nullable=False),
        sa.Column("keys", TEXT, nullable=False),
        sa.Column("hashes", TEXT, nullable=False),
        sa.Column("outcome", TEXT),
        sa.Column("answer", TEXT),
        sa.Column("api_calls", WHOLE, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("brand", "attempt_id", name="attempts_pk"),
    )
    op.create_index("attempts_by_feed", "attempts", ["brand", "feed", "opened_at"])
    op.create_index(
        "attempts_open",
        "attempts",
        ["brand", "feed"],
        postgresql_where=sa.text("closed_at IS NULL"),
        sqlite_where=sa.text("closed_at IS NULL"),
    )


def _create_exceptions() -> None:
    op.create_table(
        "exceptions",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("owner", TEXT),
        sa.Column("severity", TEXT),
        sa.Column("detail", TEXT),
        sa.Column("payload", TEXT),
        sa.Column("value", WHOLE),
        sa.Column("currency", TEXT),
        sa.Column("window_start", TIME),
        sa.Column("first_seen", TIME, nullable=False),
        sa.Column("last_seen", TIME, nullable=False),
        sa.Column("closed_at", TIME),
        sa.Column("run_id", TEXT),
        sa.Column("note", TEXT),
        sa.Column("assigned_to", TEXT),
        sa.Column("document_hash", TEXT),
        sa.PrimaryKeyConstraint("brand", "subject", "key", "rule", name="exceptions_pk"),
    )
    op.create_index("exceptions_by_state", "exceptions", ["brand", "subject", "state", "key"])
    op.create_index("exceptions_by_window", "exceptions", ["brand", "subject", "window_start"])


def _create_plans() -> None:
    op.create_table(
        "plans",
        sa.Column("brand", TEXT, nullable=False),
        sa.Column("plan_id", TEXT, nullable=False),
        sa.Column("feed", TEXT, nullable=False),
        sa.Column("run_id", TEXT),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("counts", TEXT, nullable=False),
        sa.Column("windows", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("brand", "plan_id", name="plans_pk"),
    )
    op.create_index("plans_by_feed", "plans", ["brand", "feed", "created_at"])


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
