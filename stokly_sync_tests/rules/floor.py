"""The shop and the marketplace beside the account: what is sold there, and what the two sides know of each other.

Belongs here: opening both with the account's goods and the demo's own defects, and what both sides hold alike until
something of it is bent. What is bent stands in `magento`, `marketplacer` and `inwards`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, cast

from stokly_sync.sandbox.kit import Fault
from stokly_sync.sandbox.magento import MagentoSandbox
from stokly_sync.sandbox.magento.creditmemos import refund
from stokly_sync.sandbox.magento.invoices import invoice
from stokly_sync.sandbox.magento.orders import find_order, lines_of
from stokly_sync.sandbox.magento.planting import RawLine, RawOrder, plant_order, reserve_open
from stokly_sync.sandbox.magento.seeded_orders import add_orders
from stokly_sync.sandbox.magento.seeding import fill as fill_shop
from stokly_sync.sandbox.marketplacer import DEFECTS, MarketplacerSandbox, portal, shopping
from stokly_sync.sandbox.marketplacer.sales import Invoice
from stokly_sync.sandbox.marketplacer.seeding import fill as fill_market
from stokly_sync.sandbox.seeds.account import MARKETPLACER, Channel
from stokly_sync.sandbox.seeds.demo_orders import Basket, Made, Progress
from stokly_sync.sandbox.seeds.model import PARENT, Seed
from stokly_sync_tests.acceptance.harness import TODAY
from stokly_sync_tests.rules.ground import Ground, Row

WEB: Final = "web"
"""Tag of items that are meant for a channel."""
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Sale:
    """An order that Stokly holds, and what the channel calls it: its id and its number."""

    made: Made
    key: str
    number: str

    @property
    def stokly_id(self) -> str:
        return str(self.made.order["saleOrderId"])


Deed = Callable[[Ground], str]
"""Plants one defect; gives the key of the record that must be kept back."""
Bend = Callable[[Ground, Sale], None]
"""Bends something of a sale, on either side."""


def shop(ground: Ground) -> MagentoSandbox:
    """The shop, opened by whoever comes first."""
    box = cast("MagentoSandbox", ground.boxes["magento"])
    if not len(box.store.products):
        _open(ground)
    return box


def market(ground: Ground) -> MarketplacerSandbox:
    """The marketplace, opened by whoever comes first."""
    shop(ground)
    return cast("MarketplacerSandbox", ground.boxes["marketplacer"])


def _open(ground: Ground) -> None:
    for _ in range(2):
        _sell(ground, MARKETPLACER, progress="whole", created=now(ground) - 8 * _DAY)
    seed = ground.seed()
    fill_shop(cast("MagentoSandbox", ground.boxes["magento"]).store, seed, today=TODAY, defects=True)
    market_ = cast("MarketplacerSandbox", ground.boxes["marketplacer"])
    fill_market(market_.operator, seed)
    market_.plant(list(DEFECTS))


def now(ground: Ground) -> datetime:
    """The sandboxes' time."""
    return ground.boxes["stokly"].clock.now()


def sold(ground: Ground, channel: Channel, *, paid: bool = True, skus: Sequence[str] = ()) -> Sale:
    """An order of two lines that the channel and Stokly hold alike, and that nobody has sent."""
    box = market(ground) if channel is MARKETPLACER else shop(ground)
    made = _sell(ground, channel, paid=paid, skus=skus)
    if isinstance(box, MarketplacerSandbox):
        bought = [_bought(line) for line in made.top_lines]
        raw = shopping.RawInvoice(lines=bought, created_at=made.basket.created)
        known = shopping.raw_invoice(box.operator, raw)
        made.order["sourceReferenceId"] = str(known.number)
        return Sale(made, known.id, str(known.number))
    parts: dict[str, list[Row]] = {"saleorders": [made.order], "saleorders/items": made.lines}
    add_orders(box.store, Seed(name="sale", collections=parts), skip=set())
    number = str(made.order["sourceReferenceId"])
    return Sale(made, str(box.store.orders.of("increment_id", number)[0]["entity_id"]), number)


def _sell(
    ground: Ground,
    channel: Channel,
    *,
    progress: Progress = "open",
    paid: bool = True,
    skus: Sequence[str] = (),
    created: datetime | None = None,
) -> Made:
    goods = [ground.book.catalogue[sku] for sku in skus] or ground.garden.goods[:2]
    at = created or ground.start + timedelta(hours=len(ground.book.made))
    lines = [(one, 2) for one in goods]
    return ground.book.add(Basket(channel, ground.garden.buyer, lines, at, progress, "paid" if paid else "unpaid"))


def _bought(line: Row) -> shopping.RawLine:
    amount, tax = (int(line[name] * 100) for name in ("displayLineTotal", "displayLineTax"))
    return shopping.RawLine(sku=line["itemSku"], quantity=line["quantity"], amount_cents=amount, tax_cents=tax)


def only_in_stokly(ground: Ground, channel: Channel) -> Made:
    """An order of a channel that the channel does not know."""
    shop(ground)
    made = _sell(ground, channel)
    made.order["sourceReferenceId"] = "900900900"
    return made


def sent(ground: Ground, made: Made, **bent: Any) -> str:
    """Let all of an order leave Stokly's warehouse, bend the dispatch, and give its id; `...` takes a member away."""
    row = ground.book.dispatch(made, made.top_lines, part=1, at=now(ground) - timedelta(hours=3))
    assert row is not None
    row.update({"courier": "Royal Mail", **bent})
    for name in [name for name, value in row.items() if value is ...]:
        del row[name]
    return str(row["dispatchId"])


def dispatched(channel: Channel, bend: Bend | None = None, **bent: Any) -> Deed:
    """A dispatch of an order that both hold, bent by its members, or its order afterwards; gives its id."""

    def sow(ground: Ground) -> str:
        sale = sold(ground, channel)
        key = sent(ground, sale.made, **bent)
        if bend is not None:
            bend(ground, sale)
        return key

    return sow


def too_many(ground: Ground, sale: Sale) -> None:
    """Let more leave than was ordered."""
    for row in sent_lines(ground, sale):
        row["quantity"] += 5


def other_goods(ground: Ground, sale: Sale) -> None:
    """Let Stokly's order name other goods than the channel's."""
    other = ground.garden.goods[11].product
    for line in sale.made.lines:
        line.update(referenceId=other.item_id, itemSku=other.sku, itemName=other.name)


def sent_lines(ground: Ground, sale: Sale) -> list[Row]:
    """What the dispatches of an order hold, to be bent."""
    dispatches = [r["dispatchId"] for r in ground.book.tables["dispatches"] if r["saleOrderId"] == sale.stokly_id]
    return [row for key in dispatches for row in parts_of(ground, "dispatches/items", key)]


def parts_of(ground: Ground, sublist: str, parent: str) -> list[Row]:
    """Rows of a sub-list under one parent, to be bent."""
    return [row for row in ground.book.tables[sublist] if row[PARENT] == parent]


def ordered(
    ground: Ground,
    *skus: str,
    paid: bool = True,
    columns: Row | None = None,
    placed: datetime | None = None,
    **raw: Any,
) -> Row:
    """An order that only the shop has, as it shall stand; `columns` are set last, whatever they do to it."""
    store, at = shop(ground).store, shop(ground).now()
    chosen = skus or (ground.garden.goods[0].sku,)
    lines = [RawLine(sku=sku, quantity=Decimal(1), row_total=Decimal(6), tax_amount=Decimal("1.2")) for sku in chosen]
    address = {"street": ["1 Sample Street"], "city": "Leeds", "postcode": "LS1 0AA", "country_id": "GB"}
    created = f"{placed or now(ground) - 5 * _DAY:%Y-%m-%d %H:%M:%S}"
    order = plant_order(store, RawOrder(**{"lines": lines, "address": address, "created_at": created, **raw}), now=at)
    if paid:
        invoice(store, order, [], now=at, capture=True)
    reserve_open(store, order)
    order.update(columns or {})
    return order


def bought(ground: Ground, *skus: str, **raw: Any) -> Invoice:
    """An invoice that only the marketplace has, as it shall stand, of five days ago."""
    lines = [shopping.RawLine(sku=sku) for sku in skus or (ground.garden.goods[0].sku,)]
    given = {"lines": lines, "created_at": now(ground) - 5 * _DAY, **raw}
    return shopping.raw_invoice(market(ground).operator, shopping.RawInvoice(**given))


def credited(ground: Ground, sale: Sale | Row, *, units: int = 1, **columns: Any) -> str:
    """Refund units of an order's first line in the shop, bend the credit memo, and give its id."""
    box = shop(ground)
    order = find_order(box.store, int(sale.key)) if isinstance(sale, Sale) else sale
    items = [{"order_item_id": lines_of(box.store, order)[0]["item_id"], "qty": Decimal(units)}]
    given = {"items": items, "arguments": {"shipping_amount": Decimal(0)}}
    memo = refund(box.store, order, given, now=box.now(), gross_shipping=False)
    memo.update(columns)
    return str(memo["entity_id"])


def complained(ground: Ground, sale: Sale | Invoice, **complaint: Any) -> str:
    """Ask the marketplace for a refund, as far as the complaint says, and give the id of the request."""
    number = int(sale.number)
    return portal.complain(market(ground).operator, portal.Complaint(invoice=number, **complaint)).id


def refuse(ground: Ground, method: str, path: str, **more: Any) -> None:
    """Let Stokly refuse the calls of that kind, for good."""
    told = '{"message":"The record is refused"}'
    ground.boxes["stokly"].faults.add(Fault(method=method, path=path, status=400, text=told, times=None, **more))
