"""Dispatches as events on the buyer's timeline, for the shipped mail (D6). Source: Dotdigital API contract 4."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from stokly_sync.contracts import columns
from stokly_sync.contracts.buyers import Buyer, buyers
from stokly_sync.contracts.order_states import REMOVED_STAGE
from stokly_sync.flow import Built, Document, Frames, Problem
from stokly_sync.systems.dotdigital import rules
from stokly_sync.systems.dotdigital.documents.common import LONGEST_TEXT, identity, with_optional
from stokly_sync.systems.dotdigital.settings import DotdigitalSettings

LONGEST_SUMMARY: Final = 160


def build_dispatches(frames: Frames, settings: DotdigitalSettings) -> Built:
    """Events from `stokly.dispatches`; key and id are the dispatch id, the identity comes from the order.

    Keeps back removed dispatches, those of removed orders or of orders not landed yet, wrong tracking numbers, and
    buyers that are no contacts.
    """
    rows, orders = frames["stokly.dispatches"], frames["stokly.orders"]
    who = buyers(frames)
    lives = columns.flags(orders["live"]) & orders["stage"].ne(REMOVED_STAGE).to_numpy(dtype=bool)
    alive = dict(zip(columns.keys(orders["order_id"]), lives.tolist(), strict=True))
    numbers = dict(zip(columns.keys(orders["order_id"]), columns.texts(orders["number"]), strict=True))
    tracking = re.compile(settings.tracking_pattern)
    documents: list[Document] = []
    kept: list[Problem] = []
    for key, order, live, number, url, courier, service, at, moment, version in zip(
        columns.keys(rows["dispatch_id"]),
        columns.keys(rows["order_id"]),
        (columns.flags(rows["live"])).tolist(),
        columns.texts(rows["tracking_number"]),
        columns.texts(rows["tracking_url"]),
        columns.texts(rows["courier"]),
        columns.texts(rows["service"]),
        columns.stamps(rows["dispatched_at"]),
        columns.moments(rows["dispatched_at"]),
        columns.moments(rows["version"]),
        strict=True,
    ):
        problem = _kept_back(key, order, live and alive.get(order, True), who, settings)
        problem = problem or _tracking_problem(key, number, url, tracking)
        if problem is not None:
            kept.append(problem)
        elif version is not None:
            told = with_optional(
                {"order_id": order},
                order_number=numbers[order],
                carrier=courier,
                service=service,
                tracking_number=number,
                tracking_url=url,
            )
            body = {
                "contactIdentity": identity(who[order], settings.identifier),
                "type": settings.event_type,
                "id": key,
                "eventTimestamp": at,
                "timelineDetails": {"summary": f"Order {numbers[order] or order} dispatched"[:LONGEST_SUMMARY]},
                "eventData": told,
            }
            documents.append(Document(key, body, version, event_at=moment))
    return Built(documents, kept)


def _kept_back(
    key: str, order: str, live: bool, who: Mapping[str, Buyer], settings: DotdigitalSettings
) -> Problem | None:
    buyer = who.get(order)
    if not live:
        return Problem(key, rules.DISPATCH_REMOVED.code, "the dispatch or its order was removed in Stokly")
    if buyer is None:
        return Problem(key, rules.DISPATCH_ORDER.code, f"order {order} has not been taken over yet")
    if buyer.nobody:
        return Problem(key, rules.NO_IDENTITY.code, f"its order {order} has neither customer nor e-mail address")
    if not buyer.named and settings.guests == "exclude":
        return Problem(key, rules.GUEST.code, f"its order {order} belongs to a guest")
    return None


def _tracking_problem(key: str, number: str | None, url: str | None, pattern: re.Pattern[str]) -> Problem | None:
    """A missing number is fine (collections, own van); a wrong one would be printed in a mail."""
    if number and not pattern.fullmatch(number):
        return Problem(key, rules.TRACKING.code, "the tracking number has not the form of one")
    if url and len(url) > LONGEST_TEXT:
        return Problem(key, rules.TRACKING.code, f"the tracking address is longer than {LONGEST_TEXT} characters")
    return None
