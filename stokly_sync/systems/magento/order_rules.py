"""Magento's part of the rule catalogue, orders and what follows them: shipments, refunds, cancellations (X2).

Belongs here: codes, sentences and owners. The conditions stand in `documents`, `sending` and `matching`.
"""

from __future__ import annotations

from typing import Final

from stokly_sync.contracts.rules import Effect, Rule, Severity
from stokly_sync.flow import Team

NOT_FROM_HERE: Final = Rule(
    "MG-NOT-FROM-HERE",
    "The record belongs to an order of another channel.",
    "Nothing to do.",
    Team.OPERATIONS,
    "G4",
    Effect.EXCLUDE,
    Severity.LOW,
)
ORDER_UNKNOWN: Final = Rule(
    "MG-ORDER-UNKNOWN",
    "Stokly names an order of Magento that was not read from there.",
    "Look the number up in Magento. If it is there, sweep magento.orders; if not, correct the reference in Stokly.",
    Team.OPERATIONS,
    "G4",
)
SHIP_REMOVED: Final = Rule(
    "MG-SHIP-REMOVED",
    "The dispatch, or its order, was removed in Stokly before Magento was told.",
    "Nothing to do.",
    Team.OPERATIONS,
    "G4",
    Effect.EXCLUDE,
    Severity.LOW,
)
SHIP_VIRTUAL: Final = Rule(
    "MG-SHIP-VIRTUAL",
    "The dispatch holds nothing that Magento ships.",
    "Nothing to do.",
    Team.OPERATIONS,
    "G4",
    Effect.EXCLUDE,
    Severity.LOW,
)
SHIP_LINES: Final = Rule(
    "MG-SHIP-LINES",
    "The dispatch does not say what it holds, and without lines Magento would ship all that is open.",
    "Add its lines in Stokly, or set dispatch_without_lines if Stokly always dispatches whole orders.",
    Team.OPERATIONS,
    "G4",
)
SHIP_SKU: Final = Rule(
    "MG-SHIP-SKU",
    "The dispatch holds a SKU that the order does not have in Magento.",
    "Compare the order in Stokly and in Magento; correct the line in Stokly, or ship by hand in Magento.",
    Team.OPERATIONS,
    "G4",
    severity=Severity.HIGH,
)
SHIP_QUANTITY: Final = Rule(
    "MG-SHIP-QUANTITY",
    "More was dispatched than the order has open in Magento; Magento would cut it down in silence.",
    "Compare dispatches and order; correct the dispatch in Stokly, or the order in Magento.",
    Team.OPERATIONS,
    "G4",
    severity=Severity.HIGH,
)
SHIP_CONFLICT: Final = Rule(
    "MG-SHIP-CONFLICT",
    "Magento shows the goods as shipped in other parcels than Stokly, so the tracking number has no place.",
    "Compare the shipments of the order; add the tracking number in Magento if it matters, then ignore this.",
    Team.OPERATIONS,
    "G4",
    Effect.REJECT,
)
SHIP_CANCELLED: Final = Rule(
    "MG-SHIP-CANCELLED",
    "Stokly has dispatched an order that is cancelled or refunded in Magento.",
    "Call the parcel back, or take payment again; then settle the order in both.",
    Team.CX,
    "G4",
    severity=Severity.HIGH,
)
SHIP_HELD: Final = Rule(
    "MG-SHIP-HELD",
    "The order is on hold in Magento, which takes no shipment until it is released.",
    "Release the order in Magento; the shipment then leaves by itself.",
    Team.CX,
    "G4",
    Effect.PARK,
    Severity.HIGH,
)
SHIP_SOURCE: Final = Rule(
    "MG-SHIP-SOURCE",
    "Magento could not save the shipment; most often its source holds less than the parcel.",
    "Compare the source's quantity with the parcel, let stock be pushed, then send the record again.",
    Team.OPERATIONS,
    "G4",
    Effect.REJECT,
    Severity.HIGH,
)
LOCATION_MISSING: Final = Rule(
    "MG-LOCATION-MISSING",
    "The dispatch left from a location of Stokly that is mapped to no source of Magento.",
    "Add the location to locations under [magento].",
    Team.OPERATIONS,
    "G2, G4",
)
CARRIER_UNMAPPED: Final = Rule(
    "MG-CARRIER-UNMAPPED",
    "The courier has no carrier in Magento, so the tracking number cannot be shown.",
    "Add the courier to carriers under [magento], or set unmapped_carrier to custom.",
    Team.OPERATIONS,
    "G4",
)
TRACKING: Final = Rule(
    "MG-TRACKING",
    "The tracking number has not the form of one.",
    "Correct it in Stokly, or tracking_pattern if the courier's numbers look like that.",
    Team.OPERATIONS,
    "G4",
)
REFUND_MISSING: Final = Rule(
    "MG-REFUND-MISSING",
    "Stokly has refunded what Magento has no credit memo for.",
    "Make the credit memo in Magento, or set refunds to create.",
    Team.FINANCE,
    "G5",
    severity=Severity.HIGH,
)
REFUND_REMOVED: Final = Rule(
    "MG-REFUND-REMOVED",
    "The refund was removed in Stokly, or is not complete.",
    "Nothing to do.",
    Team.FINANCE,
    "G5",
    Effect.EXCLUDE,
    Severity.LOW,
)
REFUND_ORIGIN: Final = Rule(
    "MG-REFUND-ORIGIN",
    "The refund was made in Magento and came to Stokly from there.",
    "Nothing to do; it does not go back.",
    Team.FINANCE,
    "G5",
    Effect.EXCLUDE,
    Severity.LOW,
)
REFUND_QUANTITY: Final = Rule(
    "MG-REFUND-QUANTITY",
    "More is refunded than the order has left to refund in Magento, or a SKU that it does not have.",
    "Compare refunds and credit memos of the order, and settle the difference by hand.",
    Team.FINANCE,
    "G5",
    severity=Severity.HIGH,
)
CANCELLED_ONLY_IN_STOKLY: Final = Rule(
    "MG-CANCELLED-ONLY-IN-STOKLY",
    "The order was removed or cancelled in Stokly, and is open in Magento.",
    "Cancel it in Magento, or bring it back in Stokly: the customer still waits.",
    Team.CX,
    "G3",
    severity=Severity.HIGH,
    alert=True,
)
ORDER_ORPHAN: Final = Rule(
    "MG-ORDER-ORPHAN",
    "The order is in Magento or in Stokly, and not in the other one.",
    "Look the number up in both; one made by hand in Stokly needs the shop's number as its reference.",
    Team.OPERATIONS,
    "G3, G7",
)
SHIPPED_ONLY_HERE: Final = Rule(
    "MG-SHIPPED-ONLY-IN-MAGENTO",
    "Magento has shipped what Stokly has not dispatched, so Stokly still holds the stock.",
    "Dispatch the order in Stokly, or cancel the shipment in Magento.",
    Team.OPERATIONS,
    "G4",
)
REFUND_AMOUNT: Final = Rule(
    "MG-REFUND-AMOUNT",
    "A refund of Stokly and its credit memo in Magento differ in amount.",
    "Compare the two, and settle the difference in the one that is wrong.",
    Team.FINANCE,
    "G5",
    severity=Severity.HIGH,
)

ORDER_RULES: Final = (
    NOT_FROM_HERE,
    ORDER_UNKNOWN,
    SHIP_REMOVED,
    SHIP_VIRTUAL,
    SHIP_LINES,
    SHIP_SKU,
    SHIP_QUANTITY,
    SHIP_CONFLICT,
    SHIP_CANCELLED,
    SHIP_HELD,
    SHIP_SOURCE,
    LOCATION_MISSING,
    CARRIER_UNMAPPED,
    TRACKING,
    REFUND_MISSING,
    REFUND_REMOVED,
    REFUND_ORIGIN,
    REFUND_QUANTITY,
    CANCELLED_ONLY_IN_STOKLY,
    ORDER_ORPHAN,
    SHIPPED_ONLY_HERE,
    REFUND_AMOUNT,
)
"""Rules about orders, shipments and refunds."""
