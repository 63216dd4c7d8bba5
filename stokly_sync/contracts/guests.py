"""Guests as contacts: the feed that makes them, in full batches and before their orders leave (D2, E1).

A guest is an address on orders without a customer. Its record's key is the digest of the address, which stands on the
order; the address itself is in the document alone. Belongs here: which guests become contacts, the rules that keep the
others back, and the feed. How a contact is written is each destination's own matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.addresses import owners_of_addresses
from stokly_sync.contracts.buyers import order_guests
from stokly_sync.contracts.confirmation import Confirmed, not_confirmed
from stokly_sync.contracts.order_states import REMOVED_STAGE
from stokly_sync.contracts.owners import departed
from stokly_sync.contracts.problems import later
from stokly_sync.contracts.rules import Effect, Rule, Severity
from stokly_sync.flow import (
    BatchLimits,
    Built,
    Document,
    Feed,
    Frames,
    Gate,
    Json,
    Lane,
    Need,
    Outcome,
    Problem,
    Record,
    ReplayClass,
    Team,
)

FEED: Final = "guests"

CUSTOMER: Final = Rule(
    "GUEST-CUSTOMER",
    "A customer in Stokly has the guest's e-mail address by now, and that customer is the contact.",
    "Nothing to do: the guest's orders are the customer's.",
    Team.MARKETING,
    "D2",
    Effect.EXCLUDE,
    Severity.LOW,
)
NO_ORDER: Final = Rule(
    "GUEST-NO-ORDER",
    "Every order of the guest was removed in Stokly.",
    "Nothing to do: without an order nobody becomes a contact.",
    Team.MARKETING,
    "D2",
    Effect.EXCLUDE,
    Severity.LOW,
)
NOT_CONFIRMED: Final = Rule(
    "GUEST-NOT-CONFIRMED",
    "No order of the guest is confirmed yet, and nobody becomes a contact before.",
    "Nothing to do: the contact is made once an order is confirmed.",
    Team.OPERATIONS,
    "X5",
    Effect.PARK,
    Severity.LOW,
)
RULES: Final = (CUSTOMER, NO_ORDER, NOT_CONFIRMED)


@dataclass(frozen=True)
class Guest:
    """A guest as a destination is told of it; `former` are customers with the address that are gone."""

    key: str
    email: str
    former: Sequence[str] = ()


@dataclass
class _Seen:
    """What a guest's orders come to."""

    email: str
    version: datetime | None = None
    since: datetime | None = None
    left: bool = False
    confirmed: bool = False


def guests_feed(
    *,
    system: str,
    document: Callable[[Guest], Json],
    send: Callable[[Any, Sequence[Record]], Sequence[Outcome]],
    settle: Callable[[Any, Sequence[Outcome]], Sequence[Outcome]] | None = None,
    limits: BatchLimits,
    confirmed: Confirmed,
    rejected_rule: str,
) -> Feed:
    """The feed by which a destination gets guests as contacts: dataset `stokly.orders`, key a digest of the address."""

    def build(frames: Frames) -> Built:
        return _built(frames, confirmed, document)

    return Feed(
        system=system,
        name=FEED,
        dataset="stokly.orders",
        key="guest",
        owner=Team.MARKETING,
        description="Guests as contacts of their e-mail address, before their orders; consent is no part of them.",
        lane=Lane.INTERVAL,
        replay=ReplayClass.UPSERT,
        limits=limits,
        build=build,
        send=send,
        settle=settle,
        needs=(Need("stokly.customers", "email", "stokly.orders", "customer_email", lower=True),),
        rejected_rule=rejected_rule,
    )


def guests_gate(keys: Callable[[Frames], pd.DataFrame] = order_guests) -> Gate:
    """The gate by which orders wait for the contacts of their guests."""
    return Gate(FEED, "its guest's contact", keys)


def _built(frames: Frames, confirmed: Confirmed, document: Callable[[Guest], Json]) -> Built:
    orders, customers = frames["stokly.orders"].reset_index(drop=True), frames["stokly.customers"]
    owners, former = owners_of_addresses(customers), _former(frames)
    documents, kept = [], []
    for key, seen in _guests(orders, confirmed).items():
        problem = _kept_back(key, seen, owners.get(seen.email))
        if problem is not None:
            kept.append(problem)
        elif seen.version is not None:
            body = document(Guest(key, seen.email, former.get(seen.email, ())))
            documents.append(Document(key, body, seen.version, event_at=seen.since))
    return Built(documents, kept)


def _guests(orders: pd.DataFrame, confirmed: Confirmed) -> dict[str, _Seen]:
    """Guests by key; the address in lower case, so that it does not depend on which order was read."""
    waiting = not_confirmed(orders, confirmed)
    left = columns.flags(orders["live"]) & orders["stage"].ne(REMOVED_STAGE).to_numpy(dtype=bool)
    found: dict[str, _Seen] = {}
    for index, (key, email, stays, version, at) in enumerate(
        zip(
            columns.keys(orders["guest"]),
            columns.keys(orders["customer_email"]),
            left.tolist(),
            columns.moments(orders["version"]),
            columns.moments(orders["created_at"]),
            strict=True,
        )
    ):
        seen = found.setdefault(key, _Seen(email.strip().lower()))
        seen.version = later(seen.version, version)
        seen.since = min(filter(None, (seen.since, at)), default=None)
        seen.left = seen.left or stays
        seen.confirmed = seen.confirmed or (stays and index not in waiting)
    return found


def _kept_back(key: str, seen: _Seen, owner: str | None) -> Problem | None:
    if owner is not None:
        return Problem(key, CUSTOMER.code, f"customer {owner} has the address")
    if not seen.left:
        return Problem(key, NO_ORDER.code, "all orders were removed")
    if not seen.confirmed:
        return Problem(key, NOT_CONFIRMED.code, "no order is confirmed")
    return None


def _former(frames: Frames) -> dict[str, list[str]]:
    """Customers that are gone, by the address (in lower case) that they had."""
    gone, customers = departed(frames), frames["stokly.customers"]
    found: dict[str, list[str]] = {}
    for customer, email in zip(columns.keys(customers["customer_id"]), columns.texts(customers["email"]), strict=True):
        if customer in gone and email:
            found.setdefault(email.strip().lower(), []).append(customer)
    return found
