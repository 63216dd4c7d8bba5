"""What happened to a record, in plain words: sold, read, sent, accepted or kept back, by whom and why (X9).

Each thing is told once, where it is known best: when something was sold or left by the row itself, how it was sent by
the ledger and its calls, what a rule says by the exception. Belongs here: the words. What belongs to a record is found
in `relations`, and put together in `tracing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from stokly_sync.contracts import money
from stokly_sync.contracts.guests import FEED as GUESTS
from stokly_sync.contracts.tables import Dataset
from stokly_sync.flow import Feed, State
from stokly_sync.operations import audit
from stokly_sync.operations.desk import Desk, system_of
from stokly_sync.operations.listing import Row as Exceptional
from stokly_sync.operations.relations import Row, holds_orders
from stokly_sync.operations.steps import Call, Placed, Step, calls_of

_VERBS: Final = {
    "placed_at": "placed",
    "created_at": "made",
    "issued_at": "issued",
    "dispatched_at": "left",
    "shipped_at": "made",
}
"""What happens to a record at the time of its business event; an update is no event of its own."""
_TOLD_OF_EVENT: Final = ("courier", "carrier", "tracking_number")
_SOON: Final = timedelta(minutes=1)
"""A fate that is known so soon after the call is told together with it."""
_STATES: Final = {
    State.PLANNED: "to be sent by the next load",
    State.PARKED: "waits",
    State.SUBMITTED: "sent, not confirmed yet",
    State.ACCEPTED: "accepted",
    State.REJECTED: "refused",
    State.IN_DOUBT: "in doubt",
    State.QUARANTINED: "kept back",
    State.EXCLUDED: "left out",
}
_NOTHING: Final = "nothing to do"
_FOUND: Final = "found there"
MISSING: Final = "not planned yet"


@dataclass(frozen=True)
class Made:
    """What a destination has made of a record, as it was read back: its name, what it is worth, how it travels."""

    name: str
    particulars: str


def one_of(plural: str) -> str:
    """One of what a dataset or a feed holds: `credit_notes` gives `credit note`."""
    text = plural.replace("_", " ")
    for end, single in (("ies", "y"), ("ches", "ch")):
        if text.endswith(end):
            return text.removesuffix(end) + single
    return text.removesuffix("s")


def record_word(dataset: str) -> str:
    """What a row of a dataset is."""
    return one_of(dataset.partition(".")[2])


def feed_word(feed: Feed) -> str:
    """What a feed makes of a record at its destination; the name of a channel in front of it is left out."""
    if feed.name == GUESTS:
        return "guest's contact"
    return one_of(feed.name.removeprefix(f"{system_of(feed.dataset)}_"))


def state_words(feed: Feed, placed: Placed) -> tuple[str, str]:
    """Where a record stands with a feed, and why: the reason and the rule, empty where there is none."""
    words = (_FOUND if feed.links else _NOTHING) if placed.found else _STATES[State(placed.state)]
    rule = f"({placed.rule})" if placed.rule else ""
    return words, " ".join(part for part in (placed.reason, rule) if part)


def verb(dataset: Dataset) -> str | None:
    """What happens at the time of the business event; None where it is no more than a change."""
    return "placed" if holds_orders(dataset) else _VERBS.get(dataset.event_at or "")


def event(desk: Desk, dataset: Dataset, name: str, row: Row) -> Iterator[Step]:
    """The business event of a row at its source, where it has one."""
    at, happened = row[dataset.event_at] if dataset.event_at else None, verb(dataset)
    if at is not None and happened is not None:
        what = f"{record_word(dataset.name)} {name} {happened}"
        yield Step(at, _title(desk, dataset.name), what, particulars(dataset, row), None)


def particulars(dataset: Dataset, row: Row) -> str:
    """What a row is worth, and how it travels."""
    told = [amount(dataset, row), *(row.get(column) for column in _TOLD_OF_EVENT)]
    return ", ".join(str(one) for one in told if one)


def reading(desk: Desk, dataset: Dataset, name: str, row: Row) -> Step:
    """When the row as it stands was read; an order goes on changing, so that this is its newest state."""
    what = f"{record_word(dataset.name)} {name}"
    words = f"newest state of {what} read" if holds_orders(dataset) else f"{what} read"
    return Step(row["landed_at"], _title(desk, dataset.name), words, "", None)


def amount(dataset: Dataset, row: Row) -> str:
    """What a row is worth, in major units with its currency; empty where it is worth nothing."""
    value = row[dataset.value] if dataset.value else None
    return "" if value is None else f"{money.text(value)} {row['currency'] or ''}".strip()


def sending(
    conn: sa.Connection, desk: Desk, feed: Feed, placed: Placed, *, since: datetime | None, made: Made | None
) -> Iterator[Step]:
    """How a record fared with one feed; all its calls from `since` on, or the last one alone where that is None.

    `made` is the row that the destination has of it, where that was read back.
    """
    system, what = desk.title(feed.system), feed_word(feed)
    calls = _calls(conn, desk, placed, since=since)
    last = calls[-1] if calls and placed.accepted_at and placed.accepted_at - calls[-1].at < _SOON else None
    for call in calls:
        if call is not last:
            ended = "" if call.closed_at else "; no answer yet"
            yield Step(call.at, system, f"{what} sent", call.company + ended, call.run_id)
    if placed.accepted_at is not None and not (placed.found and not feed.links):
        yield _accepted(placed, placed.accepted_at, last, system, what, made)
    for state, at, reason in (
        (State.PLANNED, placed.planned_at, None),
        (State.PARKED, placed.planned_at, placed.reason),
        (State.REJECTED, placed.settled_at, placed.reason),
        (State.IN_DOUBT, placed.settled_at, placed.reason),
    ):
        if placed.state == state and at is not None:
            yield Step(at, system, f"{what} {_STATES[state]}", reason or "", None)


def kept_back(conn: sa.Connection, desk: Desk, row: Exceptional, what: str, *, told: bool) -> Iterator[Step]:
    """An exception and what people did about it; the exception itself not where it is `told` already."""
    system = desk.title(system_of(row.ref.subject))
    if not told:
        yield Step(row.first_seen, system, f"{what} kept back by {row.ref.rule}", row.detail, None)
    if row.closed_at is not None:
        yield Step(row.closed_at, system, f"{what} passes {row.ref.rule}", "", row.run_id)
    for act in audit.acts_on(conn, desk.brand, subject=row.ref.subject, key=row.ref.key):
        if act.rule not in ("", row.ref.rule):
            continue
        yield Step(act.at, system, f"{what}: {act.action} by {act.actor}", act.detail, None)


def _calls(conn: sa.Connection, desk: Desk, placed: Placed, *, since: datetime | None) -> list[Call]:
    if placed.sent_at is None:
        return []
    if since is not None:
        return calls_of(conn, desk, placed.feed, placed.key, since=since)
    return calls_of(conn, desk, placed.feed, placed.key, since=placed.planned_at, until=placed.sent_at, most=1)


def _accepted(placed: Placed, at: datetime, last: Call | None, system: str, what: str, made: Made | None) -> Step:
    named = f" as {made.name}" if made else ""
    if placed.found:
        return Step(at, system, f"{what} found there{named}", "nothing was sent", None)
    sent = f"sent {last.at:%H:%M:%S} {last.company}" if last else ""
    earlier = "" if placed.state == State.ACCEPTED else "as it was then"
    reason = placed.reason if placed.state == State.ACCEPTED else None
    detail = "; ".join(part for part in (made.particulars if made else "", sent, earlier, reason) if part)
    return Step(at, system, f"{what} accepted{named}", detail, last.run_id if last else None)


def _title(desk: Desk, dataset: str) -> str:
    return desk.title(system_of(dataset))
