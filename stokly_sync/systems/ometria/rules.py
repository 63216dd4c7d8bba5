"""Ometria's part of the rule catalogue: why a record is not, or not yet, with Ometria (X2).

Belongs here: codes, sentences and owners. The conditions themselves stand in `documents`.
"""

from __future__ import annotations

from typing import Final

from stokly_sync.contracts.rules import Effect, Rule, Severity
from stokly_sync.flow import Team

CONTACT_EMAIL: Final = Rule(
    "OM-CONTACT-EMAIL",
    "The customer has no e-mail address, so there is nobody for Ometria to write to.",
    "Add the address to the customer in Stokly; the contact and its orders then leave by themselves.",
    Team.CX,
    "O1",
)
CUSTOMER_DELETED: Final = Rule(
    "OM-CUSTOMER-DELETED",
    "The customer was deleted or merged into another one in Stokly.",
    "Nothing to do; orders go to the customer that is left. Use erasure to remove a person from Ometria.",
    Team.CX,
    "O1",
    Effect.EXCLUDE,
    Severity.LOW,
)
SKU_UNKNOWN: Final = Rule(
    "OM-SKU-UNKNOWN",
    "A line of the order sells an item that is not among the items taken over from Stokly.",
    "Create or repair the item in Stokly, or correct the line; the order leaves once its product is there.",
    Team.ECOMMERCE,
    "O5",
    severity=Severity.HIGH,
)
ORDER_NOT_CONFIRMED: Final = Rule(
    "OM-ORDER-NOT-CONFIRMED",
    "The order is not confirmed: its stage, its payment or a hold tag keeps it back.",
    "Nothing to do unless it waits too long: then take the payment or clear the hold in Stokly.",
    Team.OPERATIONS,
    "X5",
    Effect.PARK,
    Severity.LOW,
)
ORDER_REMOVED: Final = Rule(
    "OM-ORDER-REMOVED",
    "The order was removed in Stokly before Ometria ever had it.",
    "Nothing to do; an order that Ometria has is cancelled there instead.",
    Team.OPERATIONS,
    "O2",
    Effect.EXCLUDE,
    Severity.LOW,
)
GUEST: Final = Rule(
    "OM-GUEST",
    "The order belongs to a guest, and the settings leave guests out.",
    "Nothing to do; set guests to send if they should reach Ometria by their e-mail address.",
    Team.MARKETING,
    "O2",
    Effect.EXCLUDE,
    Severity.LOW,
)
REFUND_NO_ORDER: Final = Rule(
    "OM-REFUND-NO-ORDER",
    "The refund or credit note names no order, and Ometria knows refunds only on orders.",
    "Nothing to do for Ometria; finance may tie it to its order in Stokly.",
    Team.FINANCE,
    "O3",
    Effect.EXCLUDE,
    Severity.LOW,
)
REFUND_CURRENCY: Final = Rule(
    "OM-REFUND-CURRENCY",
    "A refund or credit note of the order is in another currency than the order.",
    "Correct the currency of the refund in Stokly; amounts in two currencies cannot be set off.",
    Team.FINANCE,
    "O3",
)
TRACKING: Final = Rule(
    "OM-TRACKING",
    "The tracking number of the dispatch is not one that a courier would give.",
    "Correct the tracking number in Stokly; the shipped mail then leaves.",
    Team.OPERATIONS,
    "O6",
)
NO_IDENTITY: Final = Rule(
    "OM-NO-IDENTITY",
    "The dispatch belongs to a guest without an e-mail address, so nobody can be told.",
    "Nothing to do; with an e-mail address on the order in Stokly later dispatches are sent.",
    Team.CX,
    "O6",
    Effect.EXCLUDE,
    Severity.LOW,
)
DISPATCH_ORDER: Final = Rule(
    "OM-DISPATCH-ORDER",
    "The order of the dispatch has not been taken over from Stokly yet.",
    "Nothing to do unless it waits too long: then look for the order among the exceptions.",
    Team.OPERATIONS,
    "O6",
    Effect.PARK,
    Severity.LOW,
)
DISPATCH_REMOVED: Final = Rule(
    "OM-DISPATCH-REMOVED",
    "The dispatch was removed in Stokly.",
    "Nothing to do; an event that Ometria has already cannot be taken back.",
    Team.OPERATIONS,
    "O6",
    Effect.EXCLUDE,
    Severity.LOW,
)
STOCK_NOT_HELD: Final = Rule(
    "OM-STOCK-NOT-HELD",
    "The stock belongs to an item that is not sold as stock: a service, or one deleted in Stokly.",
    "Nothing to do; Ometria shows stock for products that hold some.",
    Team.ECOMMERCE,
    "O4",
    Effect.EXCLUDE,
    Severity.LOW,
)
RECORD_SIZE: Final = Rule(
    "OM-RECORD-SIZE",
    "The record is larger than the 60 KB that Ometria takes.",
    "Split the order, or shorten the texts and attributes of the product in Stokly.",
    Team.OPERATIONS,
    "O2",
)
PROPERTIES_SIZE: Final = Rule(
    "OM-PROPERTIES-SIZE",
    "The custom fields of the record are larger than the 1,000 characters that Ometria takes.",
    "Shorten the values in Stokly, or map fewer fields in the settings.",
    Team.MARKETING,
    "X22",
)
PROPERTY_TYPE: Final = Rule(
    "OM-PROPERTY-TYPE",
    "A custom field of the record has a value that is not of the type set for it.",
    "Correct the value in Stokly, or the type of the field in the settings.",
    Team.MARKETING,
    "X22",
)
REJECTED: Final = Rule(
    "OM-REJECTED",
    "Ometria refused the record, at once or after taking it.",
    "Read the reason; correct the record in Stokly, or retry it once the cause is gone.",
    Team.ECOMMERCE,
    "O7",
    Effect.REJECT,
    Severity.HIGH,
)

RULES: Final = (
    CONTACT_EMAIL,
    CUSTOMER_DELETED,
    SKU_UNKNOWN,
    ORDER_NOT_CONFIRMED,
    ORDER_REMOVED,
    GUEST,
    REFUND_NO_ORDER,
    REFUND_CURRENCY,
    TRACKING,
    NO_IDENTITY,
    DISPATCH_ORDER,
    DISPATCH_REMOVED,
    STOCK_NOT_HELD,
    RECORD_SIZE,
    PROPERTIES_SIZE,
    PROPERTY_TYPE,
    REJECTED,
)
