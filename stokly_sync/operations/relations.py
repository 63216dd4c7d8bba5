"""Which landed rows belong to a record: found through the contracts, whatever the system.

Within one system a row belongs to another whose key it names: a refund to its order, an order to its customer. Between
systems people have names for one thing: the SKU of goods, and the reference under which Stokly has a channel's order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import sqlalchemy as sa

from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.contracts.sales import ORDERS
from stokly_sync.contracts.tables import Dataset
from stokly_sync.operations.desk import system_of
from stokly_sync.warehouse.tables import LANDED

MOST_RELATED: Final = 20
"""So many rows that belong to a record are shown."""

Row = Mapping[Any, Any]
Related = tuple[Dataset, str, Row]
"""A dataset, and the key and columns of a row of it."""


def row_of(conn: sa.Connection, brand: str, dataset: Dataset, key: str) -> Row | None:
    """The landed root row of a key."""
    root = LANDED[dataset.name]
    return conn.execute(sa.select(root).where(root.c.brand == brand, root.c[dataset.key] == key)).mappings().first()


def related(conn: sa.Connection, brand: str, chosen: Dataset, key: str, row: Row | None) -> Iterator[Related]:
    """Rows that name the record, the same thing in other systems, then rows that it names; may be one too many."""
    others = [d for d in DATASETS.values() if d is not chosen and not d.name.startswith("derived.")]
    near = [d for d in others if system_of(d.name) == system_of(chosen.name)]
    for other in near:
        root = LANDED[other.name].c
        if chosen.key in root and chosen.key != other.key:
            yield from _rows(conn, brand, other, root[chosen.key] == key)
    if row is None:
        return
    for other in others:
        if other not in near:
            yield from _elsewhere(conn, brand, chosen, row, other)
    for other in near:
        if row.get(other.key) is not None and other.key != chosen.key:
            yield from _rows(conn, brand, other, LANDED[other.name].c[other.key] == row[other.key])


def _elsewhere(conn: sa.Connection, brand: str, chosen: Dataset, row: Row, other: Dataset) -> Iterator[Related]:
    root = LANDED[other.name].c
    if "sku" in row and "sku" in root:
        if row["sku"]:
            yield from _rows(conn, brand, other, root.sku == row["sku"])
    elif chosen is ORDERS and _holds_orders(other):
        if row["channel_reference"]:
            same = [root[other.key] == row["channel_reference"], root.number == row["channel_reference"]]
            yield from _rows(conn, brand, other, sa.or_(*same))
    elif other is ORDERS and _holds_orders(chosen):
        yield from _rows(conn, brand, other, root.channel_reference.in_([row[chosen.key], row["number"]]))


def _holds_orders(dataset: Dataset) -> bool:
    return dataset.name.endswith(".orders")


def _rows(conn: sa.Connection, brand: str, dataset: Dataset, condition: sa.ColumnElement[bool]) -> Iterator[Related]:
    root = LANDED[dataset.name]
    query = sa.select(root).where(root.c.brand == brand, condition).order_by(root.c.landed_at.desc())
    for row in conn.execute(query.limit(MOST_RELATED + 1)).mappings():
        yield dataset, row[dataset.key], row
