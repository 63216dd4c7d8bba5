"""The rows that documents are built from: the feed's own by key, then what they need of other tables, in order."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd
import sqlalchemy as sa

from stokly_sync.contracts import erasure
from stokly_sync.contracts.datasets import DATASETS, TABLES
from stokly_sync.contracts.tables import DTYPES, Kind, Table
from stokly_sync.flow import FIRST_READ, Feed, Frames
from stokly_sync.warehouse.bulk import rows_by
from stokly_sync.warehouse.reading import among
from stokly_sync.warehouse.tables import LEDGER
from stokly_sync.warehouse.windows import watermark


def load(connection: sa.Connection, feed: Feed, keys: Collection[str], *, brand: str) -> Frames:
    """Frames by table name with the contract's columns and dtypes, for the records of `keys`.

    A table that is needed twice holds what either need asks for (a variant and its parent), each row once. The feed's
    own table holds the records of `keys` and nothing else, whatever the needs say. A need with a name of its own has a
    frame of its own. Of columns those are there that the feed and its needs name, with what rows are found by.
    """
    own = own_columns(feed)
    frames: Frames = {
        feed.dataset: rows_by(connection, TABLES[feed.dataset], brand=brand, column=feed.key, values=keys, names=own)
    }
    for need in feed.needs:
        name = need.name or need.table
        if name == feed.dataset:
            continue
        table, held = TABLES[need.table], frames.get(name)
        wanted = frames[need.of_table][need.of_column].dropna().unique().tolist()
        if held is not None and not wanted:
            continue
        if need.lower:
            wanted = list({*wanted, *(str(value).lower() for value in wanted)})
        names = _columns(feed, table)
        found = rows_by(connection, table, brand=brand, column=need.column, values=wanted, names=names, only=need.only)
        if held is not None:
            both = pd.concat([held, found], ignore_index=True)
            found = both.drop_duplicates(list(table.key), ignore_index=True)
        if need.sent_by is not None:
            found = found.assign(sent_at=_sent_at(connection, need.sent_by, found[table.key[0]], brand=brand))
        frames[name] = found
    if feed.first_read is not None:
        begun = watermark(connection, brand=brand, dataset=feed.first_read).baseline_to
        frames[FIRST_READ] = pd.DataFrame({"at": pd.to_datetime([begun] if begun else [], utc=True)})
    return frames


def _sent_at(connection: sa.Connection, feed: str, keys: pd.Series[str], *, brand: str) -> pd.Series[pd.Timestamp]:
    """When a feed last sent each of these records."""
    c = LEDGER.c
    query = sa.select(c.key, c.sent_at).where(c.brand == brand, c.feed == feed, among(connection, c.key, keys))
    sent = {row.key: row.sent_at for row in connection.execute(query)}
    return pd.Series([sent.get(key) for key in keys], index=keys.index).astype(DTYPES[Kind.TIME])  # type: ignore[call-overload, no-any-return]


def own_columns(feed: Feed) -> set[str]:
    """Columns of the feed's own rows; none when the feed wants all."""
    if not feed.columns:
        return set()
    dataset = DATASETS[feed.dataset]
    reached = {need.of_column for need in feed.needs if need.of_table == feed.dataset}
    people = {column for column, _ in erasure.leads(dataset)}
    return {*dataset.root.key, feed.key, *feed.columns, *reached, *people, *filter(None, [dataset.event_at])}


def _columns(feed: Feed, table: Table) -> set[str]:
    """Columns of a table that any need names, with what needs and keys are found by; none when a need wants all."""
    needs = [need for need in feed.needs if need.table == table.name]
    if not all(need.columns for need in needs):
        return set()
    frames = {table.name, *(need.name for need in needs)}
    reached = {need.of_column for need in feed.needs if need.of_table in frames}
    return {*table.key, *reached}.union(*(need.columns for need in needs))
