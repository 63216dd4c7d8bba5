"""Sale orders: changes, and the lines of just those orders that are in hand.

Where Stokly cannot be asked for changed orders, three things together find them: what was created lately, the orders
that invoices of the window name, and open orders in turn, as many a window as their share of the calls allows. The
turn is told by the clock alone, so that no state is needed and every window of a round reads another part. Source:
Stokly API contract 3.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from stokly_sync.flow import Page, Received, Scope, Window
from stokly_sync.systems.stokly.client import ListPage, StoklyClient
from stokly_sync.systems.stokly.filters import where
from stokly_sync.systems.stokly.paging import Listing, by_ids
from stokly_sync.systems.stokly.reading.timed import INVOICES, Source, created_in, in_chunks, read, updated_in
from stokly_sync.systems.stokly.unverified import PROVEN_PATHS, embedded_lines

PATH: Final = PROVEN_PATHS["orders"]
KEY: Final = "saleOrderId"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Component lines of composites repeat what their parent line says.
_REAL_LINES: Final = where("parentId").is_missing()
_OPEN: Final = where("itemStatuses").contains("unprocessed") & where("stage").differs("removed")


def complete(client: StoklyClient, rows: Sequence[Received]) -> Sequence[Received]:
    """Orders with their lines under `items`, several at once; an order that is gone by now is left out."""
    bare = [row for row in rows if not embedded_lines(client.settings, row)]
    if not bare:
        return list(rows)
    found = client.each(lambda row: client.sub_list(f"{PATH}/{row.get(KEY)}/items", filter=_REAL_LINES), bare)
    fetched = {id(row): items for row, items in zip(bare, found, strict=True)}
    return [
        {**row, "items": fetched[id(row)]} if id(row) in fetched else row
        for row in rows
        if fetched.get(id(row), ()) is not None
    ]


SOURCE: Final = Source("orders", KEY, live=where("stage").differs("removed"), dated="orders", complete=complete)


def read_orders(client: StoklyClient, scope: Scope) -> Iterator[Page]:
    """Pages of orders for any scope; those of a sweep have no lines."""
    if scope.baseline or scope.sweep:
        return read(client, scope, SOURCE)
    updated = updated_in(client, SOURCE, scope.window)
    pages = updated if updated is not None else _without_update_filter(client, scope.window)
    return in_chunks(client, SOURCE, pages)


def open_in_turn(client: StoklyClient, window: Window) -> int:
    """How many open orders a window re-reads: their share of the calls that the window's length allows."""
    minutes = (window.end - window.start) / timedelta(minutes=1)
    calls = client.settings.rate_per_minute * minutes * client.settings.open_orders_share
    return min(int(calls), client.settings.page_size)


def _without_update_filter(client: StoklyClient, window: Window) -> Iterator[ListPage]:
    seen: set[str] = set()
    for pages in (created_in(client, SOURCE, window), _invoiced(client, window), _open_orders(client, window)):
        for page in pages:
            fresh = [row for row in page.rows if str(row.get(KEY)) not in seen]
            seen |= {str(row.get(KEY)) for row in fresh}
            if fresh:
                yield replace(page, rows=fresh)


def _invoiced(client: StoklyClient, window: Window) -> Iterator[ListPage]:
    ids = {str(row["saleOrderId"]) for page in _invoices(client, window) for row in page.rows if row.get("saleOrderId")}
    yield from by_ids(client, Listing(PATH, (KEY,), sort="createdAt"), field=KEY, ids=sorted(ids))


def _invoices(client: StoklyClient, window: Window) -> Iterator[ListPage]:
    updated = updated_in(client, INVOICES, window)
    return updated if updated is not None else created_in(client, INVOICES, window)


def _open_orders(client: StoklyClient, window: Window) -> Iterator[ListPage]:
    size = open_in_turn(client, window)
    if size < 1:
        return
    first = client.page(PATH, filter=_OPEN, size=size, sort="createdAt")
    parts = -(-(first.count or len(first.rows)) // size) or 1
    turn = int((window.start - _EPOCH) / (window.end - window.start)) % parts
    yield first if turn == 0 else client.page(PATH, filter=_OPEN, size=size, sort="createdAt", page=turn)
