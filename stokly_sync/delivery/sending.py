"""Deliver a feed: recover, settle, send, settle, and say what came of it.

The order of the steps stands here; each step has a module of its own (`recovery`, `settling`, `outgoing`). Whatever
happens, the ledger is consistent when this returns or raises, and what was not sent stays planned.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from stokly_sync.contracts.rules import Catalogue
from stokly_sync.delivery.breaker import Breaker
from stokly_sync.delivery.figures import DeliveryFigures
from stokly_sync.delivery.history import must_be_said
from stokly_sync.delivery.options import DeliveryRefused, DeliveryStopped, Options
from stokly_sync.delivery.outgoing import Outgoing
from stokly_sync.delivery.publishing import Publisher
from stokly_sync.delivery.recovery import recover
from stokly_sync.delivery.settling import settle_earlier, settle_own
from stokly_sync.delivery.site import Site
from stokly_sync.errors import PermanentError, TransientError
from stokly_sync.flow import Feed, ReplayClass, State
from stokly_sync.steady import prompt, steady
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import PLANS

Trouble = TransientError | PermanentError


def deliver(
    warehouse: Warehouse,
    feed: Feed,
    client: Any,
    *,
    catalogue: Catalogue,
    run_id: str,
    plan_id: str | None = None,
    calls: Callable[[Any], int] | None = None,
    options: Options | None = None,
    breaker: Breaker | None = None,
) -> DeliveryFigures:
    """Send what is planned (or exactly what one plan holds) and learn the fate of every record.

    The client must bear calls from several threads. `calls` counts its requests (`flow.System.calls`); without it the
    batches sent are counted. Holds `feed:<feed>`. Raises Busy when another run has it; DeliveryStopped (transient) or
    DeliveryRefused (permanent), both with the figures so far, when the destination is down or refuses us;
    PermanentError for an unknown plan. Source: X6, X13, X16, X17, O7.
    """
    whole = Publisher(warehouse, feed, feed.whole) if feed.whole is not None else None
    site = Site(warehouse, _sendable(feed, whole), client, catalogue, run_id, options or Options())
    guard = breaker or Breaker(warehouse.engine, f"{warehouse.brand}/{feed.system}")
    before = calls(client) if calls else 0
    with warehouse.exclusive(f"feed:{feed.id}", purpose=f"deliver {run_id}"), steady(), prompt():
        moved = _moved(site, plan_id)
        # Without work nobody is called: that must neither take the one probe nor pass for a success.
        # Nor is anybody called to publish in a place of our own.
        if whole is None and _work(site, plan_id):
            guard.check()
        to_send, trouble = _deliver(site, plan_id, whole)
        with warehouse.reading() as connection:
            left = site.ledger.count(connection, State.PLANNED, plan_id=plan_id)
        _close_plans(site, plan_id, written=to_send - left)
    made = calls(client) - before if calls else site.tally.api_calls
    figures = _figures(site, to_send=to_send, left=left, moved=moved, api_calls=made)
    _judge(guard if whole is None else None, trouble, made)
    if trouble is not None:
        raise _stopped(feed, trouble, figures) from trouble
    figures.check()
    return figures


def _sendable(feed: Feed, whole: Publisher | None) -> Feed:
    return feed if whole is None else replace(feed, send=whole.send)


def _judge(guard: Breaker | None, trouble: Trouble | None, calls: int) -> None:
    """Tell the breaker how the destination was."""
    if guard is None:
        return
    if isinstance(trouble, TransientError):
        guard.failed()
    elif calls:
        guard.succeeded()


def _work(site: Site, plan_id: str | None) -> bool:
    """Whether there is anything to send, to ask for, or to recover."""
    with site.warehouse.reading() as connection:
        return bool(
            site.ledger.count(connection, State.PLANNED, plan_id=plan_id)
            or site.ledger.count(connection, State.SUBMITTED)
            or site.attempts.left_open(connection)
        )


def _stopped(feed: Feed, trouble: Trouble, figures: DeliveryFigures) -> DeliveryStopped | DeliveryRefused:
    """The error that a delivery ends with when it could not send all."""
    left = figures.still_planned
    if isinstance(trouble, TransientError):
        message = f"{feed.id}: stopped, {left} records stay planned and leave with the next run. {trouble}"
        return DeliveryStopped(message, figures=figures, retry_after=trouble.retry_after)
    message = f"{feed.id}: refused, {left} records stay planned until this is put right. {trouble}"
    return DeliveryRefused(message, figures=figures)


def _deliver(site: Site, plan_id: str | None, whole: Publisher | None) -> tuple[int, Trouble | None]:
    """All steps up to the first trouble; gives how many records there were to send."""
    started = site.options.now()
    trouble = _first_steps(site, plan_id, started)
    with site.warehouse.reading() as connection:
        to_send = site.ledger.count(connection, State.PLANNED, plan_id=plan_id)
    if trouble is None:
        trouble = _send(site, plan_id) or _refresh(site, whole)
    # Also after trouble: what was taken before it may be settled by now.
    if not isinstance(trouble, PermanentError):
        try:
            settle_own(site, started=started)
        except (TransientError, PermanentError) as error:
            trouble = trouble or error
    return to_send, trouble


def _first_steps(site: Site, plan_id: str | None, started: datetime) -> Trouble | None:
    try:
        recover(site)
        settle_earlier(site, started=started)
        _refuse_unsaid(site, plan_id)
    except (TransientError, PermanentError) as error:
        return error
    return None


def _refuse_unsaid(site: Site, plan_id: str | None) -> None:
    with site.warehouse.reading() as connection:
        if site.feed.append is not None and site.ledger.count(connection, State.PLANNED, plan_id=plan_id):
            must_be_said(connection, site.feed, brand=site.warehouse.brand)


def _send(site: Site, plan_id: str | None) -> Trouble | None:
    """Send; what had no answer is sent once more where that is harmless, or proven not to have arrived."""
    missing = 0
    for _ in range(2):
        outgoing = Outgoing(site, plan_id)
        outgoing.run()
        # The second pass sends a part of the first one again.
        site.tally.sent = max(site.tally.sent, outgoing.sent)
        site.tally.sent_bytes = max(site.tally.sent_bytes, outgoing.sent_bytes)
        if outgoing.trouble is not None:
            return outgoing.trouble
        missing = outgoing.unknown
        if missing and site.feed.replay is ReplayClass.LOOK_UP:
            try:
                missing = recover(site, own=True)
            except (TransientError, PermanentError) as error:
                return error
        if not missing:
            return None
    # Said aloud: it may be the records' own fault, and then they would come back without an answer for ever.
    return TransientError(f"{missing} records were sent twice, and neither time was there an answer.")


def _refresh(site: Site, whole: Publisher | None) -> Trouble | None:
    """Publish what is not there any more, or of an earlier day, although no record of it was due."""
    if whole is None or whole.receipt is not None:
        return None
    try:
        if whole.stale(site.client):
            whole.publish(site.client)
    except (TransientError, PermanentError) as error:
        return error
    return None


def _moved(site: Site, plan_id: str | None) -> int:
    """How many records of the asked plan were planned anew since, so that this plan does not hold them any more."""
    if plan_id is None:
        return 0
    c = PLANS.c
    query = sa.select(c.counts).where(c.brand == site.warehouse.brand, c.plan_id == plan_id, c.feed == site.feed.id)
    with site.warehouse.reading() as connection:
        counts = connection.execute(query).scalar_one_or_none()
        if counts is None:
            raise PermanentError(
                f"{site.feed.id} has no plan {plan_id}; run `stokly-sync plan` and use the id it prints"
            )
        return max(0, int(json.loads(counts)["to_send"]) - site.ledger.count_of_plan(connection, plan_id))


def _close_plans(site: Site, plan_id: str | None, *, written: int) -> None:
    c = PLANS.c
    statement = sa.update(PLANS).where(c.brand == site.warehouse.brand, c.feed == site.feed.id, c.state == "planned")
    if plan_id is not None:
        statement = statement.where(c.plan_id == plan_id)
    with site.warehouse.transaction() as connection:
        connection.execute(statement.values(state="sent"))
        site.ledger.refresh_statistics(connection, written=written)


def _figures(site: Site, *, to_send: int, left: int, moved: int, api_calls: int) -> DeliveryFigures:
    tally, limits = site.tally, site.feed.limits
    return DeliveryFigures(
        feed=site.feed.id,
        to_send=to_send,
        accepted=tally.states[State.ACCEPTED],
        rejected=dict(sorted((+tally.rejected).items())),
        submitted=tally.states[State.SUBMITTED],
        in_doubt=tally.states[State.IN_DOUBT],
        parked=tally.parked,
        still_planned=left,
        api_calls=api_calls,
        least_calls=limits.least_calls(tally.sent, tally.sent_bytes),
        first_try=tally.first_try,
        moved=moved,
        settled_earlier=dict(sorted(site.settled_earlier.items())),
        recovered={name: n for name, n in sorted(site.recovered.items()) if n},
        latency_p50_s=tally.percentile(0.50),
        latency_p95_s=tally.percentile(0.95),
    )
