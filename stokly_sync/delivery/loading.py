"""The rows that documents are built from: the feed's own by key, then what they need of other tables, in order."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from stokly_sync.contracts.datasets import TABLES
from stokly_sync.flow import Feed, Frames
from stokly_sync.warehouse.bulk import rows_by


def load(connection: sa.Connection, feed: Feed, keys: Collection[str], *, brand: str) -> Frames:
    """Frames by table name with the contract's columns and dtypes, for the records of `keys`.

    A table that is needed twice is read by the first need alone; declare needs so that this one covers all.
    """
    frames: Frames = {
        feed.dataset: rows_by(connection, TABLES[feed.dataset], brand=brand, column=feed.key, values=keys)
    }
    for need in feed.needs:
        if need.table not in frames:
            wanted = frames[need.of_table][need.of_column].dropna().unique().tolist()
            frames[need.table] = rows_by(connection, TABLES[need.table], brand=brand, column=need.column, values=wanted)
    return frames
