"""Whom orders belong to at destinations that keep one contact for an address: a customer, or a guest.

Belongs here: the rows that the answer takes, the answer, and what orders wait for because of it. How a destination
names its contacts is its own matter; how guests become contacts stands in `guests`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.addresses import owners_of_addresses
from stokly_sync.contracts.owners import LONGEST_CHAIN, accounts, departed, person, reachable
from stokly_sync.flow import Frames, Need

BUYERS: Final = (
    Need("stokly.customers", "customer_id", "stokly.orders", "customer_id"),
    # The customer that a merge has left.
    Need("stokly.customers", "customer_id", "stokly.customers", "merged_into"),
    # Whoever else has the address: of a guest, or of the customer.
    Need("stokly.customers", "email", "stokly.orders", "customer_email", lower=True),
    Need("stokly.customers", "email", "stokly.customers", "email"),
)
"""What a feed needs beside `stokly.orders` to tell their buyers."""


@dataclass(frozen=True)
class Buyer:
    """Whom an order belongs to: a customer's id, or a guest's address alone; neither where nobody can be told."""

    customer: str | None
    email: str | None
    """The address by which the customer or the guest is reached."""
    named: bool = True
    """Whether the order itself names a customer."""

    @property
    def guest(self) -> bool:
        """Whether no customer is behind it."""
        return self.customer is None

    @property
    def nobody(self) -> bool:
        """Whether there is neither a customer nor an address."""
        return self.customer is None and not self.email


def buyers(frames: Frames) -> dict[str, Buyer]:
    """The buyer of each order of `stokly.orders`, by order id.

    A customer that was merged away is the one that took over, and one whose address belongs to an earlier customer is
    that one; a guest whose address a customer has is that customer. A customer that was deleted stays the buyer, unless
    somebody else has the address: nobody who was deleted becomes a contact anew as a guest. `frames` holds what
    `BUYERS` asks for. Source: D2, E1.
    """
    orders, customers = frames["stokly.orders"], frames["stokly.customers"]
    owners, gone = owners_of_addresses(customers), departed(frames)
    emails = dict(zip(columns.keys(customers["customer_id"]), columns.texts(customers["email"]), strict=True))
    ids = columns.texts(orders["customer_id"])
    found = {}
    for key, named, account, email in zip(
        columns.keys(orders["order_id"]), ids, accounts(ids, gone), columns.texts(orders["customer_email"]), strict=True
    ):
        reached = reachable((emails.get(account) or "" if account else email or "").strip())
        left = account if account is not None or named is None else _last(named, gone)
        found[key] = Buyer(owners.get(reached.lower(), left) if reached else left, reached, named is not None)
    return found


def _last(customer: str, gone: Mapping[str, str | None]) -> str:
    """The customer that merges have left, deleted or not."""
    for _ in range(LONGEST_CHAIN):
        into = gone.get(customer)
        if into is None:
            break
        customer = into
    return customer


def order_contacts(frames: Frames) -> pd.DataFrame:
    """For a gate: order id (`key`) and the customer whose contact it needs (`needs`); guests are not among them."""
    pairs = [(key, buyer.customer) for key, buyer in buyers(frames).items() if buyer.customer is not None]
    return pd.DataFrame(pairs, columns=["key", "needs"], dtype="str")


def order_guests(frames: Frames) -> pd.DataFrame:
    """For a gate: order id (`key`) and the guest whose contact it needs (`needs`), a digest of the address."""
    pairs = [(key, person(buyer.email)) for key, buyer in buyers(frames).items() if buyer.guest and buyer.email]
    return pd.DataFrame(pairs, columns=["key", "needs"], dtype="str")


def through_orders(pairs: pd.DataFrame, rows: pd.DataFrame, key: str) -> pd.DataFrame:
    """The same needs for rows that name an order (`order_id`) instead of for the orders; `key` is the rows' column."""
    own = rows[[key, "order_id"]].rename(columns={key: "of"})
    joined = own.merge(pairs, left_on="order_id", right_on="key")
    return pd.DataFrame({"key": joined["of"], "needs": joined["needs"]})
