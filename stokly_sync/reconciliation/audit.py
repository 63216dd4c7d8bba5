"""The audit before go-live: what a sync would meet, read from freshly landed rows and from the destinations (X11).

Each topic is one question to the landed rows, answered with a count, the money at stake per currency, and the first
examples by key. What a rule would keep back and what a destination holds otherwise come from the same planning and
comparing that a sync does, so that the audit cannot promise anything that the sync does not keep. Nothing personal is
shown: records are named by their keys.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from stokly_sync.contracts import money
from stokly_sync.contracts.rules import Catalogue
from stokly_sync.reconciliation.compare import Comparison
from stokly_sync.warehouse.exceptions import OPEN
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import EXCEPTIONS, LANDED

EXAMPLES: Final = 5


@dataclass(frozen=True)
class Topic:
    """One finding of the audit: what, how many, how much per currency (nano units), some keys, whose it is."""

    title: str
    why: str
    records: int
    owner: str
    money: Mapping[str, int] = field(default_factory=dict)
    examples: tuple[str, ...] = ()

    @property
    def amounts(self) -> str:
        """The money as people write it."""
        return ", ".join(
            f"{money.text(amount)} {currency}" for currency, amount in sorted(self.money.items()) if amount
        )


@dataclass(frozen=True)
class Audit:
    """The whole report; `counts` are landed rows by dataset."""

    brand: str
    made_at: datetime
    counts: Mapping[str, int]
    topics: tuple[Topic, ...]
    kept_back: tuple[Topic, ...]
    """What rules would keep back, by rule."""
    destinations: Mapping[str, Sequence[Comparison]]

    @property
    def found(self) -> tuple[Topic, ...]:
        """Topics with anything in them."""
        return tuple(t for t in self.topics if t.records)


def audit(
    warehouse: Warehouse,
    catalogue: Catalogue,
    destinations: Mapping[str, Sequence[Comparison]],
    *,
    made_at: datetime,
) -> Audit:
    """Look through the landed rows of a brand."""
    with warehouse.reading() as conn:
        look = _Look(conn, warehouse.brand)
        return Audit(
            brand=warehouse.brand,
            made_at=made_at,
            counts=look.counts(),
            topics=(*look.people(), *look.goods(), *look.orders(), *look.refunds()),
            kept_back=look.kept_back(catalogue),
            destinations=destinations,
        )


@dataclass(frozen=True)
class _Look:
    """Questions to the landed rows of one brand."""

    conn: sa.Connection
    brand: str

    def counts(self) -> dict[str, int]:
        """Live rows by dataset, for those that have any."""
        found: dict[str, int] = {}
        for name, table in LANDED.items():
            if "live" in table.c and (number := self._one(sa.select(sa.func.count()).where(*self._live(table)))):
                found[name] = number
        return found

    def people(self) -> tuple[Topic, ...]:
        """Customers that cannot be written to, or not told apart, and orders of guests."""
        c, orders = LANDED["stokly.customers"], LANDED["stokly.orders"]
        address = sa.func.lower(c.c.email)
        shared = (
            sa.select(address)
            .where(*self._live(c), c.c.email.is_not(None))
            .group_by(address)
            .having(sa.func.count() > 1)
        )
        return (
            self._topic(
                "Customers without an e-mail address",
                "They reach no marketing system, and neither do their orders where these are kept by contact.",
                "cx",
                sa.select(_named(c.c.account_code, c.c.customer_id)).where(*self._live(c), c.c.email.is_(None)),
            ),
            self._topic(
                "Customers who share an e-mail address",
                "Destinations keep one contact an address: the others' orders and value move to it, or are left out.",
                "cx",
                sa.select(_named(c.c.account_code, c.c.customer_id)).where(*self._live(c), address.in_(shared)),
            ),
            self._topic(
                "Orders of guests",
                "Whether they are left out or merged by address is a setting; without an address they go nowhere.",
                "marketing",
                self._orders(orders.c.customer_id.is_(None)),
            ),
            self._topic(
                "Orders of guests without an e-mail address",
                "Nobody can be told of them and no profile gets them.",
                "cx",
                self._orders(orders.c.customer_id.is_(None), orders.c.customer_email.is_(None)),
            ),
        )

    def goods(self) -> tuple[Topic, ...]:
        """Items that cannot be told apart or be sold, and lines that sell what is not there."""
        items, lines, orders = LANDED["stokly.items"], LANDED["stokly.order_lines"], LANDED["stokly.orders"]
        stock = LANDED["stokly.stock"]
        known = sa.select(items.c.sku).where(*self._live(items), items.c.sku.is_not(None))
        in_order = sa.and_(orders.c.brand == lines.c.brand, orders.c.order_id == lines.c.order_id)
        unknown = (
            sa.select(lines.c.sku, sa.func.sum(lines.c.line_total), orders.c.currency)
            .join(orders, in_order)
            .where(*self._live(orders), lines.c.sku.is_not(None), lines.c.sku.not_in(known))
            .group_by(lines.c.sku, orders.c.currency)
        )
        return (
            self._topic(
                "SKUs that orders sell and that no item has",
                "Destinations drop or refuse such lines; stock and returns cannot be booked on them.",
                "ecommerce",
                unknown,
            ),
            self._topic(
                "Items without a price",
                "They are listed without one, or not at all.",
                "ecommerce",
                sa.select(items.c.sku).where(*self._live(items), items.c.format != 2, items.c.price.is_(None)),
            ),
            self._topic(
                "Items with less than no stock",
                "More was sold than counted in: every system shows them as sold out until somebody counts.",
                "operations",
                sa.select(stock.c.sku).where(*self._live(stock), stock.c.location_id.is_(None), stock.c.available < 0),
            ),
        )

    def orders(self) -> tuple[Topic, ...]:
        """Money of orders that is not where it should be."""
        o, i, d = (LANDED[f"stokly.{name}"] for name in ("orders", "invoices", "dispatches"))
        due = o.c.total - sa.func.coalesce(o.c.amount_paid, 0)
        paid_known = o.c.amount_paid.is_not(None)
        dispatched = sa.exists().where(d.c.brand == o.c.brand, d.c.order_id == o.c.order_id, d.c.live)
        invoiced = sa.exists().where(i.c.brand == o.c.brand, i.c.order_id == o.c.order_id, i.c.live)
        return (
            self._topic(
                "Orders dispatched and not fully paid",
                "Payments are missing, or were taken and not allocated to their order.",
                "finance",
                sa.select(_named(o.c.number, o.c.order_id), due, o.c.currency).where(
                    *self._live(o), paid_known, dispatched, due > 0
                ),
            ),
            self._topic(
                "Orders paid more than they cost",
                "A payment was allocated twice, or a refund was not entered.",
                "finance",
                sa.select(_named(o.c.number, o.c.order_id), -due, o.c.currency).where(
                    *self._live(o), paid_known, due < 0
                ),
            ),
            self._topic(
                "Orders dispatched and not invoiced",
                "The sale is not in the books although the goods have left.",
                "finance",
                self._orders(dispatched, ~invoiced),
            ),
        )

    def refunds(self) -> tuple[Topic, ...]:
        """Refunds and credit notes that do not meet."""
        r, n = LANDED["stokly.refunds"], LANDED["stokly.credit_notes"]
        refunded = sa.select(r.c.credit_note_id).where(*self._live(r), r.c.credit_note_id.is_not(None))
        return (
            self._topic(
                "Refunds without a credit note",
                "The VAT of what was given back is still counted as owed.",
                "finance",
                sa.select(_named(r.c.number, r.c.refund_id), r.c.total, r.c.currency).where(
                    *self._live(r), r.c.credit_note_id.is_(None)
                ),
            ),
            self._topic(
                "Refunds that name no order",
                "They cannot be taken off any customer's value.",
                "finance",
                sa.select(_named(r.c.number, r.c.refund_id), r.c.total, r.c.currency).where(
                    *self._live(r), r.c.order_id.is_(None)
                ),
            ),
            self._topic(
                "Credit notes of an order that no refund belongs to",
                "Marketing systems keep the full value of the order.",
                "finance",
                sa.select(_named(n.c.number, n.c.credit_note_id), n.c.value, n.c.currency).where(
                    *self._live(n), n.c.order_id.is_not(None), n.c.credit_note_id.not_in(refunded)
                ),
            ),
        )

    def kept_back(self, catalogue: Catalogue) -> tuple[Topic, ...]:
        """What rules keep back, those with the most records first."""
        c = EXCEPTIONS.c
        query = sa.select(c.rule, c.key, c.value, c.currency).where(c.brand == self.brand, c.state == OPEN)
        keys: defaultdict[str, set[str]] = defaultdict(set)
        sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for rule, key, value, currency in self.conn.execute(query.order_by(c.rule, c.key)):
            if value is not None and key not in keys[rule]:
                sums[rule][currency or "?"] += value
            keys[rule].add(key)
        topics = [
            Topic(
                f"{code}: {catalogue[code].problem}",
                catalogue[code].advice,
                len(some),
                catalogue[code].owner.value,
                dict(sums[code]),
                tuple(sorted(some)[:EXAMPLES]),
            )
            for code, some in keys.items()
            if code in catalogue
        ]
        return tuple(sorted(topics, key=lambda topic: (-topic.records, topic.title)))

    def _orders(self, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
        o = LANDED["stokly.orders"]
        return sa.select(_named(o.c.number, o.c.order_id), o.c.total, o.c.currency).where(*self._live(o), *conditions)

    def _live(self, table: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
        return (table.c.brand == self.brand, table.c.live)

    def _one(self, query: sa.Select[Any]) -> int:
        return int(self.conn.execute(query).scalar_one())

    def _topic(self, title: str, why: str, owner: str, query: sa.Select[Any]) -> Topic:
        """Count the rows of a query of keys, or of keys, amounts and currencies."""
        records, sums, examples = 0, Counter[str](), list[str]()
        for key, *amount in self.conn.execution_options(yield_per=5_000).execute(
            query.order_by(sa.literal_column("1"))
        ):
            records += 1
            if amount and amount[0] is not None:
                sums[amount[1] or "?"] += int(amount[0])
            if len(examples) < EXAMPLES:
                examples.append(str(key))
        return Topic(title, why, records, owner, dict(sums), tuple(examples))


def _named(number: sa.ColumnElement[Any], key: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The number by which people know a record, else its key."""
    return sa.func.coalesce(number, key)
