"""Stokly's part of the rule catalogue: what can be wrong with a row as it comes from there.

Belongs here: code, sentences for people, owner; those about what channels give to Stokly stand in `channel_rules`. The
checks themselves stand with the columns in `contracts`, those
that compare rows in `landing.relations`. X2 asks for each of them; a second requirement is named where there is one.
"""

from __future__ import annotations

from typing import Final

from stokly_sync.contracts.rules import Rule, Severity
from stokly_sync.flow import Team
from stokly_sync.systems.stokly.channel_rules import CHANNEL_RULES

RULES: Final = (
    *(rule for rules in CHANNEL_RULES.values() for rule in rules.all),
    Rule(
        "ST-MEMBER-TYPE",
        "A member of the record is missing or is not what it used to be.",
        "Correct the record in Stokly; if many have it, Stokly has changed and the mapping must follow.",
        Team.OPERATIONS,
        "X2",
        severity=Severity.HIGH,
    ),
    Rule(
        "ST-MONEY",
        "An amount cannot be kept exactly: it has more than nine decimals or is out of range.",
        "Correct the amount in Stokly.",
        Team.FINANCE,
        "X2",
        severity=Severity.HIGH,
    ),
    Rule(
        "ST-TIME",
        "A date cannot be read, or lies in the future.",
        "Correct the date in Stokly; for an imported record, look at the import's date format.",
        Team.OPERATIONS,
        "X2",
    ),
    Rule(
        "ST-CURRENCY",
        "The currency is no three-letter code.",
        "Set the currency in Stokly to its ISO code, such as GBP.",
        Team.FINANCE,
        "X2",
        severity=Severity.HIGH,
    ),
    Rule(
        "ST-ORDER-LINES",
        "The order has no lines.",
        "Add its lines in Stokly, or remove the order if it was made by mistake.",
        Team.OPERATIONS,
        "X2",
    ),
    Rule(
        "ST-ORDER-TOTAL",
        "The order's total is not the sum of its lines and shipping.",
        "Compare the order in Stokly with the channel it came from, and correct lines, shipping or total.",
        Team.FINANCE,
        "X2",
        severity=Severity.HIGH,
    ),
    Rule(
        "ST-ORDER-COUNTRY",
        "The shipping country is no two-letter code.",
        "Choose the country from Stokly's list; for an imported order, correct the channel's mapping.",
        Team.ECOMMERCE,
        "X2",
    ),
    Rule(
        "ST-CUSTOMER-EMAIL",
        "The customer's e-mail address is not well formed.",
        "Ask the customer, and correct the address in Stokly.",
        Team.CX,
        "X2",
    ),
    Rule(
        "ST-ITEM-SKU",
        "The item has no SKU.",
        "Give the item its SKU in Stokly, or delete it if it was made by mistake.",
        Team.ECOMMERCE,
        "X2",
    ),
    Rule(
        "ST-SKU-DUPLICATE",
        "Two live items have the same SKU, compared without regard to case.",
        "Decide which item keeps the SKU, and change or delete the other in Stokly.",
        Team.ECOMMERCE,
        "X2",
        severity=Severity.HIGH,
    ),
    Rule(
        "ST-REFUND-OVER",
        "More is refunded than the order's total.",
        "Check the refunds of the order in Stokly, and cancel the one that is too much.",
        Team.FINANCE,
        "X2, O3",
        severity=Severity.HIGH,
    ),
    Rule(
        "ST-REFUND-ORDER",
        "The refund names an order that Stokly does not have.",
        "Look for the order in Stokly, and tie the refund to the right one.",
        Team.FINANCE,
        "X2, O3",
    ),
)
