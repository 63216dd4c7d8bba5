"""Rules about what channels give to Stokly: what automated fulfilment and VAT need, one code for each lack.

Belongs here: codes, sentences and owners, made alike for each channel under its own prefix. Which rows break them is
found by the builders in `outgoing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from stokly_sync.contracts.channels import CODES, CREDIT_MISSING, MARKETPLACER, ORDER_BUNDLE
from stokly_sync.contracts.rules import Effect, Rule, Severity
from stokly_sync.flow import Team

_HIGH: Final = Severity.HIGH
_LOW: Final = Severity.LOW
_ORDER_IN: Final = {"magento": "G3", "marketplacer": "P3"}
_CANCEL: Final = {"magento": "G3", "marketplacer": "P9"}
_REFUND: Final = {"magento": "G5", "marketplacer": "P10"}


@dataclass(frozen=True)
class ChannelRules:
    """The rules of one channel by what they are about; None for what cannot be wrong there."""

    incomplete: Rule
    sku: Rule
    bundle: Rule | None
    total: Rule
    tax: Rule
    payment: Rule | None
    shipping: Rule
    location: Rule
    pending: Rule
    cancelled: Rule
    before: Rule
    refused: Rule
    twice: Rule
    cancel_late: Rule
    cancel_lines: Rule
    cancel_waits: Rule
    cancel_refused: Rule
    credit_waits: Rule
    credit_denied: Rule
    credit_missing: Rule
    credit_line: Rule
    credit_refused: Rule
    invoice_waits: Rule
    invoice_late: Rule
    invoice_refused: Rule

    @property
    def all(self) -> tuple[Rule, ...]:
        """All of them."""
        found = (getattr(self, name) for name in self.__dataclass_fields__)
        return tuple(rule for rule in found if rule is not None)


def rules_of(channel: str) -> ChannelRules:
    """The rules of a channel; `channel` is the name that its datasets begin with."""
    code, title = CODES[channel], channel.title()
    asked, cancel, refund = _ORDER_IN[channel], _CANCEL[channel], _REFUND[channel]
    return ChannelRules(
        incomplete=Rule(
            f"{code}-ORDER-INCOMPLETE",
            f"The order from {title} lacks something that fulfilment or VAT needs; the detail says what.",
            f"Complete the order in {title}; it goes to Stokly by itself then.",
            Team.CX,
            asked,
            severity=_HIGH,
        ),
        sku=Rule(
            f"{code}-ORDER-SKU",
            "An order line has a SKU that no live item of Stokly has.",
            f"Create the item in Stokly under exactly this SKU, or correct the SKU in {title}.",
            Team.ECOMMERCE,
            asked,
            severity=_HIGH,
        ),
        bundle=_bundle(channel, asked) if channel in ORDER_BUNDLE else None,
        total=Rule(
            f"{code}-ORDER-TOTAL",
            "The order's total is not the sum of its lines, shipping and taxes.",
            f"Compare the order in {title} line by line; a fee, a gift card or a credit is not carried in its lines.",
            Team.FINANCE,
            asked,
            severity=_HIGH,
        ),
        tax=Rule(
            f"{code}-ORDER-TAX",
            "The order's tax is missing for a line, or is not the sum of the taxes of lines and shipping.",
            f"Correct the tax set-up in {title}; VAT must not be posted from amounts that do not add up.",
            Team.FINANCE,
            asked,
            severity=_HIGH,
        ),
        payment=_payment(channel, asked) if channel != MARKETPLACER else None,
        shipping=Rule(
            f"{code}-SHIPPING-UNMAPPED",
            "The order's shipping method is mapped to no shipping option of Stokly.",
            f"Add the method to shipping under [stokly.{channel}].",
            Team.OPERATIONS,
            asked,
        ),
        location=Rule(
            f"{code}-ORDER-LOCATION",
            "No location of Stokly is set for the store that the order comes from.",
            f"Add the store, or *, to locations under [stokly.{channel}].",
            Team.OPERATIONS,
            asked,
        ),
        pending=Rule(
            f"{code}-ORDER-PENDING",
            "The order is not paid for or is held, so it is not confirmed.",
            "Nothing to do; it goes to Stokly once the channel confirms it.",
            Team.CX,
            f"{asked}, X5",
            Effect.PARK,
            _LOW,
        ),
        cancelled=Rule(
            f"{code}-ORDER-CANCELLED",
            f"The order was cancelled in {title}; one that Stokly has already is cancelled there.",
            "Nothing to do.",
            Team.CX,
            cancel,
            Effect.EXCLUDE,
            _LOW,
        ),
        before=Rule(
            f"{code}-ORDER-BEFORE",
            "The order was placed before the time from which orders are imported.",
            f"Nothing to do, or set an earlier orders_from under [stokly.{channel}] and read from then on again.",
            Team.OPERATIONS,
            asked,
            Effect.EXCLUDE,
            _LOW,
        ),
        refused=Rule(
            f"{code}-ORDER-REFUSED",
            "Stokly refused the order.",
            "Read Stokly's reason and correct the order, its customer or its items; it is sent again once it changed.",
            Team.OPERATIONS,
            asked,
            Effect.REJECT,
            _HIGH,
        ),
        twice=Rule(
            f"{code}-ORDER-TWICE",
            f"Stokly holds one order of {title} more than once.",
            "Remove all but one of them in Stokly before any is dispatched, and refund what was invoiced twice.",
            Team.OPERATIONS,
            asked,
            severity=_HIGH,
        ),
        cancel_late=Rule(
            f"{code}-CANCEL-LATE",
            f"The order, or a line of it, was cancelled in {title} after goods had left Stokly's warehouse.",
            "Call the parcel back or take the return, and refund the order; it is not cancelled in Stokly.",
            Team.CX,
            cancel,
            severity=_HIGH,
            alert=True,
        ),
        cancel_lines=Rule(
            f"{code}-CANCEL-LINES",
            f"Lines of the order were cancelled in {title}, or refunded before they were shipped, and are still open "
            "in Stokly.",
            "Take the units that the detail names off the order in Stokly before it is picked.",
            Team.CX,
            cancel,
            severity=_HIGH,
            alert=True,
        ),
        cancel_waits=Rule(
            f"{code}-CANCEL-WAITS",
            "Lines of the order were cancelled before Stokly had the order.",
            "Nothing to do; it is looked at again once Stokly has the order.",
            Team.CX,
            cancel,
            Effect.PARK,
            _LOW,
        ),
        cancel_refused=Rule(
            f"{code}-CANCEL-REFUSED",
            "Stokly refused to cancel the order.",
            "Cancel the order in Stokly by hand before it is picked; see cancel_orders in [stokly] for other ways.",
            Team.OPERATIONS,
            cancel,
            Effect.REJECT,
            _HIGH,
        ),
        credit_waits=Rule(
            f"{code}-CREDIT-WAITS",
            "The refund waits for its order in Stokly, or is not complete in the channel.",
            "Nothing to do; it follows its order.",
            Team.FINANCE,
            refund,
            Effect.PARK,
            _LOW,
        ),
        credit_denied=Rule(
            f"{code}-CREDIT-DENIED",
            "The refund was denied or taken back, it or its order is from before orders are imported, or it gives "
            "nothing back.",
            "Nothing to do.",
            Team.FINANCE,
            refund,
            Effect.EXCLUDE,
            _LOW,
        ),
        credit_missing=Rule(
            CREDIT_MISSING[channel],
            f"{title} has refunded what Stokly has no credit note for: until then VAT is overstated by the value.",
            f"Refund the order in Stokly, or set refunds under [stokly.{channel}] to create.",
            Team.FINANCE,
            refund,
            severity=_HIGH,
        ),
        credit_line=Rule(
            f"{code}-CREDIT-LINE",
            "The refund names goods that its order in Stokly does not have, or is in another currency.",
            "Compare refund and order, and make the credit note in Stokly by hand.",
            Team.FINANCE,
            refund,
            severity=_HIGH,
        ),
        credit_refused=Rule(
            f"{code}-CREDIT-REFUSED",
            "Stokly refused the refund.",
            "Read Stokly's reason; make the credit note in Stokly by hand where the two differ.",
            Team.FINANCE,
            refund,
            Effect.REJECT,
            _HIGH,
        ),
        invoice_waits=Rule(
            f"{code}-INVOICE-WAITS",
            "The order is not invoiced yet, because it has not been dispatched in full.",
            "Nothing to do; it is posted once fulfilment is confirmed.",
            Team.FINANCE,
            "G6, X5",
            Effect.PARK,
            _LOW,
        ),
        invoice_late=Rule(
            f"{code}-INVOICE-LATE",
            "A part of the order was dispatched long ago and the rest has not left, so that nothing of it is invoiced.",
            f"Dispatch the rest, or cancel and refund it in {title}; the invoice follows by itself.",
            Team.OPERATIONS,
            "G6, X5",
        ),
        invoice_refused=Rule(
            f"{code}-INVOICE-REFUSED",
            "Stokly refused the invoice.",
            "Read Stokly's reason, and invoice the order in Stokly by hand.",
            Team.FINANCE,
            "G6",
            Effect.REJECT,
            _HIGH,
        ),
    )


def _bundle(channel: str, asked: str) -> Rule:
    return Rule(
        ORDER_BUNDLE[channel],
        "An order line has the SKU of a bundle put together at the time of sale, and not those of its parts.",
        f"Give the bundle a fixed SKU that Stokly has, or prices to its parts, so that {channel.title()} names them.",
        Team.ECOMMERCE,
        asked,
        severity=_HIGH,
    )


def _payment(channel: str, asked: str) -> Rule:
    """A marketplace takes the money itself and names no method, so none of its orders can break this."""
    return Rule(
        f"{CODES[channel]}-PAYMENT-UNMAPPED",
        "The order's payment method is mapped to none of Stokly's.",
        f"Add the method to payments under [stokly.{channel}].",
        Team.FINANCE,
        asked,
    )


CHANNEL_RULES: Final = {channel: rules_of(channel) for channel in CODES}
