"""Every column of text in which a person's address could stand, whoever wrote it there (X14).

Personal columns are cleared by name; here is the rest: reasons, notes, messages and bodies of JSON, where nothing
personal belongs and people write all the same. Slow and thorough: each text of each row is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa

from stokly_sync.contracts import erasure
from stokly_sync.contracts.datasets import TABLES
from stokly_sync.warehouse.tables import LANDED, METADATA

STRUCK: Final = "[erased]"
_LANDED: Final = {table.name: name for name, table in LANDED.items()}
# Digests and counts, and by far the longest texts of all.
_NEVER: Final = frozenset({("attempts", "hashes")})


def mentions(conn: sa.Connection, brand: str, words: Collection[str]) -> Iterator[str]:
    """Columns (`table.column`) in which one of some words stands, keys included."""
    for table in METADATA.sorted_tables:
        columns = _texts(table, keys=True)
        if not columns or not words:
            continue
        found = [sa.func.max(sa.case((_holds(column, words), 1), else_=0)).label(column.name) for column in columns]
        row = conn.execute(sa.select(*found).where(*_of(table, brand))).one()
        yield from (f"{table.name}.{column.name}" for column, held in zip(columns, row, strict=True) if held)


def strike_out(
    conn: sa.Connection,
    brand: str,
    words: Collection[str],
    *,
    tables: Sequence[sa.Table] = (),
    where: Sequence[sa.ColumnElement[bool]] = (),
) -> int:
    """Replace words, in any case, wherever they stand in texts that are no keys; gives the number of rows changed.

    A personal column or one of unknown members is emptied instead. `tables` and `where` narrow it.
    """
    if not words:
        return 0
    pattern = re.compile("|".join(re.escape(word) for word in words), re.IGNORECASE)
    changed = 0
    for table in tables or METADATA.sorted_tables:
        columns = _texts(table, keys=False)
        if not columns:
            continue
        hit = sa.or_(*(_holds(column, words) for column in columns))
        keys = list(table.primary_key.columns)
        rows = conn.execute(sa.select(*keys, *columns).where(*_of(table, brand), hit, *where)).mappings().all()
        emptied = _emptied(table)
        for row in rows:
            mine = [key == row[key.name] for key in keys]
            held = {c.name: row[c.name] for c in columns if row[c.name] is not None and pattern.search(row[c.name])}
            values: dict[str, Any] = {
                name: None if name in emptied else pattern.sub(STRUCK, text) for name, text in held.items()
            }
            if values:
                changed += conn.execute(sa.update(table).where(*mine).values(values)).rowcount
    return changed


def _holds(column: sa.ColumnElement[Any], words: Collection[str]) -> sa.ColumnElement[bool]:
    text = sa.func.lower(column)
    return sa.or_(*(text.contains(word.lower(), autoescape=True) for word in words))


def _of(table: sa.Table, brand: str) -> list[sa.ColumnElement[bool]]:
    return [table.c.brand == brand] if "brand" in table.c else []


def _texts(table: sa.Table, *, keys: bool) -> list[sa.Column[Any]]:
    return [
        column
        for column in table.c
        if isinstance(column.type, sa.Text)
        and column.name != "brand"
        and (keys or not column.primary_key)
        and (table.name, column.name) not in _NEVER
    ]


def _emptied(table: sa.Table) -> frozenset[str]:
    name = _LANDED.get(table.name)
    return frozenset(erasure.cleared_columns(TABLES[name])) if name is not None else frozenset({"payload"})
