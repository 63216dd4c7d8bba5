"""Magento's part of the rule catalogue: what can be wrong with its rows, with SKUs, prices and stock (X2).

Belongs here: codes, sentences and owners. The conditions stand in `documents` and `matching`, those on single columns
with the columns in `contracts`. What is about orders stands in `order_rules`.
"""

from __future__ import annotations

from typing import Final

from stokly_sync.contracts.rules import Effect, Rule, Severity
from stokly_sync.flow import Team
from stokly_sync.systems.magento.order_rules import ORDER_RULES

MEMBER_TYPE: Final = Rule(
    "MG-MEMBER-TYPE",
    "A member of a record from Magento is missing or is not what it used to be.",
    "Correct the record in Magento; if many have it, the shop or an extension has changed and the mapping must follow.",
    Team.ECOMMERCE,
    "X2",
    severity=Severity.HIGH,
)
MONEY: Final = Rule(
    "MG-MONEY",
    "An amount from Magento cannot be kept exactly: it has more than nine decimals or is out of range.",
    "Correct the amount in Magento.",
    Team.FINANCE,
    "X2",
    severity=Severity.HIGH,
)
TIME: Final = Rule(
    "MG-TIME",
    "A time from Magento cannot be read.",
    "Look at the record in Magento; an extension may have written the time in a form of its own.",
    Team.ECOMMERCE,
    "X2",
)
CURRENCY: Final = Rule(
    "MG-CURRENCY",
    "The currency of a record from Magento is no three-letter code.",
    "Set the currency in Magento to its ISO code, such as GBP.",
    Team.FINANCE,
    "X2",
    severity=Severity.HIGH,
)
SKU_UNKNOWN: Final = Rule(
    "MG-SKU-UNKNOWN",
    "Magento has no product of exactly this SKU, so it would take the stock or the price and drop it in silence.",
    "Create the product in Magento under the SKU of Stokly, set create_products, or name in expected_tags what is sold "
    "there.",
    Team.ECOMMERCE,
    "G1",
)
NOT_SOLD_HERE: Final = Rule(
    "MG-NOT-SOLD-HERE",
    "The item carries none of the tags of what is sold in Magento, and Magento does not have it.",
    "Nothing to do; tag the item in Stokly if it should be sold there.",
    Team.ECOMMERCE,
    "G1",
    Effect.EXCLUDE,
    Severity.LOW,
)
NO_ITEM: Final = Rule(
    "MG-NO-ITEM",
    "The item was deleted in Stokly, or is a service, and Magento does not have it either.",
    "Nothing to do.",
    Team.ECOMMERCE,
    "G1",
    Effect.EXCLUDE,
    Severity.LOW,
)
STOCK_COMPOSED: Final = Rule(
    "MG-STOCK-COMPOSED",
    "Magento keeps no stock for this product: it is made of others, or Stokly holds none for it.",
    "Nothing to do; its parts have their own stock.",
    Team.OPERATIONS,
    "G2",
    Effect.EXCLUDE,
    Severity.LOW,
)
STOCK_HELD: Final = Rule(
    "MG-STOCK-HELD",
    "Stock waits, because orders of this SKU have not reached Stokly and their units would be sold twice.",
    "See why the orders are late; once Stokly has them the stock leaves by itself. stock_without_orders chooses "
    "between holding and a larger buffer.",
    Team.OPERATIONS,
    "G2, G8",
    Effect.PARK,
    Severity.HIGH,
)
STOCK_MISSING: Final = Rule(
    "MG-STOCK-MISSING",
    "Stokly gives stock of this SKU by location but no total, so nobody knows how much of it is sold already.",
    "Look at the item in Stokly; its total must be listed with the items.",
    Team.OPERATIONS,
    "G2",
)
PRICE_TAX: Final = Rule(
    "MG-PRICE-TAX",
    "The shop's prices include tax, and the tax of this item's class is not known.",
    "Add the tax class to tax_rates under [magento], or * for all others.",
    Team.FINANCE,
    "G1",
)
PRICE_CURRENCY: Final = Rule(
    "MG-PRICE-CURRENCY",
    "The item's price is in another currency than the shop's catalogue.",
    "Give the item a price in the shop's base currency in Stokly, or leave price out of product_fields.",
    Team.FINANCE,
    "G1",
)
REJECTED: Final = Rule(
    "MG-REJECTED",
    "Magento refused the record; its words stand in the detail.",
    "Correct the record in Stokly or in Magento, then send it again.",
    Team.ECOMMERCE,
    "G1",
    Effect.REJECT,
    Severity.HIGH,
)
LISTING_ROGUE: Final = Rule(
    "MG-LISTING-ROGUE",
    "Magento sells a product whose SKU no item of Stokly has, so it has no stock, no price and no cost.",
    "Create the item in Stokly under this SKU, or disable the product in Magento; a SKU is never renamed.",
    Team.ECOMMERCE,
    "G1",
    severity=Severity.HIGH,
)
SKU_CASE: Final = Rule(
    "MG-SKU-CASE",
    "A SKU of Magento and one of Stokly differ in letter case or blanks alone; Magento would take them for one.",
    "Write the SKU alike in both; create the item anew where one of them cannot be changed.",
    Team.ECOMMERCE,
    "G1",
    severity=Severity.HIGH,
)

RULES: Final = (
    MEMBER_TYPE,
    MONEY,
    TIME,
    CURRENCY,
    SKU_UNKNOWN,
    NOT_SOLD_HERE,
    NO_ITEM,
    STOCK_COMPOSED,
    STOCK_HELD,
    STOCK_MISSING,
    PRICE_TAX,
    PRICE_CURRENCY,
    REJECTED,
    LISTING_ROGUE,
    SKU_CASE,
    *ORDER_RULES,
)
"""Every rule of Magento."""
