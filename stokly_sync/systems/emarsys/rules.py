"""Emarsys' part of the rule catalogue: why a record is not, or not yet, with Emarsys (X2).

Belongs here: codes, sentences and owners. The conditions themselves stand in `documents`, `contacts` and `events`.
"""

from __future__ import annotations

from typing import Final

from stokly_sync.contracts.rules import Effect, Rule, Severity
from stokly_sync.flow import Team

CONTACT_EMAIL: Final = Rule(
    "EM-CONTACT-EMAIL",
    "The customer has no e-mail address, so there is nobody for Emarsys to write to.",
    "Add the address to the customer in Stokly; the contact and its orders then leave by themselves.",
    Team.CX,
    "E1",
)
EMAIL_SHARED: Final = Rule(
    "EM-EMAIL-SHARED",
    "Another customer in Stokly has the same e-mail address; the one registered first is the contact.",
    "Merge the two customers in Stokly, or give one of them an address of its own.",
    Team.CX,
    "E1",
)
DUPLICATE: Final = Rule(
    "EM-DUPLICATE",
    "Emarsys holds several contacts for this customer; their ids stand in the detail.",
    "Merge or delete the contacts in Emarsys until one is left, then send the record again.",
    Team.CX,
    "E1",
    Effect.REJECT,
    Severity.HIGH,
)
EMAIL_TAKEN: Final = Rule(
    "EM-EMAIL-TAKEN",
    "The contact with this e-mail address belongs to another Stokly customer in Emarsys.",
    "Merge the two customers in Stokly, or correct the contact in Emarsys, then send the record again.",
    Team.CX,
    "E1",
    Effect.REJECT,
)
CUSTOMER_DELETED: Final = Rule(
    "EM-CUSTOMER-DELETED",
    "The customer was deleted or merged into another one in Stokly.",
    "Nothing to do; a merged contact is merged in Emarsys too. Use erasure to remove a person.",
    Team.CX,
    "E2",
    Effect.EXCLUDE,
    Severity.LOW,
)
SKU_UNKNOWN: Final = Rule(
    "EM-SKU-UNKNOWN",
    "A line sells an item that is not among the items taken over from Stokly.",
    "Create or repair the item in Stokly, or correct the line; the order leaves once its product is there.",
    Team.ECOMMERCE,
    "E3",
    severity=Severity.HIGH,
)
SKU_TEXT: Final = Rule(
    "EM-SKU-TEXT",
    "A SKU holds a line break or another control character, which no file for Emarsys can carry.",
    "Correct the SKU in Stokly.",
    Team.ECOMMERCE,
    "E3",
)
ORDER_NOT_CONFIRMED: Final = Rule(
    "EM-ORDER-NOT-CONFIRMED",
    "The order is not confirmed: its stage, its payment or a hold tag keeps it back.",
    "Nothing to do unless it waits too long: then take the payment or clear the hold in Stokly.",
    Team.OPERATIONS,
    "X5",
    Effect.PARK,
    Severity.LOW,
)
ORDER_REMOVED: Final = Rule(
    "EM-ORDER-REMOVED",
    "The order was removed or cancelled in Stokly before Emarsys ever had it.",
    "Nothing to do; lines that Emarsys has are taken back by lines with negative amounts.",
    Team.OPERATIONS,
    "E3",
    Effect.EXCLUDE,
    Severity.LOW,
)
ORDER_NEGATIVE: Final = Rule(
    "EM-ORDER-NEGATIVE",
    "The order's total is negative.",
    "Correct the order in Stokly, or enter what was given back as a refund.",
    Team.FINANCE,
    "E3",
)
CURRENCY: Final = Rule(
    "EM-CURRENCY",
    "The amounts are in another currency than the account's, and sales data have no column for it.",
    "Nothing to do, or agree a column s_currency with Emarsys and add it to sales_columns.",
    Team.FINANCE,
    "E3",
    Effect.EXCLUDE,
    Severity.LOW,
)
GUEST: Final = Rule(
    "EM-GUEST",
    "The order belongs to a guest, and the settings leave guests out.",
    "Nothing to do; set guests to send if a contact should be made of their e-mail address.",
    Team.MARKETING,
    "E1",
    Effect.EXCLUDE,
    Severity.LOW,
)
NO_IDENTITY: Final = Rule(
    "EM-NO-IDENTITY",
    "There is neither a customer nor an e-mail address, and Emarsys would book it on a nameless contact for good.",
    "Nothing to do; with an e-mail address on the order in Stokly it is sent.",
    Team.CX,
    "E3",
    Effect.EXCLUDE,
    Severity.LOW,
)
REFUND_NO_ORDER: Final = Rule(
    "EM-REFUND-NO-ORDER",
    "The refund or credit note names no order, and sales data know what was given back only on orders.",
    "Nothing to do for Emarsys; finance may tie it to its order in Stokly.",
    Team.FINANCE,
    "E3",
    Effect.EXCLUDE,
    Severity.LOW,
)
REFUND_ORDER: Final = Rule(
    "EM-REFUND-ORDER",
    "The order of the refund or credit note has not been taken over from Stokly yet.",
    "Nothing to do unless it waits too long: then look for the order among the exceptions.",
    Team.OPERATIONS,
    "E3",
    Effect.PARK,
    Severity.LOW,
)
REFUND_CURRENCY: Final = Rule(
    "EM-REFUND-CURRENCY",
    "The refund or credit note is in another currency than its order.",
    "Correct the currency of the refund in Stokly; amounts in two currencies cannot be set off.",
    Team.FINANCE,
    "E3",
)
REFUND_PENDING: Final = Rule(
    "EM-REFUND-PENDING",
    "The refund is not completed in Stokly.",
    "Nothing to do; it leaves once it is completed.",
    Team.FINANCE,
    "E3",
    Effect.PARK,
    Severity.LOW,
)
REFUND_NO_LINES: Final = Rule(
    "EM-REFUND-NO-LINES",
    "Nothing of the refund belongs to an item, or it was removed, so there is no line to send.",
    "Nothing to do, or set other_item, under which such amounts are then sent.",
    Team.FINANCE,
    "E3",
    Effect.EXCLUDE,
    Severity.LOW,
)
CREDIT_REFUND: Final = Rule(
    "EM-CREDIT-REFUND",
    "A refund names the credit note, and the refund's own lines are sent.",
    "Nothing to do; what was given back counts once.",
    Team.FINANCE,
    "E3",
    Effect.EXCLUDE,
    Severity.LOW,
)
CREDIT_NO_ITEM: Final = Rule(
    "EM-CREDIT-NO-ITEM",
    "A credit note without a refund has an amount and no items, and sales data are told item by item.",
    "Nothing to do, or set credit_item, under which such amounts are then sent.",
    Team.FINANCE,
    "E3",
    Effect.EXCLUDE,
    Severity.LOW,
)
CREDIT_CANCELLED: Final = Rule(
    "EM-CREDIT-CANCELLED",
    "Lines of the credit note's order were cancelled, and nobody can tell whether the note is for the same.",
    "Nothing to do; what was cancelled is taken off the order. Enter a refund in Stokly for what goes beyond that.",
    Team.FINANCE,
    "E3",
    Effect.EXCLUDE,
    Severity.LOW,
)
DISPATCH_ORDER: Final = Rule(
    "EM-DISPATCH-ORDER",
    "The order of the dispatch has not been taken over from Stokly yet.",
    "Nothing to do unless it waits too long: then look for the order among the exceptions.",
    Team.OPERATIONS,
    "E6",
    Effect.PARK,
    Severity.LOW,
)
DISPATCH_REMOVED: Final = Rule(
    "EM-DISPATCH-REMOVED",
    "The dispatch or its order was removed in Stokly.",
    "Nothing to do; a mail that has been sent cannot be taken back.",
    Team.OPERATIONS,
    "E6",
    Effect.EXCLUDE,
    Severity.LOW,
)
DISPATCH_OLD: Final = Rule(
    "EM-DISPATCH-OLD",
    "The dispatch is too old for a mail, or its order lies before the beginning of history.",
    "Nothing to do; dispatch_days and history_from say from when on dispatches are told.",
    Team.OPERATIONS,
    "E6",
    Effect.EXCLUDE,
    Severity.LOW,
)
TRACKING: Final = Rule(
    "EM-TRACKING",
    "The tracking number or address has not the form of one, and a mail would show it.",
    "Correct the dispatch in Stokly; the event leaves by itself.",
    Team.OPERATIONS,
    "E6",
)
EVENT_UNHEARD: Final = Rule(
    "EM-EVENT-UNHEARD",
    "Emarsys took the event, but no program or campaign of the account listens to it, so no mail was sent.",
    "Activate the program in Emarsys, then send the record again.",
    Team.MARKETING,
    "E6",
    Effect.REJECT,
)
CONSENT_REFUSED: Final = Rule(
    "EM-CONSENT-REFUSED",
    "Emarsys did not take the person's choice of consent.",
    "Look at the contact in Emarsys; where there is none, or several, correct that and send the record again.",
    Team.MARKETING,
    "X19",
    Effect.REJECT,
    Severity.HIGH,
)
FIELD_TYPE: Final = Rule(
    "EM-FIELD-TYPE",
    "A custom field of the record has a value that is not of the type set for it.",
    "Correct the value in Stokly, or the type of the field in the settings.",
    Team.MARKETING,
    "X22",
)
REJECTED: Final = Rule(
    "EM-REJECTED",
    "Emarsys refused the record; its reason stands in the detail.",
    "Correct the record in Stokly, or send it again once the reason is gone.",
    Team.MARKETING,
    "E8",
    Effect.REJECT,
    Severity.HIGH,
)

RULES: Final = (
    CONTACT_EMAIL,
    EMAIL_SHARED,
    DUPLICATE,
    EMAIL_TAKEN,
    CUSTOMER_DELETED,
    SKU_UNKNOWN,
    SKU_TEXT,
    ORDER_NOT_CONFIRMED,
    ORDER_REMOVED,
    ORDER_NEGATIVE,
    CURRENCY,
    GUEST,
    NO_IDENTITY,
    REFUND_NO_ORDER,
    REFUND_ORDER,
    REFUND_CURRENCY,
    REFUND_PENDING,
    REFUND_NO_LINES,
    CREDIT_REFUND,
    CREDIT_NO_ITEM,
    CREDIT_CANCELLED,
    DISPATCH_ORDER,
    DISPATCH_REMOVED,
    DISPATCH_OLD,
    TRACKING,
    EVENT_UNHEARD,
    CONSENT_REFUSED,
    FIELD_TYPE,
    REJECTED,
)
"""All rules of Emarsys."""
