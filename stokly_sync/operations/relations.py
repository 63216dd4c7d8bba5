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


def name_column(dataset: Dataset) -> str:
    """The column by which people call a record: never a personal one."""
    personal = {c.name for c in dataset.root.columns if c.personal}
    names = {c.name for c in dataset.root.columns}
    for column in ("number", "account_code", *dataset.sought_by, "sku"):
        if column in names - personal:
            return column
    return dataset.key


def holds_orders(dataset: Dataset) -> bool:
    """Whether a dataset is the orders of its system."""
    return dataset.name.endswith(".orders")


def related(conn: sa.Connection, brand: str, chosen: Dataset, key: str, row: Row | None) -> Iterator[Related]:
    """Rows that name the record, the same thing in other systems with what names it there, then rows that it names.

    The only order of a customer is told with all that belongs to it. Each row once; there may be one too many.
    """
    found = list(_around(conn, brand, chosen, key, row))
    orders = [one for one in found if holds_orders(one[0])]
    if not holds_orders(chosen):
        only = orders[0] if len(orders) == 1 and chosen.key in orders[0][2] else None
        beside = list(_around(conn, brand, *only)) if only else []
        found += beside
        orders = [one for one in beside if holds_orders(one[0])]
    for dataset, own, columns in orders:
        found += [*_naming(conn, brand, dataset, own), *_named(conn, brand, dataset, columns)]
    seen = {(chosen.name, key)}
    for one in found:
        if (one[0].name, one[1]) not in seen:
            seen.add((one[0].name, one[1]))
            yield one


def _around(conn: sa.Connection, brand: str, chosen: Dataset, key: str, row: Row | None) -> Iterator[Related]:
    yield from _naming(conn, brand, chosen, key)
    if row is None:
        return
    near = _near(chosen)
    for other in _others(chosen):
        if other not in near:
            yield from _elsewhere(conn, brand, chosen, row, other)
    yield from _named(conn, brand, chosen, row)


def _named(conn: sa.Connection, brand: str, chosen: Dataset, row: Row) -> Iterator[Related]:
    """Rows of the same system whose key a record names."""
    for other in _near(chosen):
        if row.get(other.key) is not None and other.key != chosen.key:
            yield from _rows(conn, brand, other, LANDED[other.name].c[other.key] == row[other.key])


def _naming(conn: sa.Connection, brand: str, chosen: Dataset, key: str) -> Iterator[Related]:
    """Rows of the same system that name a record's key."""
    for other in _near(chosen):
        root = LANDED[other.name].c
        if chosen.key in root and chosen.key != other.key:
            yield from _rows(conn, brand, other, root[chosen.key] == key)


def _others(chosen: Dataset) -> list[Dataset]:
    return [d for d in DATASETS.values() if d is not chosen and not d.name.startswith("derived.")]


def _near(chosen: Dataset) -> list[Dataset]:
    return [d for d in _others(chosen) if system_of(d.name) == system_of(chosen.name)]


def _elsewhere(conn: sa.Connection, brand: str, chosen: Dataset, row: Row, other: Dataset) -> Iterator[Related]:
    root = LANDED[other.name].c
    if "sku" in row and "sku" in root:
        if row["sku"]:
            yield from _rows(conn, brand, other, root.sku == row["sku"])
    elif chosen is ORDERS and holds_orders(other):
        if row["channel_reference"]:
            same = [root[other.key] == row["channel_reference"], root.number == row["channel_reference"]]
            yield from _rows(conn, brand, other, sa.or_(*same))
    elif other is ORDERS and holds_orders(chosen):
        yield from _rows(conn, brand, other, root.channel_reference.in_([row[chosen.key], row["number"]]))


def _rows(conn: sa.Connection, brand: str, dataset: Dataset, condition: sa.ColumnElement[bool]) -> Iterator[Related]:
    root = LANDED[dataset.name]
    query = sa.select(root).where(root.c.brand == brand, condition).order_by(root.c.landed_at.desc())
    for row in conn.execute(query.limit(MOST_RELATED + 1)).mappings():
        yield dataset, row[dataset.key], row
