"""Rows to Emarsys' documents: pure functions, one module for each type of record. No I/O, no database."""

from stokly_sync.systems.emarsys.documents.contacts import build_contacts, guest_contact
from stokly_sync.systems.emarsys.documents.credits import build_credits
from stokly_sync.systems.emarsys.documents.dispatches import (
    build_dispatches,
    dispatch_contacts,
    dispatch_guests,
    dispatch_orders,
)
from stokly_sync.systems.emarsys.documents.orders import build_orders, order_products
from stokly_sync.systems.emarsys.documents.products import build_products
from stokly_sync.systems.emarsys.documents.refunds import build_refunds
from stokly_sync.systems.emarsys.documents.sales import ordered_at, parts_of, with_parts

__all__ = [
    "build_contacts",
    "build_credits",
    "build_dispatches",
    "build_orders",
    "build_products",
    "build_refunds",
    "dispatch_contacts",
    "dispatch_guests",
    "dispatch_orders",
    "guest_contact",
    "order_products",
    "ordered_at",
    "parts_of",
    "with_parts",
]
