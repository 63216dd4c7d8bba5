"""The demo's sale orders with lines, payments, dispatches and invoices.

Belongs here: who buys what, when, through which channel, and how far the order has got. All orders made
here are clean; defects are planted by `demo_defects`. Source: Stokly API contract 3.2, 3.3, 4.2, 5.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Literal

from stokly_sync.sandbox.seeds.account import MAGENTO, MANUAL, MARKETPLACER, SHOP, TILL, WAREHOUSE, Channel
from stokly_sync.sandbox.seeds.demo_customers import Buyer, guest
from stokly_sync.sandbox.seeds.demo_tables import CatalogueItem, Place
from stokly_sync.sandbox.seeds.model import Row
from stokly_sync.sandbox.seeds.rows import (
    VAT,
    OrderHead,
    Pricing,
    component_line,
    dispatch_rows,
    invoice_rows,
    order_line,
    order_row,
    payment_row,
)
from stokly_sync.sandbox.seeds.words import ZERO, cents, make_id, midnight, stamp

Progress = Literal["open", "whole", "in_two", "in_part", "collected"]

RATES = {"GBP": Decimal(1), "EUR": Decimal("1.15"), "USD": Decimal("1.27")}
COURIERS = ("Royal Mail", "DPD", "DHL")
TRADE_SHARE = Decimal("0.9")
SHIPPING, FREE_SHIPPING_FROM = Decimal("3.95"), Decimal(50)


@dataclass(frozen=True)
class Basket:
    """One order to be made: what, by whom, where, when, and how far it has got."""

    channel: Channel
    buyer: Buyer | None
    lines: Sequence[tuple[CatalogueItem, int]]
    created: datetime
    progress: Progress = "open"
    payment_status: str = "paid"
    tags: Sequence[str] = ()
    stage: str = "order"


@dataclass
class Made:
    """An order's rows as they stand in the tables; changing them changes the seed."""

    order: Row
    lines: list[Row]
    basket: Basket

    @property
    def top_lines(self) -> list[Row]:
        """The lines without the components of composites."""
        return [line for line in self.lines if "parentId" not in line]


@dataclass
class OrderBook:
    """All orders made so far. `tables` are the collections; `sold` counts open quantities by SKU."""

    catalogue: dict[str, CatalogueItem]
    tables: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    sold: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    made: list[Made] = field(default_factory=list)

    def add(self, basket: Basket) -> Made:
        """Make one order and all that belongs to it."""
        number = len(self.made) + 1
        head = _head(number, basket)
        lines = self._lines(head, basket)
        order = order_row(replace(head, shipping=_shipping(basket, lines, head.pricing)), lines)
        made = Made(order, lines, basket)
        self.made.append(made)
        self.tables["saleorders"].append(order)
        if basket.payment_status == "paid":
            self.tables["saleorders/payments"].append(payment_row(order))
        for line in lines:
            if line["status"] == "unprocessed":
                self.sold[line["itemSku"]] += line["quantity"]
        self._fulfil(made, head.updated)
        self.tables["saleorders/items"] += lines
        return made

    def _lines(self, head: OrderHead, basket: Basket) -> list[Row]:
        lines: list[Row] = []
        for place, (item, quantity) in enumerate(basket.lines):
            price, discount = _price(item, basket, head.pricing)
            line = order_line(
                make_id("line", (head.order_id, place)),
                head.order_id,
                item.product,
                quantity=quantity,
                price=price,
                pricing=head.pricing,
                status=_status(basket.progress, place, len(basket.lines)),
                fulfilment="none" if basket.channel is TILL else "delivery",
                discount=discount,
            )
            parts = [(self.catalogue[sku].product, each) for sku, each in item.parts]
            lines += [line, *(component_line(line, product, quantity=each) for product, each in parts)]
        return lines

    def _fulfil(self, made: Made, at: datetime) -> None:
        done = [line for line in made.top_lines if line["status"] in ("dispatched", "collected")]
        if done:
            number = len(self.tables["invoices"]) + 1
            invoice, items = invoice_rows(made.order, done, number=number, at=at)
            self.tables["invoices"].append(invoice)
            self.tables["invoices/items"] += items
        goods = [line for line in done if line["status"] == "dispatched" and self.catalogue[line["itemSku"]].stocked]
        middle = (len(goods) + 1) // 2 if made.basket.progress == "in_two" else len(goods)
        self.dispatch(made, goods[:middle], part=1, at=at)
        self.dispatch(made, goods[middle:], part=2, at=at)

    def dispatch(self, made: Made, lines: Sequence[Row], *, part: int, at: datetime) -> Row | None:
        """Dispatch these lines of an order; the second part leaves six hours after the first."""
        if not lines:
            return None
        number = len(self.tables["dispatches"]) + 1
        dispatch, items = dispatch_rows(
            made.order,
            lines,
            number=number,
            part=part,
            courier=COURIERS[number % len(COURIERS)],
            at=at if part == 1 else at + timedelta(hours=6),
        )
        made.order["updatedAt"] = max(made.order["updatedAt"], dispatch["dispatchedAt"])
        self.tables["dispatches"].append(dispatch)
        self.tables["dispatches/items"] += items
        return dispatch


def _head(number: int, basket: Basket) -> OrderHead:
    created, buyer, channel = basket.created, basket.buyer, basket.channel
    moved = {"open": timedelta(minutes=5), "collected": timedelta(minutes=1)}
    return OrderHead(
        key=("demo", number),
        nice_id=30000 + number,
        channel=channel,
        reference=SHOP if channel is TILL else f"{channel.type}{100000 + number}",
        created=created,
        updated=created + moved.get(basket.progress, timedelta(hours=30)),
        location=SHOP if channel is TILL else WAREHOUSE,
        pricing=_pricing(buyer),
        buyer=buyer.members if buyer else {},
        address=buyer.address if buyer and channel is not TILL else {},
        stage=basket.stage,
        payment_status=basket.payment_status,
        tags=basket.tags,
        extra={"customerReference": f"PO-{number}"} if channel is MANUAL else {},
    )


def _pricing(buyer: Buyer | None) -> Pricing:
    if buyer is None or buyer.place.country == "GB":
        return Pricing()
    currency = buyer.place.currency
    return Pricing(currency=currency, rate=RATES[currency], tax=ZERO)


def _price(item: CatalogueItem, basket: Basket, pricing: Pricing) -> tuple[Decimal, Decimal]:
    """A unit's net price and discount; trade pays nine tenths, other currencies are converted to cents."""
    listed = item.price or ZERO
    if pricing.rate != 1:
        listed = cents(listed * pricing.rate)
    if basket.channel is MANUAL:
        paid = cents(listed * TRADE_SHARE)
        return paid, listed - paid
    return listed, ZERO


def _shipping(basket: Basket, lines: Sequence[Row], pricing: Pricing) -> Decimal:
    subtotal = sum((line["displayLinePrice"] for line in lines), ZERO)
    if basket.channel not in (MAGENTO, MARKETPLACER) or not 0 < subtotal < FREE_SHIPPING_FROM:
        return ZERO
    return cents(SHIPPING * pricing.rate)


def _status(progress: Progress, place: int, count: int) -> str:
    if progress == "open" or (progress == "in_part" and place >= count / 2):
        return "unprocessed"
    return "collected" if progress == "collected" else "dispatched"


@dataclass(frozen=True)
class Market:
    """What the draw of ordinary orders is made from."""

    buyers: list[Buyer]
    places: list[Place]
    goods: list[CatalogueItem]
    extras: list[CatalogueItem]
    today: date


def ordinary_baskets(market: Market, *, count: int, random: Random) -> list[Basket]:
    """So many clean orders over the 90 days up to yesterday, in the order of their time."""
    first = midnight(market.today, days=-90)
    minutes = sorted(random.randint(0, 90 * 24 * 60 - 10) for _ in range(count))
    return [
        _ordinary(market, first + timedelta(minutes=minute, seconds=number % 60), number, random)
        for number, minute in enumerate(minutes, start=1)
    ]


def _ordinary(market: Market, created: datetime, number: int, random: Random) -> Basket:
    channel = random.choices((MAGENTO, MARKETPLACER, TILL, MANUAL), (55, 12, 20, 13))[0]
    buyer = _buyer(market, channel, number, random)
    most = 8 if channel is MANUAL else 4
    chosen = random.sample(market.goods, random.randint(1, most))
    lines = [(item, random.randint(1, 12 if channel is MANUAL else 3)) for item in chosen]
    if channel is MAGENTO and random.random() < 0.1:
        lines.append((random.choice(market.extras), 1))
    return Basket(_open_to(buyer, channel), buyer, lines, created, _progress(channel, created, market.today, random))


def _open_to(buyer: Buyer | None, channel: Channel) -> Channel:
    """The channel, or the web shop for buyers abroad: a marketplace is an instance with one currency."""
    abroad = channel is MARKETPLACER and buyer is not None and buyer.place.country != "GB"
    return MAGENTO if abroad else channel


def _buyer(market: Market, channel: Channel, number: int, random: Random) -> Buyer | None:
    if channel is TILL:
        return None
    if channel is MANUAL:
        return random.choice([buyer for buyer in market.buyers if buyer.trade])
    if random.random() < 0.2:
        place = random.choices(market.places, [place.weight for place in market.places])[0]
        return guest(number, place, email=random.random() < 0.9)
    return random.choice([buyer for buyer in market.buyers if not buyer.trade])


def _progress(channel: Channel, created: datetime, today: date, random: Random) -> Progress:
    if channel is TILL:
        return "collected"
    if midnight(today) - created < timedelta(days=2):
        return "open"
    progress: Progress = random.choices(("whole", "in_two", "in_part"), (90, 6, 4))[0]
    return progress


def tax_rate(order: Row) -> Decimal:
    """The VAT rate of an order made here: 20 % in the account's own currency, else none."""
    return VAT if order["currency"] == "GBP" else ZERO


def at(order: Row) -> datetime:
    """When the order was placed, UTC."""
    return datetime.fromisoformat(order["createdAt"])


def move_update(order: Row, moment: datetime) -> None:
    """Let an order's update time be no earlier than a moment."""
    order["updatedAt"] = max(order["updatedAt"], stamp(moment))
