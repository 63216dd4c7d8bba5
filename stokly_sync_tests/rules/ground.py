"""The ground that defects are planted in: a small Stokly account in the making, and the other systems before they run.

Belongs here: what every world begins with. What is planted stands in the tables (`account`, `marketing`, ...); how a
world is run and looked at, in `worlds`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from stokly_sync.sandbox.kit import SandboxSystem
from stokly_sync.sandbox.seeds.account import MAGENTO, account_tables
from stokly_sync.sandbox.seeds.demo_catalogue import catalogue_tables
from stokly_sync.sandbox.seeds.demo_customers import Buyer, buyer_of, customer_row, guest
from stokly_sync.sandbox.seeds.demo_defects import Garden, plant
from stokly_sync.sandbox.seeds.demo_orders import Basket, Made, OrderBook, Progress
from stokly_sync.sandbox.seeds.demo_refunds import add_refund, credit_note
from stokly_sync.sandbox.seeds.demo_tables import CatalogueItem, read_items, read_places
from stokly_sync.sandbox.seeds.model import Seed
from stokly_sync.sandbox.seeds.words import midnight, stamp

Row = dict[str, Any]

CUSTOMERS = 12


@dataclass
class Ground:
    """An account that is still empty of defects, the sandboxes by name, and the settings as environment variables."""

    garden: Garden
    tables: Mapping[str, list[Row]]
    boxes: Mapping[str, SandboxSystem]
    settings: dict[str, str] = field(default_factory=dict)
    _guests: int = 0

    @property
    def book(self) -> OrderBook:
        """The orders with all that belongs to them."""
        return self.garden.book

    @property
    def catalogue(self) -> list[CatalogueItem]:
        """The demo's items."""
        return list(self.book.catalogue.values())

    def goods(self, place: int) -> CatalogueItem:
        """One of the simple items with a price that nothing is wrong with."""
        return self.garden.goods[place]

    @property
    def start(self) -> datetime:
        """When the first order of the world was placed (UTC)."""
        return self.garden.start

    def order(
        self,
        buyer: Buyer | None = None,
        *,
        progress: Progress = "open",
        lines: Sequence[tuple[CatalogueItem, int]] = (),
        days: int = 0,
        **bent: Any,
    ) -> Made:
        """A clean order of two lines, by the known customer unless somebody else is named, and what is bent of it.

        `days` moves it away from the time at which the others were placed.
        """
        goods, place = self.garden.goods, len(self.book.made)
        bought = lines or [(goods[place % 7], 2), (goods[7 + place % 5], 1)]
        at = self.start + timedelta(days=days, hours=place)
        made = self.book.add(Basket(MAGENTO, buyer or self.garden.buyer, bought, at, progress))
        made.order.update(bent)
        return made

    def guest(self, *, email: bool = True) -> Buyer:
        """Somebody without an account whom nobody has met before."""
        self._guests += 1
        return guest(80_000 + self._guests, self.garden.place, email=email)

    def customer(self, **members: Any) -> Row:
        """A customer who has bought nothing yet; `...` takes a member away."""
        number = 500 + len(self.garden.customers)
        row = {**customer_row(number, self.garden.place, created=stamp(self.start)), **members}
        kept = {name: value for name, value in row.items() if value is not ...}
        self.garden.customers.append(kept)
        return kept

    def buyer(self, **members: Any) -> Buyer:
        """The same as a buyer."""
        row = self.customer(**members)
        return buyer_of({"email": None, **row}, self.garden.place)

    def dispatched(self, buyer: Buyer | None = None, **bent: Any) -> Row:
        """The dispatch of a clean order that left as a whole, and what is bent of the dispatch."""
        self.order(buyer, progress="whole")
        dispatch = self.book.tables["dispatches"][-1]
        dispatch.update(bent)
        return dispatch

    def refund(self, made: Made, *, full: bool = False, **bent: Any) -> Row:
        """A refund of an order, of one unit of each line or in full, and what is bent of it."""
        refund = add_refund(self.book, made, made.top_lines, full=full, reason="Changed mind")
        refund.update(bent)
        return refund

    def note(self, made: Made, **bent: Any) -> Row:
        """A credit note over an order's whole amount, tied to it, and what is bent of it."""
        notes, order = self.book.tables["credit-notes"], made.order
        told = {name: order[name] for name in ("displayTotal", "currency", "createdAt")}
        note = {**credit_note(len(notes) + 1, told), "referenceType": 1, "referenceId": order["saleOrderId"], **bent}
        notes.append(note)
        return note

    def seed(self) -> Seed:
        """The account as it stands now."""
        own = {"customers": self.garden.customers, **self.book.tables}
        collections = {**account_tables(), **self.tables, **own}
        return Seed(name="rules", collections=collections, planted=self.garden.planted)


def began(today: date) -> datetime:
    """The day on which the first order of a world was placed (UTC)."""
    return midnight(today, days=-40)


def prepared(boxes: Mapping[str, SandboxSystem], *, today: date) -> Ground:
    """Ground with the demo's catalogue, a dozen customers of whom two share an address, and the demo's own defects."""
    items, places = read_items(), read_places()
    book = OrderBook(catalogue={item.sku: item for item in items})
    start = began(today) + timedelta(hours=8)
    rows = [customer_row(100 + n, places[0], created=stamp(start - timedelta(days=90 - n))) for n in range(CUSTOMERS)]
    rows[-1]["email"] = rows[-2]["email"]
    tables = catalogue_tables(items, sold=book.sold, today=today)
    garden = Garden(
        book=book,
        items=tables["items"],
        customers=rows,
        buyer=buyer_of(rows[0], places[0]),
        place=places[0],
        goods=[item for item in items if item.stocked and item.format == "simple" and item.price],
        start=start,
    )
    plant(garden)
    return Ground(garden, tables, boxes)


def key_of(row: Row) -> str:
    """A customer's id."""
    return str(row["customerId"])


Sow = Callable[[Ground], str | None]
"""Plants one defect before anything runs; gives the key of the record that must be kept back, None for any record."""
