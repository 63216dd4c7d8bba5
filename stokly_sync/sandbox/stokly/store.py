"""Stokly's data in memory: rows by collection and key, sub-lists by parent, writes that show later.

Belongs here: keeping, finding and changing rows. Rows are kept as plain JSON values (text, int, Decimal,
bool, list, dict) with times as `words.stamp` of the seeds gives them. How a row looks on the wire belongs to `shapes`.
"""

import heapq
import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from stokly_sync.sandbox.kit import Clock
from stokly_sync.sandbox.seeds.model import PARENT
from stokly_sync.sandbox.seeds.words import stamp
from stokly_sync.sandbox.stokly.conditions import Row
from stokly_sync.sandbox.stokly.schema import Collection
from stokly_sync.sandbox.stokly.sublists import SUBLISTS_BY_NAME
from stokly_sync.sandbox.stokly.top_level import COLLECTIONS


class UnknownRecordError(LookupError):
    """There is no such record."""


class Store:
    """All records of one Stokly account. Not for use by several threads at once."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.versions: dict[str, int] = dict.fromkeys(COLLECTIONS, 0)
        self._tables: dict[str, dict[str, Row]] = {name: {} for name in COLLECTIONS}
        self._children: dict[str, dict[str, list[Row]]] = {name: {} for name in SUBLISTS_BY_NAME}
        self._by: dict[tuple[str, str], tuple[int, dict[str, list[Row]]]] = {}
        self._pending: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = itertools.count()

    def load(self, collections: Mapping[str, Iterable[Row]]) -> None:
        """Replace everything by these rows; sub-list rows (`saleorders/items`) carry their `PARENT`.

        Raises:
            KeyError: for a collection that Stokly does not have.
        """
        self._pending.clear()
        for name, table in self._tables.items():
            table.clear()
            self.versions[name] += 1
        for children in self._children.values():
            children.clear()
        for name, rows in collections.items():
            if name in COLLECTIONS:
                self._tables[name] = {key_of(name, row): dict(row) for row in rows}
                continue
            children = self._children[name]
            for row in rows:
                kept = dict(row)
                children.setdefault(kept.pop(PARENT), []).append(kept)

    def dump(self) -> dict[str, list[Row]]:
        """All rows in the shape that `load` takes; waiting writes are applied first."""
        self.settle(everything=True)
        tables: dict[str, list[Row]] = {name: list(rows.values()) for name, rows in self._tables.items()}
        for name, by_parent in self._children.items():
            tables[name] = [{PARENT: parent, **row} for parent, rows in by_parent.items() for row in rows]
        return tables

    def rows(self, name: str) -> list[Row]:
        """Every row of a collection, deleted ones too, in the order of their creation."""
        return list(self._tables[name].values())

    def get(self, name: str, key: str) -> Row:
        """One row.

        Raises:
            UnknownRecordError: if the collection has no row of that key.
        """
        try:
            return self._tables[name][key]
        except KeyError:
            raise UnknownRecordError(f"{name} has no record {key}.") from None

    def children(self, name: str, parent: str) -> list[Row]:
        """The rows of a sub-list (`saleorders/items`) under one parent, own or repeated from a collection."""
        sublist = SUBLISTS_BY_NAME[name]
        if sublist.of:
            return self._index(sublist.of, sublist.by).get(parent, [])
        return self._children[name].get(parent, [])

    def put(self, name: str, row: Row, *, remove: Iterable[str] = (), touch: bool = True) -> str:
        """Create a row, or merge these members into the one of the same key; return the key.

        `remove` names members to take away. With `touch` the collection's update time is set to now.
        """
        collection = COLLECTIONS[name]
        key = key_of(name, row)
        known = self._tables[name].get(key)
        kept = {**(known or {}), **row}
        for member in remove:
            kept.pop(member, None)
        now = stamp(self.clock.now())
        if known is None and collection.created and collection.created not in (*row, *remove):
            kept[collection.created] = now
        if touch and collection.updated and collection.updated not in row:
            kept[collection.updated] = now
        self._tables[name][key] = kept
        self.versions[name] += 1
        return key

    def put_children(self, name: str, parent: str, rows: Iterable[Row], *, touch: bool = True) -> None:
        """Replace the own sub-list of one parent, and move the parent's update time if `touch`.

        Raises:
            UnknownRecordError: if the parent is not there.
        """
        sublist = SUBLISTS_BY_NAME[name]
        known = self.get(sublist.parent, parent)
        self._children[name][parent] = [dict(row) for row in rows]
        if touch:
            collection = COLLECTIONS[sublist.parent]
            self.put(sublist.parent, {member: known[member] for member in collection.key})

    def delete(self, name: str, key: str) -> None:
        """Delete a row as Stokly does: its status says so; where an entity has none, the row goes away.

        Raises:
            UnknownRecordError: if the row is not there.
        """
        collection = COLLECTIONS[name]
        row = self.get(name, key)
        if collection.deleted is None:
            del self._tables[name][key]
            self.versions[name] += 1
        else:
            self.put(
                name,
                {**{member: row[member] for member in collection.key}, collection.status_member: collection.deleted},
            )

    def merge_customers(self, *, winner: str, loser: str) -> None:
        """Merge two customers: the loser is deleted, says into whom (`mergedIntoId`), and gives its orders over.

        What Stokly really does is not known [guess].

        Raises:
            UnknownRecordError: if one of them is not there.
        """
        self.get("customers", winner)
        self.put("customers", {"customerId": loser, "mergedIntoId": winner})
        self.delete("customers", loser)
        self.put("customers", {"customerId": winner})
        for order in list(self._index("saleorders", "customerId").get(loser, [])):
            self.put("saleorders", {"saleOrderId": order["saleOrderId"], "customerId": winner})

    def accept(self, change: Callable[[], None], *, delay: float) -> None:
        """Take a write whose effect is seen only `delay` seconds from now. Source: contract 2.1."""
        heapq.heappush(self._pending, (self.clock.monotonic() + delay, next(self._sequence), change))

    def settle(self, *, everything: bool = False) -> int:
        """Apply the accepted writes that are due, in their order; return how many."""
        now, applied = self.clock.monotonic(), 0
        while self._pending and (everything or self._pending[0][0] <= now):
            heapq.heappop(self._pending)[2]()
            applied += 1
        return applied

    def _index(self, name: str, member: str) -> dict[str, list[Row]]:
        version = self.versions[name]
        known = self._by.get((name, member))
        if known is not None and known[0] == version:
            return known[1]
        index: dict[str, list[Row]] = {}
        for row in self._tables[name].values():
            if (value := row.get(member)) is not None:
                index.setdefault(value, []).append(row)
        self._by[name, member] = (version, index)
        return index


def key_of(name: str, row: Mapping[str, Any]) -> str:
    """The key of a row: its id, or its ids joined by `|` where Stokly gives the row none of its own.

    Raises:
        KeyError: if the row lacks a member of its key.
    """
    collection: Collection = COLLECTIONS[name]
    if len(collection.key) == 1:
        return str(row[collection.key[0]])
    return "|".join(str(row[member]) for member in collection.key)
