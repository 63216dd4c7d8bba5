"""The columns that peers store and the document that they push: the same as ours, with plain floats for amounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

# (member, column, type), in the order of the row.
ORDER: Final = (
    ("saleOrderId", "order_id", "text"),
    ("niceId", "number", "bigint"),
    ("stage", "stage", "text"),
    ("sourceType", "source_type", "text"),
    ("sourceId", "channel_id", "text"),
    ("channelName", "channel_name", "text"),
    ("sourceReferenceId", "channel_reference", "text"),
    ("customerId", "customer_id", "text"),
    ("customerName", "customer_name", "text"),
    ("customerEmail", "customer_email", "text"),
    ("customerPhone", "customer_phone", "text"),
    ("shippingAddressCountry", "country", "text"),
    ("shippingAddressRegion", "region", "text"),
    ("shippingAddressCity", "city", "text"),
    ("shippingAddressPostcode", "postcode", "text"),
    ("shippingAddressLine1", "address_line1", "text"),
    ("currency", "currency", "text"),
    ("displaySubtotal", "subtotal", "float8"),
    ("displayDiscount", "discount", "float8"),
    ("displayTax", "tax", "float8"),
    ("displayShippingCost", "shipping", "float8"),
    ("displayShippingTax", "shipping_tax", "float8"),
    ("displayTotal", "total", "float8"),
    ("total", "base_total", "float8"),
    ("amountPaid", "amount_paid", "float8"),
    ("paymentStatus", "payment_status", "text"),
    ("locationId", "location_id", "text"),
    ("createdAt", "created_at", "timestamptz"),
    ("updatedAt", "updated_at", "timestamptz"),
)
LISTS: Final = (("tags", "tags"), ("itemStatuses", "item_statuses"))
LINE: Final = (
    ("lineId", "line_id", "text"),
    ("referenceId", "item_id", "text"),
    ("itemSku", "sku", "text"),
    ("itemName", "name", "text"),
    ("quantity", "quantity", "bigint"),
    ("displayPrice", "unit_price", "float8"),
    ("displayDiscount", "unit_discount", "float8"),
    ("displayLinePrice", "line_price", "float8"),
    ("displayLineTax", "line_tax", "float8"),
    ("displayLineDiscount", "line_discount", "float8"),
    ("displayLineTotal", "line_total", "float8"),
    ("status", "status", "text"),
    ("fulfilmentType", "fulfilment", "text"),
)

NANO: Final = 1e9
ORDER_SQL: Final = (
    "SELECT order_id, channel_reference, created_at, channel_name, currency, customer_id, customer_email,"
    " customer_name, country, city, postcode, subtotal, discount, shipping, tax, total, base_total"
    " FROM stokly_sync.stokly_orders ORDER BY order_id"
)
LINE_SQL: Final = (
    "SELECT order_id, sku, quantity, unit_price, line_price, line_tax, line_discount, line_total"
    " FROM stokly_sync.stokly_order_lines WHERE order_id BETWEEN %s AND %s ORDER BY order_id, position"
)


def money(nanos: int | None) -> float:
    """Nano units as a rounded float: what a quick script would do."""
    return round((nanos or 0) / NANO, 2)


def push_document(row: Sequence[Any], lines: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """One order as Ometria takes it, with the members that our own document has."""
    (order_id, reference, at, channel, currency, customer_id, email, name, country, city, postcode, *amounts) = row
    subtotal, discount, shipping, tax, total, base_total = map(money, amounts)
    document = {
        "@type": "order",
        "id": order_id,
        "web_id": reference,
        "timestamp": at.isoformat(),
        "status": "complete",
        "is_valid": True,
        "grand_total": total,
        "subtotal": subtotal,
        "discount": discount,
        "shipping": shipping,
        "tax": tax,
        "currency": currency,
        "channel": channel,
        "store": channel,
        "customer": {"id": customer_id, "email": email, "firstname": name},
        "shipping_address": {"city": city, "postcode": postcode, "country_code": country},
        "lineitems": [
            {
                "product_id": line[1],
                "sku": line[1],
                "quantity": line[2],
                "unit_price": money(line[3]),
                "subtotal": money(line[4]),
                "tax": money(line[5]),
                "discount": money(line[6]),
                "total": money(line[7]),
            }
            for line in lines
        ],
    }
    if currency != "GBP":
        document["totals"] = {
            "base": {"currency": "GBP", "grand_total": base_total},
            "local": {"currency": currency, "grand_total": total},
        }
    return document
