"""What is loaded into Magento, each feed declared once (G1, G2, G4, G5).

Magento changes most of these values itself, and people change them there; so every builder says what Magento holds by
its own word (rows read from it), and only what differs is sent.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from stokly_sync.flow import BatchLimits, Feed, Lane, Need, ReplayClass, Team, Trigger
from stokly_sync.systems.magento import readback
from stokly_sync.systems.magento.bulk import send_products_in_bulk, settle_products
from stokly_sync.systems.magento.documents.products import LISTINGS, build_products
from stokly_sync.systems.magento.documents.refunds import SIBLINGS as REFUNDS_OF_ORDER
from stokly_sync.systems.magento.documents.refunds import build_refunds
from stokly_sync.systems.magento.documents.shipments import SIBLINGS as DISPATCHES_OF_ORDER
from stokly_sync.systems.magento.documents.shipments import build_shipments
from stokly_sync.systems.magento.documents.stock import LEVELS, LINES, ORDERS, build_stock
from stokly_sync.systems.magento.refunding import look_up_refunds, send_refunds
from stokly_sync.systems.magento.rules import REJECTED
from stokly_sync.systems.magento.sending import send_products, send_stock
from stokly_sync.systems.magento.settings import MagentoSettings
from stokly_sync.systems.magento.shipping import look_up_shipments, send_shipments

NAME: Final = "magento"
MOST_BYTES: Final = 1_000_000
"""Below what web servers and PHP take unless told otherwise. Source: Magento API contract 12."""
PAPERS: Final = 50
"""Dispatches or refunds whose orders are read together."""

_ORDER: Final = ("source_type", "channel_id", "channel_reference", "live", "stage", "item_statuses")
_LINE: Final = ("sku", "quantity", "status")
_CHANNEL_LINE: Final = (
    *("sku", "quantity", "quantity_cancelled", "quantity_shipped", "quantity_refunded", "virtual", "open"),
)


def feeds(settings: MagentoSettings) -> tuple[Feed, ...]:
    """All feeds of Magento."""
    return (_products(settings), _stock(settings), _shipments(settings), _refunds(settings))


def _products(settings: MagentoSettings) -> Feed:
    # Queued, and asked for afterwards.
    queued = settings.product_batch > 1
    return Feed(
        system=NAME,
        name="products",
        dataset="stokly.items",
        key="sku",
        owner=Team.ECOMMERCE,
        description="Name, price and status of products that Magento lists under the same SKU.",
        lane=Lane.INTERVAL,
        replay=ReplayClass.UPSERT,
        limits=BatchLimits(settings.product_batch, MOST_BYTES, settings.concurrency, calls=2 if queued else 1),
        build=partial(build_products, settings=settings),
        send=send_products_in_bulk if queued else send_products,
        settle=settle_products if queued else None,
        read_back=readback.read_products,
        facts=readback.product_facts,
        compared=tuple(name for name in readback.PRODUCT_FACTS if name in settings.product_fields),
        shared=True,
        needs=(Need(LISTINGS, "sku", "stokly.items", "sku"),),
        triggers=(Trigger(LISTINGS, "sku"),),
        rejected_rule=REJECTED.code,
    )


def _stock(settings: MagentoSettings) -> Feed:
    return Feed(
        system=NAME,
        name="stock",
        dataset="stokly.stock",
        key="sku",
        owner=Team.OPERATIONS,
        description="What Magento may sell of each SKU, by source; only where it differs from what Magento holds.",
        lane=Lane.FAST,
        replay=ReplayClass.UPSERT,
        limits=BatchLimits(settings.stock_batch, MOST_BYTES, concurrency=settings.concurrency),
        build=partial(build_stock, settings=settings),
        # Compared with what Magento holds by every plan: a read-back behind it would see Magento's own changes.
        send=send_stock,
        needs=(
            Need("stokly.items", "item_id", "stokly.stock", "item_id"),
            Need(LISTINGS, "sku", "stokly.stock", "sku"),
            Need(LEVELS, "sku", "stokly.stock", "sku"),
            Need(LINES, "sku", "stokly.stock", "sku", columns=_CHANNEL_LINE, only="open"),
            Need(ORDERS, "order_id", LINES, "order_id", columns=("number", "state", "placed_at")),
            Need("stokly.orders", "channel_reference", ORDERS, "number", columns=_ORDER),
            Need("stokly.order_lines", "order_id", "stokly.orders", "order_id", columns=_LINE),
            Need("stokly.dispatches", "order_id", "stokly.orders", "order_id", columns=("live",)),
            Need("stokly.dispatch_lines", "dispatch_id", "stokly.dispatches", "dispatch_id"),
        ),
        triggers=(Trigger("stokly.items", "sku"), Trigger(LEVELS, "sku"), Trigger(LISTINGS, "sku")),
        rejected_rule=REJECTED.code,
    )


def _shipments(settings: MagentoSettings) -> Feed:
    return Feed(
        system=NAME,
        name="shipments",
        dataset="stokly.dispatches",
        key="dispatch_id",
        owner=Team.OPERATIONS,
        description="Dispatches as shipments with tracking; what Magento has shipped already is tied to them.",
        lane=Lane.FAST,
        replay=ReplayClass.LOOK_UP,
        limits=BatchLimits(PAPERS, MOST_BYTES, concurrency=settings.concurrency, calls=2, each=1),
        build=partial(build_shipments, settings=settings),
        send=send_shipments,
        look_up=look_up_shipments,
        links=True,
        read_back=readback.read_shipments,
        facts=readback.shipment_facts,
        shared=True,
        needs=(
            Need("stokly.orders", "order_id", "stokly.dispatches", "order_id", columns=_ORDER),
            Need("stokly.order_lines", "order_id", "stokly.orders", "order_id", columns=_LINE),
            Need("stokly.dispatches", "order_id", "stokly.dispatches", "order_id", name=DISPATCHES_OF_ORDER),
            Need("stokly.dispatch_lines", "dispatch_id", DISPATCHES_OF_ORDER, "dispatch_id"),
            Need(ORDERS, "number", "stokly.orders", "channel_reference", columns=("number", "state", "live")),
            Need(LINES, "order_id", ORDERS, "order_id", columns=_CHANNEL_LINE),
            Need("magento.shipments", "order_id", ORDERS, "order_id"),
            Need("magento.shipment_lines", "shipment_id", "magento.shipments", "shipment_id"),
        ),
        rejected_rule=REJECTED.code,
    )


def _refunds(settings: MagentoSettings) -> Feed:
    return Feed(
        system=NAME,
        name="refunds",
        dataset="stokly.refunds",
        key="refund_id",
        owner=Team.FINANCE,
        description="Refunds as credit memos, where the settings say create; otherwise those that are missing.",
        lane=Lane.INTERVAL,
        replay=ReplayClass.LOOK_UP,
        limits=BatchLimits(PAPERS, MOST_BYTES, calls=2, each=1),
        build=partial(build_refunds, settings=settings),
        send=send_refunds,
        look_up=look_up_refunds,
        links=True,
        read_back=readback.read_refunds,
        facts=readback.refund_facts,
        shared=True,
        needs=(
            Need("stokly.refund_lines", "refund_id", "stokly.refunds", "refund_id"),
            Need("stokly.orders", "order_id", "stokly.refunds", "order_id", columns=_ORDER),
            Need("stokly.refunds", "order_id", "stokly.refunds", "order_id", name=REFUNDS_OF_ORDER),
            Need("stokly.refund_lines", "refund_id", REFUNDS_OF_ORDER, "refund_id"),
            Need(
                ORDERS,
                "number",
                "stokly.orders",
                "channel_reference",
                columns=("number", "state", "shipping", "shipping_tax", "live"),
            ),
            Need(LINES, "order_id", ORDERS, "order_id", columns=_CHANNEL_LINE),
            Need("magento.refunds", "order_id", ORDERS, "order_id"),
            Need("magento.refund_lines", "refund_id", "magento.refunds", "refund_id"),
        ),
        rejected_rule=REJECTED.code,
    )
