"""Customers of a channel as accounts in Stokly: made once, found by account code or e-mail address, never overwritten.

Stokly is the master of customers (X15), so an account that is there stays as it is. Belongs here: who the customer is
by the newest order. Source: Stokly API contract 3.1.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from stokly_sync.contracts.addresses import owners_of_addresses
from stokly_sync.contracts.owners import reachable, split_name
from stokly_sync.flow import Built, Document, Frames, Json
from stokly_sync.systems.stokly.outgoing.common import Channel, Row, begins, is_wanted, records, told

CONSUMER, TRADE = 0, 1


def build_customers(frames: Frames, channel: Channel) -> Built:
    """One document a customer, from the newest order that is to be imported.

    Held are those who have an account by e-mail address, and those without such an order: there is nobody to make yet.
    The key is the channel's customer id; needs `stokly.customers` by the orders' addresses.
    """
    owners = owners_of_addresses(frames["stokly.customers"]) if channel.settings.customers_by_email else {}
    since = begins(frames, channel)
    newest = newest_orders(records(frames[channel.table("orders")]), since)
    held: dict[str, str | None] = {}
    for key, order in newest.items():
        email = reachable((order["customer_email"] or "").strip())
        if email and email.lower() in owners:
            held[key] = owners[email.lower()]
        elif not _makes_an_account(order, since):
            held[key] = None
    documents = [Document(key, _body(channel, order), order["version"]) for key, order in newest.items()]
    return Built(documents, held=held)


def newest_orders(orders: Iterable[Row], since: datetime) -> dict[str, Row]:
    """The newest order of each customer; one that makes an account before any that does not, as old ones do not."""
    newest: dict[str, Row] = {}
    for order in orders:
        key = order["customer_key"]
        if key is not None and (key not in newest or _rank(order, since) > _rank(newest[key], since)):
            newest[key] = order
    return newest


def _rank(order: Row, since: datetime) -> tuple[bool, datetime]:
    return _makes_an_account(order, since), order["placed_at"]


def _makes_an_account(order: Row, since: datetime) -> bool:
    """Whether an order is to be imported and says who the customer is; one that does not is an exception of its own."""
    address = address_of(order, "billing") or address_of(order, "shipping") or {}
    return is_wanted(order, since) and "surname" in name_of(order) and {"city", "postcode"} <= address.keys()


def name_of(order: Row, kind: str = "customer") -> Json:
    """Forename and surname: as the channel gives them apart, else parted from the name on the address."""
    forename, surname = order["customer_forename"], order["customer_surname"]
    if kind != "customer" or not surname:
        address = "shipping" if kind == "customer" else kind
        parted = split_name(order[f"{address}_name"] or order["billing_name"], trade=False)
        forename, surname = parted if any(parted) else (forename, surname)
    return told(forename=forename, surname=surname)


def address_of(order: Row, kind: str) -> Json | None:
    """An address as Stokly takes it; None where the order has none of that kind."""
    parts = ("line1", "line2", "city", "region", "postcode", "country")
    found = told(**{part: order[f"{kind}_{part}"] for part in parts})
    return found if "line1" in found else None


def _body(channel: Channel, order: Row) -> Json:
    name = name_of(order)
    shipping = address_of(order, "shipping")
    return told(
        type=TRADE if order["customer_tax_number"] or order["billing_company"] else CONSUMER,
        name=name,
        fullName=" ".join(name[part] for part in ("forename", "surname") if part in name),
        barcode=channel.account_code(order["customer_key"]),
        email=(order["customer_email"] or "").strip(),
        phone=order["customer_phone"] or order["billing_phone"],
        billingAddress=address_of(order, "billing") or shipping,
        shippingAddresses=[shipping] if shipping else None,
    )
