"""The `minimal` seed: two items, two customers, two orders, one refund and one dispatch, all clean.

Belongs here: the smallest account in which every kind of record appears. For tests that want to see the
whole of it at a glance.
"""

from datetime import date, timedelta
from decimal import Decimal

from stokly_sync.sandbox.seeds.account import DEFAULT_BINS, MAGENTO, WAREHOUSE, account_tables
from stokly_sync.sandbox.seeds.demo_customers import Buyer, buyer_of, customer_row
from stokly_sync.sandbox.seeds.demo_orders import Basket, OrderBook
from stokly_sync.sandbox.seeds.demo_refunds import add_refund
from stokly_sync.sandbox.seeds.demo_tables import CatalogueItem, Place
from stokly_sync.sandbox.seeds.items import SIMPLE, Levels, item_row
from stokly_sync.sandbox.seeds.model import Row, Seed
from stokly_sync.sandbox.seeds.rows import Product
from stokly_sync.sandbox.seeds.stock import stock_rows
from stokly_sync.sandbox.seeds.words import make_id, midnight, stamp

PLACE = Place("Leeds", "West Yorkshire", "LS1 0AA", "GB", "GBP", 1)


def minimal_seed(today: date) -> Seed:
    """Orders `today` minus ten days (dispatched, partly refunded) and minus one day (open)."""
    created = midnight(today, days=-100)
    customers = [customer_row(number, PLACE, created=stamp(created)) for number in (101, 102)]
    goods = [_item("MUG", "Mug", "7.50"), _item("PLATE", "Plate", "9.991666667")]
    book = OrderBook(catalogue={item.sku: item for item in goods})
    buyers: list[Buyer] = [buyer_of(row, PLACE) for row in customers]
    lines = [(goods[0], 2), (goods[1], 1)]
    older = midnight(today, days=-10) + timedelta(hours=12)
    first = book.add(Basket(MAGENTO, buyers[0], lines, older, "whole"))
    book.add(Basket(MAGENTO, buyers[1], lines[:1], midnight(today, days=-1) + timedelta(hours=12)))
    add_refund(book, first, first.top_lines[:1], full=False, reason="Damaged in transit")
    items = [_row(item, book.sold.get(item.sku, 0), stamp(created)) for item in goods]
    bin_ = (WAREHOUSE, DEFAULT_BINS[WAREHOUSE])
    stock = [row for item in goods for row in stock_rows(item.product, {bin_: item.warehouse}, {})]
    tables = {"customers": customers, "items": items, "inventory-records": stock, **book.tables}
    return Seed(name="minimal", collections={**account_tables(), **tables})


def _item(sku: str, name: str, price: str) -> CatalogueItem:
    product = Product(make_id("item", sku), sku, name)
    return CatalogueItem(product, "simple", "Homeware", Decimal(price), "", "", "", (), 20, 0)


def _row(item: CatalogueItem, sold: int, at: str) -> Row:
    return item_row(
        item.product,
        format_=SIMPLE,
        type_name=item.type_name,
        price=item.price,
        created=at,
        updated=at,
        levels=Levels(on_hand=item.warehouse, sold=sold),
    )
