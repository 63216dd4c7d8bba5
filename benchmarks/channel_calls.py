"""API calls that the sales channels and Stokly get for each other's records, beside the least that limits allow.

Counted by the sandboxes. A shop and a marketplace with goods and orders are read for the first time; the orders go to
Stokly, are dispatched, invoiced, cancelled and refunded there; parcels, refunds, products and stock go back; then a run
in which nothing has changed. The least: full pages of every list that a dataset needs (`READS` names what they need
beside), one write a record where the system takes them one by one, and one look for each full batch whose writes cannot
be repeated. What a system says of itself (currency, sources, schema, carriers, token) stands apart: it is asked for
once a day, or once a process.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import Any, Final

import requests

from benchmarks.context import Context
from benchmarks.results import Line, at_most
from stokly_sync.delivery.figures import PlanScope
from stokly_sync.demo.circle import refund_of
from stokly_sync.flow import Lane, Window
from stokly_sync.landing.figures import LandingFigures
from stokly_sync.landing.grid import STEP, floor
from stokly_sync.pipeline import work
from stokly_sync.pipeline.services import Services
from stokly_sync.sandbox.kit import encode
from stokly_sync.sandbox.magento.customers import add_customer
from stokly_sync.sandbox.magento.products import add_product
from stokly_sync.sandbox.magento.stock import put_source_item
from stokly_sync.sandbox.marketplacer.portal import Complaint, RawAdvert, RawVariant, complain, list_advert
from stokly_sync.sandbox.marketplacer.shopping import RawInvoice, RawLine, raw_invoice
from stokly_sync.sandbox.registry import build_systems
from stokly_sync.sandbox.seeds.account import DEFAULT_BINS, MAGENTO, MARKETPLACER, SHOP, WAREHOUSE
from stokly_sync.sandbox.seeds.items import SIMPLE, item_row
from stokly_sync.sandbox.seeds.rows import Product
from stokly_sync.sandbox.seeds.stock import stock_rows
from stokly_sync.sandbox.seeds.words import make_id, stamp
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync.systems.marketplacer import queries
from stokly_sync.systems.marketplacer.sending import known

TITLE: Final = "API calls of the sales channels beside the least possible"
MOST: Final = 1.05
GOODS: Final = 250
ORDERS: Final = 450
"""Orders in each channel: two pages of the marketplace, five of the shop, three batches into Stokly."""
REFUNDED: Final = 60
"""Orders refunded in the channel, and as many others in Stokly."""
CANCELLED: Final = 40
SYSTEMS: Final = ("stokly", "magento", "marketplacer")
RUN: Final = "bench"
_IDLE: Final = "stokly/marketplacer_customers"
"""The marketplace tells no customers apart: all of them are guests."""

READS: Final[Mapping[str, Callable[[Mapping[str, int]], int]]] = {
    # A shipment need not move its order, so a window of orders looks at the list of shipments too (`windows` is 1).
    "magento.orders": lambda n: _pages(n["magento.orders"], 100) + n["windows"],
    "magento.shipments": lambda n: _pages(n["magento.shipments"], 100),
    # Credit memos do not say which of their lines hold which; the lines of their orders do.
    "magento.refunds": lambda n: _pages(n["magento.refunds"], 100) + ceil(n["magento.refunds"] / 100),
    "magento.listings": lambda n: _pages(n["magento.listings"], 300),
    "magento.stock_levels": lambda n: _pages(n["magento.stock_levels"], 300),
    "marketplacer.orders": lambda n: _pages(n["marketplacer.orders"], 250),
    # Shipments and amendments are lists inside invoices, and refund requests a list of their own.
    "marketplacer.shipments": lambda n: _pages(n["marketplacer.orders"], 250),
    "marketplacer.refunds": lambda n: _pages(n["marketplacer.orders"], 250) + _pages(n["requests"], 250),
    "marketplacer.remittances": lambda n: 1,
    "marketplacer.listings": lambda n: _pages(n["marketplacer.listings"], 250),
    "marketplacer.stock_levels": lambda n: _pages(n["marketplacer.stock_levels"], 250),
}
"""The least calls of each dataset by the number of rows of each."""


@dataclass
class Count:
    """Calls that were made and the least there are, by what they were for."""

    made: dict[str, int] = field(default_factory=dict)
    least: dict[str, int] = field(default_factory=dict)

    def add(self, what: str, made: int, least: int) -> None:
        """Count some."""
        self.made[what] = self.made.get(what, 0) + made
        self.least[what] = self.least.get(what, 0) + least

    @property
    def ratio(self) -> float:
        """Calls made to calls needed."""
        return sum(self.made.values()) / max(sum(self.least.values()), 1)


def run(context: Context) -> list[Line]:
    """A first load of everything and a run with nothing changed; raises AssertionError where figures do not add up."""
    del context
    found: list[Line] = []
    with _market() as market:
        reading = {source: market.read_history(source) for source in SYSTEMS[1:]}
        into, back = market.round()
        quiet = market.nothing()
        apart = market.apart
    for source, count in reading.items():
        found += _lines(f"{source}, first reading of {GOODS} products and {ORDERS} orders", count)
    for what, count in {**into, **back}.items():
        found += _lines(what, count)
    found.append(Line("asked beside that once a day: schema, role, carriers; currency and sources", json.dumps(apart)))
    for source, count in quiet.items():
        found += _lines(f"{source}, nothing changed: a window read", count)
    return found


def _lines(what: str, count: Count) -> list[Line]:
    return [
        Line(f"{what}: calls", json.dumps(count.made)),
        Line(f"{what}: the least", json.dumps(count.least)),
        at_most(f"{what}: times the least", count.ratio, MOST),
    ]


class Market:
    """A warehouse between Stokly, a shop and a marketplace, and what happens there."""

    def __init__(self, services: Services, box: Sandbox) -> None:
        self.services, self.box = services, box
        self.apart: dict[str, int] = {}
        self._sizes: dict[str, int] = {"windows": 0, "requests": 0}
        self._numbers: dict[str, list[str]] = {}

    def open(self) -> None:
        """Put goods and orders there, and ask the systems what they say of themselves."""
        _stock_up(self.box)
        self._numbers = {"magento": _shop_orders(self.box), "marketplacer": _market_orders(self.box)}
        client = self.services.client("marketplacer", Lane.BULK)
        self.apart["marketplacer"] = self._counted(
            "marketplacer", lambda: (client.role, client.members, known(client, "shipmentCarriers", queries.CARRIERS))
        )
        work.land_history(self.services, "stokly", run_id=RUN, seconds=600)

    def read_history(self, source: str) -> Count:
        """Read the whole of a channel for the first time."""
        before = self._calls(source)
        figures, done = work.land_history(self.services, source, run_id=RUN, seconds=600)
        assert done, f"the history of {source} is not complete"
        made = self._calls(source) - before
        assert made == sum(one.api_calls for one in figures), "the metadata shows other calls than were made"
        self._sizes |= {one.dataset: one.read for one in figures}
        count, asked = Count(), self._asked(source)
        for one in figures:
            count.add(one.dataset, one.api_calls, READS[one.dataset](self._sizes))
        if source == "magento":  # Prices need the currency, which is asked for with the first product.
            count.made["magento.listings"] -= asked
            self.apart["magento"] = asked
        return count

    def round(self) -> tuple[dict[str, Count], dict[str, Count]]:
        """Orders, dispatches, invoices, cancellations and refunds, into Stokly and back; then products and stock."""
        into = {c: Count() for c in SYSTEMS[1:]}
        back = {c: Count() for c in SYSTEMS[1:]}
        for channel, count in into.items():
            self._load(count, f"stokly/{channel}_customers", f"stokly/{channel}_orders")
        self._dispatch()
        self._cancel()
        self._read("stokly", *SYSTEMS[1:])
        for channel in SYSTEMS[1:]:
            self._load(into[channel], f"stokly/{channel}_cancellations", f"stokly/{channel}_invoices")
            self._load(back[channel], f"{channel}/shipments")
        self._refund()
        self._read("stokly", *SYSTEMS[1:])
        for channel in SYSTEMS[1:]:
            self._load(into[channel], f"stokly/{channel}_refunds")
            self._load(back[channel], f"{channel}/refunds", f"{channel}/products", f"{channel}/stock")
        titles = {"magento": "the shop", "marketplacer": "the marketplace"}
        return (
            {f"from {titles[c]} into Stokly": count for c, count in into.items()},
            {f"from Stokly into {titles[c]}": count for c, count in back.items()},
        )

    def nothing(self) -> dict[str, Count]:
        """Everything once more: what came back is taken in, and then nothing has changed."""
        feeds = [f for s in SYSTEMS for f in self.services.declared.feeds_of(s)]
        for _ in range(2):
            self._read(*SYSTEMS)
            for feed in feeds:
                work.plan_feed(self.services, feed, PlanScope(), run_id=RUN)
                work.deliver_feed(self.services, feed, run_id=RUN)
        later = datetime.now(UTC) + timedelta(hours=2)
        found = {}
        for source in SYSTEMS[1:]:
            count = found[source] = Count()
            for extract in self.services.declared.extracts_of(source):
                read = self._land(extract.dataset, later)
                sizes = {**dict.fromkeys(self._sizes, 0), extract.dataset: read.read, "windows": 1}
                count.add(extract.dataset, read.api_calls, READS[extract.dataset](sizes))
            before = self._calls(source) + self._calls("stokly")
            for feed in feeds:
                if source in feed.id:
                    work.plan_feed(self.services, feed, PlanScope(), run_id=RUN)
                    work.deliver_feed(self.services, feed, run_id=RUN)
            count.add("loads", self._calls(source) + self._calls("stokly") - before, 0)
        return found

    def _read(self, *sources: str) -> None:
        for source in sources:
            for extract in self.services.declared.extracts_of(source):
                self._land(extract.dataset, datetime.now(UTC))

    def _land(self, dataset: str, at: datetime) -> LandingFigures:
        return work.land(self.services, dataset, Window(floor(at) - STEP, floor(at) + STEP), run_id=RUN)

    def _load(self, count: Count, *feeds: str) -> None:
        """Plan and send feeds; what the metadata of the load shows must be what was counted at the other side."""
        for name in feeds:
            feed = self.services.feed(name)
            plan = work.plan_feed(self.services, feed, PlanScope(), run_id=RUN)
            before = self._calls(feed.system)
            done = work.deliver_feed(self.services, feed, run_id=RUN)
            made = self._calls(feed.system) - before
            assert done.accepted == plan.to_send, f"{name}: {done.accepted} of {plan.to_send} were accepted: {done}"
            assert plan.to_send or name == _IDLE, f"{name}: nothing was planned: {plan}"
            assert made == done.api_calls, f"{name}: the metadata shows {done.api_calls} calls, {made} were made"
            count.add(name, made, done.least_calls)

    def _dispatch(self) -> None:
        """All orders but those that will be cancelled leave Stokly's warehouse, each with a parcel of its own."""
        parcels = [
            {"order": number, "courier": "Royal Mail", "trackingNumber": f"BENCH{place:06d}GB"}
            for place, number in enumerate(n for some in self._numbers.values() for n in some[:-CANCELLED])
        ]
        # What was just written cannot be seen for a moment.
        self._system("stokly").store.settle(everything=True)
        self._post("stokly", "dispatches", parcels)

    def _cancel(self) -> None:
        for number in self._numbers["magento"][-CANCELLED:]:
            asked = {"increment_id": number, "arguments": {"state": "canceled", "status": "canceled"}}
            self._post("magento", "orders/alter", asked)
        for number in self._numbers["marketplacer"][-CANCELLED:]:
            complain(self._system("marketplacer").operator, Complaint(invoice=int(number)))

    def _refund(self) -> None:
        """Some orders are refunded in their channel, and as many others in Stokly."""
        for number in self._numbers["magento"][:REFUNDED]:
            self._post("magento", "orders/refund", {"increment_id": number, "arguments": {}})
        for number in self._numbers["marketplacer"][:REFUNDED]:
            complain(self._system("marketplacer").operator, Complaint(invoice=int(number), dispatched=True))
        store = self._system("stokly").store
        wanted = {n for some in self._numbers.values() for n in some[REFUNDED : 2 * REFUNDED]}
        orders = [row for row in store.rows("saleorders") if row["sourceReferenceId"] in wanted]
        for order in orders:
            key = order["saleOrderId"]
            line = store.children("saleorders/items", key)[0]
            self._post("stokly", "mutations", refund_of(order, line, key=f"bench-{key}"))

    def _asked(self, source: str) -> int:
        rows = self.box.systems[source].calls.rows()
        return sum(int(row["calls"]) for row in rows if str(row["template"]).endswith("storeConfigs"))

    def _counted(self, system: str, act: Callable[[], object]) -> int:
        before = self._calls(system)
        act()
        return self._calls(system) - before

    def _calls(self, system: str) -> int:
        return self.box.systems[system].calls.count()

    def _system(self, name: str) -> Any:
        return self.box.systems[name]

    def _post(self, system: str, path: str, body: Any) -> Any:
        answer = requests.post(f"{self.box.urls[system]}/_sandbox/{path}", data=encode(body), timeout=600)
        answer.raise_for_status()
        return answer.json() if answer.content else None


def _pages(rows: int, size: int) -> int:
    return max(1, ceil(rows / size))


def _sku(number: int) -> str:
    return f"BENCH-{number:04d}"


def _stock_up(box: Sandbox) -> None:
    """The same goods everywhere; prices and stock of the channels are not what Stokly says."""
    systems: Mapping[str, Any] = box.systems
    puts: list[dict[str, Any]] = []
    created = stamp(datetime.now(UTC) - timedelta(days=100))
    for number in range(GOODS):
        sku = _sku(number)
        product = Product(make_id("item", sku), sku, f"Sample {number}")
        price = Decimal("7.50")
        row = item_row(product, format_=SIMPLE, type_name="Homeware", price=price, created=created, updated=created)
        puts.append({"op": "put", "collection": "items", "row": row})
        places = stock_rows(product, {(WAREHOUSE, DEFAULT_BINS[WAREHOUSE]): 1_000}, {})
        puts += [{"op": "put", "collection": "inventory-records", "row": row} for row in places]
        shop = systems["magento"]
        add_product(shop.store, {"sku": sku, "name": product.name, "price": Decimal(1)}, at=shop.now())
        put_source_item(shop.store, sku, "warehouse", quantity=Decimal(100), status=1)
        variant = RawVariant(sku=sku, count_on_hand=100, price=Decimal(1))
        list_advert(systems["marketplacer"].operator, RawAdvert(title=product.name, variants=[variant]))
    url = f"{box.urls['stokly']}/_sandbox/mutations"
    requests.post(url, data=encode(puts), timeout=600).raise_for_status()


def _shop_orders(box: Sandbox) -> list[str]:
    """Every other order is a guest's."""
    shop: Any = box.systems["magento"]
    buyers = []
    for number in range(ORDERS // 2):
        row = {"email": f"customer-{number}@example.com", "firstname": "Sample", "lastname": "Customer"}
        buyers.append(add_customer(shop.store, row, at=shop.now())["id"])
    baskets = [
        {
            "lines": [{"sku": _sku(number % GOODS)}],
            "paid": True,
            **({"customer_id": buyers[number // 2]} if number % 2 else {"email": f"guest-{number}@example.com"}),
        }
        for number in range(ORDERS)
    ]
    answer = requests.post(f"{box.urls['magento']}/_sandbox/orders/place-many", data=encode(baskets), timeout=600)
    answer.raise_for_status()
    return [str(row["increment_id"]) for row in answer.json()]


def _market_orders(box: Sandbox) -> list[str]:
    """Orders of the last days, because a history is read up to the running quarter of an hour."""
    call: Any = box.systems["marketplacer"].operator  # type: ignore[attr-defined]
    start = datetime.now(UTC) - timedelta(days=2)
    made = [
        raw_invoice(
            call,
            RawInvoice(
                lines=[RawLine(sku=_sku(number % GOODS))],
                email=f"shopper-{number}@example.com",
                created_at=start + timedelta(minutes=number),
            ),
        )
        for number in range(ORDERS)
    ]
    return [str(invoice.number) for invoice in made]


@contextmanager
def _market() -> Iterator[Market]:
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(systems=build_systems(SYSTEMS), seed="minimal", limits=False) as box,
    ):
        services = Services.open({**box.env, **_settings(Path(folder))})
        try:
            market = Market(services, box)
            market.open()
            yield market
        finally:
            services.close()


def _settings(folder: Path) -> dict[str, str]:
    file = folder / "stokly_sync.toml"
    file.write_text(
        f'[stokly.magento]\nchannel_id = "{MAGENTO.channel_id}"\n'
        f'[stokly.marketplacer]\nchannel_id = "{MARKETPLACER.channel_id}"\n',
        "utf-8",
    )
    return {
        "STOKLY_SYNC_CONFIG": str(file),
        "STOKLY_SYNC_DATABASE_URL": f"sqlite:///{folder / 'channels.db'}",
        "STOKLY_RATE_PER_MINUTE": "60000",
        "MAGENTO_RATE_PER_MINUTE": "60000",
        "MAGENTO_LOCATIONS": f'{{"{WAREHOUSE}": "warehouse", "{SHOP}": "shop"}}',
        "MAGENTO_REFUNDS": "create",
        "MAGENTO_CARRIERS": '{"royal mail": {"code": "royalmail"}}',
        "MAGENTO_STOCK_WITHOUT_ORDERS": "buffer",
        "MARKETPLACER_RATE": "75",
        "MARKETPLACER_PRICE_TAX_RATE": "20",
        "MARKETPLACER_CHANNELS": f'["{MARKETPLACER.channel_id}"]',
        "MARKETPLACER_DEFAULT_CARRIER": "Royal Mail",
        "MARKETPLACER_REFUNDS": "create",
        "MARKETPLACER_STOCK_WHEN_LATE": "buffer",
    }
