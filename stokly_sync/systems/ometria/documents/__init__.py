"""Rows to Ometria's documents: pure functions, one module for each type of record. No I/O, no database."""

from stokly_sync.systems.ometria.documents.contacts import build_contacts
from stokly_sync.systems.ometria.documents.dispatches import build_dispatches
from stokly_sync.systems.ometria.documents.lines import ITEM_COLUMNS, LINE_COLUMNS, order_products
from stokly_sync.systems.ometria.documents.orders import build_orders, order_accounts, order_columns
from stokly_sync.systems.ometria.documents.products import build_products
from stokly_sync.systems.ometria.documents.stock import build_stock

__all__ = [
    "ITEM_COLUMNS",
    "LINE_COLUMNS",
    "build_contacts",
    "build_dispatches",
    "build_orders",
    "build_products",
    "build_stock",
    "order_accounts",
    "order_columns",
    "order_products",
]
