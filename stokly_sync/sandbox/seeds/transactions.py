"""The seed made from a retail transactions file, every row of it accounted for.

An invoice of digits is a sale order of its lines with positive quantity; its lines with negative quantity
are stock write-offs. `C...` invoices are refunds or credit notes (`retail_refunds`), `A...` invoices bad
debt, excluded by name. No customer means a guest order. Unit prices are net; VAT is 20 % for the United
Kingdom and none elsewhere, rounded half-even to two places a line, so that a line's total is
`round2(price x quantity) + round2(price x quantity x rate)`. All orders are paid; those older than two
days are dispatched. Everything is in GBP and UTC, with dates shifted so that the last day is yesterday.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from stokly_sync.sandbox.seeds.account import DEFAULT_BINS, MAGENTO, WAREHOUSE, account_tables
from stokly_sync.sandbox.seeds.items import SIMPLE, Levels, item_row
from stokly_sync.sandbox.seeds.model import Row, RowReport, Seed
from stokly_sync.sandbox.seeds.retail_file import COUNTRIES, Entry, is_service, read_entries
from stokly_sync.sandbox.seeds.retail_refunds import Credits, SalesIndex, credit
from stokly_sync.sandbox.seeds.rows import (
    VAT,
    OrderHead,
    Pricing,
    Product,
    dispatch_rows,
    order_line,
    order_row,
    payment_row,
)
from stokly_sync.sandbox.seeds.stock import stock_rows
from stokly_sync.sandbox.seeds.words import ZERO, make_id, midnight, stamp

HOME = "United Kingdom"
DISPATCH_AFTER = timedelta(days=2)
COURIER = "Royal Mail"


@dataclass
class _Sorted:
    """The entries by what they are, in the file's order."""

    orders: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    credits: list[Entry] = field(default_factory=list)
    write_offs: list[Entry] = field(default_factory=list)
    excluded: dict[str, int] = field(default_factory=lambda: defaultdict(int))


@dataclass
class _Books:
    """What grows while the orders are made."""

    products: dict[str, Product]
    ends: datetime
    tables: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    sales: SalesIndex = field(default_factory=SalesIndex)
    dispatched: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    open: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def load_transactions(path: Path, today: date) -> Seed:
    """The Stokly account that a transactions file tells of; see the module for the mapping.

    Args:
        path: the file, CSV or gzip-compressed CSV, in the layout of UCI Online Retail.
        today: the day after the last day of business.

    Raises:
        TransactionsFileError: if the file cannot be read.
    """
    return seed_of(read_entries(path, today=today), today=today)


def seed_of(entries: Sequence[Entry], *, today: date) -> Seed:
    """The account that these entries tell of; their dates are taken as they are."""
    chosen = _sort(entries)
    books = _Books(products=_products(entries), ends=midnight(today))
    for number, (invoice, lines) in enumerate(_by_time(chosen.orders), start=1):
        _add_order(books, number, invoice, lines)
    given_back = Credits()
    for entry in sorted(chosen.credits, key=lambda entry: (entry.at, entry.invoice)):
        credit(entry, books.sales, given_back, rate=_rate(entry))
    collections = {
        **account_tables(),
        "customers": _customers(entries),
        **_catalogue(books, entries, given_back, chosen.write_offs),
        **books.tables,
        "refunds": list(given_back.refunds.values()),
        "refunds/items": given_back.refund_items,
        "credit-notes": list(given_back.credit_notes.values()),
    }
    report = RowReport(
        rows=len(entries),
        order_lines=sum(len(lines) for lines in chosen.orders.values()),
        refund_lines=given_back.refund_lines,
        credit_note_lines=given_back.credit_note_lines,
        write_off_lines=len(chosen.write_offs),
        excluded=dict(chosen.excluded),
    )
    return Seed(name="file", collections=collections, report=report)


def _sort(entries: Iterable[Entry]) -> _Sorted:
    found = _Sorted()
    for entry in entries:
        if entry.is_bad_debt:
            found.excluded["bad_debt"] += 1
        elif entry.quantity == 0:
            found.excluded["zero_quantity"] += 1
        elif entry.is_credit:
            if entry.quantity < 0:
                found.credits.append(entry)
            else:
                found.excluded["credit_of_positive_quantity"] += 1
        elif entry.quantity < 0:
            found.write_offs.append(entry)
        elif entry.invoice.isdigit():
            found.orders[entry.invoice].append(entry)
        else:
            found.excluded["unknown_kind_of_invoice"] += 1
    return found


def _by_time(orders: dict[str, list[Entry]]) -> list[tuple[str, list[Entry]]]:
    return sorted(orders.items(), key=lambda pair: (min(entry.at for entry in pair[1]), pair[0]))


def _rate(entry: Entry) -> Decimal:
    return VAT if entry.country == HOME else ZERO


def _products(entries: Iterable[Entry]) -> dict[str, Product]:
    """One product a SKU, named by its first priced row: unpriced ones are described as `damaged` or `?`."""
    priced: dict[str, str] = {}
    described: dict[str, str] = {}
    skus: dict[str, None] = {}
    for entry in entries:
        if entry.is_bad_debt:
            continue
        skus[entry.sku] = None
        if entry.description:
            described.setdefault(entry.sku, entry.description)
            if entry.price > 0:
                priced.setdefault(entry.sku, entry.description)
    return {sku: Product(make_id("item", sku), sku, priced.get(sku) or described.get(sku) or sku) for sku in skus}


def _add_order(books: _Books, number: int, invoice: str, entries: list[Entry]) -> None:
    first, created = entries[0], min(entry.at for entry in entries)
    shipped = books.ends - created > DISPATCH_AFTER
    head = OrderHead(
        key=invoice,
        nice_id=number,
        channel=MAGENTO,
        reference=invoice,
        created=created,
        updated=created + timedelta(days=1) if shipped else created,
        location=WAREHOUSE,
        pricing=Pricing(tax=_rate(first)),
        buyer=_buyer(first),
        address=_address(first),
    )
    order_id = head.order_id
    lines = [
        order_line(
            make_id("line", (invoice, place)),
            order_id,
            books.products[entry.sku],
            quantity=entry.quantity,
            price=entry.price,
            pricing=head.pricing,
            status="dispatched" if shipped else "unprocessed",
        )
        for place, entry in enumerate(entries)
    ]
    order = order_row(head, lines)
    if first.customer:
        books.sales.add(first.customer, created, order, lines)
    _book(books, order, lines, shipped_at=head.updated if shipped else None)


def _book(books: _Books, order: Row, lines: list[Row], *, shipped_at: datetime | None) -> None:
    tables = books.tables
    tables["saleorders"].append(order)
    tables["saleorders/items"] += lines
    tables["saleorders/payments"].append(payment_row(order))
    moved = books.open if shipped_at is None else books.dispatched
    for line in lines:
        moved[line["itemSku"]] += line["quantity"]
    goods = [line for line in lines if not is_service(line["itemSku"])]
    if shipped_at is not None and goods:
        dispatch, items = dispatch_rows(
            order, goods, number=len(tables["dispatches"]) + 1, part=1, courier=COURIER, at=shipped_at
        )
        tables["dispatches"].append(dispatch)
        tables["dispatches/items"] += items


def _buyer(entry: Entry) -> Row:
    if not entry.customer:
        return {}
    return {
        "customerId": make_id("customer", entry.customer),
        "customerName": f"Customer {entry.customer}",
        "customerEmail": _email(entry.customer),
    }


def _address(entry: Entry) -> Row:
    country = COUNTRIES.get(entry.country)
    return {} if country is None else {"billingAddressCountry": country, "shippingAddressCountry": country}


def _email(customer: str) -> str:
    return f"customer-{customer}@example.com"


def _customers(entries: Iterable[Entry]) -> list[Row]:
    """One customer a number, with the time of its first row and the country of its last."""
    rows: dict[str, Row] = {}
    for entry in entries:
        if not entry.customer or entry.is_bad_debt:
            continue
        row = rows.get(entry.customer)
        if row is None:
            row = rows[entry.customer] = {
                "customerId": make_id("customer", entry.customer),
                "niceId": len(rows) + 1,
                "barcode": entry.customer,
                "name": f"Customer {entry.customer}",
                "fullName": f"Customer {entry.customer}",
                "type": 0,
                "status": 1,
                "email": _email(entry.customer),
                "accountBalance": 0,
                "createdAt": stamp(entry.at),
                "updatedAt": stamp(entry.at),
            }
        if entry.country in COUNTRIES:
            row["billingAddressCountry"] = COUNTRIES[entry.country]
    return list(rows.values())


def _catalogue(
    books: _Books, entries: Iterable[Entry], given_back: Credits, write_offs: Iterable[Entry]
) -> dict[str, list[Row]]:
    """Items and their stock; a SKU opens with what it dispatched and a stable reserve of up to 300."""
    prices = {entry.sku: entry.price for entry in entries if entry.price > 0 and not entry.is_credit}
    written_off: dict[str, int] = defaultdict(int)
    for entry in write_offs:
        written_off[entry.sku] += entry.quantity
    created = stamp(min(entry.at for entry in entries))
    items: list[Row] = []
    stock: list[Row] = []
    for sku, product in books.products.items():
        service = is_service(sku)
        reserve = int(product.item_id[:4], 16) % 301
        on_hand = 0 if service else reserve + given_back.returned[sku] + written_off[sku]
        items.append(
            item_row(
                product,
                format_=SIMPLE,
                type_name="Service" if service else "Gifts",
                price=prices.get(sku),
                created=created,
                updated=created,
                levels=Levels(on_hand=on_hand, sold=0 if service else books.open[sku]),
            )
        )
        if not service:
            stock += stock_rows(product, {(WAREHOUSE, DEFAULT_BINS[WAREHOUSE]): on_hand}, {})
    return {"items": items, "inventory-records": stock}
