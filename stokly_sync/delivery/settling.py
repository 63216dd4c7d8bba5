"""Follow submitted records until their fate is known, as far as the destination tells (O7)."""

from __future__ import annotations

from datetime import datetime

from stokly_sync.delivery.flights import fates, still_submitted
from stokly_sync.delivery.site import Site

_ASKED_AT_ONCE = 20_000


def settle_earlier(site: Site, *, started: datetime) -> None:
    """Ask once for records that runs before `started` submitted. Raises TransientError when it cannot be asked."""
    if site.feed.settle is not None:
        _round(site, before=started)


def settle_own(site: Site, *, started: datetime) -> None:
    """Ask for this run's records until all is known or nothing more is learnt; the rest stays submitted.

    Raises TransientError when the destination cannot be asked.
    """
    if site.feed.settle is None:
        return
    for _ in range(site.options.settle_rounds):
        learnt, left = _round(site, since=started)
        if not left:
            return
        if not learnt:
            site.options.sleep(site.options.settle_pause)


def _round(site: Site, *, since: datetime | None = None, before: datetime | None = None) -> tuple[int, int]:
    """Ask once for all records; how many were settled and how many are left."""
    learnt = left = 0
    last: str | None = None
    while True:
        with site.warehouse.reading() as connection:
            items = site.ledger.submitted(
                connection,
                after=last,
                size=_ASKED_AT_ONCE,
                since=since,
                before=before,
                documents=site.feed.append is not None,
            )
        if not items:
            return learnt, left
        last = items[-1].record.key
        asked = {item.record.key: item for item in items}
        outcomes = fates(site.feed, site.client, still_submitted(items))
        site.settle(outcomes, asked, earlier=before is not None)
        learnt += len(outcomes)
        left += len(items) - len(outcomes)
