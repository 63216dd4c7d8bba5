"""Rows and documents of people who were erased, on their way in: nothing personal of them is landed again (X14).

Asked in the transaction that writes, so that an erasure comes before or after it and never between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from stokly_sync.contracts import erasure
from stokly_sync.contracts.people import CUSTOMERS
from stokly_sync.contracts.tables import Dataset
from stokly_sync.flow import Frames, Json
from stokly_sync.warehouse import erasures


def cleared(conn: sa.Connection, brand: str, dataset: Dataset, frames: Frames, *, run_id: str) -> Frames:
    """The same frames without anything personal of people who were erased; their new rows are known from now on."""
    erasures.beside_others(conn, brand)
    root = frames[dataset.name]
    if root.empty or not erasure.leads(dataset) or not erasures.anybody(conn, brand):
        return frames
    mask = erasure.about(dataset, root, erasures.known(conn, brand, erasure.digests(dataset, root)))
    if not mask.any():
        return frames
    if erasure.registered(dataset):
        own = {erasure.digest(dataset.name, key) for key in root.loc[mask, dataset.key]}
        erasures.note(conn, brand, {dataset.name: own}, at=datetime.now(UTC), run_id=run_id)
    return erasure.bare(dataset, frames, mask)


def without_theirs(
    conn: sa.Connection, brand: str, dataset: Dataset, payloads: Mapping[str, Json]
) -> Mapping[str, Json]:
    """Documents that are kept beside exceptions, less those that name somebody who was erased."""
    if not payloads or not erasures.anybody(conn, brand):
        return payloads
    named = {key: {(dataset.name, key), *_named(document)} for key, document in payloads.items()}
    wanted: dict[str, set[str]] = {}
    for kind, value in {pair for pairs in named.values() for pair in pairs}:
        wanted.setdefault(kind, set()).add(erasure.digest(kind, value))
    known = erasures.known(conn, brand, wanted)
    if not known:
        return payloads
    return {
        key: document
        for key, document in payloads.items()
        if not any(erasure.digest(kind, value) in known.get(kind, {}) for kind, value in named[key])
    }


def _named(document: Any) -> Iterator[tuple[str, str]]:
    """Addresses and customer ids anywhere in a document."""
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(name, one) for one in value]
        elif isinstance(value, str) and "@" in value:
            yield erasure.EMAIL, value
        elif isinstance(value, str | int) and "customer" in name.lower():
            yield CUSTOMERS.name, str(value)
