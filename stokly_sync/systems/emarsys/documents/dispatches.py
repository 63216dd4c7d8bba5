"""Dispatches as external events of their buyers, for the shipped mail (E6). Source: Emarsys API contract 1.8."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.buyers import Buyer, buyers, order_contacts, order_guests, through_orders
from stokly_sync.contracts.order_states import REMOVED_STAGE
from stokly_sync.flow import Built, Document, Frames, Json, Problem
from stokly_sync.systems.emarsys import rules
from stokly_sync.systems.emarsys.documents.common import plain, told_of, versioned
from stokly_sync.systems.emarsys.documents.orders import foreign
from stokly_sync.systems.emarsys.settings import EmarsysSettings

LONGEST: Final = 512


@dataclass(frozen=True)
class Order:
    """The order of a dispatch, as far as events need it."""

    live: bool
    number: str | None
    at: datetime | None
    buyer: Buyer


def build_dispatches(frames: Frames, settings: EmarsysSettings, *, now: datetime | None = None) -> Built:
    """Events from `stokly.dispatches`; the key is the dispatch id, from which the vendor's trigger id is made.

    Keeps back removed dispatches, those of removed orders or of orders not landed yet, wrong tracking numbers, buyers
    that are no contacts, and dispatches too old to be told; of those that Emarsys had in time the document stands.
    """
    rows, orders = frames["stokly.dispatches"], _orders(frames)
    tracking = re.compile(settings.tracking_pattern)
    oldest = (now or datetime.now(UTC)) - timedelta(days=settings.dispatch_days)
    documents: list[Document] = []
    kept: list[Problem] = []
    for key, name, live, number, url, courier, service, at, moment, version in zip(
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
        order = orders.get(name)
        problem = _kept_back(key, name, live, order, settings) or _tracking_problem(key, number, url, tracking)
        if problem is None and order is not None and _is_old(moment, order, oldest, settings):
            problem = Problem(key, rules.DISPATCH_OLD.code, "too old to be told")
        if problem is not None:
            kept.append(problem)
        if order is not None and (problem is None or problem.rule == rules.DISPATCH_OLD.code):
            told: Json = {"orderId": name, "orderNumber": order.number, "carrier": courier, "service": service}
            told |= {"trackingNumber": number, "trackingUrl": url}
            short = {member: text for member, value in told.items() if (text := plain(value, LONGEST))}
            body = {**told_of(order.buyer), "at": at, "told": short}
            documents.append(Document(key, body, versioned(f"dispatch {key}", version), event_at=moment))
    return Built(documents, kept)


def dispatch_orders(frames: Frames, settings: EmarsysSettings) -> pd.DataFrame:
    """For the gate of dispatches: dispatch id (`key`) and its order (`needs`), where sales data hold that."""
    orders, rows = frames["stokly.orders"], frames["stokly.dispatches"]
    told = {
        key
        for key, currency in zip(columns.keys(orders["order_id"]), columns.keys(orders["currency"]), strict=True)
        if not foreign(currency, settings)
    }
    known: pd.DataFrame = rows[rows["order_id"].isin(told).to_numpy()]
    return pd.DataFrame({"key": known["dispatch_id"], "needs": known["order_id"]})


def dispatch_contacts(frames: Frames) -> pd.DataFrame:
    """For the gate of dispatches: dispatch id (`key`) and the customer whose contact it needs (`needs`)."""
    return through_orders(order_contacts(frames), frames["stokly.dispatches"], "dispatch_id")


def dispatch_guests(frames: Frames) -> pd.DataFrame:
    """For the gate of dispatches: dispatch id (`key`) and the guest whose contact it needs (`needs`)."""
    return through_orders(order_guests(frames), frames["stokly.dispatches"], "dispatch_id")


def _orders(frames: Frames) -> dict[str, Order]:
    orders, who = frames["stokly.orders"], buyers(frames)
    lives = columns.flags(orders["live"]) & orders["stage"].ne(REMOVED_STAGE).to_numpy(dtype=bool)
    return {
        key: Order(live, number, at, who[key])
        for key, live, number, at in zip(
            columns.keys(orders["order_id"]),
            lives.tolist(),
            columns.texts(orders["number"]),
            columns.moments(orders["created_at"]),
            strict=True,
        )
    }


def _kept_back(key: str, name: str, live: bool, order: Order | None, settings: EmarsysSettings) -> Problem | None:
    if not live:
        return Problem(key, rules.DISPATCH_REMOVED.code, "removed in Stokly")
    if order is None:
        return Problem(key, rules.DISPATCH_ORDER.code, f"order {name} has not been taken over yet")
    if not order.live:
        return Problem(key, rules.DISPATCH_REMOVED.code, f"its order {name} was removed in Stokly")
    if order.buyer.nobody:
        return Problem(key, rules.NO_IDENTITY.code, f"its order {name} has neither customer nor e-mail address")
    if order.buyer.guest and settings.guests == "exclude":
        return Problem(key, rules.GUEST.code, f"its order {name} belongs to a guest")
    return None


def _tracking_problem(key: str, number: str | None, url: str | None, pattern: re.Pattern[str]) -> Problem | None:
    """A missing number is fine (collections, own van); a wrong one would be printed in a mail."""
    if number and not pattern.fullmatch(number):
        return Problem(key, rules.TRACKING.code, "the tracking number has not the form of one")
    if url and len(url) > LONGEST:
        return Problem(key, rules.TRACKING.code, f"the tracking address is longer than {LONGEST} characters")
    return None


def _is_old(moment: datetime | None, order: Order, oldest: datetime, settings: EmarsysSettings) -> bool:
    if moment is not None and moment < oldest:
        return True
    return settings.history_from is not None and order.at is not None and order.at < settings.history_from
