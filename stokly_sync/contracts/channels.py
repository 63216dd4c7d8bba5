"""What is read from a sales channel: orders, shipments, refunds, listings and stock levels.

One shape for every channel, made by name (`magento.orders`, `marketplacer.orders`), so that what is loaded into Stokly
and what is compared with it is written once. The contract holds what makes a row a row; whether an order is complete
enough for fulfilment and VAT is asked where it is loaded (X2, P3, G3), because an order that is not must still be seen
by matching and by order to cash. Amounts are in the order's currency, in major units on the wire and nano units here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from stokly_sync.contracts.sales import currency_is_a_code
from stokly_sync.contracts.tables import Column, Dataset, Kind, RowRule, Table

MAGENTO: Final = "magento"
MARKETPLACER: Final = "marketplacer"
CODES: Final = {MAGENTO: "MG", MARKETPLACER: "MP"}
"""What rule codes of a channel begin with."""
CREDIT_MISSING: Final = {channel: f"{code}-CREDIT-MISSING" for channel, code in CODES.items()}
"""Rule of a refund that Stokly has no credit note for, whoever finds it: the feed into Stokly or a matching."""
ORDER_BUNDLE: Final = {MAGENTO: f"{CODES[MAGENTO]}-ORDER-BUNDLE"}
"""Rule of an order line that names a composed bundle instead of its parts; a marketplace sells no bundles."""


def _currency_rules(channel: str) -> tuple[RowRule, ...]:
    """That a currency has the form of an ISO 4217 code; a marketplace has the one that its settings name."""
    if channel == MARKETPLACER:
        return ()
    code, what = f"{CODES[channel]}-CURRENCY", "characters and is no currency code"
    return (RowRule(code, currency_is_a_code, lambda row: f"currency has {len(str(row['currency']))} {what}"),)


def _address(kind: str) -> tuple[Column, ...]:
    return (
        Column(f"{kind}_name", Kind.TEXT, f"Name on the {kind} address.", personal=True),
        Column(f"{kind}_company", Kind.TEXT, "Company.", personal=True),
        Column(f"{kind}_line1", Kind.TEXT, "First line.", personal=True),
        Column(f"{kind}_line2", Kind.TEXT, "Other lines, joined by a comma.", personal=True),
        Column(f"{kind}_city", Kind.TEXT, "City.", personal=True),
        Column(f"{kind}_region", Kind.TEXT, "Region."),
        Column(f"{kind}_postcode", Kind.TEXT, "Postcode.", personal=True),
        Column(f"{kind}_country", Kind.TEXT, "Country, ISO 3166-1 alpha-2."),
        Column(f"{kind}_phone", Kind.TEXT, "Telephone.", personal=True),
    )


def _orders(channel: str) -> Dataset:
    lines = Table(
        name=f"{channel}.order_lines",
        description="What was sold: each unit and each amount once, however the channel nests its lines.",
        key=("order_id", "line_id"),
        parent_key="order_id",
        columns=(
            Column("order_id", Kind.TEXT, "The order.", required=True),
            Column("line_id", Kind.TEXT, "The channel's id of the line.", required=True),
            Column("position", Kind.WHOLE, "Place in the order, from 0.", required=True),
            Column("sku", Kind.TEXT, "SKU of the goods, not of the bundle they were sold in."),
            Column("bundle_sku", Kind.TEXT, "SKU under which the channel sold them as part of a bundle."),
            Column("name", Kind.TEXT, "Name at the time of sale."),
            Column("kind", Kind.TEXT, "The channel's product type."),
            Column("quantity", Kind.WHOLE, "Units ordered.", required=True),
            Column("quantity_cancelled", Kind.WHOLE, "Units cancelled."),
            Column("quantity_shipped", Kind.WHOLE, "Units shipped."),
            Column("quantity_refunded", Kind.WHOLE, "Units refunded."),
            Column("line_price", Kind.MONEY, "Net price of the line after discount.", required=True),
            Column("line_discount", Kind.MONEY, "Discount of the line, positive."),
            Column("line_tax", Kind.MONEY, "Tax of the line; missing where the channel does not say."),
            Column("line_total", Kind.MONEY, "Net plus tax after discount.", required=True),
            Column("tax_rate", Kind.MONEY, "Tax in per cent, scaled by 10^9."),
            Column("commission", Kind.MONEY, "A marketplace's commission, positive, net."),
            Column("commission_tax", Kind.MONEY, "Tax on the commission."),
            Column("ships_as", Kind.TEXT, "Line that must be named when this one is shipped; itself where empty."),
            Column("ships_units", Kind.WHOLE, "Units of this line in one unit of `ships_as`."),
            Column("virtual", Kind.FLAG, "True for what is never shipped.", required=True),
            Column("open", Kind.FLAG, "True until the order is shipped in full, cancelled or refunded.", required=True),
        ),
        indexes=("sku",),
    )
    root = Table(
        name=f"{channel}.orders",
        description="Orders as the channel holds them; on a marketplace, one seller's part of an order.",
        key=("order_id",),
        columns=(
            Column("order_id", Kind.TEXT, "The channel's id of the order.", required=True),
            Column("number", Kind.TEXT, "Number that people and Stokly know the order by.", required=True),
            Column("parent_number", Kind.TEXT, "Number of the whole purchase on a marketplace."),
            Column(
                "state", Kind.TEXT, "pending, held, open, part_shipped, shipped, cancelled or refunded.", required=True
            ),
            Column("status", Kind.TEXT, "The channel's own word or words."),
            Column("store", Kind.TEXT, "Store view or seller."),
            Column("customer_key", Kind.TEXT, "The channel's id of the customer; missing for guests."),
            Column("customer_email", Kind.TEXT, "E-mail address.", personal=True),
            Column("customer_forename", Kind.TEXT, "Forename.", personal=True),
            Column("customer_surname", Kind.TEXT, "Surname.", personal=True),
            Column("customer_phone", Kind.TEXT, "Telephone.", personal=True),
            Column("customer_tax_number", Kind.TEXT, "VAT number.", personal=True),
            *_address("billing"),
            *_address("shipping"),
            Column("payment_method", Kind.TEXT, "Payment method in the channel's words."),
            Column("shipping_method", Kind.TEXT, "Shipping method in the channel's words."),
            Column("currency", Kind.TEXT, "Currency of all amounts of the order, ISO 4217.", required=True),
            Column("subtotal", Kind.MONEY, "Net of the lines after discount."),
            Column("discount", Kind.MONEY, "Discount, positive."),
            Column("tax", Kind.MONEY, "Tax of the whole order, shipping included."),
            Column("shipping", Kind.MONEY, "Shipping, net."),
            Column("shipping_tax", Kind.MONEY, "Tax on shipping."),
            Column("total", Kind.MONEY, "What the customer pays.", required=True),
            Column("amount_paid", Kind.MONEY, "Paid so far."),
            Column("amount_invoiced", Kind.MONEY, "Invoiced by the channel so far."),
            Column("amount_refunded", Kind.MONEY, "Refunded so far, positive."),
            Column("commission", Kind.MONEY, "A marketplace's commission, positive, net."),
            Column("commission_tax", Kind.MONEY, "Tax on the commission."),
            Column("line_count", Kind.WHOLE, "Number of lines.", required=True),
            Column("lines_total", Kind.MONEY, "Sum of the lines' totals.", required=True),
            Column("placed_at", Kind.TIME, "Order time, UTC.", required=True),
            Column("paid_at", Kind.TIME, "Time of payment, UTC."),
            Column("updated_at", Kind.TIME, "Last update as the channel tells it, UTC."),
            Column("live", Kind.FLAG, "False once the channel does not list it any more.", required=True),
        ),
        rules=_currency_rules(channel),
        indexes=("number", "customer_key"),
    )
    return dataset_of(channel, root, lines, event_at="placed_at")


def _shipments(channel: str) -> Dataset:
    lines = Table(
        name=f"{channel}.shipment_lines",
        description="Lines of shipments.",
        key=("shipment_id", "position"),
        parent_key="shipment_id",
        columns=(
            Column("shipment_id", Kind.TEXT, "The shipment.", required=True),
            Column("position", Kind.WHOLE, "Place in the shipment, from 0.", required=True),
            Column("line_id", Kind.TEXT, "The order's line, as the channel names it in a shipment."),
            Column("sku", Kind.TEXT, "SKU."),
            Column("quantity", Kind.WHOLE, "Units sent.", required=True),
        ),
    )
    root = Table(
        name=f"{channel}.shipments",
        description="Shipments as the channel holds them.",
        key=("shipment_id",),
        columns=(
            Column("shipment_id", Kind.TEXT, "The channel's id of the shipment.", required=True),
            Column("order_id", Kind.TEXT, "The order.", required=True),
            Column("number", Kind.TEXT, "Number for people."),
            Column("carrier", Kind.TEXT, "Carrier in the channel's words."),
            Column("tracking_number", Kind.TEXT, "First tracking number."),
            Column("tracking_numbers", Kind.JSON, "All tracking numbers, a list of texts."),
            Column("source", Kind.TEXT, "Stock source that it left from."),
            Column("reference", Kind.TEXT, "Stokly's id of the dispatch, where we made the shipment."),
            Column("shipped_at", Kind.TIME, "Time of the shipment, UTC.", required=True),
            Column("updated_at", Kind.TIME, "Last update, UTC."),
            Column("live", Kind.FLAG, "False once the channel does not list it any more.", required=True),
        ),
        indexes=("order_id",),
    )
    return dataset_of(channel, root, lines, event_at="shipped_at")


def _refunds(channel: str) -> Dataset:
    lines = Table(
        name=f"{channel}.refund_lines",
        description="Lines of refunds.",
        key=("refund_id", "position"),
        parent_key="refund_id",
        columns=(
            Column("refund_id", Kind.TEXT, "The refund.", required=True),
            Column("position", Kind.WHOLE, "Place in the refund, from 0.", required=True),
            Column("line_id", Kind.TEXT, "The order's line."),
            Column("sku", Kind.TEXT, "SKU."),
            Column("quantity", Kind.WHOLE, "Units taken back; 0 where only money goes back.", required=True),
            Column("line_price", Kind.MONEY, "Net refunded for the line, positive.", required=True),
            Column("line_tax", Kind.MONEY, "Tax refunded for the line, positive."),
            Column("line_total", Kind.MONEY, "Net plus tax refunded for the line, positive.", required=True),
            Column("returned", Kind.FLAG, "True where the goods had been shipped; False for a cancellation."),
        ),
    )
    root = Table(
        name=f"{channel}.refunds",
        description="Credit memos, or refund requests of a marketplace; amounts are positive.",
        key=("refund_id",),
        columns=(
            Column("refund_id", Kind.TEXT, "The channel's id of the refund.", required=True),
            Column("order_id", Kind.TEXT, "The order.", required=True),
            Column("number", Kind.TEXT, "Number for people."),
            Column("state", Kind.TEXT, "requested, completed or denied.", required=True),
            Column("status", Kind.TEXT, "The channel's own word."),
            Column("currency", Kind.TEXT, "Currency, ISO 4217.", required=True),
            Column("total", Kind.MONEY, "Refunded in all, tax included.", required=True),
            Column("tax", Kind.MONEY, "Tax refunded."),
            Column("shipping", Kind.MONEY, "Shipping refunded, net."),
            Column("shipping_tax", Kind.MONEY, "Tax on shipping refunded."),
            Column("adjustment", Kind.MONEY, "Refunded beside lines and shipping; negative for a fee kept."),
            Column("commission", Kind.MONEY, "Commission given back by a marketplace, positive."),
            Column("reason", Kind.TEXT, "Reason as entered.", personal=True),
            Column("reference", Kind.TEXT, "Stokly's id of the refund, where we made it."),
            Column("created_at", Kind.TIME, "Time of the refund, UTC.", required=True),
            Column("updated_at", Kind.TIME, "Last update, UTC."),
            Column("live", Kind.FLAG, "False once the channel does not list it any more.", required=True),
        ),
        rules=_currency_rules(channel),
        indexes=("order_id",),
    )
    return dataset_of(channel, root, lines, event_at="created_at")


def _listings(channel: str) -> Dataset:
    root = Table(
        name=f"{channel}.listings",
        description="What the channel lists under a SKU: a product, or a variant of one.",
        key=("listing_id",),
        columns=(
            Column("listing_id", Kind.TEXT, "The channel's id of what is sold.", required=True),
            Column("product_id", Kind.TEXT, "The product it is a variant of; itself where there are no variants."),
            Column("sku", Kind.TEXT, "SKU, exactly as in the channel."),
            Column("name", Kind.TEXT, "Name."),
            Column("kind", Kind.TEXT, "The channel's product type."),
            Column("barcode", Kind.TEXT, "Barcode."),
            Column("price", Kind.MONEY, "Price as the channel keeps it, net or gross by its settings."),
            Column("currency", Kind.TEXT, "Currency of the price, ISO 4217."),
            Column("enabled", Kind.FLAG, "The seller's own switch.", required=True),
            Column("on_sale", Kind.FLAG, "Whether it can be bought now.", required=True),
            Column("why_not", Kind.TEXT, "Why it is not on sale, in plain words."),
            Column("updated_at", Kind.TIME, "Last update, UTC."),
            Column("live", Kind.FLAG, "False once it is deleted there.", required=True),
        ),
        rules=_currency_rules(channel),
        indexes=("sku", "product_id"),
    )
    return dataset_of(channel, root, event_at="updated_at")


def _stock_levels(channel: str) -> Dataset:
    root = Table(
        name=f"{channel}.stock_levels",
        description="What the channel has as stock of a SKU, for each of its sources.",
        key=("level_id",),
        columns=(
            Column("level_id", Kind.TEXT, "SKU and source, joined by a slash.", required=True),
            Column("sku", Kind.TEXT, "SKU, exactly as in the channel.", required=True),
            Column("listing_id", Kind.TEXT, "The listing, where the level belongs to one."),
            Column("source", Kind.TEXT, "Stock source; empty where the channel has one stock."),
            Column("quantity", Kind.WHOLE, "Units as the channel holds them; may be negative."),
            Column("in_stock", Kind.FLAG, "The channel's stock status."),
            Column("live", Kind.FLAG, "False once the channel does not list it any more.", required=True),
        ),
        indexes=("sku",),
    )
    return dataset_of(channel, root)


def dataset_of(channel: str, root: Table, *children: Table, event_at: str | None = None) -> Dataset:
    """A dataset whose rows are held against the channel's own rule codes."""
    code = CODES[channel]
    return Dataset(
        root=root,
        children=children,
        event_at=event_at,
        type_rule=f"{code}-MEMBER-TYPE",
        money_rule=f"{code}-MONEY",
        time_rule=f"{code}-TIME",
        value="total" if any(column.name == "total" for column in root.columns) else None,
        sought_by=tuple(name for name in ("number", "sku") if name in root.indexes),
    )


def _each(make: Callable[[str], Dataset]) -> dict[str, Dataset]:
    return {channel: make(channel) for channel in (MAGENTO, MARKETPLACER)}


ORDERS: Final = _each(_orders)
SHIPMENTS: Final = _each(_shipments)
REFUNDS: Final = _each(_refunds)
LISTINGS: Final = _each(_listings)
STOCK_LEVELS: Final = _each(_stock_levels)

CHANNEL_DATASETS: Final = tuple(
    dataset for kind in (ORDERS, SHIPMENTS, REFUNDS, LISTINGS, STOCK_LEVELS) for dataset in kind.values()
)
"""Every dataset of every channel."""
