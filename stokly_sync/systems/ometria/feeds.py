"""What is loaded into Ometria, each feed declared once (O1 to O6).

Order of loading: products, contacts, orders, dispatches; the gates keep it (X5). Every push is an upsert by id, so a
record whose outcome is unknown may simply be sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import pandas as pd

from stokly_sync.contracts.consent import consents_feed
from stokly_sync.flow import BatchLimits, Feed, Frames, Gate, Lane, Need, Outcome, ReplayClass, Team, Trigger
from stokly_sync.systems.ometria import consent, documents, readback
from stokly_sync.systems.ometria.client import OmetriaClient
from stokly_sync.systems.ometria.documents.common import RECORD_BYTES
from stokly_sync.systems.ometria.rules import REFUND_NO_ORDER, REJECTED
from stokly_sync.systems.ometria.settings import OmetriaSettings
from stokly_sync.systems.ometria.settling import Kind, send, settle

NAME: Final = "ometria"
CONTACT: Final = "contact"
PRODUCT: Final = Kind("product", "/products")
ORDER: Final = Kind("order", "/orders")
EVENT: Final = Kind("custom_event", None)

_WHO: Final = ("customer_id", "live", "merged_into")
_CUSTOMERS_OF_ORDERS: Final = (
    Need("stokly.customers", "customer_id", "stokly.orders", "customer_id", columns=_WHO),
    # The customer that a merge has left.
    Need("stokly.customers", "customer_id", "stokly.customers", "merged_into", columns=_WHO),
)


def feeds(settings: OmetriaSettings) -> tuple[Feed, ...]:
    """All feeds of Ometria, in the order in which they are loaded."""
    limits = BatchLimits(settings.batch, settings.batch * RECORD_BYTES, settings.concurrency)
    return (
        _products(settings, limits),
        _stock(limits),
        _contacts(settings, limits),
        _orders(settings, limits),
        _dispatches(settings, limits),
        _consents(settings, limits),
    )


def _consents(settings: OmetriaSettings, limits: BatchLimits) -> Feed:
    return consents_feed(
        system=NAME,
        document=partial(consent.document, settings=settings),
        send=send,
        settle=_settling(Kind(CONTACT, f"/contacts/{settings.collection}")),
        limits=limits,
        rejected_rule=REJECTED.code,
    )


def _contacts(settings: OmetriaSettings, limits: BatchLimits) -> Feed:
    return Feed(
        system=NAME,
        name="contacts",
        dataset="stokly.customers",
        key="customer_id",
        owner=Team.MARKETING,
        description="Customers as contacts of our own collection; consent is never part of them.",
        lane=Lane.INTERVAL,
        replay=ReplayClass.UPSERT,
        limits=limits,
        build=partial(documents.build_contacts, settings=settings),
        send=send,
        settle=_settling(Kind(CONTACT, f"/contacts/{settings.collection}")),
        read_back=readback.read_contacts,
        facts=readback.contact_facts,
        compared=readback.CONTACT_FACTS,
        rejected_rule=REJECTED.code,
    )


def _products(settings: OmetriaSettings, limits: BatchLimits) -> Feed:
    return Feed(
        system=NAME,
        name="products",
        dataset="stokly.items",
        key="sku",
        owner=Team.ECOMMERCE,
        description="Items as products and variants; deleted ones and services as inactive.",
        lane=Lane.BULK,
        replay=ReplayClass.UPSERT,
        limits=limits,
        build=partial(documents.build_products, settings=settings),
        send=send,
        settle=_settling(PRODUCT),
        read_back=readback.read_products,
        facts=readback.product_facts,
        compared=readback.PRODUCT_FACTS,
        rejected_rule=REJECTED.code,
    )


def _stock(limits: BatchLimits) -> Feed:
    return Feed(
        system=NAME,
        name="stock",
        dataset="stokly.stock",
        key="sku",
        owner=Team.ECOMMERCE,
        description="Whether each SKU is in stock, merged into its product.",
        lane=Lane.FAST,
        replay=ReplayClass.UPSERT,
        limits=limits,
        build=documents.build_stock,
        send=send,
        settle=_settling(PRODUCT),
        read_back=readback.read_stock,
        facts=readback.stock_facts,
        compared=readback.STOCK_FACTS,
        needs=(Need("stokly.items", "item_id", "stokly.stock", "item_id"),),
        # An item that turns into a service, is deleted or comes back is sold or not sold from then on.
        triggers=(Trigger("stokly.items", "sku"),),
        gates=(Gate("products", "its product", _own_product, follows=True),),
        rejected_rule=REJECTED.code,
    )


def _orders(settings: OmetriaSettings, limits: BatchLimits) -> Feed:
    return Feed(
        system=NAME,
        name="orders",
        dataset="stokly.orders",
        key="order_id",
        owner=Team.ECOMMERCE,
        description="Confirmed sale orders with lines and refunds, whole on every update.",
        lane=Lane.INTERVAL,
        replay=ReplayClass.UPSERT,
        limits=limits,
        build=partial(documents.build_orders, settings=settings),
        send=send,
        settle=_settling(ORDER),
        read_back=readback.read_orders,
        facts=readback.order_facts,
        compared=readback.ORDER_FACTS,
        source_value="total",
        columns=documents.order_columns(settings),
        needs=(
            Need("stokly.order_lines", "order_id", "stokly.orders", "order_id", columns=documents.LINE_COLUMNS),
            Need("stokly.refunds", "order_id", "stokly.orders", "order_id"),
            Need("stokly.refund_lines", "refund_id", "stokly.refunds", "refund_id"),
            Need("stokly.credit_notes", "order_id", "stokly.orders", "order_id"),
            Need("stokly.items", "item_id", "stokly.order_lines", "item_id", columns=documents.ITEM_COLUMNS),
            # Parents of variants.
            Need("stokly.items", "item_id", "stokly.items", "parent_item_id", columns=documents.ITEM_COLUMNS),
            *_CUSTOMERS_OF_ORDERS,
        ),
        triggers=(
            Trigger("stokly.refunds", "order_id", REFUND_NO_ORDER.code),
            Trigger("stokly.credit_notes", "order_id", REFUND_NO_ORDER.code),
        ),
        gates=(
            Gate("products", "its product", documents.order_products),
            Gate("contacts", "its contact", documents.order_accounts),
        ),
        rejected_rule=REJECTED.code,
    )


def _dispatches(settings: OmetriaSettings, limits: BatchLimits) -> Feed:
    return Feed(
        system=NAME,
        name="dispatches",
        dataset="stokly.dispatches",
        key="dispatch_id",
        owner=Team.OPERATIONS,
        description="Dispatches with tracking as order_shipped events, for the shipped mail.",
        lane=Lane.FAST,
        replay=ReplayClass.UPSERT,
        limits=limits,
        build=partial(documents.build_dispatches, settings=settings),
        send=send,
        settle=_settling(EVENT),
        needs=(Need("stokly.orders", "order_id", "stokly.dispatches", "order_id"), *_CUSTOMERS_OF_ORDERS),
        gates=(Gate("orders", "its order", _own_order, follows=True),),
        rejected_rule=REJECTED.code,
    )


def _settling(kind: Kind) -> Callable[[OmetriaClient, Sequence[Outcome]], Sequence[Outcome]]:
    return partial(settle, kind=kind)


def _own_product(frames: Frames) -> pd.DataFrame:
    sku = frames["stokly.stock"]["sku"].dropna().drop_duplicates()
    return pd.DataFrame({"key": sku, "needs": sku})


def _own_order(frames: Frames) -> pd.DataFrame:
    rows = frames["stokly.dispatches"]
    return pd.DataFrame({"key": rows["dispatch_id"], "needs": rows["order_id"]})
