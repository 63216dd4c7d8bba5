"""Marketplacer's part of the rule catalogue: why a record is held back, at either end (X2).

Belongs here: codes, sentences and owners. The conditions stand in `documents`, `matching` and `sending`.
"""

from __future__ import annotations

from typing import Final

from stokly_sync.contracts.rules import Effect, Rule, Severity
from stokly_sync.flow import Team

MEMBER_TYPE: Final = Rule(
    "MP-MEMBER-TYPE",
    "A member of the record is missing or is not what it used to be.",
    "Look at the record in the marketplace's portal; if many have it, run `stokly-sync doctor` to see what changed.",
    Team.OPERATIONS,
    "X2",
    severity=Severity.HIGH,
)
MONEY: Final = Rule(
    "MP-MONEY",
    "An amount is missing or cannot be read exactly.",
    "Compare the record with the portal; where lines have no price at all, name the member in MARKETPLACER_MEMBERS.",
    Team.FINANCE,
    "X2",
    severity=Severity.HIGH,
)
TIME: Final = Rule(
    "MP-TIME",
    "A time cannot be read.",
    "Look at the record in the marketplace's portal, and tell the operator.",
    Team.OPERATIONS,
    "X2",
)
SKU_UNKNOWN: Final = Rule(
    "MP-SKU-UNKNOWN",
    "The marketplace has no variant with this SKU, so nothing can be sold or updated under it.",
    "Create the product in the portal, switch MARKETPLACER_ADVERT_UPSERT on, or take the item out with only_tags.",
    Team.ECOMMERCE,
    "P1",
    severity=Severity.HIGH,
)
SKU_TWICE: Final = Rule(
    "MP-SKU-TWICE",
    "Several variants of the marketplace have this SKU, and nobody knows which is meant.",
    "Delete or rename all but one of them in the portal.",
    Team.ECOMMERCE,
    "P1",
    severity=Severity.HIGH,
)
SKU_CASE: Final = Rule(
    "MP-SKU-CASE",
    "The SKU in the marketplace differs from Stokly's in nothing but capitals or blanks.",
    "Write the SKU in the portal exactly as in Stokly; until then it counts as another product.",
    Team.ECOMMERCE,
    "P1",
    severity=Severity.HIGH,
)
LISTING_ROGUE: Final = Rule(
    "MP-LISTING-ROGUE",
    "The marketplace lists a SKU that Stokly does not have: it can be sold and never be fulfilled.",
    "Take the listing off sale in the portal, or create the item in Stokly.",
    Team.ECOMMERCE,
    "P1",
    severity=Severity.HIGH,
)
LISTING_NOT_LIVE: Final = Rule(
    "MP-LISTING-NOT-LIVE",
    "The item is sold in Stokly and in stock, and its listing cannot be bought in the marketplace.",
    "Do what the detail says: finish the listing in the portal, or ask the operator to approve it.",
    Team.ECOMMERCE,
    "P7",
)
NOT_OFFERED: Final = Rule(
    "MP-NOT-OFFERED",
    "The item is not meant for the marketplace: it has none of the tags that say so.",
    "Nothing to do; MARKETPLACER_ONLY_TAGS names the tags.",
    Team.ECOMMERCE,
    "P1",
    Effect.EXCLUDE,
    Severity.LOW,
)
NOT_SOLD: Final = Rule(
    "MP-NOT-SOLD",
    "The item is no goods, was deleted, or is the parent of variants, and the marketplace has nothing to end for it.",
    "Nothing to do.",
    Team.ECOMMERCE,
    "P1",
    Effect.EXCLUDE,
    Severity.LOW,
)
NOT_LISTED: Final = Rule(
    "MP-STOCK-NOT-LISTED",
    "The marketplace has no variant with this SKU, so there is no stock to set.",
    "Nothing to do here; where the item should be there, MP-SKU-UNKNOWN says so.",
    Team.ECOMMERCE,
    "P2",
    Effect.EXCLUDE,
    Severity.LOW,
)
PRICE: Final = Rule(
    "MP-PRICE",
    "The item has no price, or one in another currency than the marketplace's.",
    "Give the item its price in Stokly in the currency of the instance.",
    Team.ECOMMERCE,
    "P1",
)
TAXON: Final = Rule(
    "MP-TAXON",
    "The product cannot be created: no taxon is set for its item type.",
    "Set MARKETPLACER_TAXON_ID, or the item's type under taxons.",
    Team.ECOMMERCE,
    "P1",
)
ORDERS_LATE: Final = Rule(
    "MP-STOCK-ORDERS-LATE",
    "Orders of this SKU are not in Stokly in time, so that its stock there is too high to be offered.",
    "Look at the exceptions of the marketplace's orders; the stock leaves as soon as they are in Stokly.",
    Team.OPERATIONS,
    "P2",
    Effect.PARK,
    Severity.HIGH,
)
DISPATCH_OTHER: Final = Rule(
    "MP-DISPATCH-OTHER",
    "The dispatch belongs to an order of another channel, or was removed.",
    "Nothing to do.",
    Team.OPERATIONS,
    "P4",
    Effect.EXCLUDE,
    Severity.LOW,
)
DISPATCH_ORDER: Final = Rule(
    "MP-DISPATCH-ORDER",
    "The order of the dispatch is not read from the marketplace yet.",
    "Nothing to do unless it waits for more than an hour: then look at the order's reference in Stokly.",
    Team.OPERATIONS,
    "P4",
    Effect.PARK,
)
SHIP_LINE: Final = Rule(
    "MP-SHIP-LINE",
    "A line of the dispatch is not part of the marketplace's order.",
    "Compare the order in Stokly with the marketplace's, and correct the SKU of the line.",
    Team.OPERATIONS,
    "P4",
    severity=Severity.HIGH,
)
SHIP_QUANTITY: Final = Rule(
    "MP-SHIP-QUANTITY",
    "More was dispatched of a line than the marketplace's order has left to ship.",
    "Look for a second dispatch of the same goods in Stokly, or for a shipment entered in the portal by hand.",
    Team.OPERATIONS,
    "P4",
    severity=Severity.HIGH,
)
CARRIER_UNMAPPED: Final = Rule(
    "MP-CARRIER-UNMAPPED",
    "The marketplace has no carrier for the dispatch's courier.",
    "Add the courier to MARKETPLACER_CARRIERS, or set MARKETPLACER_DEFAULT_CARRIER.",
    Team.OPERATIONS,
    "P4",
)
TRACKING: Final = Rule(
    "MP-TRACKING",
    "The dispatch has no tracking number, without which the marketplace takes no shipment.",
    "Enter the number in Stokly, or set MARKETPLACER_UNTRACKED to number.",
    Team.OPERATIONS,
    "P4",
)
REFUND_OTHER: Final = Rule(
    "MP-REFUND-OTHER",
    "The refund belongs to an order of another channel, is not completed, or was removed.",
    "Nothing to do.",
    Team.FINANCE,
    "P10",
    Effect.EXCLUDE,
    Severity.LOW,
)
REFUND_MISSING: Final = Rule(
    "MP-REFUND-MISSING",
    "The refund stands in Stokly and not in the marketplace: the customer waits for it, and VAT differs until then.",
    "Enter the refund in the portal, or set MARKETPLACER_REFUNDS to create.",
    Team.FINANCE,
    "P10",
    severity=Severity.HIGH,
)
REFUND_REFUSED: Final = Rule(
    "MP-REFUND-REFUSED",
    "The marketplace refused the refund request or one of its steps.",
    "Read the reason in the detail and finish the refund in the portal.",
    Team.CX,
    "P10",
    Effect.REJECT,
    Severity.HIGH,
)
ORDER_ORPHAN: Final = Rule(
    "MP-ORDER-ORPHAN",
    "The order is in the marketplace or in Stokly, and not in the other one.",
    "Look at the order's exceptions; where it was made by hand in Stokly, correct its reference.",
    Team.OPERATIONS,
    "P8",
    severity=Severity.HIGH,
)
CANCELLED_ONLY_IN_STOKLY: Final = Rule(
    "MP-CANCELLED-ONLY-IN-STOKLY",
    "The order was cancelled in Stokly alone: the marketplace waits for its shipment, and the customer has paid.",
    "Cancel the order in the marketplace's portal, or bring it back in Stokly.",
    Team.CX,
    "P9",
    severity=Severity.HIGH,
    alert=True,
)
REMITTANCE_SUM: Final = Rule(
    "MP-REMITTANCE-SUM",
    "The remittance is not the sum of its parts; what differs is in the detail.",
    "Compare the remittance advice with the portal and ask the operator; no journal is made of it until it adds up.",
    Team.FINANCE,
    "P5",
    severity=Severity.HIGH,
)
REJECTED: Final = Rule(
    "MP-REJECTED",
    "The marketplace refused the record; its reason stands in the detail.",
    "Correct the record in Stokly, or send it again once the reason is gone.",
    Team.ECOMMERCE,
    "P1",
    Effect.REJECT,
    Severity.HIGH,
)
SHIPMENT_REFUSED: Final = Rule(
    "MP-SHIPMENT-REFUSED",
    "The marketplace refused the shipment; its reason stands in the detail.",
    "Correct the dispatch in Stokly, or enter the shipment in the portal.",
    Team.OPERATIONS,
    "P4",
    Effect.REJECT,
    Severity.HIGH,
)

RULES: Final = (
    *(MEMBER_TYPE, MONEY, TIME),
    *(SKU_UNKNOWN, SKU_TWICE, SKU_CASE, LISTING_ROGUE, LISTING_NOT_LIVE, NOT_OFFERED, NOT_SOLD, PRICE, TAXON),
    *(NOT_LISTED, ORDERS_LATE),
    *(DISPATCH_OTHER, DISPATCH_ORDER, SHIP_LINE, SHIP_QUANTITY, CARRIER_UNMAPPED, TRACKING, SHIPMENT_REFUSED),
    *(REFUND_OTHER, REFUND_MISSING, REFUND_REFUSED),
    *(ORDER_ORPHAN, CANCELLED_ONLY_IN_STOKLY, REMITTANCE_SUM, REJECTED),
)
"""All rules of Marketplacer."""
