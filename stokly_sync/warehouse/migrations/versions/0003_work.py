"""What the work keeps: windows, the ledger with its attempts, exceptions and plans."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from stokly_sync.warehouse.sqltypes import FLAG, TEXT, TIME, WHOLE

revision = "0003"
down_revision = "0002"
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
)


def upgrade() -> None:
    _create_windows()
    _create_watermarks()
    _create_feed_windows()
    _create_ledger()
    _create_attempts()
    _create_exceptions()
    _create_plans()


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
