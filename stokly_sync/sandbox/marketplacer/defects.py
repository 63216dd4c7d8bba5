"""The defects that can be planted, each breaking one thing that somebody has to notice. None is there unless asked for.

Belongs here: the list, with what each one is and how it is made. What a defect needs (something on sale, a
despatched invoice) it takes from what is there. Source: Marketplacer API contract 3.4, 4.1, 5, 6.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec

from stokly_sync.sandbox.marketplacer import flags, portal, shopping
from stokly_sync.sandbox.marketplacer.call import Call
from stokly_sync.sandbox.marketplacer.furniture import OUR_SELLER
from stokly_sync.sandbox.marketplacer.ids import global_id
from stokly_sync.sandbox.marketplacer.portal import DirectAmendment, Payout, RawAdvert, RawVariant, Verdict
from stokly_sync.sandbox.marketplacer.sales import Invoice, RemittanceAdvice
from stokly_sync.sandbox.marketplacer.seeding import NOT_LISTED
from stokly_sync.sandbox.marketplacer.shopping import SAMPLE_ADDRESS, RawInvoice, RawLine
from stokly_sync.sandbox.marketplacer.store import Store
from stokly_sync.sandbox.marketplacer.things import Variant
from stokly_sync.sandbox.seeds.model import Planted

UNLISTED = NOT_LISTED | {"PLATE-BLUE"}
"""SKUs of the demo that Stokly sells and the marketplace does not have."""
UNKNOWN_SKU, ROGUE_SKU = "NOT-IN-STOKLY", "ROGUE-LISTING"
SHORTFALL = -137
"""Pence by which the planted remittance advice does not add up."""


class PlantedDefect(msgspec.Struct, frozen=True):
    """A defect that was planted: its name, on what kind of record, its key there, and what is wrong.

    The key is the SKU of a listing, and the number of an invoice or remittance advice.
    """

    name: str
    subject: str
    key: str
    note: str


@dataclass(frozen=True)
class Defect:
    """A defect that can be planted: what it is, and on which kind of record."""

    name: str
    subject: str
    note: str
    make: Callable[[Call], str]

    def plant(self, call: Call) -> PlantedDefect:
        """Plant it and say where; raises LookupError where what it needs is not there."""
        return PlantedDefect(self.name, self.subject, self.make(call), self.note)


def _rogue(call: Call) -> str:
    sku = f"{ROGUE_SKU}-{len(call.store.state.adverts)}"
    variant = RawVariant(sku=sku, count_on_hand=3)
    portal.list_advert(call, RawAdvert(title="Rogue listing", variants=[variant]))
    return sku


def _case_twin(call: Call) -> str:
    known = _listed(call)[0]
    sku = (known.sku or "").swapcase()
    portal.list_advert(call, RawAdvert(title="Case twin", variants=[RawVariant(sku=sku, price=known.price)]))
    return sku


def _not_live(call: Call) -> str:
    variant = _listed(call)[-1]
    portal.judge(call, Verdict(advert=variant.advert, accept=False, reason="The picture shows another product"))
    return variant.sku or ""


def _incomplete(call: Call) -> str:
    raw = RawInvoice(lines=[RawLine(sku=_listed(call)[0].sku)], address={**SAMPLE_ADDRESS, "postcode": None})
    return str(shopping.raw_invoice(call, raw).number)


def _unknown_sku(call: Call) -> str:
    lines = [RawLine(sku=_listed(call)[0].sku), RawLine(sku=UNKNOWN_SKU)]
    return str(shopping.raw_invoice(call, RawInvoice(lines=lines)).number)


def _refund(call: Call) -> str:
    invoice = _despatched(call)[-1]
    line = invoice.line_items[0]
    portal.amend_directly(call, DirectAmendment(invoice=invoice.number, sku=line.variant_sku))
    return str(invoice.number)


def _remittance(call: Call) -> str:
    invoice = _despatched(call)[0]
    return str(portal.pay_out(call, Payout(invoices=[invoice.number], off_by=SHORTFALL)).number)


def _listed(call: Call) -> list[Variant]:
    state = call.store.state
    planted = {defect.key for defect in call.system.planted}
    found = [
        variant
        for variant in state.variants.values()
        if state.adverts[variant.advert].seller == OUR_SELLER
        and len(state.adverts[variant.advert].variants) == 1
        and flags.variant_displayable(call.store, variant)
        and (variant.sku or "").swapcase() != variant.sku
        and variant.sku not in planted
    ]
    if not found:
        raise LookupError("Nothing is on sale in the sandbox marketplacer: start it with a seed, or list an advert.")
    return found


def _despatched(call: Call) -> list[Invoice]:
    found = [
        invoice
        for invoice in call.store.state.invoices.values()
        if {"SENT", "REMITTED", "REFUNDED"}.intersection(flags.status_flags(call.store, invoice)) == {"SENT"}
    ]
    if not found:
        raise LookupError("No invoice of the sandbox marketplacer is despatched and neither refunded nor remitted.")
    return found


_ALL = (
    Defect("rogue_listing", "adverts", "a listing whose SKU Stokly does not have", _rogue),
    Defect("case_twin", "adverts", "a listing whose SKU differs from another one's only by case", _case_twin),
    Defect("listing_not_live", "adverts", "published by the seller, rejected by the operator", _not_live),
    Defect("order_incomplete", "invoices", "the shipping address has no postcode", _incomplete),
    Defect("order_unknown_sku", "invoices", "the second line's SKU is not in Stokly", _unknown_sku),
    Defect("refund_without_credit_note", "invoices", "refunded here, no credit note in Stokly", _refund),
    Defect("remittance_off", "remittance-advices", f"the total is {-SHORTFALL} pence below its parts", _remittance),
)
DEFECTS: dict[str, Defect] = {defect.name: defect for defect in _ALL}
"""Every defect by its name, in the order in which all of them can be planted together."""

RULES = {
    "rogue_listing": "MP-LISTING-ROGUE",
    "case_twin": "MP-SKU-CASE",
    "listing_not_live": "MP-LISTING-NOT-LIVE",
    "order_incomplete": "MP-ORDER-INCOMPLETE",
    "order_unknown_sku": "MP-ORDER-SKU",
    "remittance_off": "MP-REMITTANCE-SUM",
}
"""Name of a defect -> the rule that reports it. A refund that Stokly lacks is made there and is no fault."""


def expected(store: Store, planted: Iterable[PlantedDefect]) -> list[Planted]:
    """Planted defects by the rule under which they must be reported, and SKUs of a seed that are not on sale."""
    unlisted = UNLISTED.difference(variant.sku for variant in store.state.variants.values())
    return [
        *(
            Planted(rule=RULES[d.name], dataset=d.subject, key=_id(store, d), note=d.note)
            for d in planted
            if d.name in RULES
        ),
        *(Planted(rule="MP-SKU-UNKNOWN", dataset="items", key=sku, note="not listed") for sku in sorted(unlisted)),
    ]


def _id(store: Store, planted: PlantedDefect) -> str:
    match planted.subject:
        case "adverts":
            return next(variant.id for variant in store.state.variants.values() if variant.sku == planted.key)
        case "invoices":
            return global_id(Invoice.kind, int(planted.key))
        case _:
            return global_id(RemittanceAdvice.kind, int(planted.key))
