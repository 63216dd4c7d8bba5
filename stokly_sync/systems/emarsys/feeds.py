"""What is loaded into Emarsys, each feed declared once (E1 to E9).

Order of loading: products, contacts, guests, orders, refunds, credits, dispatches; the gates keep it (X5). Contacts and
events may be sent again; the catalogue is published whole; sales data are only ever added to, so orders, refunds and
credit notes say what they should add up to and delivery sends what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import pandas as pd

from stokly_sync.contracts.buyers import BUYERS, order_contacts, order_guests
from stokly_sync.contracts.consent import consents_feed
from stokly_sync.contracts.guests import guests_feed, guests_gate
from stokly_sync.flow import Append, BatchLimits, Feed, Frames, Gate, Lane, Need, ReplayClass, Team, Trigger, Whole
from stokly_sync.systems.emarsys import catalogue, consent, documents, readback
from stokly_sync.systems.emarsys.contacts import send_contacts
from stokly_sync.systems.emarsys.documents.contacts import MERGED_AWAY, METRICS, SAME_ADDRESS
from stokly_sync.systems.emarsys.events import send_events
from stokly_sync.systems.emarsys.rules import CONSENT_REFUSED, REJECTED
from stokly_sync.systems.emarsys.sales import send_sales
from stokly_sync.systems.emarsys.settings import EmarsysSettings

NAME: Final = "emarsys"
CONTACT_BYTES: Final = 7_500_000
"""Below the 8 MB of an update. Source: Emarsys API contract 1.6."""
CONTACT_CALLS: Final = 3
"""Looked up by customer id where that is indexed, looked up by address, and written."""
EVENT_BYTES: Final = 900_000
"""Below the 1 MB of a trigger. Source: Emarsys API contract 1.6."""
SALES_BYTES: Final = 250_000
"""So many bytes of documents make fewer than 10,000 lines. Source: Emarsys API contract 2.6."""

_ADVICE: Final = (
    "Set EMARSYS_HISTORY_FROM if the account holds no sales from that time on, or run `stokly-sync adopt emarsys` if "
    "it holds what Stokly holds today."
)


def feeds(settings: EmarsysSettings) -> tuple[Feed, ...]:
    """All feeds of Emarsys, in the order in which they are loaded."""
    return (
        _products(settings),
        _contacts(settings),
        *((_guests(settings),) if settings.guests == "send" else ()),
        _orders(settings),
        _refunds(settings),
        _credits(settings),
        _dispatches(settings),
        _consents(settings),
    )


def _products(settings: EmarsysSettings) -> Feed:
    return Feed(
        system=NAME,
        name="products",
        dataset="stokly.items",
        key="sku",
        owner=Team.ECOMMERCE,
        description="All items with price and availability as one file that Emarsys fetches.",
        lane=Lane.INTERVAL,
        replay=ReplayClass.UPSERT,
        limits=BatchLimits(5_000, 50_000_000, calls=0),
        build=partial(documents.build_products, settings=settings),
        whole=Whole(catalogue.publish, catalogue.current),
        read_back=readback.read_products,
        facts=readback.product_facts,
        compared=readback.PRODUCT_FACTS,
        needs=(Need("stokly.stock", "item_id", "stokly.items", "item_id"),),
        triggers=(Trigger("stokly.stock", "sku"),),
        rejected_rule=REJECTED.code,
    )


def _contacts(settings: EmarsysSettings) -> Feed:
    return Feed(
        system=NAME,
        name="contacts",
        dataset="stokly.customers",
        key="customer_id",
        owner=Team.MARKETING,
        description="Customers as contacts with what they have bought, merged as in Stokly; consent is no part of it.",
        lane=Lane.INTERVAL,
        replay=ReplayClass.UPSERT,
        limits=_contact_limits(settings),
        build=partial(documents.build_contacts, settings=settings),
        send=send_contacts,
        read_back=readback.read_contacts,
        facts=readback.contact_facts,
        compared=readback.CONTACT_FACTS,
        needs=(
            Need("stokly.customers", "email", "stokly.customers", "email", name=SAME_ADDRESS),
            Need("stokly.customers", "merged_into", "stokly.customers", "customer_id", name=MERGED_AWAY),
            Need("stokly.customers", "merged_into", MERGED_AWAY, "customer_id", name=MERGED_AWAY),
            Need(METRICS, "customer_id", "stokly.customers", "customer_id"),
        ),
        triggers=(Trigger(METRICS, "customer_id"), Trigger("stokly.customers", "merged_into")),
        rejected_rule=REJECTED.code,
    )


def _guests(settings: EmarsysSettings) -> Feed:
    return guests_feed(
        system=NAME,
        document=documents.guest_contact,
        send=send_contacts,
        limits=_contact_limits(settings),
        confirmed=settings.confirmed,
        rejected_rule=REJECTED.code,
    )


def _contact_limits(settings: EmarsysSettings) -> BatchLimits:
    """One at a time: two calls for one person at once may make two contacts."""
    return BatchLimits(settings.batch, CONTACT_BYTES, calls=CONTACT_CALLS if settings.id_field_indexed else 2)


def _wait_for_guests(settings: EmarsysSettings, keys: Callable[[Frames], pd.DataFrame]) -> tuple[Gate, ...]:
    return (guests_gate(keys),) if settings.guests == "send" else ()


def _orders(settings: EmarsysSettings) -> Feed:
    products = (Gate("products", "its product", documents.order_products),) if settings.catalogue_url else ()
    return Feed(
        system=NAME,
        name="orders",
        dataset="stokly.orders",
        key="order_id",
        owner=Team.ECOMMERCE,
        description="Confirmed sale orders as sales data, item by item; changes as difference lines.",
        lane=Lane.INTERVAL,
        replay=ReplayClass.NEVER,
        limits=BatchLimits(settings.sales_batch, SALES_BYTES),
        build=partial(documents.build_orders, settings=settings),
        send=send_sales,
        append=_added(settings),
        needs=(
            Need("stokly.order_lines", "order_id", "stokly.orders", "order_id"),
            Need("stokly.refunds", "order_id", "stokly.orders", "order_id"),
            Need("stokly.refund_lines", "refund_id", "stokly.refunds", "refund_id"),
            Need("stokly.items", "item_id", "stokly.order_lines", "item_id"),
            *BUYERS,
        ),
        # A refund of what was cancelled: only one of the two may take it off.
        triggers=(Trigger("stokly.refunds", "order_id"),),
        gates=(
            *products,
            Gate("contacts", "its contact", order_contacts, follows=True),
            *_wait_for_guests(settings, order_guests),
        ),
        rejected_rule=REJECTED.code,
    )


def _refunds(settings: EmarsysSettings) -> Feed:
    return Feed(
        system=NAME,
        name="refunds",
        dataset="stokly.refunds",
        key="refund_id",
        owner=Team.FINANCE,
        description="Refunds as sales data: lines of their order with negative units and amounts.",
        lane=Lane.INTERVAL,
        replay=ReplayClass.NEVER,
        limits=BatchLimits(settings.sales_batch, SALES_BYTES),
        build=partial(documents.build_refunds, settings=settings),
        send=send_sales,
        append=_added(settings),
        needs=(
            Need("stokly.refund_lines", "refund_id", "stokly.refunds", "refund_id"),
            Need("stokly.orders", "order_id", "stokly.refunds", "order_id"),
            Need("stokly.order_lines", "order_id", "stokly.orders", "order_id"),
            Need("stokly.items", "item_id", "stokly.order_lines", "item_id"),
            *BUYERS,
        ),
        gates=(Gate("orders", "its order", _order_of_refund, follows=True),),
        rejected_rule=REJECTED.code,
    )


def _credits(settings: EmarsysSettings) -> Feed:
    return Feed(
        system=NAME,
        name="credits",
        dataset="stokly.credit_notes",
        key="credit_note_id",
        owner=Team.FINANCE,
        description="Credit notes that no refund names, as sales data under an item of their own where one is set.",
        lane=Lane.INTERVAL,
        replay=ReplayClass.NEVER,
        limits=BatchLimits(settings.sales_batch, SALES_BYTES),
        build=partial(documents.build_credits, settings=settings),
        send=send_sales,
        append=_added(settings),
        needs=(
            Need("stokly.refunds", "credit_note_id", "stokly.credit_notes", "credit_note_id"),
            Need("stokly.orders", "order_id", "stokly.credit_notes", "order_id"),
            Need("stokly.order_lines", "order_id", "stokly.orders", "order_id"),
            *BUYERS,
        ),
        # A refund that names the note stands for it.
        triggers=(Trigger("stokly.refunds", "credit_note_id"),),
        gates=(Gate("orders", "its order", _order_of_credit, follows=True),),
        rejected_rule=REJECTED.code,
    )


def _dispatches(settings: EmarsysSettings) -> Feed:
    return Feed(
        system=NAME,
        name="dispatches",
        dataset="stokly.dispatches",
        key="dispatch_id",
        owner=Team.OPERATIONS,
        description="Dispatches with tracking as external events, for the shipped mail.",
        lane=Lane.FAST,
        replay=ReplayClass.UPSERT,
        limits=BatchLimits(settings.batch, EVENT_BYTES),
        build=partial(documents.build_dispatches, settings=settings),
        send=send_events,
        needs=(Need("stokly.orders", "order_id", "stokly.dispatches", "order_id"), *BUYERS),
        gates=(
            Gate("orders", "its order", partial(documents.dispatch_orders, settings=settings), follows=True),
            Gate("contacts", "its contact", documents.dispatch_contacts, follows=True),
            *_wait_for_guests(settings, documents.dispatch_guests),
        ),
        rejected_rule=REJECTED.code,
    )


def _consents(settings: EmarsysSettings) -> Feed:
    return consents_feed(
        system=NAME,
        document=consent.document,
        send=consent.send_consents,
        limits=BatchLimits(settings.batch, CONTACT_BYTES),
        rejected_rule=CONSENT_REFUSED.code,
    )


def _added(settings: EmarsysSettings) -> Append:
    return Append(
        documents.parts_of,
        documents.with_parts,
        documents.ordered_at,
        history_from=settings.history_from,
        advice=_ADVICE,
    )


def _order_of_refund(frames: Frames) -> pd.DataFrame:
    rows = frames["stokly.refunds"]
    return pd.DataFrame({"key": rows["refund_id"], "needs": rows["order_id"]})


def _order_of_credit(frames: Frames) -> pd.DataFrame:
    rows = frames["stokly.credit_notes"]
    return pd.DataFrame({"key": rows["credit_note_id"], "needs": rows["order_id"]})
