"""What is loaded into Dotdigital, each feed declared once (D1 to D8).

Order of loading: products, contacts, guests, orders, dispatches; the gates keep it (X5). Imports replace what is there,
so a record whose outcome is unknown may simply be sent again; an event may not, because it would send a mail twice.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import pandas as pd

from stokly_sync.contracts.buyers import BUYERS, order_contacts
from stokly_sync.contracts.consent import CONSENTS, consents_feed
from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.contracts.guests import guests_feed, guests_gate
from stokly_sync.flow import BatchLimits, Feed, Frames, Gate, Lane, Need, ReplayClass, Team, Trigger
from stokly_sync.systems.dotdigital import consent, documents, readback
from stokly_sync.systems.dotdigital.client import EVENTS
from stokly_sync.systems.dotdigital.documents.contacts import METRICS, SAME_ADDRESS
from stokly_sync.systems.dotdigital.rules import CONSENT_REFUSED, REFUND_NO_ORDER, REJECTED
from stokly_sync.systems.dotdigital.sending import send_contacts, send_events, send_orders, send_products
from stokly_sync.systems.dotdigital.settings import DotdigitalSettings
from stokly_sync.systems.dotdigital.settling import settle_contacts, settle_insight

NAME: Final = "dotdigital"
IMPORT_CALLS: Final = 2
"""An import is started and looked at. Source: Dotdigital API contract 2, 3 (bulk import)."""


def feeds(settings: DotdigitalSettings) -> tuple[Feed, ...]:
    """All feeds of Dotdigital, in the order in which they are loaded."""
    insight = BatchLimits(settings.batch, settings.batch_bytes, settings.insight_imports, IMPORT_CALLS)
    return (
        _products(settings, insight),
        _contacts(settings),
        *((_guests(settings),) if settings.guests == "merge" else ()),
        _orders(settings, insight),
        _dispatches(settings),
        _consents(settings),
    )


def _contacts(settings: DotdigitalSettings) -> Feed:
    metrics, subscribing = METRICS in DATASETS, settings.new_contact_status == "subscribed"
    return Feed(
        system=NAME,
        name="contacts",
        dataset="stokly.customers",
        key="customer_id",
        owner=Team.MARKETING,
        description="Customers as contacts with what they have bought; consent is never part of them.",
        lane=Lane.INTERVAL,
        replay=ReplayClass.UPSERT,
        limits=_contact_limits(settings),
        build=partial(documents.build_contacts, settings=settings),
        send=send_contacts,
        settle=settle_contacts,
        read_back=readback.read_contacts,
        facts=partial(readback.contact_facts, settings=settings),
        compared=readback.CONTACT_FACTS,
        needs=(
            Need("stokly.customers", "email", "stokly.customers", "email", name=SAME_ADDRESS),
            *((Need(METRICS, "customer_id", "stokly.customers", "customer_id"),) if metrics else ()),
            # Where new contacts are subscribed, those who have opted out elsewhere must not be.
            *((Need(CONSENTS.name, "customer_id", "stokly.customers", "customer_id"),) if subscribing else ()),
        ),
        triggers=(Trigger(METRICS, "customer_id"),) if metrics else (),
        rejected_rule=REJECTED.code,
    )


def _guests(settings: DotdigitalSettings) -> Feed:
    return guests_feed(
        system=NAME,
        document=documents.guest_contact,
        send=send_contacts,
        settle=settle_contacts,
        limits=_contact_limits(settings),
        confirmed=settings.confirmed,
        rejected_rule=REJECTED.code,
    )


def _contact_limits(settings: DotdigitalSettings) -> BatchLimits:
    return BatchLimits(settings.batch, settings.batch_bytes, settings.contact_imports, IMPORT_CALLS)


def _products(settings: DotdigitalSettings, limits: BatchLimits) -> Feed:
    return Feed(
        system=NAME,
        name="products",
        dataset="stokly.items",
        key="sku",
        owner=Team.ECOMMERCE,
        description="Items with their stock as the catalogue; deleted ones and services as Disabled.",
        lane=Lane.INTERVAL,
        replay=ReplayClass.UPSERT,
        limits=limits,
        build=partial(documents.build_products, settings=settings),
        send=send_products,
        settle=settle_insight,
        read_back=readback.read_products,
        facts=readback.product_facts,
        compared=readback.PRODUCT_FACTS,
        needs=(
            Need("stokly.stock", "item_id", "stokly.items", "item_id"),
            Need("stokly.items", "item_id", "stokly.items", "parent_item_id", name="parents"),
        ),
        triggers=(Trigger("stokly.stock", "sku"),),
        rejected_rule=REJECTED.code,
    )


def _orders(settings: DotdigitalSettings, limits: BatchLimits) -> Feed:
    return Feed(
        system=NAME,
        name="orders",
        dataset="stokly.orders",
        key="order_id",
        owner=Team.ECOMMERCE,
        description="Confirmed sale orders of contacts with lines and refunds, whole on every update.",
        lane=Lane.INTERVAL,
        replay=ReplayClass.UPSERT,
        limits=limits,
        build=partial(documents.build_orders, settings=settings),
        send=send_orders,
        settle=settle_insight,
        read_back=readback.read_orders,
        facts=readback.order_facts,
        compared=readback.ORDER_FACTS,
        source_value="total",
        needs=(
            Need("stokly.order_lines", "order_id", "stokly.orders", "order_id"),
            Need("stokly.refunds", "order_id", "stokly.orders", "order_id"),
            Need("stokly.refund_lines", "refund_id", "stokly.refunds", "refund_id"),
            Need("stokly.credit_notes", "order_id", "stokly.orders", "order_id"),
            Need("stokly.items", "item_id", "stokly.order_lines", "item_id"),
            *BUYERS,
        ),
        triggers=(
            Trigger("stokly.refunds", "order_id", REFUND_NO_ORDER.code),
            Trigger("stokly.credit_notes", "order_id", REFUND_NO_ORDER.code),
        ),
        gates=(
            Gate("products", "its product", documents.order_products),
            Gate("contacts", "its contact", order_contacts, follows=True),
            *((guests_gate(),) if settings.guests == "merge" else ()),
        ),
        rejected_rule=REJECTED.code,
    )


def _dispatches(settings: DotdigitalSettings) -> Feed:
    return Feed(
        system=NAME,
        name="dispatches",
        dataset="stokly.dispatches",
        key="dispatch_id",
        owner=Team.OPERATIONS,
        description="Dispatches with tracking as events, for the shipped mail.",
        lane=Lane.FAST,
        replay=ReplayClass.NEVER,
        limits=BatchLimits(min(settings.batch, EVENTS), settings.batch_bytes),
        build=partial(documents.build_dispatches, settings=settings),
        send=send_events,
        needs=(Need("stokly.orders", "order_id", "stokly.dispatches", "order_id"), *BUYERS),
        gates=(Gate("orders", "its order", _own_order, follows=True),),
        rejected_rule=REJECTED.code,
    )


def _consents(settings: DotdigitalSettings) -> Feed:
    return consents_feed(
        system=NAME,
        document=consent.document,
        send=consent.send_consents,
        limits=BatchLimits(settings.batch, settings.batch_bytes, calls=IMPORT_CALLS),
        rejected_rule=CONSENT_REFUSED.code,
    )


def _own_order(frames: Frames) -> pd.DataFrame:
    rows = frames["stokly.dispatches"]
    return pd.DataFrame({"key": rows["dispatch_id"], "needs": rows["order_id"]})
