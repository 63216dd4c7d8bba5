"""The sales channels on the bench: items of Stokly become what is listed there, dispatches become shipments.

A shop is never empty: its office has listed everything before Stokly says what it is called and costs. So a record of
`main` is held once the listing has Stokly's word, and a record of `follows` comes to be by an order that was placed
there, taken over, and sent by Stokly. What a shop changes itself (stock, times) is no part of what is compared.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final, cast
from zlib import crc32

from stokly_sync.sandbox.kit import Clock, Fault, SandboxSystem
from stokly_sync.sandbox.magento import MagentoSandbox
from stokly_sync.sandbox.magento.figures import stamp as shop_time
from stokly_sync.sandbox.magento.invoices import invoice
from stokly_sync.sandbox.magento.placing import Basket, BasketLine, place_order
from stokly_sync.sandbox.magento.products import add_product, find_product
from stokly_sync.sandbox.magento.seeding import SOURCES
from stokly_sync.sandbox.magento.stock import put_source_item
from stokly_sync.sandbox.marketplacer import MarketplacerSandbox
from stokly_sync.sandbox.marketplacer.portal import RawAdvert, RawVariant, list_advert
from stokly_sync.sandbox.marketplacer.shopping import RawInvoice, RawLine, raw_invoice
from stokly_sync.sandbox.seeds.account import MAGENTO, MARKETPLACER, WAREHOUSE, Channel
from stokly_sync.sandbox.seeds.items import SIMPLE, item_row
from stokly_sync.sandbox.seeds.rows import Product
from stokly_sync.sandbox.seeds.words import make_id, stamp
from stokly_sync.sandbox.stokly import Put, PutChildren
from stokly_sync.sandbox.stokly.levels import move
from stokly_sync_tests.acceptance.account import MARKED, add_order, product_of
from stokly_sync_tests.acceptance.bench import Bench, Json, Way
from stokly_sync_tests.acceptance.harness import TODAY, Rig

LISTED: Final = "As the office listed it"
ASKED: Final = Decimal("1.00")
"""Name and price of what the office lists."""
FIRST: Final = 900
SENT: Final = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC) - timedelta(days=5)
"""Number and time of the dispatch that Stokly has before the first load, and the shop has not."""


class SalesChannel(Bench):
    """What the channels have in common."""

    main = "products"
    follows = "shipments"
    changes = "products"
    once: ClassVar[frozenset[str]] = frozenset({"products", "shipments"})
    channel: ClassVar[Channel]
    places: ClassVar[tuple[str, ...]] = (
        *("extract:before-commit:9", "plan:before-commit:1", "plan:after-commit:3"),
        *("send:attempt-opened:2", "send:after-call:1", "send:before-merge:3"),
    )
    crowd: ClassVar[int] = 60

    def furnish(self, rig: Rig) -> None:
        for row in rig.stokly.store.rows("items"):
            self.offer(rig, str(row["sku"]), units=int(row["available"]))
        self.add(rig, self.follows, [FIRST], created=SENT)

    def add(self, rig: Rig, feed: str, numbers: Iterable[int], *, created: datetime | None = None) -> list[str]:
        at = created or rig.clock.now()
        make = self._item if feed == self.main else self._sent
        return [make(rig, number, at) for number in numbers]

    def _item(self, rig: Rig, number: int, at: datetime) -> str:
        sku, time = f"SAMPLE-{number}", stamp(at)
        made = Product(make_id("acceptance item", number), sku, f"Sample {number}")
        price = Decimal(number) / 100 + 10
        row = item_row(made, format_=SIMPLE, type_name="Homeware", price=price, created=time, updated=time)
        rig.stokly.mutate(Put(collection="items", row=row))
        self.offer(rig, sku, units=0)
        return sku

    def _sent(self, rig: Rig, number: int, at: datetime) -> str:
        mug, key = product_of(rig.stokly), make_id("acceptance dispatch", number)
        taken_over: Json = {
            "sourceType": self.channel.source_type,
            "sourceId": self.channel.channel_id,
            "sourceReferenceId": self.sell(rig, number, mug.sku, at),
            "channelName": self.channel.name,
        }
        order = add_order(rig.stokly, number, product=mug, quantity=1, created=at, **taken_over)
        row = {
            "dispatchId": key,
            "niceId": 30_000 + number,
            "saleOrderId": order,
            "locationId": WAREHOUSE,
            "courier": "Royal Mail",
            "trackingNumber": f"AB{number:09}GB",
            "status": "dispatched",
            "dispatchedAt": stamp(at),
        }
        line = {"lineId": make_id("acceptance line", number), "quantity": 1}
        move(rig.stokly.store, mug.item_id, on_hand=-1, location=WAREHOUSE)
        rig.stokly.mutate(
            Put(collection="dispatches", row=row, touch=False),
            PutChildren(sublist="dispatches/items", parent=key, rows=[line], touch=False),
        )
        return key

    def change(self, rig: Rig, feed: str, key: str, word: str, *, at: datetime | None = None) -> None:
        """The word is the name, and the price is made of it: not every channel takes both."""
        assert feed == self.main
        price = Decimal(crc32(word.encode()) % 9000 + 1000) / 100
        told = {} if at is None else {"timeUpdated": stamp(at)}
        row = {"itemId": product_of(rig.stokly, key).item_id, "name": word, "salePrice": price, **told}
        rig.stokly.mutate(Put(collection="items", row=row))

    def keep(self, rig: Rig, feed: str, key: str) -> Callable[[], None]:
        assert feed == self.main
        old = dict(rig.stokly.store.get("items", product_of(rig.stokly, key).item_id))
        return lambda: rig.stokly.mutate(Put(collection="items", row=old, touch=False))

    def spoil(self, rig: Rig, number: int, *, created: datetime) -> None:
        add_order(rig.stokly, number, created=created, currency="POUNDS")

    def wanted(self, rig: Rig) -> dict[str, list[str]]:
        skus = [row["sku"] for row in rig.stokly.store.rows("items")]
        return {"products": skus, "stock": skus, "shipments": list(self.parcels(rig).values())}

    def parcels(self, rig: Rig) -> dict[str, str]:
        """Dispatches of orders from here, by tracking number."""
        orders = {row["saleOrderId"]: row["sourceId"] for row in rig.stokly.store.rows("saleorders")}
        rows = rig.stokly.store.rows("dispatches")
        mine = [row for row in rows if orders.get(row["saleOrderId"]) == self.channel.channel_id]
        return {row["trackingNumber"]: row["dispatchId"] for row in mine}

    @abstractmethod
    def offer(self, rig: Rig, sku: str, *, units: int) -> None:
        """Let the office list something, or write over what it has listed."""

    @abstractmethod
    def sell(self, rig: Rig, number: int, sku: str, at: datetime) -> str:
        """Let somebody with marked members buy one of something; gives the number of the order."""


class MagentoBench(SalesChannel):
    """Magento: products by one call each, stock by batches, shipments made once."""

    system = "magento"
    channel = MAGENTO
    lacks: ClassVar[Mapping[str, str]] = {
        "people": "Magento knows its buyers before Stokly does; nobody is brought there",
        "inside": "Magento answers each product by a status of its own",
        "later": "Magento says at once what becomes of a product",
    }
    engines = ("postgresql",)
    settings: ClassVar[Mapping[str, str]] = {
        "MAGENTO_RATE_PER_MINUTE": "60000",
        "MAGENTO_SOURCE_TYPES": '["magento_two"]',
    }
    small_batches: ClassVar[Mapping[str, str]] = {"MAGENTO_STOCK_BATCH": "5"}
    write: ClassVar[Mapping[str, Any]] = {"method": "POST", "path": "^/rest/all/V1/products$"}

    def make(self, clock: Clock) -> SandboxSystem:
        return MagentoSandbox(clock=clock)

    def offer(self, rig: Rig, sku: str, *, units: int) -> None:
        there = self._there(rig)
        product = find_product(there.store, sku)
        if product is None:
            product = add_product(there.store, {"sku": sku}, at=there.now())
            for source in SOURCES.values():
                put_source_item(there.store, sku, source, quantity=Decimal(units), status=int(units > 0))
        product.update(name=LISTED, price=ASKED)

    def sell(self, rig: Rig, number: int, sku: str, at: datetime) -> str:
        there = self._there(rig)
        address = {"firstname": MARKED["name"], "city": MARKED["city"], "street": [MARKED["line1"]]}
        email = f"{MARKED['email']}-guest-{number}@example.com"
        order = place_order(there, Basket(lines=[BasketLine(sku)], email=email, address=address))
        invoice(there.store, order, [], now=there.now(), capture=True)
        order["created_at"] = shop_time(at)
        return str(order["increment_id"])

    def held(self, rig: Rig, feed: str) -> dict[str, Json]:
        store, parcels = self._there(rig).store, self.parcels(rig)
        if feed == "products":
            ours = [row for row in store.products if row["name"] != LISTED]
            return {row["sku"]: {name: row[name] for name in ("name", "price", "status")} for row in ours}
        if feed == "shipments":
            tracked = [(track["track_number"], row) for row in store.shipments for track in row["_tracks"]]
            return {parcels[number]: {"units": int(row["total_qty"])} for number, row in tracked if number in parcels}
        levels: dict[str, Json] = {}
        for row in store.source_items:
            levels.setdefault(row["sku"], {})[row["source_code"]] = int(row["quantity"])
        return levels

    def taken(self, rig: Rig, feed: str) -> dict[str, int]:
        store, parcels = self._there(rig).store, self.parcels(rig)
        if feed == "products":
            return {row["sku"]: row["_saves"] for row in store.products if row.get("_saves")}
        numbers = [track["track_number"] for row in store.shipments for track in row["_tracks"]]
        return {parcels[number]: numbers.count(number) for number in numbers if number in parcels}

    def refuse(self, rig: Rig, way: Way, *keys: str) -> None:
        assert way not in self.lacks
        rig.there.faults.clear()
        for key in keys:
            told = '{"message":"The product was unable to be saved. Please try again."}'
            rig.there.faults.add(self.fault(body=f'"{key}"', status=400, text=told, times=None))

    def revoke(self, rig: Rig) -> None:
        told = '{"message":"Specified token does not exist"}'
        rig.there.faults.add(Fault(path="^/rest/", status=401, text=told, times=None))

    def writes(self, box: SandboxSystem) -> int:
        return sum(int(row["calls"]) for row in box.calls.rows() if row["method"] == "POST")

    def _there(self, rig: Rig) -> MagentoSandbox:
        return cast("MagentoSandbox", rig.there)


class MarketplacerBench(SalesChannel):
    """Marketplacer: changes of variants by aliases in one request, each with an answer of its own."""

    system = "marketplacer"
    channel = MARKETPLACER
    lacks: ClassVar[Mapping[str, str]] = {
        "people": "Marketplacer knows its buyers before Stokly does; nobody is brought there",
        "later": "Marketplacer says at once what becomes of a variant",
    }
    engines = ("sqlite",)
    settings: ClassVar[Mapping[str, str]] = {
        "MARKETPLACER_RATE": "75",
        "MARKETPLACER_BURST": "500",
        "MARKETPLACER_PRICE_TAX_RATE": "20",
        "MARKETPLACER_CHANNELS": '["marketplacer"]',
    }
    small_batches: ClassVar[Mapping[str, str]] = {"MARKETPLACER_ALIASES": "5"}
    write: ClassVar[Mapping[str, Any]] = {"method": "POST", "path": "^/graphql$", "body": '"price":'}

    def make(self, clock: Clock) -> SandboxSystem:
        return MarketplacerSandbox(clock=clock)

    def offer(self, rig: Rig, sku: str, *, units: int) -> None:
        variant = RawVariant(sku=sku, price=ASKED, count_on_hand=units)
        list_advert(self._there(rig).operator, RawAdvert(title=LISTED, variants=[variant]))

    def sell(self, rig: Rig, number: int, sku: str, at: datetime) -> str:
        there = self._there(rig)
        raw = RawInvoice(
            lines=[RawLine(sku=sku, amount_cents=100, tax_cents=17)],
            email=f"{MARKED['email']}-guest-{number}@example.com",
            surname=MARKED["name"],
            created_at=at.replace(microsecond=0),
        )
        return str(raw_invoice(there.operator, raw).number)

    def held(self, rig: Rig, feed: str) -> dict[str, Json]:
        state, parcels = self._there(rig).store.state, self.parcels(rig)
        if feed == "products":
            ours = [one for one in state.variants.values() if one.sku and one.price != ASKED]
            return {str(one.sku): {"price": one.price, "published": one.published} for one in ours}
        if feed == "shipments":
            made = [one for invoice in state.invoices.values() for one in invoice.shipments]
            units = {one.tracking_number: sum(item.quantity for item in one.shipped_items) for one in made}
            return {parcels[number]: {"units": n} for number, n in units.items() if number in parcels}
        return {str(one.sku): {"units": one.count_on_hand} for one in state.variants.values()}

    def taken(self, rig: Rig, feed: str) -> dict[str, int]:
        state, parcels = self._there(rig).store.state, self.parcels(rig)
        if feed == "products":
            prices = {str(one.sku): one.written.get("price", 0) for one in state.variants.values()}
            return {sku: times for sku, times in prices.items() if times}
        numbers = [one.tracking_number for invoice in state.invoices.values() for one in invoice.shipments]
        return {parcels[number]: numbers.count(number) for number in numbers if number in parcels}

    def refuse(self, rig: Rig, way: Way, *keys: str) -> None:
        if way == "inside":
            rig.there.set_switches(refused_skus=list(keys))
            return
        rig.there.faults.clear()
        for key in keys:
            told = '{"errors":[{"message":"Variable $c0 was provided invalid value for attributes.price"}]}'
            rig.there.faults.add(self.fault(body=f'"{key}"', status=200, text=told, times=None))

    def revoke(self, rig: Rig) -> None:
        rig.there.set_switches(operator_key="another-sandbox-key")

    def writes(self, box: SandboxSystem) -> int:
        return cast("MarketplacerSandbox", box).mutations

    def _there(self, rig: Rig) -> MarketplacerSandbox:
        return cast("MarketplacerSandbox", rig.there)
