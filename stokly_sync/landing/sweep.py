"""What a full list of ids tells: rows that are gone from the source, and rows that we never saw.

The ids of one dataset are held as text while a sweep runs (about 100 bytes each); everything else stays in the
database.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pandas as pd
import sqlalchemy as sa

from stokly_sync.flow import Received, Window
from stokly_sync.landing import derived
from stokly_sync.landing.families import made_keys
from stokly_sync.landing.grid import STEP, floor
from stokly_sync.landing.store import Checked, Chunk, Landing, touch
from stokly_sync.warehouse.bulk import among, read_frame, stream_frames, update
from stokly_sync.warehouse.tables import EXCEPTIONS, LANDED
from stokly_sync.warehouse.windows import WindowCount, WindowKind

_GONE = "removed at source"


class Seen:
    """Keys that the source listed in one full read."""

    def __init__(self) -> None:
        self.keys: set[str] = set()

    def add(self, checked: Checked, key: str) -> None:
        """Add the keys of a checked chunk, good and bad."""
        self.keys.update(*(frame[key] for frame in checked.rows.frames.values() if key in frame))
        self.keys.update(p.key for p in checked.rows.problems)

    def add_documents(self, documents: Sequence[Received], member: str) -> None:
        """Add the keys of documents as they came."""
        self.keys.update(str(d[member]) for d in documents if member in d)


def missed(conn: sa.Connection, landing: Landing, chunk: Chunk) -> list[Received]:
    """Documents of a chunk that are neither held back nor landed live, or that say that they are newer than landed."""
    dataset, table, brand = landing.dataset, LANDED[landing.dataset.name], landing.warehouse.brand
    member = landing.extract.key_member
    keys = [str(d[member]) for d in chunk.documents if member in d]
    key = table.c[dataset.key]
    landed = read_frame(
        conn, sa.select(key, table.c.version).where(table.c.brand == brand, table.c.live, among(conn, key, keys))
    )
    versions = dict(zip(landed[dataset.key], landed["version"], strict=True))
    e = EXCEPTIONS.c
    held = sa.select(e.key).where(
        e.brand == brand, e.subject == dataset.name, e.state.in_(["open", "ignored"]), among(conn, e.key, keys)
    )
    waiting = set(conn.execute(held).scalars())
    root = landing.extract.rows(chunk.documents, chunk.requested_at).frames[dataset.name]
    updated = dict(zip(root[dataset.key], root["updated_at"], strict=True)) if "updated_at" in root else {}

    def worth_it(found: str) -> bool:
        if found not in versions:
            return found not in waiting
        return bool(updated.get(found, pd.NaT) > versions[found])

    return [d for d in chunk.documents if member in d and worth_it(str(d[member]))]


def remove_absent(conn: sa.Connection, landing: Landing, seen: Seen, requested_at: datetime) -> int:
    """Mark landed rows that the source no longer lists as not live, in the running window; gives their number.

    Rows that changed after the read began are left alone: they may have come after the list.
    """
    table, brand, dataset = LANDED[landing.dataset.name], landing.warehouse.brand, landing.dataset
    live = sa.select(table.c[dataset.key]).where(
        table.c.brand == brand, table.c.live, table.c.version <= requested_at, table.c.landed_at <= requested_at
    )
    listed = seen.keys | made_keys(conn, dataset, brand)
    gone: list[str] = []
    for frame in stream_frames(conn, live):
        gone += [key for key in frame[dataset.key] if key not in listed]
    if not gone:
        return 0
    start = floor(landing.span.end - timedelta(microseconds=1))
    frame = pd.DataFrame({dataset.key: pd.Series(gone, dtype="str")})
    # The version stays: should the row come back as it was, it must be let in again.
    fixed = {"live": False, "content_hash": _GONE, "window_start": start}
    update(conn, table, frame, key=[dataset.key], fixed={"brand": brand}, set_fixed=fixed)
    derived.refresh(conn, landing.deriving, dataset.name, derived.causes(conn, brand, dataset.name, gone))
    running = Window(start, start + STEP)
    touch(conn, landing, [WindowCount(running, changed=len(gone))], kind=WindowKind.SWEEP)
    return len(gone)
