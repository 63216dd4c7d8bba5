"""The `demo` seed: a small made-up retailer over the last 90 days, with every defect planted.

Belongs here: putting the parts together, and the odd but allowed orders. The same day gives the same
data, id by id. About 60 items, 300 customers and 1,500 orders, all before `today`.
"""

from datetime import date, timedelta
from random import Random

from stokly_sync.sandbox.seeds.account import MAGENTO, MANUAL, TILL, account_tables
from stokly_sync.sandbox.seeds.demo_catalogue import catalogue_tables
from stokly_sync.sandbox.seeds.demo_customers import Buyer, People, guest, make_people
from stokly_sync.sandbox.seeds.demo_defects import Garden, plant
from stokly_sync.sandbox.seeds.demo_orders import Basket, Market, OrderBook, ordinary_baskets
from stokly_sync.sandbox.seeds.demo_refunds import add_refunds
from stokly_sync.sandbox.seeds.demo_tables import Place, read_items, read_places
from stokly_sync.sandbox.seeds.model import Seed
from stokly_sync.sandbox.seeds.words import midnight

_DRAW = 20260101
ORDINARY_ORDERS = 1480
BIG_ORDER_LINES = 60


def demo_seed(today: date) -> Seed:
    """The demo's account as it stands at the start of `today`, UTC.

    Raises:
        FileNotFoundError: if the tables under `data/demo` are not there.
    """
    random = Random(_DRAW)
    items, places = read_items(), read_places()
    people = make_people(places, today=today, random=random)
    book = OrderBook(catalogue={item.sku: item for item in items})
    goods = [item for item in items if item.stocked]
    market = Market(
        buyers=people.buyers,
        places=places,
        goods=goods,
        extras=[item for item in items if item.format == "service"],
        today=today,
    )
    baskets = ordinary_baskets(market, count=ORDINARY_ORDERS, random=random)
    for basket in sorted([*baskets, *_odd_baskets(people, market)], key=lambda basket: basket.created):
        book.add(basket)
    add_refunds(book, today=today, random=random)
    tables = catalogue_tables(items, sold=book.sold, today=today)
    garden = Garden(
        book=book,
        items=tables["items"],
        customers=people.rows,
        buyer=_at_home(people.buyers),
        place=places[0],
        goods=[item for item in goods if item.format == "simple" and item.price],
        start=midnight(today, days=-40) + timedelta(hours=8),
    )
    planted = plant(garden)
    collections = {**account_tables(), **people.tables(), **tables, **book.tables}
    return Seed(name="demo", collections=collections, planted=planted)


def _at_home(buyers: list[Buyer]) -> Buyer:
    return next(buyer for buyer in buyers if buyer.place.country == "GB" and not buyer.trade)


def _odd_baskets(people: People, market: Market) -> list[Basket]:
    """Orders that look odd and are right: sixty lines, no value, no e-mail, other currencies."""
    goods, places = market.goods, market.places
    noon = midnight(market.today, days=-30) + timedelta(hours=12)
    by_sku = {item.sku: item for item in goods}
    long = [(goods[place % len(goods)], 1 + place // len(goods)) for place in range(BIG_ORDER_LINES)]
    free = [(by_sku["SAMPLE-FABRIC"], 1)]
    fine = [(by_sku["LAMP/OAK"], 3), (by_sku["TOWEL-BATH"], 2), (by_sku['FRAME 8"x10"'], 1)]
    bundle = [(by_sku["GIFTBOX-TEA"], 2), (by_sku["00417"], 1)]
    abroad = {place.currency: place for place in places}
    return [
        Basket(MANUAL, people.buyers[0], long, noon, "whole"),
        Basket(MAGENTO, _at_home(people.buyers), free, noon + timedelta(hours=1), "whole"),
        Basket(MAGENTO, _at_home(people.buyers), fine, noon + timedelta(hours=2), "in_two"),
        Basket(MAGENTO, _at_home(people.buyers), bundle, noon + timedelta(hours=3), "whole"),
        Basket(MAGENTO, guest(90001, abroad["EUR"], email=True), fine, noon + timedelta(hours=4), "whole"),
        Basket(MAGENTO, guest(90002, abroad["USD"], email=True), fine, noon + timedelta(hours=5), "whole"),
        Basket(MAGENTO, _guest_without_email(places), fine, noon + timedelta(hours=6), "whole"),
        Basket(TILL, None, fine, noon + timedelta(hours=7), "collected"),
        *(Basket(MAGENTO, buyer, bundle, noon + timedelta(hours=8), "whole") for buyer in people.buyers[-2:]),
    ]


def _guest_without_email(places: list[Place]) -> Buyer:
    return guest(90003, places[0], email=False)
