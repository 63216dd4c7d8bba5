"""Rows that no source lists, because they are made here from landed ones.

Belongs here: what such a row is. How it is made, and when, stands in `landing.derived`; it lands, is owed and is sent
like every other row.
"""

from __future__ import annotations

from typing import Final

from stokly_sync.contracts.tables import Column, Dataset, Kind, Table

CUSTOMER_METRICS: Final = Dataset(
    root=Table(
        name="derived.customer_metrics",
        description="What each customer has bought, over all confirmed orders; guests have none. "
        "Amounts are in the brand's base currency and hold nothing of other currencies.",
        key=("customer_id",),
        columns=(
            Column("customer_id", Kind.TEXT, "Stokly's id of the customer.", required=True),
            Column("order_count", Kind.WHOLE, "Confirmed orders, of every currency.", required=True),
            Column("first_order_at", Kind.TIME, "Time of the first order, UTC; missing without orders."),
            Column("last_order_at", Kind.TIME, "Time of the newest order, UTC; missing without orders."),
            Column("currency", Kind.TEXT, "The brand's base currency, ISO 4217.", required=True),
            Column(
                "lifetime_value",
                Kind.MONEY,
                "Totals of orders in the base currency less what was refunded or credited against orders in it; "
                "missing only beyond the range of amounts.",
            ),
            Column("refunded_total", Kind.MONEY, "What was refunded or credited, in the base currency, positive."),
            Column(
                "average_order_value",
                Kind.MONEY,
                "Lifetime value by order in the base currency; missing without such an order.",
            ),
            Column(
                "other_values",
                Kind.JSON,
                "Lifetime value in each other currency: an object of amounts as text with nine places.",
                required=True,
            ),
            Column("last_order_skus", Kind.JSON, "Distinct SKUs of the newest order in the order of its lines."),
            Column("sku_history", Kind.JSON, "The newest distinct SKUs over all orders, at most 200, newest first."),
            Column("last_location_country", Kind.TEXT, "Shipping country of the newest order, ISO 3166-1 alpha-2."),
            Column("last_location_city", Kind.TEXT, "Shipping city of the newest order.", personal=True),
            Column("live", Kind.FLAG, "False once no order of the customer counts any more.", required=True),
        ),
    ),
    event_at="last_order_at",
)
