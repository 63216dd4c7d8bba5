"""Where the history of an append-only feed begins: said by a setting, or by adopting what the account holds already.

Sent twice means counted twice, for good. So nothing leaves before a person has said either that the account holds
nothing from some time on (`history_from`: what lies before is left out), or that it holds what we have landed so far
(adoption: the books are filled from our rows and nothing is sent). Source: E3; DESIGN, replay class.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from stokly_sync.contracts.rules import Catalogue
from stokly_sync.delivery.appending import Beginning
from stokly_sync.delivery.booking import body_of
from stokly_sync.delivery.options import Options, utc_now
from stokly_sync.delivery.rules import NO_HISTORY
from stokly_sync.delivery.site import Site
from stokly_sync.errors import PermanentError
from stokly_sync.flow import Append, Feed, Mode, Outcome, State
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import BEGINNINGS, FEED_MODES

ADOPTED = "adopted: held there already, not sent by us"
_AT_ONCE = 2_000


def beginning(connection: sa.Connection, feed: Feed, *, brand: str) -> Beginning:
    """Where the history of a feed begins; said, without a time, for feeds that are not append-only."""
    if feed.append is None:
        return Beginning()
    c, m, since = BEGINNINGS.c, FEED_MODES.c, feed.append.history_from
    adopted = connection.execute(sa.select(c.at).where(c.brand == brand, c.feed == feed.id)).scalar_one_or_none()
    asked = connection.execute(sa.select(m.asked_at).where(m.brand == brand, m.feed == feed.id)).scalar_one_or_none()
    if asked is not None:
        return Beginning(adopted is not None and adopted > asked, since, observed=True)
    return Beginning(adopted is not None or since is not None, since)


def note_mode(warehouse: Warehouse, feed: Feed, mode: Mode, *, now: datetime | None = None) -> None:
    """Remember in which mode an append-only feed is; where it wrote after it had observed, history is asked for anew.

    Then nothing leaves before an adoption from now on, or another `history_from` than the one that stood while it
    observed. A feed that is off is as it was. Source: DESIGN, replay class.
    """
    if feed.append is None or mode is Mode.OFF:
        return
    c, since, moment = FEED_MODES.c, feed.append.history_from, now or utc_now()
    mine = sa.and_(c.brand == warehouse.brand, c.feed == feed.id)
    with warehouse.transaction() as connection:
        before = connection.execute(sa.select(c.mode, c.history_from, c.asked_at).where(mine)).one_or_none()
        asked = before.asked_at if before is not None else None
        anew = before is not None and since is not None and before.history_from != since
        if anew or mode is Mode.OBSERVE:
            asked = None
        elif before is not None and before.mode == Mode.OBSERVE:
            asked = moment
        row = {"mode": mode.value, "history_from": since, "asked_at": asked}
        if before is None:
            connection.execute(sa.insert(FEED_MODES).values(brand=warehouse.brand, feed=feed.id, at=moment, **row))
        elif tuple(before) != tuple(row.values()):
            connection.execute(sa.update(FEED_MODES).where(mine).values(at=moment, **row))


def must_be_said(connection: sa.Connection, feed: Feed, *, brand: str) -> None:
    """Raise PermanentError when a feed is about to write to an account of which nobody has said what it holds."""
    begins = beginning(connection, feed, brand=brand)
    if feed.append is not None and not begins.said:
        advice = begins.advice(feed.append)
        raise PermanentError(f"{feed.id}: nothing is sent before it is said where history begins. {advice}")


def adopt(
    warehouse: Warehouse,
    feed: Feed,
    *,
    catalogue: Catalogue,
    run_id: str,
    before: datetime | None = None,
    options: Options | None = None,
) -> int:
    """Take for granted that the destination holds what waits for history to begin, and give the number of records.

    With `before` (UTC) only what lies before that time; the rest is sent by the next load. Plan the feed first: only
    what a plan has parked for this reason is adopted, all of it in one transaction. Raises PermanentError for a feed
    that is not append-only, or whose history has begun.
    """
    site = Site(warehouse, feed, None, catalogue, run_id, options or Options())
    if feed.append is None:
        raise PermanentError(f"{feed.id} is not append-only: what it holds is found by reconciliation, not adopted.")
    with warehouse.exclusive(f"feed:{feed.id}", purpose=f"adopt {run_id}"):
        with warehouse.reading() as connection:
            if beginning(connection, feed, brand=warehouse.brand).said:
                raise PermanentError(f"{feed.id}: its history has begun already; nothing was adopted.")
        return _adopt(site, feed.append, before)


def _adopt(site: Site, append: Append, before: datetime | None) -> int:
    now, adopted, last = site.options.now(), 0, None
    fixed = {"brand": site.warehouse.brand, "feed": site.feed.id, "at": now, "how": "adopted"}
    with site.warehouse.transaction() as connection:
        while items := site.ledger.parked(connection, rule=NO_HISTORY, after=last, size=_AT_ONCE):
            last = items[-1].record.key
            chosen = [i for i in items if before is None or append.at(body_of(i)) < before]
            outcomes = [Outcome(i.record.key, State.ACCEPTED, ADOPTED, receipt="adopted") for i in chosen]
            site.store(connection, outcomes, {i.record.key: i for i in chosen}, now=now, sent=False)
            adopted += len(chosen)
        # Said once more after observing, it stands as said last.
        c = BEGINNINGS.c
        connection.execute(sa.delete(BEGINNINGS).where(c.brand == fixed["brand"], c.feed == fixed["feed"]))
        connection.execute(sa.insert(BEGINNINGS).values(**fixed, before=before, run_id=site.run_id))
    return adopted
