"""Reading whole lists although rows appear, vanish and move while we read.

Stokly pages by offset: a row that leaves the list shifts the others, and one slips through. Where there is a time to
go by (creation, or an update time that only moves forward) we never ask for a second page: the next request starts at
the last time seen, and what overlaps is known by its id. Elsewhere we read all pages again until one pass was clean.
Both know when they are going in circles. Source: Stokly API contract 2.2.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from stokly_sync.errors import TransientError
from stokly_sync.flow import Received
from stokly_sync.systems.rows.times import is_coarse, parse_time
from stokly_sync.systems.stokly.client import ListPage, StoklyClient
from stokly_sync.systems.stokly.filters import Filter, where

# Times are written in milliseconds, or (JavaScript's way) in whole seconds; the rows behind them may be finer.
_FINE: Final = timedelta(milliseconds=1)
_COARSE: Final = timedelta(seconds=1)
# Two hundred ids make an address of about 8,000 characters, the most that any client is known to send.
IDS_AT_ONCE: Final = 200


@dataclass(frozen=True)
class Listing:
    """A list of Stokly: its path, the members that identify a row, what is wanted of it, and how to sort it."""

    path: str
    key: tuple[str, ...]
    base: Filter | None = None
    sort: str | None = None

    def id_of(self, row: Received) -> tuple[Any, ...]:
        """What identifies a row."""
        return tuple([str(row.get(name)) for name in self.key])

    def narrowed(self, condition: Filter | None) -> Listing:
        """The same list under a further condition."""
        if condition is None:
            return self
        return replace(self, base=condition if self.base is None else self.base & condition)


def settled(client: StoklyClient, listing: Listing) -> Iterator[ListPage]:
    """All rows by offset, each once, until a pass was clean: ids seen = count, and the count did not change.

    Raises TransientError when the list keeps shifting for `paging_passes` passes.
    """
    known: set[tuple[Any, ...]] = set()
    for _ in range(client.settings.paging_passes):
        seen: set[tuple[Any, ...]] = set()
        counts: set[int | None] = set()
        for page in _pages(client, listing, seen):
            counts.add(page.count)
            fresh = _fresh(listing, page.rows, known)
            known |= {listing.id_of(row) for row in fresh}
            if fresh:
                yield replace(page, rows=fresh)
        if counts <= {len(seen)} or counts == {None}:
            return
    raise TransientError(
        f"Stokly: {listing.path} kept shifting over {client.settings.paging_passes} passes, so rows may be missing; "
        f"try again at a quieter time, or raise paging_passes in [stokly]."
    )


def by_time(
    client: StoklyClient,
    listing: Listing,
    *,
    field: str,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[ListPage]:
    """All rows with `field` in [since, until] (UTC), oldest first, each row once at each of its times.

    Without `since` the rows that lack the field come first. Falls back to `settled` where the server does not sort by
    the field. Raises TransientError when it makes no progress.
    """
    # A row that moves while we read comes again under its new time: so id and time together say what is known.
    listing = replace(listing, key=(*listing.key, field))
    ranged = listing.narrowed(where(field).at_most(until)) if until else listing
    low, at_low = since, set[tuple[Any, ...]]()
    while True:
        page = client.page(ranged.path, filter=_from(ranged, field, low).base, sort=field)
        fresh = _fresh(listing, page.rows, at_low)
        times = _times(page.rows, field)
        if not times or times != sorted(times):
            if page.rows:
                yield from unordered(settled(client, _from(ranged, field, low)))
            return
        yield replace(page, rows=fresh)
        if _is_whole(listing, page):
            return
        last = times[-1]
        if low is not None and last < low:
            raise TransientError(f"Stokly: {listing.path} gave rows from before the time asked for; try again later.")
        if last == low:
            low, at_low = yield from _tie(client, ranged, field, low, page.rows, at_low)
        else:
            low, at_low = last, {listing.id_of(row) for row in page.rows if _time(row, field) in (None, last)}


def unordered(pages: Iterator[ListPage]) -> Iterator[ListPage]:
    """The pages, marked as being in no order."""
    return (replace(page, ordered=False) for page in pages)


def unreadable_times(client: StoklyClient, listing: Listing, *, field: str) -> Iterator[ListPage]:
    """Rows whose `field` is no time, from the far end of the list, where they are sorted: no time filter finds them."""
    number = 0
    while True:
        page = client.page(listing.path, filter=listing.base, page=number, sort=field, descending=True)
        odd = [row for row in page.rows if field in row and _time(row, field) is None]
        if odd:
            yield replace(page, rows=odd, ordered=False)
        if len(odd) < len(page.rows) or not page.rows:
            return
        number += 1


def by_ids(client: StoklyClient, listing: Listing, *, field: str, ids: Sequence[str]) -> Iterator[ListPage]:
    """Rows whose `field` is one of the ids, IDS_AT_ONCE in a call."""
    for start in range(0, len(ids), IDS_AT_ONCE):
        yield from settled(client, listing.narrowed(where(field).among(ids[start : start + IDS_AT_ONCE])))


def _pages(client: StoklyClient, listing: Listing, seen: set[tuple[Any, ...]]) -> Iterator[ListPage]:
    """The pages of one pass; the end is where all that match were seen, or a page is empty, never a short page."""
    number = 0
    while True:
        page = client.page(listing.path, filter=listing.base, page=number, sort=listing.sort)
        seen |= {listing.id_of(row) for row in page.rows}
        yield page
        if not page.rows or (page.count is not None and len(seen) >= page.count):
            return
        number += 1


def _tie(
    client: StoklyClient,
    ranged: Listing,
    field: str,
    at: datetime,
    rows: Sequence[Received],
    known: set[tuple[Any, ...]],
) -> Generator[ListPage, None, tuple[datetime, set[tuple[Any, ...]]]]:
    """More rows of one and the same time than a page holds: read just those by offset, then go on behind them.

    Returns the time to go on from and the ids that are known there.
    """
    coarse = any(is_coarse(str(row.get(field))) for row in rows)
    end = at + (_COARSE if coarse else _FINE)
    tie = ranged.narrowed(where(field).at_least(at)).narrowed(where(field).at_most(end))
    known = known | {ranged.id_of(row) for row in rows}
    for page in settled(client, tie):
        fresh = _fresh(ranged, page.rows, known)
        known |= {ranged.id_of(row) for row in fresh}
        if fresh:
            yield replace(page, rows=fresh)
    return end, known


def _from(listing: Listing, field: str, low: datetime | None) -> Listing:
    return listing if low is None else listing.narrowed(where(field).at_least(low))


def _fresh(listing: Listing, rows: Sequence[Received], known: set[tuple[Any, ...]]) -> list[Received]:
    """Rows not known yet, each once even if the page repeats it (the last of its kind is the newest)."""
    found = {listing.id_of(row): row for row in rows}
    return [row for identity, row in found.items() if identity not in known]


def _is_whole(listing: Listing, page: ListPage) -> bool:
    """Whether a page that starts at offset 0 holds all that match."""
    distinct = len({listing.id_of(row) for row in page.rows})
    return not page.rows or (page.count is not None and distinct >= page.count)


def _times(rows: Sequence[Received], field: str) -> list[datetime]:
    return [moment for row in rows if (moment := _time(row, field)) is not None]


def _time(row: Received, field: str) -> datetime | None:
    value = row.get(field)
    return parse_time(value) if isinstance(value, str) else None
