"""What channels give to Stokly, each lack planted in an order or a refund of its own; alike for both channels.

Belongs here: one deed for each rule of `channel_rules`, under either prefix. Deeds that need another setting stand in a
world of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

from stokly_sync.sandbox.magento.order_calls import cancel_order
from stokly_sync.sandbox.magento.orders import find_order
from stokly_sync.sandbox.marketplacer import portal
from stokly_sync.sandbox.marketplacer.sales import Adjustment
from stokly_sync.sandbox.marketplacer.shopping import SAMPLE_ADDRESS, RawLine
from stokly_sync.sandbox.seeds.account import MAGENTO, MARKETPLACER, Channel
from stokly_sync_tests.rules.floor import (
    Deed,
    Sale,
    bought,
    complained,
    credited,
    market,
    now,
    ordered,
    other_goods,
    refuse,
    sent,
    shop,
    sold,
)
from stokly_sync_tests.rules.ground import Ground
from stokly_sync_tests.rules.worlds import Plant

WRITING: Final = "channels that are written to"
WATCHED: Final = "channels that are watched"
BEFORE: Final = timedelta(days=60)
"""Age of orders from before the time at which orders are imported."""
PART_LEFT: Final = timedelta(days=20)
"""How long ago the only parcel of an order left that is dispatched in part."""
_GONE: Final = "NOT-IN-STOKLY"


def _shop_order(*skus: str, **raw: Any) -> Deed:
    return lambda ground: str(ordered(ground, *skus, **raw)["entity_id"])


def _market_order(*skus: str, **raw: Any) -> Deed:
    return lambda ground: bought(ground, *skus, **raw).id


def _shop_bundle(ground: Ground) -> str:
    order = ordered(ground, "SET-A-B")
    for line in shop(ground).store.order_items.of("order_id", order["entity_id"]):
        line["product_type"] = "bundle"
    return str(order["entity_id"])


def _shop_before(ground: Ground) -> str:
    return str(ordered(ground, placed=now(ground) - BEFORE)["entity_id"])


def _shop_cancelled(ground: Ground) -> str:
    order = ordered(ground, paid=False)
    cancel_order(shop(ground).store, order, now=shop(ground).now())
    return str(order["entity_id"])


def _market_before(ground: Ground) -> str:
    return bought(ground, created_at=now(ground) - BEFORE).id


def _market_fee(ground: Ground) -> str:
    invoice = bought(ground)
    invoice.adjustments.append(Adjustment(type="FEE", amount_cents=500))
    return invoice.id


def _market_untaxed(ground: Ground) -> str:
    return bought(ground, lines=[RawLine(sku=ground.garden.goods[0].sku, tax_cents=None)]).id


def _market_collected(ground: Ground) -> str:
    invoice = bought(ground)
    invoice.delivery_type = "OTHER"
    return invoice.id


def _market_cancelled(ground: Ground) -> str:
    invoice = bought(ground)
    complained(ground, invoice, dispatched=False)
    return invoice.id


def _each(deed: Callable[..., str], name: str) -> dict[str, Plant]:
    """The same deed for either channel."""
    return {
        f"{code}-{name}": Plant(WRITING, partial(deed, channel=channel))
        for code, channel in (("MG", MAGENTO), ("MP", MARKETPLACER))
    }


def _cancel(ground: Ground, sale: Sale) -> None:
    if sale.made.basket.channel is MAGENTO:
        store = shop(ground).store
        cancel_order(store, find_order(store, int(sale.key)), now=shop(ground).now())
    else:
        complained(ground, sale, dispatched=False)


def _give_back(ground: Ground, sale: Sale) -> str:
    """A paid refund of one unit; gives its id in the channel."""
    if sale.made.basket.channel is MAGENTO:
        return credited(ground, sale)
    asked = portal.DirectAmendment(invoice=int(sale.number), sku=sale.made.lines[0]["itemSku"])
    return portal.amend_directly(market(ground).operator, asked).id


def _refused_order(ground: Ground, channel: Channel) -> str:
    if channel is MAGENTO:
        order = ordered(ground)
        number, key = str(order["increment_id"]), str(order["entity_id"])
    else:
        invoice = bought(ground)
        number, key = str(invoice.number), invoice.id
    refuse(ground, "POST", "/v2/saleorders$", body=f'"{number}"')
    return key


def _twice(ground: Ground, channel: Channel) -> str:
    sale, again = sold(ground, channel), sold(ground, channel)
    again.made.order["sourceReferenceId"] = sale.number
    return sale.key


def _waits_for_invoice(ground: Ground, channel: Channel) -> str:
    return sold(ground, channel).key


def _refused_invoice(ground: Ground, channel: Channel) -> str:
    sale = sold(ground, channel)
    sent(ground, sale.made)
    refuse(ground, "POST", f"/v2/saleorders/{sale.stokly_id}/invoices$")
    return sale.key


def _late_cancellation(ground: Ground, channel: Channel) -> str:
    sale = sold(ground, channel, paid=channel is MARKETPLACER)
    sent(ground, sale.made)
    _cancel(ground, sale)
    return sale.key


def _refused_cancellation(ground: Ground, channel: Channel) -> str:
    sale = sold(ground, channel, paid=channel is MARKETPLACER)
    _cancel(ground, sale)
    refuse(ground, "PATCH", f"/v2/saleorders/{sale.stokly_id}$")
    return sale.key


def _cancelled_line(ground: Ground, channel: Channel) -> str:
    sale = sold(ground, channel)
    if channel is MAGENTO:
        credited(ground, sale)
    else:
        complained(ground, sale, sku=sale.made.lines[0]["itemSku"], quantity=1, dispatched=False)
    return sale.key


def _waiting_cancellation(ground: Ground, channel: Channel) -> str:
    """A line is cancelled of an order that Stokly never takes."""
    goods = [one.sku for one in ground.garden.goods[:2]]
    if channel is MAGENTO:
        order = ordered(ground, *goods)
        credited(ground, order)
        number, key = str(order["increment_id"]), str(order["entity_id"])
    else:
        invoice = bought(ground, *goods)
        complained(ground, invoice, sku=goods[0], dispatched=False)
        number, key = str(invoice.number), invoice.id
    refuse(ground, "POST", "/v2/saleorders$", body=f'"{number}"')
    return key


def _late_invoice(ground: Ground, channel: Channel) -> str:
    sale = sold(ground, channel)
    ground.book.dispatch(sale.made, sale.made.top_lines[:1], part=1, at=now(ground) - PART_LEFT)
    return sale.key


def _denied_refund(ground: Ground, channel: Channel) -> str:
    sale = sold(ground, channel)
    if channel is MAGENTO:
        return credited(ground, sale, state=3)
    request = complained(ground, sale, until="AWAITING")
    found = next(one for one in market(ground).store.state.refund_requests.values() if one.id == request)
    portal.step_on(market(ground).operator, portal.Step(request=found.number, step="deny"))
    return request


def _waiting_refund(ground: Ground, channel: Channel) -> str:
    sale = sold(ground, channel)
    return credited(ground, sale, state=1) if channel is MAGENTO else complained(ground, sale, until="AWAITING")


def _strange_refund(ground: Ground, channel: Channel) -> str:
    sale = sold(ground, channel)
    refund = _give_back(ground, sale)
    other_goods(ground, sale)
    return refund


def _refused_refund(ground: Ground, channel: Channel) -> str:
    sale = sold(ground, channel)
    refuse(ground, "POST", f"/v2/saleorders/{sale.stokly_id}/refunds$")
    return _give_back(ground, sale)


def _missing_credit(channel: Channel) -> Deed:
    return lambda ground: _give_back(ground, sold(ground, channel))


_NO_POSTCODE: Final = {**SAMPLE_ADDRESS, "postcode": None}
TABLE: Final[dict[str, Plant]] = {
    "MG-ORDER-SKU": Plant(WRITING, _shop_order(_GONE)),
    "MG-ORDER-BUNDLE": Plant(WRITING, _shop_bundle),
    "MG-ORDER-INCOMPLETE": Plant(WRITING, _shop_order(ships=False)),
    "MG-ORDER-TOTAL": Plant(WRITING, _shop_order(columns={"grand_total": Decimal(99)})),
    "MG-ORDER-TAX": Plant(WRITING, _shop_order(columns={"tax_amount": Decimal(3)})),
    "MG-PAYMENT-UNMAPPED": Plant(WRITING, _shop_order(payment="sample_pay")),
    "MG-SHIPPING-UNMAPPED": Plant(WRITING, _shop_order(shipping_method="sample_parcel")),
    "MG-ORDER-LOCATION": Plant(WRITING, _shop_order(columns={"store_id": 2})),
    "MG-ORDER-PENDING": Plant(WRITING, _shop_order(paid=False)),
    "MG-ORDER-CANCELLED": Plant(WRITING, _shop_cancelled),
    "MG-ORDER-BEFORE": Plant(WRITING, _shop_before),
    "MP-ORDER-SKU": Plant(WRITING, _market_order(_GONE)),
    "MP-ORDER-INCOMPLETE": Plant(WRITING, _market_order(address=_NO_POSTCODE)),
    "MP-ORDER-TOTAL": Plant(WRITING, _market_fee),
    "MP-ORDER-TAX": Plant(WRITING, _market_untaxed),
    "MP-SHIPPING-UNMAPPED": Plant(WRITING, _market_collected),
    "MP-ORDER-LOCATION": Plant(WRITING, _market_order(seller=2)),
    "MP-ORDER-PENDING": Plant(WRITING, _market_order(paid=False)),
    "MP-ORDER-CANCELLED": Plant(WRITING, _market_cancelled),
    "MP-ORDER-BEFORE": Plant(WRITING, _market_before),
    **_each(_refused_order, "ORDER-REFUSED"),
    **_each(_twice, "ORDER-TWICE"),
    **_each(_late_cancellation, "CANCEL-LATE"),
    **_each(_refused_cancellation, "CANCEL-REFUSED"),
    **_each(_cancelled_line, "CANCEL-LINES"),
    **_each(_waiting_cancellation, "CANCEL-WAITS"),
    **_each(_waits_for_invoice, "INVOICE-WAITS"),
    **_each(_late_invoice, "INVOICE-LATE"),
    **_each(_refused_invoice, "INVOICE-REFUSED"),
    **_each(_denied_refund, "CREDIT-DENIED"),
    **_each(_waiting_refund, "CREDIT-WAITS"),
    **_each(_strange_refund, "CREDIT-LINE"),
    **_each(_refused_refund, "CREDIT-REFUSED"),
    "MG-CREDIT-MISSING": Plant(WATCHED, _missing_credit(MAGENTO)),
    "MP-CREDIT-MISSING": Plant(WATCHED, _missing_credit(MARKETPLACER)),
}
