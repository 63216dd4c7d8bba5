"""What can be wrong between Stokly and the marketplace: rows, listings, stock, shipments, refunds and payouts."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from stokly_sync.sandbox.marketplacer import portal
from stokly_sync.sandbox.marketplacer.sales import RemittanceAdvice
from stokly_sync.sandbox.marketplacer.shopping import RawLine
from stokly_sync.sandbox.seeds.account import MAGENTO, MARKETPLACER
from stokly_sync_tests.rules.floor import (
    WEB,
    Deed,
    bought,
    complained,
    dispatched,
    market,
    now,
    only_in_stokly,
    other_goods,
    sent,
    sold,
    too_many,
)
from stokly_sync_tests.rules.ground import Ground
from stokly_sync_tests.rules.inwards import WATCHED, WRITING
from stokly_sync_tests.rules.worlds import Plant

REFUSED: Final = "REFUSED-THERE"
_LATE: Final = "LATE-IN-THE-MARKET"


def _listed(ground: Ground, code: str, **variant: Any) -> str:
    """List a SKU; gives the id of the variant."""
    raw = portal.RawAdvert(title=code, variants=[portal.RawVariant(sku=code, **variant)])
    advert = portal.list_advert(market(ground).operator, raw)
    return market(ground).store.state.variants[advert.variants[0]].id


def _item(code: str, *, listed: bool = False, **members: Any) -> Deed:
    """An item of Stokly, and its listing where there is one; gives the SKU."""

    def sow(ground: Ground) -> str:
        market(ground)
        ground.garden.item(None, "", code, **{"tags": [WEB], **members})
        if listed:
            _listed(ground, code, count_on_hand=3)
        return code

    return sow


def _twice(ground: Ground) -> str:
    code = _item("TWO-VARIANTS", listed=True)(ground)
    _listed(ground, "TWO-VARIANTS")
    return code


def _dear(ground: Ground) -> str:
    return _listed(ground, "PRICELESS", price=Decimal("1E+30"))


def _timeless(ground: Ground) -> str:
    invoice = bought(ground)
    shipment = portal.despatch(market(ground).operator, portal.Despatch(invoice=invoice.number))
    shipment.dispatched_at = "last week"  # type: ignore[assignment]  # as nobody's clock writes it
    return shipment.id


def _undated(ground: Ground) -> str:
    """A payout that does not say when it was made."""
    box = market(ground)
    advice: RemittanceAdvice = portal.pay_out(box.operator, portal.Payout(invoices=[bought(ground).number], paid=False))
    advice.created_at = None  # type: ignore[assignment]  # the vendor's type allows it
    return advice.id


def _late_orders(ground: Ground) -> str:
    """Goods on an invoice of yesterday that Stokly does not take."""
    _item(_LATE, listed=True, onHand=9, available=9)(ground)
    lines = [RawLine(sku=_LATE), RawLine(sku="NOT-IN-STOKLY")]
    bought(ground, lines=lines, created_at=now(ground) - timedelta(days=1))
    return _LATE


def _before_it_was_ordered(ground: Ground) -> str:
    """A parcel that left, by Stokly's clock, on a day before the order was made."""
    sale = sold(ground, MARKETPLACER)
    invoice = market(ground).store.state.invoices[int(sale.number)]
    invoice.created_at = invoice.updated_at = now(ground)
    invoice.paid_at = now(ground) - timedelta(days=9)
    return sent(ground, sale.made, dispatchedAt=f"{now(ground) - timedelta(days=4):%Y-%m-%dT%H:%M:%S.000Z}")


def _other_channel(ground: Ground) -> str:
    return sent(ground, sold(ground, MAGENTO).made)


def _unknown_order(ground: Ground) -> str:
    return sent(ground, only_in_stokly(ground, MARKETPLACER))


def _orphan(ground: Ground) -> str:
    return str(only_in_stokly(ground, MARKETPLACER).order["saleOrderId"])


def _only_here(ground: Ground) -> str:
    sale = sold(ground, MARKETPLACER)
    sale.made.order["stage"] = "removed"
    return sale.key


def _refund(ground: Ground) -> str:
    return str(ground.refund(sold(ground, MARKETPLACER).made)["refundId"])


def _other_refund(ground: Ground) -> str:
    return str(ground.refund(sold(ground, MAGENTO).made)["refundId"])


def _refused_refund(ground: Ground) -> str:
    """One unit refunded in Stokly while the portal has a request for all of them."""
    sale = sold(ground, MARKETPLACER)
    complained(ground, sale, until="AWAITING")
    return str(ground.refund(sale.made)["refundId"])


TABLE: Final[dict[str, Plant]] = {
    "MP-MEMBER-TYPE": Plant(WRITING, _undated),
    "MP-MONEY": Plant(WRITING, _dear),
    "MP-TIME": Plant(WRITING, _timeless),
    "MP-SKU-UNKNOWN": Plant(WRITING),
    "MP-SKU-TWICE": Plant(WRITING, _twice),
    "MP-SKU-CASE": Plant(WRITING),
    "MP-LISTING-ROGUE": Plant(WRITING),
    "MP-LISTING-NOT-LIVE": Plant(WRITING),
    "MP-NOT-SOLD": Plant(WRITING, _item("A-SERVICE-TOO", typeName="Service")),
    "MP-STOCK-NOT-LISTED": Plant(WRITING, _item("NOT-LISTED", onHand=3, available=3)),
    "MP-PRICE": Plant(WRITING, _item("WITHOUT-PRICE", listed=True, salePrice=None)),
    "MP-REJECTED": Plant(WRITING, _item(REFUSED, listed=True)),
    "MP-STOCK-ORDERS-LATE": Plant(WRITING, _late_orders),
    "MP-DISPATCH-OTHER": Plant(WRITING, _other_channel),
    "MP-DISPATCH-ORDER": Plant(WRITING, _unknown_order),
    "MP-SHIP-LINE": Plant(WRITING, dispatched(MARKETPLACER, other_goods)),
    "MP-SHIP-QUANTITY": Plant(WRITING, dispatched(MARKETPLACER, too_many)),
    "MP-CARRIER-UNMAPPED": Plant(WRITING, dispatched(MARKETPLACER, courier="Pigeon")),
    "MP-TRACKING": Plant(WRITING, dispatched(MARKETPLACER, trackingNumber=..., trackingUrl=...)),
    "MP-SHIPMENT-REFUSED": Plant(WRITING, _before_it_was_ordered),
    "MP-REFUND-OTHER": Plant(WRITING, _other_refund),
    "MP-REFUND-REFUSED": Plant(WRITING, _refused_refund),
    "MP-ORDER-ORPHAN": Plant(WRITING, _orphan),
    "MP-CANCELLED-ONLY-IN-STOKLY": Plant(WRITING, _only_here),
    "MP-REMITTANCE-SUM": Plant(WRITING),
    "MP-REFUND-MISSING": Plant(WATCHED, _refund),
    "MP-NOT-OFFERED": Plant(WATCHED, _item("TILL-ONLY", tags=[])),
    "MP-TAXON": Plant(WATCHED, _item("GIFT-ON-THE-WEB")),
}
