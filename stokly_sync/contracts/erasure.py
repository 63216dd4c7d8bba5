"""Whom a row is about, and the same row without anything personal (X14).

Belongs here: how rows lead to a person, by the names of their columns, and what is cleared: every personal column and
the unknown members beside them. Whoever was erased is known by digests alone, which stay so that what is read again
later is cleared as well. Where digests are kept stands in `warehouse.erasures`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from stokly_sync.contracts import channels, columns
from stokly_sync.contracts.owners import person
from stokly_sync.contracts.people import CUSTOMERS
from stokly_sync.contracts.tables import Dataset, Table
from stokly_sync.flow import Frames

EMAIL: Final = "email"
"""Kind of the digests of addresses; all other kinds are names of datasets, whose digests are of keys."""
_ADDRESSES: Final = ("email", "customer_email")
_CUSTOMERS: Final = ("customer_id", "merged_into")
_TO_BE_SENT: Final = frozenset(dataset.name for dataset in channels.ORDERS.values())

Known = Mapping[str, Mapping[str, datetime]]
"""When people were erased (UTC), by kind and digest."""


def digest(kind: str, value: str) -> str:
    """An address or a key as text that tells nobody which; addresses are told apart without regard to case."""
    return person(value) if kind == EMAIL else blake2b(f"{kind}\x1f{value}".encode(), digest_size=16).hexdigest()


def leads(dataset: Dataset) -> tuple[tuple[str, str], ...]:
    """Columns of the root that lead to a person, each with the kind of what it holds; none for goods."""
    orders = f"{dataset.name.partition('.')[0]}.orders"
    found: list[tuple[str, str]] = []
    for column in dataset.root.columns:
        if column.name in _ADDRESSES:
            found.append((column.name, EMAIL))
        elif column.name in _CUSTOMERS:
            found.append((column.name, CUSTOMERS.name))
        elif column.name == "order_id":
            found.append((column.name, orders))
    return tuple(found)


def registered(dataset: Dataset) -> bool:
    """Whether rows of the dataset name a person themselves: their keys are kept, others are found through theirs."""
    return any(kind == EMAIL for _, kind in leads(dataset))


def digests(dataset: Dataset, root: pd.DataFrame) -> dict[str, set[str]]:
    """Digests of everything that rows lead to, by kind."""
    found: dict[str, set[str]] = {}
    for column, kind in leads(dataset):
        found.setdefault(kind, set()).update(digest(kind, value) for value in root[column].dropna())
    return found


def about(dataset: Dataset, root: pd.DataFrame, known: Known, *, own: bool = False) -> npt.NDArray[np.bool_]:
    """Which rows are about somebody who was erased; with `own` only those whose own key is kept as erased.

    An order of a sales channel that was placed later is left as it is: it has to be sent to somebody.
    """
    mask = np.zeros(len(root), dtype=np.bool_)
    for column, kind in leads(dataset):
        if own and (column, kind) != (dataset.key, dataset.name):
            continue
        times = known.get(kind, {})
        if times:
            found = [None if value is None else times.get(digest(kind, value)) for value in columns.texts(root[column])]
            mask |= _in_time(dataset, root, found, later=kind == EMAIL)
    return mask


def _in_time(
    dataset: Dataset, root: pd.DataFrame, found: list[datetime | None], *, later: bool
) -> npt.NDArray[np.bool_]:
    if not (later and dataset.name in _TO_BE_SENT):
        return np.array([at is not None for at in found], dtype=np.bool_)
    placed = columns.moments(root[str(dataset.event_at)])
    return np.array(
        [at is not None and (when is None or when <= at) for at, when in zip(found, placed, strict=True)],
        dtype=np.bool_,
    )


def cleared_columns(table: Table) -> tuple[str, ...]:
    """Columns that hold something personal, or may: the unknown members of a root table."""
    named = tuple(column.name for column in table.columns if column.personal)
    return named if table.parent_key else (*named, "extra")


def bare(dataset: Dataset, frames: Frames, mask: npt.NDArray[np.bool_]) -> Frames:
    """The same frames with everything personal cleared in the root rows of a mask, and in their children."""
    root = frames[dataset.name]
    keys = set(root.loc[mask, dataset.key])
    made: Frames = {}
    for table in dataset.tables:
        frame = frames[table.name]
        rows = frame[table.parent_key].isin(keys) if table.parent_key else pd.Series(mask, index=frame.index)
        made[table.name] = frame.assign(**{name: frame[name].mask(rows) for name in cleared_columns(table)})
    return made
