"""What can be wrong between Stokly and the shop: its rows, its goods, its stock, what is sent and what is refunded."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from stokly_sync.sandbox.magento.order_calls import cancel_order
from stokly_sync.sandbox.magento.orders import find_order, set_state
from stokly_sync.sandbox.magento.products import add_product
from stokly_sync.sandbox.magento.shipments import ship
from stokly_sync.sandbox.magento.stock import put_source_item
from stokly_sync.sandbox.seeds.account import DEFAULT_BINS, MAGENTO, MARKETPLACER, SHOP, WAREHOUSE, ZERO_TAX
from stokly_sync.sandbox.seeds.rows import Product
from stokly_sync.sandbox.seeds.stock import stock_rows
from stokly_sync.sandbox.seeds.words import make_id
from stokly_sync_tests.rules.floor import (
    WEB,
    Deed,
    Sale,
    credited,
    dispatched,
    now,
    only_in_stokly,
    ordered,
    other_goods,
    parts_of,
    sent,
    sent_lines,
    shop,
    sold,
    too_many,
)
from stokly_sync_tests.rules.ground import Ground
from stokly_sync_tests.rules.inwards import WATCHED, WRITING
from stokly_sync_tests.rules.worlds import Plant

_LATE: Final = "LATE-IN-THE-SHOP"


def _row(**columns: Any) -> Deed:
    """An order of the shop whose row is broken."""
    return lambda ground: str(ordered(ground, columns=columns)["entity_id"])


def _item(code: str, *, listed: bool = False, **members: Any) -> Deed:
    """An item of Stokly, and a product of the same SKU where it is listed; gives the SKU."""

    def sow(ground: Ground) -> str:
        box = shop(ground)
        ground.garden.item(None, "", code, **{"tags": [WEB], **members})
        if listed:
            add_product(box.store, {"sku": code, "name": f"Sample {code}", "price": Decimal(1)}, at=box.now())
        return code

    return sow


def _composed(ground: Ground) -> str:
    box, code = shop(ground), "COMPOSED-IN-SHOP"
    ground.garden.item(None, "", code, onHand=5, available=5)
    add_product(box.store, {"sku": code, "name": code, "type_id": "bundle", "price": Decimal(9)}, at=box.now())
    return code


def _without_total(ground: Ground) -> str:
    """Stock in a bin, of an item that Stokly does not list any more."""
    box, code = shop(ground), "NO-TOTAL"
    _shelve(ground, code, 4)
    add_product(box.store, {"sku": code, "name": code, "price": Decimal(9)}, at=box.now())
    return code


def _shelve(ground: Ground, code: str, units: int) -> None:
    place = (WAREHOUSE, DEFAULT_BINS[WAREHOUSE])
    rows = stock_rows(Product(make_id("item", code), code, code), {place: units}, {})
    ground.tables["inventory-records"].extend(rows)


def _held_stock(ground: Ground) -> str:
    """More in stock than the shop shows, and an order of it that Stokly does not take."""
    _item(_LATE, listed=True, onHand=9, available=9)(ground)
    _shelve(ground, _LATE, 9)
    put_source_item(shop(ground).store, _LATE, "warehouse", quantity=Decimal(2), status=1)
    ordered(ground, _LATE, payment="sample_pay", placed=now(ground) - timedelta(days=1))
    return _LATE


def _remove(_ground: Ground, sale: Sale) -> None:
    sale.made.order["stage"] = "removed"


def _without_lines(ground: Ground, sale: Sale) -> None:
    rows = ground.book.tables["dispatches/items"]
    mine = {id(row) for row in sent_lines(ground, sale)}
    rows[:] = [row for row in rows if id(row) not in mine]


def _by_hand(ground: Ground, sale: Sale) -> None:
    track = {"track_number": "ZZ000000009GB", "title": "Royal Mail", "carrier_code": "royalmail"}
    given = {"tracks": [track], "arguments": {"extension_attributes": {"source_code": "warehouse"}}}
    box = shop(ground)
    ship(box.store, find_order(box.store, int(sale.key)), given, now=box.now())


def _hold(ground: Ground, sale: Sale) -> None:
    set_state(find_order(shop(ground).store, int(sale.key)), "holded")


def _cancelled_there(ground: Ground) -> str:
    sale = sold(ground, MAGENTO, paid=False)
    store = shop(ground).store
    cancel_order(store, find_order(store, int(sale.key)), now=shop(ground).now())
    return sent(ground, sale.made)


def _virtual(ground: Ground) -> str:
    service = next(item.sku for item in ground.book.catalogue.values() if item.format == "service")
    return sent(ground, sold(ground, MAGENTO, skus=[service]).made)


def _from_the_shop(ground: Ground) -> str:
    """A parcel from where the shop's source has none of it."""
    sale = sold(ground, MAGENTO)
    for line in sale.made.lines:
        put_source_item(shop(ground).store, line["itemSku"], "shop", quantity=Decimal(0), status=0)
    return sent(ground, sale.made, locationId=SHOP)


def _unknown_order(ground: Ground) -> str:
    return sent(ground, only_in_stokly(ground, MAGENTO))


def _orphan(ground: Ground) -> str:
    return str(only_in_stokly(ground, MAGENTO).order["sourceReferenceId"])


def _of_another(ground: Ground) -> str:
    return sent(ground, sold(ground, MARKETPLACER).made)


def _only_here(ground: Ground) -> str:
    sale = sold(ground, MAGENTO)
    _remove(ground, sale)
    return sale.number


def _refund(**bent: Any) -> Deed:
    """A refund in Stokly of an order that both hold; gives its id."""
    return lambda ground: str(ground.refund(sold(ground, MAGENTO).made, **bent)["refundId"])


def _too_much_back(ground: Ground) -> str:
    refund = ground.refund(sold(ground, MAGENTO).made)
    for row in parts_of(ground, "refunds/items", refund["refundId"]):
        row["quantity"] += 5
    return str(refund["refundId"])


def _other_amount(ground: Ground) -> str:
    sale = sold(ground, MAGENTO)
    memo = credited(ground, sale)
    refund = ground.refund(sale.made, reason=f"Refund of the shop [magento:{memo}]")
    refund["displayTotal"] += Decimal("2.00")
    return memo


TABLE: Final[dict[str, Plant]] = {
    "MG-MEMBER-TYPE": Plant(WRITING, _row(state="limbo")),
    "MG-MONEY": Plant(WRITING, _row(total_paid=Decimal("1E+30"))),
    "MG-TIME": Plant(WRITING, _row(created_at="the day before")),
    "MG-CURRENCY": Plant(WRITING, _row(order_currency_code="POUNDS")),
    "MG-LISTING-ROGUE": Plant(WRITING),
    "MG-SKU-CASE": Plant(WRITING),
    "MG-SKU-UNKNOWN": Plant(WRITING, _item("WEB-ONLY")),
    "MG-NOT-SOLD-HERE": Plant(WRITING, _item("TILL-ONLY", tags=[])),
    "MG-NO-ITEM": Plant(WRITING, _item("A-SERVICE", typeName="Service")),
    "MG-PRICE-CURRENCY": Plant(WRITING, _item("IN-EUROS", listed=True, saleCurrency="EUR")),
    "MG-PRICE-TAX": Plant(WRITING, _item("ZERO-RATED", listed=True, taxClassId=ZERO_TAX)),
    "MG-REJECTED": Plant(WRITING, _item("BELOW-NOTHING", listed=True, salePrice=Decimal(-1))),
    "MG-STOCK-COMPOSED": Plant(WRITING, _composed),
    "MG-STOCK-HELD": Plant(WRITING, _held_stock),
    "MG-STOCK-MISSING": Plant(WRITING, _without_total),
    "MG-SHIP-REMOVED": Plant(WRITING, dispatched(MAGENTO, _remove)),
    "MG-SHIP-VIRTUAL": Plant(WRITING, _virtual),
    "MG-SHIP-LINES": Plant(WRITING, dispatched(MAGENTO, _without_lines)),
    "MG-SHIP-SKU": Plant(WRITING, dispatched(MAGENTO, other_goods)),
    "MG-SHIP-QUANTITY": Plant(WRITING, dispatched(MAGENTO, too_many)),
    "MG-SHIP-CONFLICT": Plant(WRITING, dispatched(MAGENTO, _by_hand)),
    "MG-SHIP-CANCELLED": Plant(WRITING, _cancelled_there),
    "MG-SHIP-HELD": Plant(WRITING, dispatched(MAGENTO, _hold)),
    "MG-SHIP-SOURCE": Plant(WRITING, _from_the_shop),
    "MG-LOCATION-MISSING": Plant(WRITING, dispatched(MAGENTO, locationId=make_id("location", "Nowhere"))),
    "MG-CARRIER-UNMAPPED": Plant(WRITING, dispatched(MAGENTO, courier="Pigeon")),
    "MG-TRACKING": Plant(WRITING),
    "MG-NOT-FROM-HERE": Plant(WRITING, _of_another),
    "MG-ORDER-UNKNOWN": Plant(WRITING, _unknown_order),
    "MG-ORDER-ORPHAN": Plant(WRITING, _orphan),
    "MG-CANCELLED-ONLY-IN-STOKLY": Plant(WRITING, _only_here),
    "MG-SHIPPED-ONLY-IN-MAGENTO": Plant(WRITING),
    "MG-REFUND-REMOVED": Plant(WRITING, _refund(status="pending")),
    "MG-REFUND-ORIGIN": Plant(WRITING, _refund(reason="Refund of the shop [magento:77]")),
    "MG-REFUND-QUANTITY": Plant(WRITING, _too_much_back),
    "MG-REFUND-AMOUNT": Plant(WRITING, _other_amount),
    "MG-REFUND-MISSING": Plant(WATCHED, _refund()),
}
