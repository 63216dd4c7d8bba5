"""What is read from Marketplacer, each dataset declared once: owner, how it is read and becomes rows (P3 to P10)."""

from __future__ import annotations

from functools import partial

from stokly_sync.contracts.channels import MARKETPLACER, ORDERS
from stokly_sync.flow import Extract, Team
from stokly_sync.systems.marketplacer import reading
from stokly_sync.systems.marketplacer.documents.listings import level_rows, listing_rows
from stokly_sync.systems.marketplacer.documents.orders import order_rows
from stokly_sync.systems.marketplacer.documents.papers import refund_rows, shipment_rows
from stokly_sync.systems.marketplacer.documents.remittances import remittance_rows
from stokly_sync.systems.marketplacer.settings import MarketplacerSettings


def extracts(settings: MarketplacerSettings) -> tuple[Extract, ...]:
    """All datasets of Marketplacer, those first that others look at."""
    return (*_sales(settings), *_catalogue(settings))


def _sales(settings: MarketplacerSettings) -> tuple[Extract, ...]:
    orders = ORDERS[MARKETPLACER].name
    return (
        Extract(
            dataset=orders,
            owner=Team.OPERATIONS,
            description="Invoices: one seller's part of a purchase, with its lines.",
            read=reading.read_orders,
            rows=partial(order_rows, settings=settings),
            key_member="id",
        ),
        Extract(
            dataset=f"{MARKETPLACER}.shipments",
            owner=Team.OPERATIONS,
            description="Shipments of invoices with tracking.",
            read=reading.read_shipments,
            rows=shipment_rows,
            key_member="id",
            after=(orders,),
        ),
        Extract(
            dataset=f"{MARKETPLACER}.refunds",
            owner=Team.FINANCE,
            description="Refund requests that are not over, and refunds that were paid.",
            read=reading.read_refunds,
            rows=partial(refund_rows, settings=settings),
            key_member="id",
            after=(orders,),
        ),
        Extract(
            dataset=f"{MARKETPLACER}.remittances",
            owner=Team.FINANCE,
            description="Payouts with what they are made of; with an operator's key.",
            read=reading.read_remittances,
            rows=partial(remittance_rows, settings=settings),
            key_member="id",
        ),
    )


def _catalogue(settings: MarketplacerSettings) -> tuple[Extract, ...]:
    return (
        Extract(
            dataset=f"{MARKETPLACER}.listings",
            owner=Team.ECOMMERCE,
            description="Variants with their flags; hidden ones too.",
            read=reading.read_listings,
            rows=partial(listing_rows, settings=settings),
            key_member="id",
        ),
        Extract(
            dataset=f"{MARKETPLACER}.stock_levels",
            owner=Team.OPERATIONS,
            description="Stock by SKU as the marketplace shows it; read as a whole, because orders change it.",
            read=reading.read_levels,
            rows=level_rows,
            key_member="levelId",
            snapshot=True,
        ),
    )
