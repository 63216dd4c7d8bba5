"""How rows are merged into a table: three ways to one result, chosen by database and by what the merge asks for.

The plain way puts the rows into a temporary table and upserts from there. SQLite inserts rows with new keys directly
first, which spares them that detour. PostgreSQL, where an update costs more than a delete and a COPY, replaces rows
that are overwritten whole. Callers come in through `bulk.merge`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from psycopg2.errors import UniqueViolation
from sqlalchemy.dialects import postgresql, sqlite

from stokly_sync.warehouse.frames import kinds_of, schema_of
from stokly_sync.warehouse.reading import among, fetch_arrow, read_arrow
from stokly_sync.warehouse.sending import constants, drop_incoming, fill_incoming, send, with_constants

Expression = Callable[[Any, Any], sa.ColumnElement[Any]]
"""`expression(stored, incoming)`: both give columns by attribute, for example `stored.version`."""

# From about here on it pays to ask first which keys are known.
_WORTH_ASKING: Final = 500
# How many keys are asked for at once.
_KEYS: Final = 50_000


@dataclass(frozen=True)
class Merge:
    """What an upsert does with a row that is known already.

    `keep`: columns that stay as stored. `compute`: columns with a value of their own, from the stored and the
    incoming row. `when`: the condition under which the row changes at all; without it, always. `returning`: whether
    the keys of the inserted and changed rows are wanted.
    """

    keep: tuple[str, ...] = ()
    compute: Mapping[str, Expression] = field(default_factory=dict)
    when: Expression | None = None
    returning: bool = False


@dataclass(frozen=True)
class Task:
    """Rows to merge: Arrow columns of unique `key`, the columns that are the `same` in all, and the condition."""

    table: sa.Table
    rows: pa.Table
    key: tuple[str, ...]
    same: Mapping[str, Any]
    condition: Merge

    @property
    def key_columns(self) -> list[sa.Column[Any]]:
        """The key columns that are not the same in all rows."""
        return [self.table.c[name] for name in self.key]

    @property
    def mine(self) -> list[sa.ColumnElement[bool]]:
        """The condition that the fixed part of the key makes."""
        return [c == self.same[c.name] for c in self.table.primary_key.columns if c.name in self.same]

    @property
    def literals(self) -> dict[str, sa.ColumnElement[Any]]:
        """The values that are the same in all rows, as SQL."""
        types = {name: self.table.c[name].type for name in self.same}
        return {name: sa.cast(sa.literal(value, types[name]), types[name]) for name, value in self.same.items()}

    @property
    def replaces(self) -> bool:
        """Whether a changed row takes nothing over from the stored one."""
        given = {*self.same, *self.rows.column_names}
        return not self.condition.keep and not self.condition.compute and given.issuperset(self.table.c.keys())


def merged(conn: sa.Connection, task: Task) -> tuple[int, pa.Table]:
    """Merge rows; gives how many were inserted or changed and, if asked for, their keys."""
    if task.rows.num_rows < _WORTH_ASKING:
        return _upserted(conn, task, task.rows)
    if conn.dialect.name == "postgresql":
        written = _replaced(conn, task) if task.replaces else None
        return _upserted(conn, task, task.rows) if written is None else (written.num_rows, _told(task, written))
    new, known = _parted(conn, task)
    send(conn, task.table.name, with_constants(new, constants(task.table, task.same)))
    count, keys = _upserted(conn, task, known)
    return new.num_rows + count, pa.concat_tables([_told(task, new), keys])


def _told(task: Task, rows: pa.Table) -> pa.Table:
    """The keys of written rows, where the caller wants them."""
    return rows.select(task.key) if task.condition.returning else schema_of(kinds_of(task.key_columns)).empty_table()


def _replaced(conn: sa.Connection, task: Task) -> pa.Table | None:
    """Delete the stored rows that change and copy theirs and the new ones in; gives the written rows.

    None when a row came in between by another way: nothing has been done then.
    """
    _one_at_a_time(conn, task)
    try:
        with conn.begin_nested():
            written = _cleared(conn, task)
            send(conn, task.table.name, with_constants(written, constants(task.table, task.same)))
    except sa.exc.IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        return None
    return written


def _one_at_a_time(conn: sa.Connection, task: Task) -> None:
    """Wait for others who replace rows of the same table and fixed key, until the end of the transaction.

    Of two at once, the second would find the first one's row deleted and not see the one that took its place.
    """
    fixed = [str(task.same[c.name]) for c in task.table.primary_key.columns if c.name in task.same]
    name = "\0".join([task.table.name, *fixed]).encode()
    key = int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), signed=True)
    conn.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def _cleared(conn: sa.Connection, task: Task) -> pa.Table:
    """Delete the stored rows that have to change; gives the rows to write in their place, and the new ones."""
    asked = _asked_of_incoming(task)
    incoming = fill_incoming(conn, task.table, task.rows.select([*task.key, *sorted(asked.difference(task.key))]))
    same_key = [task.table.c[name] == incoming.c[name] for name in task.key]
    delete = sa.delete(task.table).where(*task.mine, *same_key)
    if task.condition.when is None:
        conn.execute(delete)
        due = task.rows
    else:
        when = task.condition.when(task.table.c, _Columns({**task.literals, **dict(incoming.c)}))
        gone = delete.where(when).returning(*task.key_columns).cte("gone")
        known = sa.exists().where(*task.mine, *same_key)
        # Both parts see the table as it was before the statement.
        keys = [incoming.c[name] for name in task.key]
        query = sa.select(*gone.c).union_all(sa.select(*keys).where(~known))
        written = fetch_arrow(conn.execute(query), kinds_of(task.key_columns))
        due = task.rows.join(written, keys=list(task.key), join_type="left semi")
    drop_incoming(conn)
    return due


class _Columns:
    """Columns by attribute or by name, as SQLAlchemy's own collections; remembers which were asked for."""

    def __init__(self, columns: Mapping[str, sa.ColumnElement[Any]]) -> None:
        self._columns = columns
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> sa.ColumnElement[Any]:
        self.asked.add(name)
        return self._columns[name]

    def __getattr__(self, name: str) -> sa.ColumnElement[Any]:
        return self[name]


def _asked_of_incoming(task: Task) -> set[str]:
    """The columns of the incoming rows that the condition looks at: the others need not be in the database for it."""
    columns = _Columns({c.name: sa.column(c.name, c.type) for c in task.table.c})
    if task.condition.when is not None:
        task.condition.when(task.table.c, columns)
    return columns.asked.intersection(task.rows.column_names)


def _parted(conn: sa.Connection, task: Task) -> tuple[pa.Table, pa.Table]:
    """Rows whose key is not stored yet, and the rest; for a key of several columns all are rest."""
    if len(task.key) != 1:
        return task.rows.slice(0, 0), task.rows
    (column,) = task.key_columns
    keys = task.rows.column(column.name)
    parts = (keys.slice(start, _KEYS) for start in range(0, len(keys), _KEYS))
    known = [
        read_arrow(conn, sa.select(column).where(*task.mine, among(conn, column, part.to_pylist()))).column(0)
        for part in parts
    ]
    is_known = pc.is_in(keys, value_set=pa.chunked_array([chunk for one in known for chunk in one.chunks], keys.type))
    return task.rows.filter(pc.invert(is_known)), task.rows.filter(is_known)


def _upserted(conn: sa.Connection, task: Task, rows: pa.Table) -> tuple[int, pa.Table]:
    """Merge rows by way of the temporary table."""
    kinds = kinds_of(task.key_columns)
    if not rows.num_rows:
        return 0, schema_of(kinds).empty_table()
    incoming = fill_incoming(conn, task.table, rows)
    result = conn.execute(_upsert(conn, task, incoming))
    returned = fetch_arrow(result, kinds) if task.condition.returning else schema_of(kinds).empty_table()
    written = returned.num_rows if task.condition.returning else result.rowcount
    drop_incoming(conn)
    return written, returned


def _upsert(conn: sa.Connection, task: Task, incoming: sa.TableClause) -> sa.UpdateBase:
    table, condition = task.table, task.condition
    key = [c.name for c in table.primary_key.columns]
    names = [*task.same, *[c.name for c in incoming.columns]]
    values = [value.label(name) for name, value in task.literals.items()]
    # SQLite would take ON for a join's without a WHERE.
    rows = sa.select(*values, *incoming.columns).where(sa.literal_column("1") == sa.literal_column("1"))
    if conn.dialect.name == "postgresql":
        # Rows are locked in the order of their keys, so that two processes cannot wait for each other.
        rows = rows.order_by(*[incoming.c[name] for name in task.key])
    # One type for both: the two dialects' inserts offer the same methods.
    make: Any = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement: postgresql.Insert = make(table).from_select(names, rows)
    changes: dict[str, Any] = {c: statement.excluded[c] for c in names if c not in key and c not in condition.keep}
    changes |= {c: compute(table.c, statement.excluded) for c, compute in condition.compute.items()}
    if changes:
        where = condition.when(table.c, statement.excluded) if condition.when else None
        statement = statement.on_conflict_do_update(index_elements=key, set_=changes, where=where)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=key)
    return statement.returning(*task.key_columns) if condition.returning else statement
