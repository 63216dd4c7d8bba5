"""The rows that documents are built from: the feed's own by key, then what they need of other tables, in order."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd
import sqlalchemy as sa

from stokly_sync.contracts.datasets import TABLES
from stokly_sync.flow import Feed, Frames
from stokly_sync.warehouse.bulk import rows_by


def load(connection: sa.Connection, feed: Feed, keys: Collection[str], *, brand: str) -> Frames:
    """Frames by table name with the contract's columns and dtypes, for the records of `keys`.

    A table that is needed twice holds what either need asks for (a variant and its parent), each row once. The feed's
    own table holds the records of `keys` and nothing else, whatever the needs say; a need with a name of its own has a
    frame of its own.
    """
    frames: Frames = {
        feed.dataset: rows_by(connection, TABLES[feed.dataset], brand=brand, column=feed.key, values=keys)
    }
    for need in feed.needs:
        name = need.name or need.table
        if name == feed.dataset:
            continue
        table, held = TABLES[need.table], frames.get(name)
        wanted = frames[need.of_table][need.of_column].dropna().unique().tolist()
        if held is None:
            frames[name] = rows_by(connection, table, brand=brand, column=need.column, values=wanted)
        elif wanted:
            more = rows_by(connection, table, brand=brand, column=need.column, values=wanted)
            both = pd.concat([held, more], ignore_index=True)
            frames[name] = both.drop_duplicates(list(table.key), ignore_index=True)
    return frames
