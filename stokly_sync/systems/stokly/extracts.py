"""What is read from Stokly, each dataset declared once: who owns it, how it is read, how it becomes rows (X1)."""

from __future__ import annotations

from functools import partial

from stokly_sync.flow import Extract, Team
from stokly_sync.systems.stokly.documents.orders import order_rows
from stokly_sync.systems.stokly.documents.papers import credit_note_rows, dispatch_rows, invoice_rows, refund_rows
from stokly_sync.systems.stokly.documents.people import customer_rows
from stokly_sync.systems.stokly.documents.products import item_rows, stock_rows
from stokly_sync.systems.stokly.reading import items, orders, stock, timed
from stokly_sync.systems.stokly.settings import StoklySettings


def extracts(settings: StoklySettings) -> tuple[Extract, ...]:
    """All datasets of Stokly, those first that others look at."""
    return (*_catalogue(settings), *_sales(settings), *_papers(settings))


def _catalogue(settings: StoklySettings) -> tuple[Extract, ...]:
    return (
        Extract(
            dataset="stokly.items",
            owner=Team.ECOMMERCE,
            description="Items with barcodes, attribute values, parts, images and the parent of variants.",
            read=items.read_items,
            rows=partial(item_rows, settings=settings),
            key_member=items.SOURCE.key,
            complete=items.complete,
            fetch=partial(timed.fetch, source=items.SOURCE),
        ),
        Extract(
            dataset="stokly.stock",
            owner=Team.OPERATIONS,
            description="Stock in total and by location; read as a whole, because changes cannot be asked for.",
            read=stock.read_stock,
            rows=partial(stock_rows, settings=settings),
            key_member="stockId",
            snapshot=True,
        ),
        Extract(
            dataset="stokly.customers",
            owner=Team.CX,
            description="Customers, deleted and merged ones included.",
            read=partial(timed.read, source=timed.CUSTOMERS),
            rows=partial(customer_rows, settings=settings),
            key_member=timed.CUSTOMERS.key,
            fetch=partial(timed.fetch, source=timed.CUSTOMERS),
        ),
    )


def _sales(settings: StoklySettings) -> tuple[Extract, ...]:
    return (
        Extract(
            dataset="stokly.orders",
            owner=Team.OPERATIONS,
            description="Sale orders of every channel, with their lines.",
            read=orders.read_orders,
            rows=partial(order_rows, settings=settings),
            key_member=orders.SOURCE.key,
            complete=orders.complete,
            fetch=partial(timed.fetch, source=orders.SOURCE),
        ),
        Extract(
            dataset="stokly.refunds",
            owner=Team.FINANCE,
            description="Refunds with their lines.",
            read=partial(timed.read, source=timed.REFUNDS),
            rows=partial(refund_rows, settings=settings),
            key_member=timed.REFUNDS.key,
            after=("stokly.orders",),
            complete=timed.REFUNDS.complete,
            fetch=partial(timed.fetch, source=timed.REFUNDS),
        ),
    )


def _papers(settings: StoklySettings) -> tuple[Extract, ...]:
    return (
        Extract(
            dataset="stokly.invoices",
            owner=Team.FINANCE,
            description="Sales invoices.",
            read=partial(timed.read, source=timed.INVOICES),
            rows=partial(invoice_rows, settings=settings),
            key_member=timed.INVOICES.key,
            fetch=partial(timed.fetch, source=timed.INVOICES),
        ),
        Extract(
            dataset="stokly.credit_notes",
            owner=Team.FINANCE,
            description="Credit notes: with a refund, tied to a customer, or free vouchers.",
            read=partial(timed.read, source=timed.CREDIT_NOTES),
            rows=partial(credit_note_rows, settings=settings),
            key_member=timed.CREDIT_NOTES.key,
            fetch=partial(timed.fetch, source=timed.CREDIT_NOTES),
        ),
        Extract(
            dataset="stokly.dispatches",
            owner=Team.OPERATIONS,
            description="Parcels sent, with tracking and their lines.",
            read=partial(timed.read, source=timed.DISPATCHES),
            rows=partial(dispatch_rows, settings=settings),
            key_member=timed.DISPATCHES.key,
            complete=timed.DISPATCHES.complete,
            fetch=partial(timed.fetch, source=timed.DISPATCHES),
        ),
    )
