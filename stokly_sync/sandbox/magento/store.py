"""What the shop's database holds: tables of rows, found by id and by a few columns, and running numbers.

Belongs here: keeping rows. What a row means belongs to the module of its kind. A row is a plain dict of
columns; members that begin with `_` are parts that no column stands for (addresses, lines of a document).
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from stokly_sync.sandbox.magento.figures import ZERO, Row


class Table:
    """Rows by number, in the order in which they came, with an index over columns that never change."""

    def __init__(self, key: str, *, by: Iterable[str] = ()) -> None:
        self.key = key
        self.last = 0
        self._rows: dict[int, Row] = {}
        self._index: dict[str, dict[Any, list[int]]] = {column: {} for column in by}

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: Row) -> Row:
        """Keep a row under its own number, or the next free one, which becomes its first column."""
        number = row.get(self.key) or self.last + 1
        kept = {self.key: number, **row, self.key: number}
        self.last = max(self.last, number)
        self._rows[number] = kept
        for column, found in self._index.items():
            found.setdefault(kept.get(column), []).append(number)
        return kept

    def get(self, number: int) -> Row | None:
        """The row of that number."""
        return self._rows.get(number)

    def of(self, column: str, value: Any) -> list[Row]:
        """The rows with that value in an indexed column."""
        return [self._rows[number] for number in self._index[column].get(value, ())]

    def remove(self, row: Row) -> None:
        """Drop a row."""
        del self._rows[row[self.key]]
        for column, found in self._index.items():
            found[row.get(column)].remove(row[self.key])

    def dump(self) -> dict[str, Any]:
        """What has to be saved."""
        return {"last": self.last, "rows": list(self._rows.values())}

    def load(self, state: dict[str, Any]) -> None:
        """Replace all rows."""
        self._rows = {}
        for found in self._index.values():
            found.clear()
        for row in state["rows"]:
            self.add(row)
        self.last = state["last"]


class Store:
    """All tables of one shop."""

    def __init__(self) -> None:
        self.orders = Table("entity_id", by=("increment_id",))
        self.order_items = Table("item_id", by=("order_id",))
        self.shipments = Table("entity_id", by=("order_id",))
        self.invoices = Table("entity_id", by=("order_id",))
        self.creditmemos = Table("entity_id", by=("order_id",))
        self.products = Table("id", by=("_key",))
        self.customers = Table("id", by=("_key",))
        self.sources = Table("number", by=("source_code",))
        self.stocks = Table("stock_id")
        self.stock_links = Table("link_id", by=("stock_id",))
        self.source_items = Table("source_item_id", by=("_key",))
        self.reservations = Table("reservation_id", by=("_key",))
        self.bulks = Table("id", by=("bulk_id",))
        self.attributes = Table("attribute_id", by=("attribute_code",))
        self.planted = Table("number")
        self.numbers: dict[str, int] = {}
        self._reserved: dict[str, Decimal] = {}

    def next(self, name: str) -> int:
        """The next number of a series that is no table of its own, such as order numbers."""
        self.numbers[name] = self.numbers.get(name, 0) + 1
        return self.numbers[name]

    def reserve(self, stock_id: int, sku: str, quantity: Decimal, *, event: str, order_id: int) -> None:
        """Note that a quantity is spoken for (negative), or no longer is (positive)."""
        metadata = {"event_type": event, "object_type": "order", "object_id": str(order_id)}
        place = f"{stock_id} {key(sku)}"
        row = {"stock_id": stock_id, "sku": sku, "quantity": quantity, "metadata": metadata, "_key": place}
        self.reservations.add(row)
        self._reserved[place] = self._reserved.get(place, ZERO) + quantity

    def reserved(self, stock_id: int, sku: str) -> Decimal:
        """The sum of reservations of an SKU at a stock; negative while orders are open."""
        return self._reserved.get(f"{stock_id} {key(sku)}", ZERO)

    def tables(self) -> dict[str, Table]:
        """The tables by name."""
        return {name: table for name, table in vars(self).items() if isinstance(table, Table)}

    def dump(self) -> dict[str, Any]:
        """What has to be saved."""
        return {"numbers": self.numbers, "tables": {name: table.dump() for name, table in self.tables().items()}}

    def load(self, state: dict[str, Any]) -> None:
        """Replace everything."""
        self.numbers = dict(state["numbers"])
        for name, table in self.tables().items():
            table.load(state["tables"][name])
        self._reserved = {}
        for row in self.reservations:
            self._reserved[row["_key"]] = self._reserved.get(row["_key"], ZERO) + Decimal(row["quantity"])


def key(text: str) -> str:
    """A SKU or e-mail address as it is looked up: without regard to case and trailing blanks (section 10)."""
    return text.rstrip(" ").casefold()
