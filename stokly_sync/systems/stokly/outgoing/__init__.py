"""Rows of a sales channel as documents for Stokly: customers, orders, cancellations, refunds, invoices.

Pure functions over frames, the same for every channel: `common` pairs a channel's orders with Stokly's, the others make
one kind of document each. What rows need before they leave is asked here; how a document travels stands in `writing`.
"""

from stokly_sync.systems.stokly.outgoing.cancellations import build_cancellations
from stokly_sync.systems.stokly.outgoing.common import Channel
from stokly_sync.systems.stokly.outgoing.customers import build_customers
from stokly_sync.systems.stokly.outgoing.invoices import build_invoices
from stokly_sync.systems.stokly.outgoing.orders import build_orders, customer_of_order
from stokly_sync.systems.stokly.outgoing.refunds import build_refunds

__all__ = [
    "Channel",
    "build_cancellations",
    "build_customers",
    "build_invoices",
    "build_orders",
    "build_refunds",
    "customer_of_order",
]
