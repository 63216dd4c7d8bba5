"""Every table of the warehouse, as SQLAlchemy sees it.

Landed tables are made from the contracts; the working tables are written out here. `brand` is the first column of
every primary key, so that brands stay apart. The migrations repeat all this in their own words and a test compares the
two: change a table here and add a migration. Queries belong to the modules beside this one and to the rooms above.

Columns described as JSON hold JSON text. Times are UTC. Amounts are nano units with the currency beside them.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.contracts.tables import Table
from stokly_sync.warehouse.sqltypes import FLAG, SQL_TYPES, TEXT, TIME, WHOLE

METADATA: Final = sa.MetaData(naming_convention={"pk": "%(table_name)s_pk"})


def _landed(table: Table) -> sa.Table:
    columns = [sa.Column("brand", TEXT, primary_key=True)]
    for c in table.all_columns:
        in_key = c.name in table.key
        columns.append(sa.Column(c.name, SQL_TYPES[c.kind], primary_key=in_key, nullable=not (c.required or in_key)))
    if not table.parent_key:
        columns += [sa.Column("window_start", TIME, nullable=False), sa.Column("landed_at", TIME, nullable=False)]
    indexed = (() if table.parent_key else ("window_start",)) + table.indexes
    # The key of a child begins with its parent's, so that it needs no index of its own for that.
    indexes = [sa.Index(f"{table.sql_name}_by_{name}", "brand", name) for name in indexed]
    for name in table.sparse_indexes:
        there = sa.text(f"{name} IS NOT NULL")
        made = sa.Index(f"{table.sql_name}_by_{name}", "brand", name, postgresql_where=there, sqlite_where=there)
        indexes.append(made)
    return sa.Table(table.sql_name, METADATA, *columns, *indexes)


LANDED: Final[dict[str, sa.Table]] = {t.name: _landed(t) for d in DATASETS.values() for t in d.tables}
"""Landed tables by the contracts' table name; root tables also have `window_start` and `landed_at`."""


def _key(name: str, type_: sa.types.TypeEngine[Any] = TEXT) -> sa.Column[Any]:
    return sa.Column(name, type_, primary_key=True)


def _must(name: str, type_: sa.types.TypeEngine[Any] = TEXT) -> sa.Column[Any]:
    return sa.Column(name, type_, nullable=False)


def _may(name: str, type_: sa.types.TypeEngine[Any] = TEXT) -> sa.Column[Any]:
    return sa.Column(name, type_)


def _count(name: str) -> sa.Column[Any]:
    return sa.Column(name, WHOLE, nullable=False, server_default="0")


WINDOWS: Final = sa.Table(
    "windows",
    METADATA,
    *(_key("brand"), _key("dataset"), _key("window_start", TIME), _must("window_end", TIME)),
    *(_must("kind"), _must("state"), _count("revision")),
    *(_count("read"), _count("changed"), _count("quarantined"), _count("excluded")),
    *(_may("reason"), _may("run_id"), _must("updated_at", TIME)),
)
"""What was read: kind interval, baseline or sweep; state open, landed or refused; see `windows`."""

WATERMARKS: Final = sa.Table(
    "watermarks",
    METADATA,
    *(_key("brand"), _key("dataset"), _may("watermark", TIME)),
    *(_may("baseline_to", TIME), _may("baseline_cursor"), sa.Column("baseline_done", FLAG, nullable=False)),
)

FEED_WINDOWS: Final = sa.Table(
    "feed_windows",
    METADATA,
    *(_key("brand"), _key("feed"), _key("dataset"), _key("window_start", TIME)),
    *(_must("revision", WHOLE), _may("run_id"), _must("planned_at", TIME)),
)
"""Up to which revision a feed has planned a window."""

LEDGER: Final = sa.Table(
    "ledger",
    METADATA,
    *(_key("brand"), _key("feed"), _key("key")),
    sa.Column("entry", WHOLE, primary_key=True, server_default="0", autoincrement=False),
    *(_must("state"), _may("rule"), _may("reason"), _may("document"), _may("document_hash"), _may("version", TIME)),
    *(_may("event_at", TIME), _may("value", WHOLE), _may("currency"), _may("plan_id"), _may("receipt")),
    *(_count("tries"), _may("planned_at", TIME), _may("sent_at", TIME), _may("settled_at", TIME)),
    *(_may("accepted_hash"), _may("accepted_version", TIME), _may("accepted_at", TIME)),
    sa.Column("stale", FLAG, nullable=False, server_default=sa.false()),
    # Serves "the next thousand planned after this key"; what was accepted is looked up by key, and `stale` is rare, so
    # both indexes stay small (see migration 0012 for SQLite).
    sa.Index("ledger_by_state", *("brand", "feed", "state", "key"), postgresql_where=sa.text("state <> 'accepted'")),
    sa.Index("ledger_stale", "brand", "feed", postgresql_where=sa.text("stale"), sqlite_where=sa.text("stale = 1")),
)
"""Current intent and last success of every record of every feed; `document` is NULL once accepted."""

BOOKED: Final = sa.Table(
    "booked",
    METADATA,
    *(_key("brand"), _key("feed"), _key("key"), _key("part")),
    sa.Column("entry", WHOLE, primary_key=True, autoincrement=False),
    *(_must("quantity", WHOLE), _must("value", WHOLE), _may("currency"), _must("at", TIME), _may("receipt")),
)
"""What append-only destinations have accepted, entry by entry: the sum over a record's entries is what they hold."""

BEGINNINGS: Final = sa.Table(
    "beginnings",
    METADATA,
    *(_key("brand"), _key("feed"), _must("at", TIME), _must("how"), _may("before", TIME), _may("run_id")),
)
"""Append-only feeds whose history somebody has adopted; `how` in words, `before` narrows what was adopted."""

FEED_MODES: Final = sa.Table(
    "feed_modes",
    METADATA,
    *(_key("brand"), _key("feed"), _must("mode"), _may("history_from", TIME), _may("asked_at", TIME)),
    _must("at", TIME),
)
"""The mode in which an append-only feed was last, and since when it has to be said anew where its history begins."""

ATTEMPTS: Final = sa.Table(
    "attempts",
    METADATA,
    *(_key("brand"), _key("attempt_id"), _must("feed"), _may("run_id"), _may("plan_id")),
    *(_must("opened_at", TIME), _may("closed_at", TIME), _must("records", WHOLE), _must("keys"), _must("hashes")),
    *(_may("outcome"), _may("answer"), _count("api_calls")),
    sa.Index("attempts_by_feed", "brand", "feed", "opened_at"),
    sa.Index(
        "attempts_open",
        *("brand", "feed"),
        postgresql_where=sa.text("closed_at IS NULL"),
        sqlite_where=sa.text("closed_at IS NULL"),
    ),
)
"""One row a batch, committed before the call and closed after it; `keys` and `hashes` are JSON lists."""

_LISTED: Final = (
    *("brand", "state", "owner", "subject", "rule", "key", "first_seen"),
    *("severity", "value", "currency", "assigned_to"),
)

EXCEPTIONS: Final = sa.Table(
    "exceptions",
    METADATA,
    *(_key("brand"), _key("subject"), _key("key"), _key("rule")),
    *(_must("state"), _may("owner"), _may("severity"), _may("detail"), _may("payload")),
    *(_may("value", WHOLE), _may("currency"), _may("window_start", TIME)),
    *(_must("first_seen", TIME), _must("last_seen", TIME), _may("closed_at", TIME), _may("run_id")),
    *(_may("note"), _may("assigned_to"), _may("document_hash")),
    sa.Index("exceptions_by_state", "brand", "subject", "state", "key"),
    sa.Index("exceptions_by_window", "brand", "subject", "window_start"),
    # Holds all that lists are counted, filtered and sorted by: payloads are long, and reading around them is slow.
    sa.Index("exceptions_listed", *_LISTED),
)
"""Records kept back: state open, closed, ignored or excluded; `subject` is a dataset's name or a feed's id."""

ACTIONS: Final = sa.Table(
    "actions",
    METADATA,
    *(_key("brand"), _key("subject"), _key("key"), _key("rule"), _key("action_id")),
    *(_must("action"), _must("actor"), _must("at", TIME), _may("detail")),
    sa.Index("actions_by_time", "brand", "at"),
)
"""What people did: ignored, assigned, retried, decided, and every time they looked at personal data. Rows are only
added. One act on many records has one `action_id`; `rule` is empty where the record as a whole is meant."""

ERASURES: Final = sa.Table(
    "erasures",
    METADATA,
    *(_key("brand"), _key("kind"), _key("digest"), _must("erased_at", TIME), _may("run_id")),
)
"""Who was erased: digests of addresses (kind email) and of keys (kind a dataset's name). Rows stay, so that what is
landed again later is landed without anything personal."""

ERASURE_ANSWERS: Final = sa.Table(
    "erasure_answers",
    METADATA,
    *(_key("brand"), _key("person"), _key("system"), _must("state"), _must("answer"), _may("receipt")),
    *(_must("at", TIME), _must("run_id")),
)
"""What each system answered when it was last asked to forget a person, by digest."""

PLANS: Final = sa.Table(
    "plans",
    METADATA,
    *(_key("brand"), _key("plan_id"), _must("feed"), _may("run_id"), _must("created_at", TIME)),
    *(_must("counts"), _must("windows"), _must("state")),
    sa.Index("plans_by_feed", "brand", "feed", "created_at"),
)
"""`counts` and `windows` are JSON; state planned or sent."""

CONSENT_STATEMENTS: Final = sa.Table(
    "consent_statements",
    METADATA,
    *(_key("brand"), _key("statement_id"), _must("channel"), _may("person"), _may("customer_id"), _must("system")),
    *(_must("choice"), _must("said_at", TIME), _must("seen_at", TIME), _may("reason"), _may("run_id")),
    sa.Index("consent_statements_by_person", "brand", "person"),
    sa.Index("consent_statements_by_customer", "brand", "customer_id"),
)
"""What people said of consent, where and when: rows are only added. `person` is a digest of the address."""

CONSENT_CHANGES: Final = sa.Table(
    "consent_changes",
    METADATA,
    *(_key("brand"), _key("change_id"), _must("customer_id"), _must("channel"), _may("before"), _must("after")),
    *(_must("system"), _must("said_at", TIME), _must("changed_at", TIME), _may("run_id")),
    sa.Index("consent_changes_by_customer", "brand", "customer_id"),
)
"""The audit trail of `derived.consents`: what held before and after, and where and when that was said."""

RECONCILIATIONS: Final = sa.Table(
    "reconciliations",
    METADATA,
    *(_key("brand"), _key("subject"), _key("at", TIME), _may("run_id"), _must("status"), _must("body")),
    sa.Index("reconciliations_by_run", "brand", "run_id"),
)
"""Results of comparing two sides; `subject` is a feed's id or a system's name, `body` JSON."""

FINDINGS: Final = sa.Table(
    "findings",
    METADATA,
    *(_key("brand"), _key("finding_id"), _must("kind"), _must("subject"), _must("problem_key"), _must("state")),
    *(_may("owner"), _may("severity"), _must("title"), _must("body"), _may("run_id")),
    *(_must("first_seen", TIME), _must("last_seen", TIME), _may("cleared_at", TIME)),
    *(_may("sent_at", TIME), _may("cleared_sent_at", TIME)),
    sa.Index(
        "findings_one_open",
        *("brand", "kind", "subject", "problem_key"),
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    ),
)
"""Problems that people are told of: state open or cleared; `body` JSON."""

RUN_FIGURES: Final = sa.Table(
    "run_figures",
    METADATA,
    *(_key("brand"), _key("run_id"), _key("subject"), _key("stage"), _must("at", TIME), _must("body")),
    sa.Index("run_figures_by_subject", "brand", "subject", "at"),
)
"""What a run counted: stage extract, plan, deliver or reconcile; `body` JSON."""

LINKS: Final = sa.Table(
    "links",
    METADATA,
    *(_key("brand"), _key("entity"), _key("key"), _key("system"), _must("external_id")),
    *(_must("origin"), _must("known_by"), _must("first_seen", TIME), _must("last_seen", TIME)),
    sa.Index("links_by_external", "brand", "system", "entity", "external_id"),
)
"""The id of an entity in each system; `origin` is the system it came from, `known_by` how the tie is known."""

REFERENCE: Final = sa.Table(
    "reference",
    METADATA,
    *(_key("brand"), _key("system"), _key("kind"), _key("key"), _key("valid_from", TIME)),
    *(_may("valid_to", TIME), _must("hash"), _must("body"), _may("run_id")),
)
"""Vocabulary of the systems, versioned: the row without `valid_to` holds now; `body` JSON."""

RATE_BUDGETS: Final = sa.Table(
    "rate_budgets",
    METADATA,
    *(_key("key"), _may("next_slot", TIME), _may("blocked_until", TIME)),
    *(_count("failures"), _may("breaker_until", TIME), _must("updated_at", TIME)),
)
"""The pace of an API key: from `next_slot` on, one call an interval; `key` is a hash of system and credential. The one
table without a brand: two brands may share a key, and then they share its budget."""
