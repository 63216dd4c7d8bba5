"""Dispatches as `order_shipped` events, for the shipped mail (O6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from stokly_sync.contracts import columns
from stokly_sync.contracts.owners import accounts, departed, reachable
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.ometria import rules
from stokly_sync.systems.ometria.documents.common import with_optional
from stokly_sync.systems.ometria.settings import OmetriaSettings

EVENT_TYPE: Final = "order_shipped"
LONGEST_TEXT: Final = 512
"""Characters of one text property of an event. Source: Ometria API contract 1."""
REMOVED_STAGE: Final = "removed"


@dataclass(frozen=True)
class Buyer:
    """Whom an order belongs to, as far as events need it."""

    account: str | None
    guest: bool
    email: str | None
    number: str | None
    live: bool


def build_dispatches(frames: Frames, settings: OmetriaSettings) -> Built:
    """Events from `stokly.dispatches`; key and id are the dispatch id, the identity comes from the order.

    Keeps back removed dispatches, those of removed orders or of orders not landed yet, wrong tracking numbers, and
    guests that cannot be told. Source: Ometria API contract 3 (custom_event); O6.
    """
    rows = frames["stokly.dispatches"]
    buyers = _buyers(frames)
    tracking = re.compile(settings.tracking_pattern)
    documents: list[Document] = []
    kept: list[Problem] = []
    for key, order, live, number, url, courier, service, at, moment, version in zip(
        columns.keys(rows["dispatch_id"]),
        columns.keys(rows["order_id"]),
        columns.flags(rows["live"]).tolist(),
        columns.texts(rows["tracking_number"]),
        columns.texts(rows["tracking_url"]),
        columns.texts(rows["courier"]),
        columns.texts(rows["service"]),
        columns.stamps(rows["dispatched_at"]),
        columns.moments(rows["dispatched_at"]),
        columns.moments(rows["version"]),
        strict=True,
    ):
        problem = _kept_back(key, order, live=live, buyers=buyers, settings=settings)
        problem = problem or _tracking_problem(key, number, url, tracking)
        if problem is not None:
            kept.append(problem)
        elif version is not None:
            buyer = buyers[order]
            body: Json = {"@type": "custom_event", "id": key, "event_type": EVENT_TYPE, "timestamp": at}
            with_optional(body, identity_account_id=buyer.account)
            if not buyer.account:
                body["identity_email"] = buyer.email
            body["properties"] = _properties(order, buyer, courier, service, number, url)
            documents.append(Document(key, body, version, event_at=moment))
    return Built(documents, kept)


def _buyers(frames: Frames) -> dict[str, Buyer]:
    orders = frames["stokly.orders"]
    named = columns.texts(orders["customer_id"])
    lives = columns.flags(orders["live"]) & orders["stage"].ne(REMOVED_STAGE).to_numpy(dtype=bool)
    return {
        key: Buyer(account, account is None, reachable(email), number, live)
        for key, account, email, number, live in zip(
            columns.keys(orders["order_id"]),
            accounts(named, departed(frames)),
            columns.texts(orders["customer_email"]),
            columns.texts(orders["number"]),
            lives.tolist(),
            strict=True,
        )
    }


def _kept_back(
    key: str, order: str, *, live: bool, buyers: Mapping[str, Buyer], settings: OmetriaSettings
) -> Problem | None:
    buyer = buyers.get(order)
    if not live:
        return Problem(key, rules.DISPATCH_REMOVED.code, "removed in Stokly")
    if buyer is None:
        return Problem(key, rules.DISPATCH_ORDER.code, f"order {order} has not been taken over yet")
    if not buyer.live:
        return Problem(key, rules.ORDER_REMOVED.code, f"its order {order} was removed in Stokly")
    if buyer.guest and settings.guests == "exclude":
        return Problem(key, rules.GUEST.code, f"its order {order} belongs to a guest")
    if buyer.guest and buyer.email is None:
        return Problem(key, rules.NO_IDENTITY.code, f"its order {order} has neither customer nor e-mail address")
    return None


def _tracking_problem(key: str, number: str | None, url: str | None, pattern: re.Pattern[str]) -> Problem | None:
    """A missing number is fine (collections, own van); a wrong one would be printed in a mail."""
    if number and not pattern.fullmatch(number):
        return Problem(key, rules.TRACKING.code, "the tracking number has not the form of one")
    if url and len(url) > LONGEST_TEXT:
        return Problem(key, rules.TRACKING.code, f"the tracking address is longer than {LONGEST_TEXT} characters")
    return None


def _properties(
    order: str, buyer: Buyer, courier: str | None, service: str | None, number: str | None, url: str | None
) -> Json:
    texts = {"carrier": courier, "service": service, "tracking_number": number, "tracking_url": url}
    short = {name: text[:LONGEST_TEXT] if text else None for name, text in texts.items()}
    return with_optional({"order_id": order}, order_number=buyer.number, **short)
