"""Links: which id a record has at the destination, and how that is known.

Noted when a destination accepts a record and names its id, and when rows that were read back show that it holds the
record already. Who needs the other side's id asks here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import pandas as pd
import sqlalchemy as sa

from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.flow import Feed
from stokly_sync.warehouse.bulk import Merge, merge
from stokly_sync.warehouse.tables import LINKS


class KnownBy(StrEnum):
    """How a link is known."""

    SENT = "sent"
    """The destination named the id when it took the record, or when it was asked for it."""
    FOUND = "found"
    """Rows that were read back from the destination name the record."""


def note_links(
    connection: sa.Connection, feed: Feed, ids: Mapping[str, str], *, brand: str, known_by: KnownBy, now: datetime
) -> None:
    """Keep the ids that the destination gives to records, by our key; what was first seen stays so (DESIGN, links)."""
    if not feed.links or not ids:
        return
    frame = pd.DataFrame({"key": list(ids), "external_id": list(ids.values())}, dtype=object)
    fixed = {
        "brand": brand,
        "entity": entity_of(feed),
        "system": feed.system,
        "origin": feed.dataset.partition(".")[0],
        "known_by": known_by.value,
        "first_seen": now,
        "last_seen": now,
    }
    merge(connection, LINKS, frame, fixed=fixed, condition=Merge(compute={"first_seen": _first_seen}))


def entity_of(feed: Feed) -> str:
    """What a feed's keys are keys of: its dataset, or that column of it which is the key."""
    return feed.dataset if DATASETS[feed.dataset].key == feed.key else f"{feed.dataset}.{feed.key}"


def _first_seen(old: Any, new: Any) -> sa.ColumnElement[Any]:
    return sa.case((old.external_id == new.external_id, old.first_seen), else_=new.first_seen)
