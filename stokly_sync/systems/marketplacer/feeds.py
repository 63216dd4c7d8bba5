"""What is loaded into Marketplacer, each feed declared once (P1, P2, P4, P10).

Products and stock change variants and may be repeated; shipments and refund requests are looked up before they are
made. Each is first compared with what the marketplace shows: what it has already is not sent.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from stokly_sync.contracts.channels import MARKETPLACER
from stokly_sync.flow import BatchLimits, Feed, Lane, Need, ReplayClass, Team, Trigger
from stokly_sync.systems.marketplacer import readback, refunding, rules, sending, shipping
from stokly_sync.systems.marketplacer.documents import dispatches, products, refunds, stock
from stokly_sync.systems.marketplacer.settings import MarketplacerSettings

NAME: Final = MARKETPLACER
BYTES: Final = 1_000_000
"""Documents of one request; the vendor names no limit."""
_DELAY: Final = 5.0
"""Seconds until a shipment or a request can be seen: they are answered at once, not taken for later."""
_ORDER: Final = ("channel_reference", "channel_id", "channel_name", "source_type")


def feeds(settings: MarketplacerSettings) -> tuple[Feed, ...]:
    """All feeds of Marketplacer, in the order in which they are loaded."""
    return (_products(settings), _stock(settings), _shipments(settings), _refunds(settings))


def _products(settings: MarketplacerSettings) -> Feed:
    return Feed(
        system=NAME,
        name="products",
        dataset="stokly.items",
        key="sku",
        owner=Team.ECOMMERCE,
        description="Price and status of each SKU as a change of its variant; new products where switched on.",
        lane=Lane.INTERVAL,
        replay=ReplayClass.UPSERT,
        limits=BatchLimits(settings.aliases, BYTES, settings.concurrency),
        build=partial(products.build_products, settings=settings),
        send=sending.send_products,
        read_back=readback.read_products,
        facts=readback.product_facts,
        compared=readback.PRODUCT_FACTS,
        # What the marketplace lists beside them is rogue, and its own matching raises it.
        shared=True,
        needs=(Need(products.LISTINGS, "sku", "stokly.items", "sku"),),
        triggers=(Trigger(products.LISTINGS, "sku"),),
        rejected_rule=rules.REJECTED.code,
    )


def _stock(settings: MarketplacerSettings) -> Feed:
    return Feed(
        system=NAME,
        name="stock",
        dataset="stokly.stock",
        key="sku",
        owner=Team.OPERATIONS,
        description="Units of each SKU that may be sold: available, less orders not in Stokly yet, less a buffer.",
        lane=Lane.FAST,
        replay=ReplayClass.UPSERT,
        limits=BatchLimits(settings.aliases, BYTES, settings.concurrency),
        build=partial(stock.build_stock, settings=settings),
        send=sending.send_stock,
        read_back=readback.read_stock,
        facts=readback.stock_facts,
        compared=readback.STOCK_FACTS,
        shared=True,
        needs=(
            Need(products.LISTINGS, "sku", "stokly.stock", "sku"),
            Need(stock.LEVELS, "sku", "stokly.stock", "sku"),
            Need("stokly.items", "item_id", "stokly.stock", "item_id"),
            Need(stock.LINES, "sku", "stokly.stock", "sku", only="open"),
            Need(stock.ORDERS, "order_id", stock.LINES, "order_id", sent_by=f"stokly/{NAME}_orders"),
            Need("stokly.orders", "channel_reference", stock.ORDERS, "number"),
        ),
        triggers=(Trigger(stock.LEVELS, "sku"), Trigger(products.LISTINGS, "sku"), Trigger("stokly.items", "sku")),
        rejected_rule=rules.REJECTED.code,
    )


def _shipments(settings: MarketplacerSettings) -> Feed:
    own = "stokly.dispatches"
    return Feed(
        system=NAME,
        name="shipments",
        dataset=own,
        key="dispatch_id",
        owner=Team.OPERATIONS,
        description="Dispatches with tracking as shipments of the invoice, in parts where they are parts.",
        lane=Lane.FAST,
        replay=ReplayClass.LOOK_UP,
        # Looked up, then written.
        limits=BatchLimits(settings.aliases, BYTES, calls=2),
        build=partial(dispatches.build_shipments, settings=settings),
        send=shipping.send_shipments,
        look_up=shipping.look_up_shipments,
        links=True,
        look_up_delay=_DELAY,
        needs=(
            Need(own, "order_id", own, "order_id", name=dispatches.OF_ORDER),
            Need("stokly.dispatch_lines", "dispatch_id", dispatches.OF_ORDER, "dispatch_id"),
            *_sale(own),
            Need("stokly.order_lines", "order_id", "stokly.orders", "order_id", columns=("line_id", "sku")),
            Need(f"{MARKETPLACER}.shipments", "order_id", f"{MARKETPLACER}.orders", "order_id"),
            Need(f"{MARKETPLACER}.shipment_lines", "shipment_id", f"{MARKETPLACER}.shipments", "shipment_id"),
        ),
        rejected_rule=rules.SHIPMENT_REFUSED.code,
    )


def _refunds(settings: MarketplacerSettings) -> Feed:
    own = "stokly.refunds"
    return Feed(
        system=NAME,
        name="refunds",
        dataset=own,
        key="refund_id",
        owner=Team.FINANCE,
        description="Refunds made in Stokly as refund requests, or raised; those that began here are left alone.",
        lane=Lane.INTERVAL,
        replay=ReplayClass.LOOK_UP,
        # Created and marked as returned; what is there is listed once a load.
        limits=BatchLimits(settings.aliases, BYTES, calls=2 + settings.refunds_pay),
        build=partial(refunds.build_refunds, settings=settings),
        send=refunding.send_refunds,
        look_up=refunding.look_up_refunds,
        settle=refunding.settle_refunds,
        links=True,
        look_up_delay=_DELAY,
        source_value="total",
        needs=(
            Need(own, "order_id", own, "order_id", name=refunds.OF_ORDER),
            Need("stokly.refund_lines", "refund_id", refunds.OF_ORDER, "refund_id"),
            *_sale(own),
            Need(f"{MARKETPLACER}.refunds", "order_id", f"{MARKETPLACER}.orders", "order_id"),
            Need(f"{MARKETPLACER}.refund_lines", "refund_id", f"{MARKETPLACER}.refunds", "refund_id"),
        ),
        rejected_rule=rules.REFUND_REFUSED.code,
    )


def _sale(own: str) -> tuple[Need, ...]:
    return (
        Need("stokly.orders", "order_id", own, "order_id", columns=_ORDER),
        Need(f"{MARKETPLACER}.orders", "number", "stokly.orders", "channel_reference"),
        Need(f"{MARKETPLACER}.order_lines", "order_id", f"{MARKETPLACER}.orders", "order_id"),
    )
