"""Rows to Dotdigital's documents: pure functions, one module for each type of record. No I/O, no database."""

from stokly_sync.systems.dotdigital.documents.contacts import build_contacts, guest_contact
from stokly_sync.systems.dotdigital.documents.dispatches import build_dispatches
from stokly_sync.systems.dotdigital.documents.lines import order_products
from stokly_sync.systems.dotdigital.documents.orders import build_orders
from stokly_sync.systems.dotdigital.documents.products import build_products

__all__ = [
    "build_contacts",
    "build_dispatches",
    "build_orders",
    "build_products",
    "guest_contact",
    "order_products",
]
