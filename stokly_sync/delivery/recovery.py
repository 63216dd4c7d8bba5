"""What a dead run left open, and what a call without an answer left unknown, treated by the feed's replay class.

An upsert is sent again. Where the destination can be asked, it is asked twice, with the time that it may need between
taking a record and showing it. Where it can do neither, the records are in doubt and a person decides: never doubled.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from stokly_sync.delivery.attempts import Closing, OpenAttempt
from stokly_sync.delivery.calls import told
from stokly_sync.delivery.items import Item
from stokly_sync.delivery.rules import IN_DOUBT
from stokly_sync.delivery.site import Site
from stokly_sync.errors import PermanentError
from stokly_sync.flow import Outcome, ReplayClass, State


def recover(site: Site, *, own: bool = False) -> int:
    """Close every open attempt of the feed. `own` when this run made them; otherwise a dead one did.

    Gives how many of their records are as they were before, so that they may be sent again.
    Raises TransientError when the destination cannot be asked; the attempts then stay open and nothing may be sent.
    """
    with site.warehouse.reading() as connection:
        left = site.attempts.left_open(connection)
        keys = sorted({key for attempt in left for key in attempt.keys})
        items = site.ledger.planned_among(connection, keys) if keys else []
    if not left:
        return 0
    if site.feed.replay is ReplayClass.UPSERT:
        outcomes: list[Outcome] = []
    elif site.feed.replay is ReplayClass.NEVER:
        reason = "the run ended between sending and storing the answer"
        outcomes = [Outcome(i.record.key, State.IN_DOUBT, reason, rule=IN_DOUBT) for i in items]
    else:
        outcomes = _look_up(site, items, since=max(attempt.opened_at for attempt in left))
    _close(site, left, items, outcomes, own=own)
    return len(items) - len(outcomes)


def _look_up(site: Site, items: Sequence[Item], *, since: datetime) -> list[Outcome]:
    """Ask for each record, and again after the delay for those that were not found."""
    if site.feed.look_up is None:
        raise PermanentError(f"{site.feed.id}: its replay class is look_up, but it declares no look_up")
    missing = {item.record.key: item.record for item in items}
    found: list[Outcome] = []
    declared = site.feed.look_up_delay
    delay = timedelta(seconds=site.options.look_up_delay if declared is None else declared)
    for ask in (1, 2):
        if not missing:
            break
        pause = (since + ask * delay - site.options.now()).total_seconds()
        if pause > 0:
            site.options.sleep(pause)
        answers = {o.key: o for o in site.feed.look_up(site.client, list(missing.values())) if o.key in missing}
        found += [told(site.feed, outcome) for outcome in answers.values()]
        missing = {key: record for key, record in missing.items() if key not in answers}
    return found


def _close(
    site: Site, left: Sequence[OpenAttempt], items: Sequence[Item], outcomes: Sequence[Outcome], *, own: bool
) -> None:
    now = site.options.now()
    by_key = {item.record.key: item for item in items}
    fates = {o.key: o.state.value for o in outcomes}
    closings = [Closing(a.attempt_id, _summary(a, by_key.keys(), fates), "found open at a start", 0) for a in left]
    with site.warehouse.transaction() as connection:
        # The try of a call without an answer was counted when this run stored it; that of a dead run was not.
        site.store(connection, outcomes, by_key, now=now, sent=not own)
        if not own:
            site.ledger.count_try(connection, [key for key in by_key if key not in fates])
        site.attempts.close(connection, closings, now=now)
    site.count(outcomes, by_key, now=now, into=None if own else site.recovered)
    if not own:
        site.recovered["planned"] += len(by_key) - len(fates)


def _summary(attempt: OpenAttempt, planned: Collection[str], fates: dict[str, str]) -> str:
    counts: dict[str, int] = {}
    for key in attempt.keys:
        fate = fates.get(key, "sent again" if key in planned else "known")
        counts[fate] = counts.get(fate, 0) + 1
    return ", ".join(f"{fate} {n}" for fate, n in counts.items())
