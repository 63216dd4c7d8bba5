"""Finding a record by what people have in their hands: an order number, an e-mail address, a SKU, any id (X9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.contracts.owners import person, reachable
from stokly_sync.contracts.sales import ORDERS
from stokly_sync.contracts.tables import Dataset
from stokly_sync.operations.desk import Desk
from stokly_sync.operations.relations import name_column, related, row_of
from stokly_sync.warehouse.exceptions import CLOSED
from stokly_sync.warehouse.tables import EXCEPTIONS, LANDED

MOST_FOUND: Final = 25
"""So many records are offered when what was asked for names several."""


@dataclass(frozen=True)
class Found:
    """A record that answers a search: nothing personal. `there` says whether it was ever landed."""

    dataset: str
    key: str
    name: str
    there: bool = True


def search(desk: Desk, words: str) -> list[Found]:
    """Records that an order number, an e-mail address, a SKU or an id names; at most MOST_FOUND.

    The same thing in several systems is one of them: the first stands for all that its path tells of.
    """
    text = words.strip()
    if not text:
        return []
    found: dict[tuple[str, str], Found] = {}
    with desk.warehouse.reading() as conn:
        for texts in ([text], _spellings(text)):
            for dataset in _searched() if not found else ():
                for key, name in _matches(conn, desk.brand, dataset, texts):
                    found.setdefault((dataset.name, key), Found(dataset.name, key, name))
        for subject, key in _kept_out(conn, desk, text, within=not found):
            found.setdefault((subject, key), Found(subject, key, key, there=False))
        _join(conn, desk.brand, found)
    return list(found.values())[:MOST_FOUND]


def _join(conn: sa.Connection, brand: str, found: dict[tuple[str, str], Found]) -> None:
    """Leave those out that are told with the first one, as the same thing in another system."""
    first = next(iter(found.values()), None)
    if first is None or len(found) == 1 or not first.there:
        return
    dataset = DATASETS[first.dataset]
    row = row_of(conn, brand, dataset, first.key)
    for other, key, _ in related(conn, brand, dataset, first.key, row):
        found.pop((other.name, key), None)


def _searched() -> Iterator[Dataset]:
    """Datasets that have something of their own to be found by, those with names for people first."""
    named = [d for d in DATASETS.values() if d.sought_by]
    yield from named
    yield from (d for d in DATASETS.values() if not d.sought_by and not d.name.startswith("derived."))


def _spellings(text: str) -> list[str]:
    """Other capitals, for what nobody writes quite so."""
    return [spelt for spelt in dict.fromkeys([text.lower(), text.upper()]) if spelt != text]


def _matches(conn: sa.Connection, brand: str, dataset: Dataset, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    root = LANDED[dataset.name].c
    name = root[name_column(dataset)]
    conditions: list[sa.ColumnElement[bool]] = [root[column].in_(texts) for column in (dataset.key, *dataset.sought_by)]
    if dataset.name == ORDERS.name:
        # Account holders are found by their customer; a guest's address stands in an order as a digest too.
        conditions.append(root.guest.in_([person(text) for text in texts if reachable(text)]))
    for condition in conditions:
        query = sa.select(root[dataset.key], name).where(root.brand == brand, condition).limit(MOST_FOUND)
        yield from ((row[0], row[1] or row[0]) for row in conn.execute(query))


def _kept_out(conn: sa.Connection, desk: Desk, text: str, *, within: bool) -> Iterator[tuple[str, str]]:
    """Records that no row was ever landed of: their exceptions know them by key, and by what was received."""
    e = EXCEPTIONS.c
    there = (e.brand == desk.brand, e.subject.in_(list(desk.extracts)), e.state != CLOSED)
    named = e.key == text
    if within:
        quoted = e.payload.contains(f'"{text}"', autoescape=True)
        named = sa.or_(named, quoted, e.payload.contains(f":{text},", autoescape=True) if text.isdigit() else quoted)
    query = sa.select(e.subject, e.key).where(*there, named).distinct().limit(MOST_FOUND)
    yield from ((row[0], row[1]) for row in conn.execute(query))
