"""Dotdigital's part of the rule catalogue: why a record is not, or not yet, with Dotdigital (X2).

Belongs here: codes, sentences and owners. The conditions themselves stand in `documents`, `sending` and `settling`.
"""

from __future__ import annotations

from typing import Final

from stokly_sync.contracts.rules import Effect, Rule, Severity
from stokly_sync.flow import Team

CONTACT_EMAIL: Final = Rule(
    "DD-CONTACT-EMAIL",
    "The customer has no e-mail address, so there is nobody for Dotdigital to write to.",
    "Add the address to the customer in Stokly; the contact and its orders then leave by themselves.",
    Team.CX,
    "D2",
)
EMAIL_SHARED: Final = Rule(
    "DD-EMAIL-SHARED",
    "Another customer in Stokly has the same e-mail address; the one registered first is the contact.",
    "Merge the two customers in Stokly, or give one of them an address of its own.",
    Team.CX,
    "D2",
)
CUSTOMER_DELETED: Final = Rule(
    "DD-CUSTOMER-DELETED",
    "The customer was deleted or merged into another one in Stokly.",
    "Nothing to do; orders go to the customer that is left. Use erasure to remove a person from Dotdigital.",
    Team.CX,
    "D2",
    Effect.EXCLUDE,
    Severity.LOW,
)
SKU_UNKNOWN: Final = Rule(
    "DD-SKU-UNKNOWN",
    "A line of the order sells an item that is not among the items taken over from Stokly.",
    "Create or repair the item in Stokly, or correct the line; the order leaves once its product is there.",
    Team.ECOMMERCE,
    "D4",
    severity=Severity.HIGH,
)
ORDER_TOTAL: Final = Rule(
    "DD-ORDER-TOTAL",
    "The order's total is not the sum of its net amount, shipping and tax.",
    "Correct the order in Stokly; it leaves by itself once the amounts add up.",
    Team.FINANCE,
    "D4",
    severity=Severity.HIGH,
)
ORDER_NEGATIVE: Final = Rule(
    "DD-ORDER-NEGATIVE",
    "The order's total is negative.",
    "Correct the order in Stokly, or enter what was given back as a refund.",
    Team.FINANCE,
    "D4",
)
REFUND_TOO_LARGE: Final = Rule(
    "DD-REFUND-TOO-LARGE",
    "More was refunded than the order's total.",
    "Check the order's refunds in Stokly; the order leaves once they are no more than its total.",
    Team.FINANCE,
    "D4",
)
REFUND_CURRENCY: Final = Rule(
    "DD-REFUND-CURRENCY",
    "A refund of the order is in another currency than the order.",
    "Correct the refund in Stokly; amounts are never converted on the way.",
    Team.FINANCE,
    "D4",
)
REFUND_NO_ORDER: Final = Rule(
    "DD-REFUND-NO-ORDER",
    "A refund or credit note belongs to no order, and Dotdigital knows refunds only on orders.",
    "Nothing to do; it is counted here so that totals can be explained.",
    Team.FINANCE,
    "D4",
    Effect.EXCLUDE,
    Severity.LOW,
)
ORDER_NOT_CONFIRMED: Final = Rule(
    "DD-ORDER-NOT-CONFIRMED",
    "The order is not confirmed: its stage, its payment or a hold tag keeps it back.",
    "Nothing to do unless it waits too long: then take the payment or clear the hold in Stokly.",
    Team.OPERATIONS,
    "X5",
    Effect.PARK,
    Severity.LOW,
)
ORDER_REMOVED: Final = Rule(
    "DD-ORDER-REMOVED",
    "The order was removed in Stokly before Dotdigital ever had it.",
    "Nothing to do; an order that Dotdigital has is cancelled there instead.",
    Team.OPERATIONS,
    "D4",
    Effect.EXCLUDE,
    Severity.LOW,
)
GUEST: Final = Rule(
    "DD-GUEST",
    "The order belongs to a guest, and the settings leave guests out.",
    "Nothing to do; set guests to merge if they should reach Dotdigital by their e-mail address.",
    Team.MARKETING,
    "D3",
    Effect.EXCLUDE,
    Severity.LOW,
)
NO_IDENTITY: Final = Rule(
    "DD-NO-IDENTITY",
    "The order has neither a customer nor an e-mail address, and Dotdigital keeps orders of contacts only.",
    "Nothing to do; it is counted here so that totals can be explained.",
    Team.MARKETING,
    "D4",
    Effect.EXCLUDE,
    Severity.LOW,
)
DISPATCH_ORDER: Final = Rule(
    "DD-DISPATCH-ORDER",
    "The order of the dispatch has not been taken over yet.",
    "Nothing to do; the dispatch leaves after its order. If it waits for long, look for the order among exceptions.",
    Team.OPERATIONS,
    "D6",
    Effect.PARK,
    Severity.LOW,
)
DISPATCH_REMOVED: Final = Rule(
    "DD-DISPATCH-REMOVED",
    "The dispatch or its order was removed in Stokly.",
    "Nothing to do; a mail that has been sent cannot be taken back.",
    Team.OPERATIONS,
    "D6",
    Effect.EXCLUDE,
    Severity.LOW,
)
TRACKING: Final = Rule(
    "DD-TRACKING",
    "The tracking number or address has not the form of one, and a mail would show it.",
    "Correct the dispatch in Stokly; the event leaves by itself.",
    Team.OPERATIONS,
    "D6",
)
FIELD_TYPE: Final = Rule(
    "DD-FIELD-TYPE",
    "A custom field of the record has a value that is not of the type set for it.",
    "Correct the value in Stokly, or the type of the field in the settings.",
    Team.MARKETING,
    "X22",
)
REJECTED: Final = Rule(
    "DD-REJECTED",
    "Dotdigital refused the record; its reason stands in the detail.",
    "Correct the record in Stokly, or send it again once the reason is gone.",
    Team.MARKETING,
    "D7",
    Effect.REJECT,
)
IMPORT_LOST: Final = Rule(
    "DD-IMPORT-LOST",
    "Dotdigital took an import three times and did not know it afterwards.",
    "Send the record again: that is harmless, because it replaces what is there.",
    Team.MARKETING,
    "D7",
    Effect.REJECT,
)
CONSENT_REFUSED: Final = Rule(
    "DD-CONSENT-REFUSED",
    "Dotdigital did not take the person's choice of consent.",
    "Look at the contact in Dotdigital; a suppressed one can only be opened again there, by the person.",
    Team.MARKETING,
    "X19",
    Effect.REJECT,
    Severity.HIGH,
)
SUPPRESSED: Final = Rule(
    "DD-SUPPRESSED",
    "Dotdigital keeps the contact as suppressed and takes no changes to it.",
    "Nothing to do; once the suppression is lifted in Dotdigital, send the record again.",
    Team.MARKETING,
    "D7",
    Effect.REJECT,
    Severity.LOW,
)
EMAIL_TAKEN: Final = Rule(
    "DD-EMAIL-TAKEN",
    "The contact with this e-mail address belongs to another Stokly customer in Dotdigital.",
    "Merge the two customers in Stokly, or correct the contact in Dotdigital, then send the record again.",
    Team.CX,
    "D2",
    Effect.REJECT,
)

RULES: Final = (
    CONTACT_EMAIL,
    EMAIL_SHARED,
    EMAIL_TAKEN,
    CUSTOMER_DELETED,
    SKU_UNKNOWN,
    ORDER_TOTAL,
    ORDER_NEGATIVE,
    REFUND_TOO_LARGE,
    REFUND_CURRENCY,
    REFUND_NO_ORDER,
    ORDER_NOT_CONFIRMED,
    ORDER_REMOVED,
    GUEST,
    NO_IDENTITY,
    DISPATCH_ORDER,
    DISPATCH_REMOVED,
    TRACKING,
    FIELD_TYPE,
    REJECTED,
    IMPORT_LOST,
    SUPPRESSED,
    CONSENT_REFUSED,
)
"""All rules of Dotdigital."""
