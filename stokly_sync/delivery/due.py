"""Whether a feed has anything to do now, asked before anybody starts a process for it.

The answer comes from what is stored: windows that are owed, records on their way, and, for records that wait for
something else, whether that has moved since they were last looked at. It must never miss work; a yes without need costs
one run. What is then done about it is decided in `planning` and `sending`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.delivery.attempts import Attempts
from stokly_sync.delivery.rules import LEFT_OUT
from stokly_sync.flow import Feed, State, Window
from stokly_sync.warehouse import figures, windows
from stokly_sync.warehouse.figures import Stage
from stokly_sync.warehouse.tables import LEDGER, PLANS

ASK_AGAIN: Final = timedelta(hours=1)
"""Records that wait are looked at this often even when nothing seems to have moved: a setting or a rule may have."""

_ON_THEIR_WAY: Final = (State.PLANNED, State.SUBMITTED)
_WAITING: Final = (State.PARKED, State.QUARANTINED)
_LANDED: Final = ("changed", "removed", "released")
_DATASET_OF: Final = {table.name: dataset.name for dataset in DATASETS.values() for table in dataset.tables}
_DELIVERED: Final = ("accepted", "settled_earlier", "recovered")


def reason_to_run(
    connection: sa.Connection, feed: Feed, *, brand: str, window: Window | None, writes: bool, now: datetime
) -> str | None:
    """Why a run of a feed has something to do, in a few words; None when it has not.

    `window` is the one that the run would plan; None stands for all that is owed. `writes` is False for a feed that
    only observes, whose plans are never sent.
    """
    owed = windows.owed(connection, brand=brand, feed=feed.id, datasets=feed.datasets)
    if any(window is None or o.window.start == window.start for o in owed):
        return f"{feed.id} owes a window"
    c = LEDGER.c
    mine = sa.and_(c.brand == brand, c.feed == feed.id, c.entry == 0)
    if writes:
        if _any(connection, mine, c.state.in_(_ON_THEIR_WAY)):
            return f"{feed.id} has records on their way"
        if Attempts(brand, feed.id).left_open(connection):
            return f"{feed.id} has a batch whose fate is not known"
    if _any(connection, mine, c.stale, c.state != State.IN_DOUBT):
        return f"{feed.id} has records to send again"
    if _any(connection, mine, c.state.in_(_WAITING)) or _any(connection, mine, *_left_out()):
        return _moved(connection, feed, brand=brand, now=now)
    return None


def waiting_since(connection: sa.Connection, feed: Feed, *, brand: str) -> datetime | None:
    """Since when something that a feed should have planned or sent has waited for that; None when nothing has."""
    c = PLANS.c
    unsent = sa.select(c.created_at, c.counts).where(c.brand == brand, c.feed == feed.id, c.state == "planned")
    moments = [at for at, counts in connection.execute(unsent) if msgspec.json.decode(counts)["to_send"]]
    changed = windows.owed_since(connection, brand=brand, feed=feed.id, datasets=feed.datasets)
    return min([*moments, *([changed] if changed else [])], default=None)


def _moved(connection: sa.Connection, feed: Feed, *, brand: str, now: datetime) -> str | None:
    """Why records that wait may be able to go on, or None."""
    c = PLANS.c
    newest = sa.select(sa.func.max(c.created_at)).where(c.brand == brand, c.feed == feed.id)
    looked = connection.execute(newest).scalar_one()
    if looked is None or now - looked >= ASK_AGAIN:
        return f"{feed.id} has records that wait, and nobody has looked at them for an hour"
    for subjects, stage, counts in (
        ({_DATASET_OF[need.table] for need in feed.needs}, Stage.EXTRACT, _LANDED),
        (feed.gate_ids, Stage.DELIVER, _DELIVERED),
    ):
        found = figures.figures_since(connection, brand=brand, subjects=subjects, stage=stage, after=looked)
        if any(_counted(item.body, counts) for item in found):
            return f"{feed.id} has records that wait for something that has moved"
    return None


def _counted(body: Any, names: Iterable[str]) -> bool:
    """Whether any of some counts is above nothing; a count may be a mapping by rule or cause."""
    values = (body.get(name) for name in names)
    return any(sum(value.values()) if isinstance(value, dict) else value for value in values)


def _left_out() -> tuple[sa.ColumnElement[bool], ...]:
    """Records that are left out with another one: they follow as soon as that one is sent."""
    return LEDGER.c.state == State.EXCLUDED, LEDGER.c.rule == LEFT_OUT


def _any(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> bool:
    query = sa.select(sa.literal(1)).select_from(LEDGER).where(*conditions).limit(1)
    return connection.execute(query).first() is not None
