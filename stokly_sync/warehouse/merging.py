"""How rows are merged into a table: three ways to one result, chosen by database and by what the merge asks for.

On PostgreSQL rows go into a temporary table and are upserted from there; many rows that are overwritten whole are
replaced by a delete and a COPY instead, because an update costs more than both. SQLite upserts row by row; where the
written keys are wanted, it finds them by a comparison beforehand. Callers come through `bulk.merge`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from psycopg2.errors import UniqueViolation
from sqlalchemy.dialects import postgresql, sqlite

from stokly_sync.contracts.tables import Kind
from stokly_sync.warehouse.frames import kinds_of, schema_of
from stokly_sync.warehouse.reading import among, fetch_arrow, read_arrow
from stokly_sync.warehouse.sending import (
    PLACE,
    constants,
    drop_incoming,
    fill_incoming,
    send,
    send_by,
    with_constants,
)

Expression = Callable[[Any, Any], sa.ColumnElement[Any]]
"""`expression(stored, incoming)`: both give columns by attribute, for example `stored.version`."""

# Below, the additional statements cost more than they spare.
_WORTH_REPLACING: Final = 500
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
    def taken(self) -> list[str]:
        """The columns that a known row takes from the incoming one as they are."""
        key = {c.name for c in self.table.primary_key.columns}
        given = (*self.same, *self.rows.column_names)
        return [name for name in given if name not in key and name not in self.condition.keep]

    @property
    def changes(self) -> bool:
        """Whether a known row can change at all."""
        return bool(self.taken or self.condition.compute)

    @property
    def replaces(self) -> bool:
        """Whether a changed row takes nothing over from the stored one."""
        given = {*self.same, *self.rows.column_names}
        whole = given.issuperset(c.name for c in self.table.c)
        return self.changes and whole and not self.condition.keep and not self.condition.compute


def merged(conn: sa.Connection, task: Task) -> tuple[int, pa.Table]:
    """Merge rows; gives how many were inserted or changed and, if asked for, their keys."""
    if not task.rows.num_rows:
        return 0, _told(task, task.rows)
    if conn.dialect.name != "postgresql":
        if not task.condition.returning or (task.condition.when is None and task.changes):
            return _upsert_rows(conn, task, task.rows, task.condition.when), _told(task, task.rows)
        new, known = _parted(conn, task)
        written = pa.concat_tables([new, _due(conn, known)])
        _upsert_rows(conn, task, written, None)
    elif not task.replaces or task.rows.num_rows < _WORTH_REPLACING or (written := _replaced(conn, task)) is None:
        return _upserted(conn, task)
    return written.num_rows, _told(task, written)


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
            new, known = _parted(conn, task)
            written = pa.concat_tables([new, _cleared(conn, known)])
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


def _parted(conn: sa.Connection, task: Task) -> tuple[pa.Table, Task]:
    """Rows that are certainly new, and the rest: asking by key is cheap, and for a first load all there is to ask."""
    if len(task.key) != 1 or task.rows.num_rows < _WORTH_REPLACING:
        return task.rows.slice(0, 0), task
    (column,) = task.key_columns
    keys = task.rows.column(column.name)
    stored = []
    for start in range(0, len(keys), _KEYS):
        asked = among(conn, column, keys.slice(start, _KEYS).to_pylist())
        stored += read_arrow(conn, sa.select(column).where(*task.mine, asked)).column(0).chunks
    is_known = pc.is_in(keys, value_set=pa.chunked_array(stored, keys.type))
    if not pc.any(is_known).as_py():
        return task.rows, replace(task, rows=task.rows.slice(0, 0))
    return task.rows.filter(pc.invert(is_known)), replace(task, rows=task.rows.filter(is_known))


def _cleared(conn: sa.Connection, task: Task) -> pa.Table:
    """Delete the stored rows that have to change; gives the rows to write in their place, and the new ones."""
    if not task.rows.num_rows:
        return task.rows
    incoming = _fill_probe(conn, task)
    same_key = _same_key(task, incoming)
    delete = sa.delete(task.table).where(*task.mine, *same_key)
    if task.condition.when is None:
        conn.execute(delete)
        drop_incoming(conn)
        return task.rows
    gone = delete.where(task.condition.when(task.table.c, _known_columns(task, incoming)))
    cte = gone.returning(incoming.c[PLACE]).cte("gone")
    # Both parts see the table as it was before the statement.
    new = sa.select(incoming.c[PLACE]).where(~sa.exists().where(*task.mine, *same_key))
    return _chosen(conn, task, sa.select(*cte.c).union_all(new))


def _due(conn: sa.Connection, task: Task) -> pa.Table:
    """The rows that are new or have to change, found by comparing no more than the condition looks at."""
    if not task.rows.num_rows:
        return task.rows
    incoming = _fill_probe(conn, task)
    when: sa.ColumnElement[bool] = sa.false()
    if task.condition.when is not None and task.changes:
        when = task.condition.when(task.table.c, _known_columns(task, incoming))
    stored = incoming.outerjoin(task.table, sa.and_(*task.mine, *_same_key(task, incoming)))
    places = sa.select(incoming.c[PLACE]).select_from(stored)
    return _chosen(conn, task, places.where(sa.or_(task.key_columns[0].is_(None), when)))


def _fill_probe(conn: sa.Connection, task: Task) -> sa.TableClause:
    """Put the keys into the temporary table, and the columns that the condition asks for."""
    columns = _Columns({c.name: sa.column(c.name, c.type) for c in task.table.c})
    if task.condition.when is not None:
        task.condition.when(task.table.c, columns)
    asked = columns.asked.intersection(task.rows.column_names).difference(task.key)
    return fill_incoming(conn, task.table, task.rows.select([*task.key, *sorted(asked)]), numbered=True)


def _same_key(task: Task, incoming: sa.TableClause) -> list[sa.ColumnElement[bool]]:
    return [task.table.c[name] == incoming.c[name] for name in task.key]


def _chosen(conn: sa.Connection, task: Task, places: sa.Executable) -> pa.Table:
    """The rows whose places a statement gives, in the order of the frame."""
    chosen = fetch_arrow(conn.execute(places), {PLACE: Kind.WHOLE}).column(0)
    drop_incoming(conn)
    if len(chosen) == task.rows.num_rows:
        return task.rows
    return task.rows.take(chosen.take(pc.sort_indices(chosen)))


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


def _known_columns(task: Task, incoming: sa.TableClause) -> _Columns:
    """The incoming row as a condition sees it: its own columns, and those that are the same in all rows."""
    return _Columns({**task.literals, **{str(c.name): c for c in incoming.c}})


def _upserted(conn: sa.Connection, task: Task) -> tuple[int, pa.Table]:
    """Merge rows by way of the temporary table."""
    incoming = fill_incoming(conn, task.table, task.rows)
    # Rows are locked in the order of their keys, so that two processes cannot wait for each other.
    order = [incoming.c[name] for name in task.key]
    values = [value.label(name) for name, value in task.literals.items()]
    names = [*task.same, *task.rows.column_names]
    statement = postgresql.insert(task.table).from_select(names, sa.select(*values, *incoming.columns).order_by(*order))
    statement = on_conflict(statement, task, task.condition.when)
    if task.condition.returning:
        keys = fetch_arrow(conn.execute(statement.returning(*task.key_columns)), kinds_of(task.key_columns))
        written = keys.num_rows
    else:
        written, keys = conn.execute(statement).rowcount, _told(task, task.rows)
    drop_incoming(conn)
    return written, keys


def _upsert_rows(conn: sa.Connection, task: Task, rows: pa.Table, when: Expression | None) -> int:
    """Merge rows one by one inside SQLite, which is as fast there as any statement over many; gives those written."""
    places = {name: sa.bindparam(name, type_=task.table.c[name].type) for name in rows.column_names}
    statement = on_conflict(sqlite.insert(task.table).values({**task.same, **places}), task, when)
    compiled = statement.compile(dialect=conn.dialect)
    order = [name if name in places else _bound(conn, compiled.binds[name]) for name in compiled.positiontup or ()]
    return send_by(conn, str(compiled), rows, order)


def _bound(conn: sa.Connection, bind: sa.BindParameter[Any]) -> tuple[Any]:
    """A value of the statement itself as the driver takes it, packed to tell it from a column's name."""
    process = bind.type.dialect_impl(conn.dialect).bind_processor(conn.dialect)
    return (process(bind.value) if process else bind.value,)


def on_conflict(statement: Any, task: Task, when: Expression | None) -> Any:
    """Say what becomes of a row whose key is known; the two dialects' inserts offer the same methods."""
    table, condition = task.table, task.condition
    key = [c.name for c in table.primary_key.columns]
    changes = {name: statement.excluded[name] for name in task.taken}
    changes |= {name: compute(table.c, statement.excluded) for name, compute in condition.compute.items()}
    if not changes:
        return statement.on_conflict_do_nothing(index_elements=key)
    where = when(table.c, statement.excluded) if when else None
    return statement.on_conflict_do_update(index_elements=key, set_=changes, where=where)
