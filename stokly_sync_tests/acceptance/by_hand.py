"""What a retail transactions file says, worked out with csv and decimal alone.

An independent witness: it imports nothing of the product and nothing of its sandboxes, so that both can be held against
it. It follows the words of the requirement: an invoice of digits is an order of its lines with positive quantity, net
prices, 20 % VAT in the United Kingdom and none elsewhere; `C` invoices are taken off the same customer's latest earlier
order that still has so much of that SKU, else they are credit notes; `A` invoices are left out.

`python by_hand.py FILE` prints the figures.
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

PENNY = Decimal("0.01")
SERVICES = {"POST", "DOT", "M", "D", "S", "C2", "BANK CHARGES", "AMAZONFEE", "CRUK", "PADS"}


@dataclass
class Order:
    invoice: str
    customer: str
    at: str
    total: Decimal = Decimal(0)
    goods: bool = False
    left: dict[str, int] = field(default_factory=lambda: defaultdict(int))


@dataclass
class Books:
    """Orders by invoice; refunds as (credit invoice, invoice, time, amount), one for each pair; all gross, in GBP."""

    lines: int = 0
    orders: dict[str, Order] = field(default_factory=dict)
    refunds: dict[tuple[str, str], tuple[str, Decimal]] = field(default_factory=dict)
    credit_notes: dict[str, Decimal] = field(default_factory=dict)
    customers: set[str] = field(default_factory=set)
    skus: set[str] = field(default_factory=set)

    def total(self, *, without: Collection[str] = ()) -> Decimal:
        """What all orders come to, less those of some invoices."""
        return sum((o.total for o in self.orders.values() if o.invoice not in without), Decimal(0))

    def too_much(self) -> set[tuple[str, str]]:
        """Refunds by which more than an order's total, and a penny, would be given back; the later ones."""
        given: dict[str, Decimal] = defaultdict(Decimal)
        found = set()
        for (credit, invoice), (_, amount) in sorted(self.refunds.items(), key=lambda item: item[1][0]):
            given[invoice] += amount
            if given[invoice] > self.orders[invoice].total + PENNY:
                found.add((credit, invoice))
        return found

    def refunded(self, *, without: Collection[str] = ()) -> Decimal:
        """What is given back on orders, less those of some invoices and less what is too much."""
        over = self.too_much()
        kept = (
            amount
            for (credit, invoice), (_, amount) in self.refunds.items()
            if invoice not in without and (credit, invoice) not in over
        )
        return sum(kept, Decimal(0))


def read(path: Path) -> Books:
    """Work a file out; gzip where its name ends so."""
    text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    books = Books(lines=len(rows))
    for row in rows:
        _sell(books, row)
    given_back = [row for row in rows if row["InvoiceNo"].upper().startswith("C") and int(row["Quantity"]) < 0]
    for row in sorted(given_back, key=lambda row: (row["InvoiceDate"], row["InvoiceNo"].upper())):
        _give_back(books, row)
    return books


def _sell(books: Books, row: dict[str, str]) -> None:
    invoice = row["InvoiceNo"].upper()
    if invoice.startswith("A"):
        return
    books.skus.add(_sku(row))
    if _customer(row):
        books.customers.add(_customer(row))
    if not invoice.isdigit() or int(row["Quantity"]) <= 0:
        return
    order = books.orders.setdefault(invoice, Order(invoice, _customer(row), row["InvoiceDate"]))
    order.at = min(order.at, row["InvoiceDate"])
    order.total += _gross(row)
    order.left[_sku(row)] += int(row["Quantity"])
    order.goods = order.goods or not _is_service(_sku(row))


def _give_back(books: Books, row: dict[str, str]) -> None:
    credit, sku, wanted = row["InvoiceNo"].upper(), _sku(row), -int(row["Quantity"])
    fitting = [
        order
        for order in books.orders.values()
        if _customer(row)
        and order.customer == _customer(row)
        and order.at < row["InvoiceDate"]
        and order.left.get(sku, 0) >= wanted
    ]
    amount = -_gross(row)
    if not fitting:
        books.credit_notes[credit] = books.credit_notes.get(credit, Decimal(0)) + amount
        return
    order = max(fitting, key=lambda one: (one.at, one.invoice))
    order.left[sku] -= wanted
    _, so_far = books.refunds.get((credit, order.invoice), ("", Decimal(0)))
    books.refunds[credit, order.invoice] = (row["InvoiceDate"], so_far + amount)


def _gross(row: dict[str, str]) -> Decimal:
    """Net and VAT of a line, each rounded half-even to the penny."""
    net = Decimal(row["UnitPrice"]) * int(row["Quantity"])
    rate = Decimal("0.2") if row["Country"] == "United Kingdom" else Decimal(0)
    return net.quantize(PENNY, ROUND_HALF_EVEN) + (net * rate).quantize(PENNY, ROUND_HALF_EVEN)


def _sku(row: dict[str, str]) -> str:
    return row["StockCode"].strip().upper()


def _customer(row: dict[str, str]) -> str:
    return row["CustomerID"].strip().removesuffix(".0")


def _is_service(sku: str) -> bool:
    return sku in SERVICES or sku.startswith("GIFT_")


if __name__ == "__main__":
    found = read(Path(sys.argv[1]))
    sys.stdout.write(
        f"{found.lines} lines: {len(found.orders)} orders of {found.total()} GBP, "
        f"{len(found.refunds)} refunds of {found.refunded()} GBP (beside {len(found.too_much())} that are too much), "
        f"{len(found.credit_notes)} credit notes of {sum(found.credit_notes.values())} GBP, "
        f"{len(found.customers)} customers, {len(found.skus)} SKUs\n"
    )
