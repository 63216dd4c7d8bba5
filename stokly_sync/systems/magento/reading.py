"""Lists of Magento, read so that no row is lost: by time for windows, by id for the history and for sweeps.

A page number says nothing once rows move, and a row moves to the end of a list in order of its update each time it
changes. So each page is asked for by its first row, not by its number, and only rows of one second are counted
through; if one of them leaves meanwhile, that second is counted again. Source: Magento API contract 4, 6.4, 11.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from stokly_sync.errors import TransientError
from stokly_sync.flow import Json, Window
from stokly_sync.systems.magento.client import VENDOR, Found, MagentoClient
from stokly_sync.systems.magento.documents.common import identity
from stokly_sync.systems.magento.search import (
    ENTITY,
    UPDATED,
    Search,
    after_id,
    among,
    before,
    since,
)
from stokly_sync.systems.rows.times import parse_time

PASSES: Final = 5
"""How often a second, or a list without times, is counted through while its rows move."""


def changed(client: MagentoClient, wanted: Search, window: Window, *, key: str, size: int) -> Iterator[Found]:
    """Rows updated in the window and the overlap before it, each state once, in the order of their update."""
    span = window.widened(timedelta(seconds=client.settings.overlap))
    wanted = wanted.where(before(span.end)).sorted_by(UPDATED, ENTITY)
    seen: set[tuple[Any, Any]] = set()
    start = span.start
    while True:
        found = client.search(wanted.where(since(start)), size=size)
        yield _new(found, seen, key)
        if len(found.rows) >= found.total or not found.rows:
            return
        last = _moment(found.rows[-1])
        if last > start:
            start = last
            continue
        # A whole page of one second: there is no other way through it than by number.
        second = wanted.where(since(start), before(start + timedelta(seconds=1)))
        for page in counted(client, second, size=size):
            yield _new(page, seen, key)
        start += timedelta(seconds=1)


def by_id(
    client: MagentoClient, wanted: Search, *, size: int, key: str = ENTITY, cursor: str | None
) -> Iterator[Found]:
    """All rows behind `cursor`, oldest first: an id neither moves nor comes back."""
    wanted = wanted.sorted_by(ENTITY)
    while True:
        found = client.search(wanted.where(after_id(cursor)) if cursor else wanted, size=size)
        if not found.rows:
            return
        yield found
        last = str(identity(found.rows[-1].get(key)))
        if len(found.rows) >= found.total or last == cursor:
            return
        cursor = last


def of_ids(client: MagentoClient, wanted: Search, field: str, ids: Sequence[str], *, size: int) -> Iterator[Found]:
    """Rows whose member is among some ids; `size` ids are asked for at once."""
    for start in range(0, len(ids), size):
        narrowed = wanted.where(among(field, ids[start : start + size])).sorted_by(ENTITY)
        yield from by_id(client, narrowed, size=size, cursor=None)


def counted(client: MagentoClient, wanted: Search, *, size: int) -> Iterator[Found]:
    """All rows of a list that has neither times nor ids to go by, by page number.

    A list whose number of rows changes on the way, or that gives fewer rows than it says, is gone through again; raises
    TransientError when it does not hold still. The number of rows ends a pass: releases before 2.4 repeat the last page
    for ever.
    """
    seen: set[tuple[Any, ...]] = set()
    for _ in range(PASSES):
        totals: set[int] = set()
        for found in _pages(client, wanted, size):
            totals.add(found.total)
            fresh = {_name(row): row for row in found.rows if _name(row) not in seen}
            seen.update(fresh)
            if fresh:
                yield replace(found, rows=list(fresh.values()))
        if len(totals) == 1 and len(seen) >= max(totals):
            return
    raise TransientError(f"{VENDOR}: GET {wanted.path} changes faster than it can be read; try again later.")


def _pages(client: MagentoClient, wanted: Search, size: int) -> Iterator[Found]:
    page = 1
    while True:
        found = client.search(wanted, page=page, size=size)
        yield found
        if not found.rows or page * found.size >= found.total:
            return
        page += 1


def _name(row: Json) -> tuple[Any, ...]:
    return tuple(sorted((name, str(value)) for name, value in row.items() if name in ("sku", "source_code", ENTITY)))


def _new(found: Found, seen: set[tuple[Any, Any]], key: str) -> Found:
    """The page without rows that were there before in the same state."""
    fresh = []
    for row in found.rows:
        state = (row.get(key), row.get(UPDATED))
        if state not in seen:
            seen.add(state)
            fresh.append(row)
    return replace(found, rows=fresh)


def _moment(row: Json) -> datetime:
    text = row.get(UPDATED)
    moment = parse_time(text) if isinstance(text, str) else None
    if moment is None:
        raise TransientError(f"{VENDOR}: a row in order of its update has no readable time; try again later.")
    return moment.astimezone(UTC)
