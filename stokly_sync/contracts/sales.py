"""Sale orders, refunds, credit notes, dispatches and invoices. Amounts are in the document's currency.

Where Stokly gives both a `display...` amount and its base-currency twin, the rows hold the first: it is what the
customer saw and what destinations want. `base_total` is the one base amount kept, for destinations that show both.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.tables import Column, Dataset, Kind, RowRule, Table


def currency_is_a_code(frame: pd.DataFrame) -> pd.Series:
    """True where `currency` is missing (another rule's matter) or has the form of an ISO 4217 code."""
    return frame["currency"].str.fullmatch("[A-Z]{3}", na=True)


CURRENCY_RULE: Final = RowRule(
    # Not quoted: details end in logs, and what an import put there may be anything, a name too.
    "ST-CURRENCY",
    currency_is_a_code,
    lambda row: f"currency has {len(str(row['currency']))} characters and is no currency code",
)


def total_is_the_sum_of_its_parts(frame: pd.DataFrame) -> pd.Series:
    """True where total = lines + shipping + its tax, within one minor unit a line; no lines break another rule."""
    lines, total = columns.counts(frame["line_count"]), columns.counts(frame["total"])
    parts = sum(columns.counts(frame[name]) for name in ("lines_total", "shipping", "shipping_tax"))
    tolerance = np.maximum(lines, 1) * columns.minor_units(frame["currency"])
    unknown = frame["total"].isna().to_numpy()
    return pd.Series((np.abs(total - parts) <= tolerance) | (lines == 0) | unknown, index=frame.index)


def _not_in_the_future(column: str) -> RowRule:
    """A time may lie at most a day ahead of the clock: Stokly's own zone is not proven."""
    return RowRule(
        "ST-TIME",
        lambda frame: frame[column].isna() | (frame[column] <= pd.Timestamp.now("UTC") + pd.Timedelta(days=1)),
        lambda row: f"{column} lies in the future: {row[column]}",
    )


ORDER_LINES: Final = Table(
    name="stokly.order_lines",
    description="Lines of sale orders; component lines of composites are left out.",
    key=("order_id", "line_id"),
    parent_key="order_id",
    columns=(
        Column("order_id", Kind.TEXT, "The order.", required=True),
        Column("line_id", Kind.TEXT, "The line's id.", required=True),
        Column("position", Kind.WHOLE, "Place in the order, from 0.", required=True),
        Column("item_id", Kind.TEXT, "The item."),
        Column("sku", Kind.TEXT, "SKU at the time of sale."),
        Column("name", Kind.TEXT, "Name at the time of sale."),
        Column("quantity", Kind.WHOLE, "Units.", required=True),
        Column("unit_price", Kind.MONEY, "Net price a unit after discount."),
        Column("unit_discount", Kind.MONEY, "Discount a unit."),
        Column("line_price", Kind.MONEY, "Net price of the line.", required=True),
        Column("line_tax", Kind.MONEY, "Tax of the line.", required=True),
        Column("line_discount", Kind.MONEY, "Discount of the line."),
        Column("line_total", Kind.MONEY, "Net plus tax.", required=True),
        Column("status", Kind.TEXT, "Line status in Stokly's words."),
        Column("fulfilment", Kind.TEXT, "delivery, collection or none."),
    ),
)

ORDERS: Final = Dataset(
    root=Table(
        name="stokly.orders",
        description="Sale orders of every channel.",
        key=("order_id",),
        columns=(
            Column("order_id", Kind.TEXT, "Stokly's id of the order.", required=True),
            Column("number", Kind.TEXT, "Running number for people."),
            Column("stage", Kind.TEXT, "order, quote, removed ...", required=True),
            Column("source_type", Kind.TEXT, "Kind of channel, for example magento_two or epos."),
            Column("channel_id", Kind.TEXT, "Stokly's id of the channel."),
            Column("channel_name", Kind.TEXT, "Name of the channel."),
            Column("channel_reference", Kind.TEXT, "The channel's own order id; a location id on till orders."),
            Column("customer_reference", Kind.TEXT, "The buyer's reference.", personal=True),
            Column("customer_id", Kind.TEXT, "The customer; missing for guests."),
            Column("customer_name", Kind.TEXT, "Name on the order.", personal=True),
            Column("customer_email", Kind.TEXT, "E-mail address on the order.", personal=True),
            Column("customer_phone", Kind.TEXT, "Telephone on the order.", personal=True),
            Column(
                "guest",
                Kind.TEXT,
                "Digest of a guest's address; missing with a customer, or without an address.",
                personal=True,
            ),
            Column("country", Kind.TEXT, "Shipping country, ISO 3166-1 alpha-2."),
            Column("region", Kind.TEXT, "Shipping region."),
            Column("city", Kind.TEXT, "Shipping city.", personal=True),
            Column("postcode", Kind.TEXT, "Shipping postcode.", personal=True),
            Column("address_line1", Kind.TEXT, "First line of the shipping address.", personal=True),
            Column("address_line2", Kind.TEXT, "Second line of the shipping address.", personal=True),
            Column("currency", Kind.TEXT, "Currency of all amounts of the order, ISO 4217.", required=True),
            Column("subtotal", Kind.MONEY, "Net of the lines."),
            Column("discount", Kind.MONEY, "Discount, positive."),
            Column("tax", Kind.MONEY, "Tax of the whole order, shipping included."),
            Column("shipping", Kind.MONEY, "Shipping, net."),
            Column("shipping_tax", Kind.MONEY, "Tax on shipping."),
            Column("total", Kind.MONEY, "What the customer pays.", required=True),
            Column("base_total", Kind.MONEY, "Total in the account's base currency."),
            Column("amount_paid", Kind.MONEY, "Paid so far."),
            Column("payment_status", Kind.TEXT, "unpaid, part_paid or paid."),
            Column("location_id", Kind.TEXT, "Location that fulfils the order."),
            Column("tags", Kind.JSON, "Tags, a list of texts."),
            Column("item_statuses", Kind.JSON, "The distinct line statuses, a list of texts."),
            Column("line_count", Kind.WHOLE, "Number of lines.", required=True),
            Column("lines_total", Kind.MONEY, "Sum of the lines' totals.", required=True),
            Column("created_at", Kind.TIME, "Order time, UTC.", required=True),
            Column("updated_at", Kind.TIME, "Last update, UTC; missing where the account does not give it."),
            Column("live", Kind.FLAG, "False once removed in Stokly.", required=True),
        ),
        rules=(
            CURRENCY_RULE,
            RowRule(
                "ST-ORDER-LINES",
                lambda f: (f["line_count"] > 0) | ~f["live"],
                lambda row: "the order has no lines",
            ),
            RowRule(
                "ST-ORDER-TOTAL",
                total_is_the_sum_of_its_parts,
                lambda row: "the total is not the sum of lines, shipping and its tax",
            ),
            RowRule(
                "ST-ORDER-COUNTRY",
                lambda f: f["country"].str.fullmatch("[A-Z]{2}", na=True),
                lambda row: f"country has {len(str(row['country']))} characters and is no two-letter country code",
            ),
            _not_in_the_future("created_at"),
        ),
        indexes=("customer_id", "channel_reference", "number"),
        sparse_indexes=("guest",),
    ),
    children=(ORDER_LINES,),
    event_at="created_at",
    value="total",
    sought_by=("number", "channel_reference"),
)

REFUND_LINES: Final = Table(
    name="stokly.refund_lines",
    description="Lines of refunds; they point at the order's lines.",
    key=("refund_id", "position"),
    parent_key="refund_id",
    columns=(
        Column("refund_id", Kind.TEXT, "The refund.", required=True),
        Column("position", Kind.WHOLE, "Place in the refund, from 0.", required=True),
        Column("line_id", Kind.TEXT, "The order's line."),
        Column("item_id", Kind.TEXT, "The item."),
        Column("sku", Kind.TEXT, "SKU."),
        Column("quantity", Kind.WHOLE, "Units taken back; 0 where only money goes back.", required=True),
        Column("unit_price", Kind.MONEY, "Net refund a unit, positive.", required=True),
        Column("unit_tax", Kind.MONEY, "Tax refunded a unit, positive."),
        Column("line_total", Kind.MONEY, "Net plus tax refunded for the line, positive.", required=True),
        Column("restocked", Kind.FLAG, "Whether the goods went back to stock."),
    ),
)

REFUNDS: Final = Dataset(
    root=Table(
        name="stokly.refunds",
        description="Refunds against orders; amounts are positive.",
        key=("refund_id",),
        columns=(
            Column("refund_id", Kind.TEXT, "Stokly's id of the refund.", required=True),
            Column("number", Kind.TEXT, "Running number for people."),
            Column("order_id", Kind.TEXT, "The order; missing for a credit note without one."),
            Column("credit_note_id", Kind.TEXT, "The credit note that documents it."),
            Column("status", Kind.TEXT, "pending or completed."),
            Column("reason", Kind.TEXT, "Reason as entered.", personal=True),
            Column("currency", Kind.TEXT, "Currency, ISO 4217.", required=True),
            Column("total", Kind.MONEY, "Refunded in all, tax included.", required=True),
            Column("tax", Kind.MONEY, "Tax refunded."),
            Column("shipping", Kind.MONEY, "Shipping refunded."),
            Column("created_at", Kind.TIME, "Time of the refund, UTC.", required=True),
            Column("updated_at", Kind.TIME, "Last update, UTC."),
            Column("live", Kind.FLAG, "False once removed in Stokly.", required=True),
        ),
        rules=(CURRENCY_RULE, _not_in_the_future("created_at")),
        indexes=("order_id", "credit_note_id"),
    ),
    children=(REFUND_LINES,),
    event_at="created_at",
    value="total",
)

CREDIT_NOTES: Final = Dataset(
    root=Table(
        name="stokly.credit_notes",
        description="Credit notes; with a refund, tied to a customer, or free (vouchers).",
        key=("credit_note_id",),
        columns=(
            Column("credit_note_id", Kind.TEXT, "Stokly's id of the credit note.", required=True),
            Column("number", Kind.TEXT, "Running number for people."),
            Column("order_id", Kind.TEXT, "The order it is tied to; missing for one tied to a customer or to nothing."),
            Column("customer_id", Kind.TEXT, "The customer it is tied to, where it is tied to no order."),
            Column("currency", Kind.TEXT, "Currency, ISO 4217.", required=True),
            Column("value", Kind.MONEY, "Value, positive.", required=True),
            Column("balance", Kind.MONEY, "Not yet used."),
            Column("status", Kind.TEXT, "Status in Stokly's words."),
            Column("created_at", Kind.TIME, "Time of issue, UTC.", required=True),
            Column("live", Kind.FLAG, "False once removed in Stokly.", required=True),
        ),
        rules=(CURRENCY_RULE,),
        indexes=("order_id",),
    ),
    event_at="created_at",
    value="value",
)

DISPATCH_LINES: Final = Table(
    name="stokly.dispatch_lines",
    description="Lines of dispatches.",
    key=("dispatch_id", "position"),
    parent_key="dispatch_id",
    columns=(
        Column("dispatch_id", Kind.TEXT, "The dispatch.", required=True),
        Column("position", Kind.WHOLE, "Place in the dispatch, from 0.", required=True),
        Column("line_id", Kind.TEXT, "The order's line."),
        Column("quantity", Kind.WHOLE, "Units sent.", required=True),
    ),
)

DISPATCHES: Final = Dataset(
    root=Table(
        name="stokly.dispatches",
        description="Parcels sent for orders, with tracking.",
        key=("dispatch_id",),
        columns=(
            Column("dispatch_id", Kind.TEXT, "Stokly's id of the dispatch.", required=True),
            Column("number", Kind.TEXT, "Running number for people."),
            Column("order_id", Kind.TEXT, "The order.", required=True),
            Column("location_id", Kind.TEXT, "Location it left from."),
            Column("courier", Kind.TEXT, "Courier."),
            Column("service", Kind.TEXT, "Courier's service."),
            Column("tracking_number", Kind.TEXT, "Tracking number as entered."),
            Column("tracking_url", Kind.TEXT, "Tracking address."),
            Column("status", Kind.TEXT, "Status in Stokly's words."),
            Column("dispatched_at", Kind.TIME, "Time of dispatch, UTC.", required=True),
            Column("live", Kind.FLAG, "False once removed in Stokly.", required=True),
        ),
        rules=(_not_in_the_future("dispatched_at"),),
        indexes=("order_id",),
    ),
    children=(DISPATCH_LINES,),
    event_at="dispatched_at",
)

INVOICES: Final = Dataset(
    root=Table(
        name="stokly.invoices",
        description="Sales invoices.",
        key=("invoice_id",),
        columns=(
            Column("invoice_id", Kind.TEXT, "Stokly's id of the invoice.", required=True),
            Column("number", Kind.TEXT, "Invoice number."),
            Column("order_id", Kind.TEXT, "The order."),
            Column("currency", Kind.TEXT, "Currency, ISO 4217.", required=True),
            Column("status", Kind.TEXT, "paid, issued ..."),
            Column("issued_at", Kind.TIME, "Issue date, UTC.", required=True),
            Column("due_at", Kind.TIME, "Due date, UTC."),
            Column("live", Kind.FLAG, "False once removed in Stokly.", required=True),
        ),
        rules=(CURRENCY_RULE,),
        indexes=("order_id",),
    ),
    event_at="issued_at",
)
