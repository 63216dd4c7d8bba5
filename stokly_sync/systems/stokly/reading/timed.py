"""Datasets whose rows have a time to ask by: changes by update time where offered, else by creation time.

A window reads what was updated in it, or what was created in it and a while before. The baseline goes through the
whole history by creation time, oldest first, and can go on from any page's cursor. A sweep reads the bare rows of
everything that lives. Source: Stokly API contract 2.2, 5 (2).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain
from typing import Final

from stokly_sync.flow import Page, Received, Scope, Window
from stokly_sync.systems.rows.times import parse_time
from stokly_sync.systems.stokly.client import FilterRefused, ListPage, StoklyClient
from stokly_sync.systems.stokly.filters import Filter, stamp, where
from stokly_sync.systems.stokly.paging import Listing, by_ids, by_time, settled, unordered, unreadable_times
from stokly_sync.systems.stokly.settings import StoklySettings
from stokly_sync.systems.stokly.unverified import CREATED, PROVEN_PATHS, UPDATED, Dated, path_of

Complete = Callable[[StoklyClient, Sequence[Received]], Sequence[Received]]


@dataclass(frozen=True)
class Source:
    """One list of Stokly with a time to go by.

    `dated` is set where an update filter may exist. `live` is what a sweep asks for. `complete` fetches the
    sub-documents of rows, leaving out rows that are gone by then; None where rows are whole. `call_each` says that
    every row costs a call of its own, so that few are handed on at once.
    """

    name: str
    key: str
    live: Filter | None = None
    dated: Dated | None = None
    complete: Complete | None = None
    call_each: bool = True

    def path(self, settings: StoklySettings) -> str:
        """Where the list is; raises NotOffered for an unproven one that the settings rule out."""
        return PROVEN_PATHS.get(self.name) or path_of(settings, self.name)

    @property
    def created(self) -> str:
        """The member that holds the time of creation."""
        return CREATED[self.name]

    def listing(self, settings: StoklySettings) -> Listing:
        """The whole list."""
        return Listing(self.path(settings), (self.key,), sort=self.created)


def read(client: StoklyClient, scope: Scope, source: Source) -> Iterator[Page]:
    """Pages of a dataset for any scope; raises NotOffered where the account has no such list."""
    if scope.sweep:
        listing = source.listing(client.settings)
        listing = listing.narrowed(source.live)
        return whole_pages(settled(client, listing))
    if scope.baseline:
        return in_chunks(client, source, history(client, source, scope), field=source.created)
    return in_chunks(client, source, changed(client, source, scope.window))


def fetch(client: StoklyClient, ids: Sequence[str], source: Source) -> Iterator[Page]:
    """Pages of the rows of some ids, with their sub-documents; raises as `read` does."""
    return in_chunks(client, source, by_ids(client, source.listing(client.settings), field=source.key, ids=ids))


def changed(client: StoklyClient, source: Source, window: Window) -> Iterator[ListPage]:
    """Rows updated in the window with its overlap, or created in it with a longer one."""
    updated = updated_in(client, source, window)
    if updated is not None:
        return updated
    return created_in(client, source, window)


def created_in(client: StoklyClient, source: Source, window: Window) -> Iterator[ListPage]:
    """Rows created in the window and the overlap before it; all rows where even that cannot be asked for."""
    span = window.widened(timedelta(seconds=client.settings.creation_overlap))
    listing = source.listing(client.settings)
    try:
        yield from by_time(client, listing, field=source.created, since=span.start, until=span.end)
    except FilterRefused:
        yield from settled(client, replace(listing, sort=None))


def updated_in(client: StoklyClient, source: Source, window: Window) -> Iterator[ListPage] | None:
    """Rows updated in the window and its overlap; None where the account cannot be asked for them.

    Found out by the request that is needed anyway: a refused filter, or rows that the filter should have kept out.
    """
    if source.dated is None:
        return None
    name = f"{source.dated}_update_filter"
    said = getattr(client.settings, name)
    offered = client.memory.get(name) if said == "auto" else said == "yes"
    if offered is False:
        return None
    span = window.widened(timedelta(seconds=client.settings.overlap))
    pages = by_time(client, source.listing(client.settings), field=UPDATED, since=span.start, until=span.end)
    if offered:
        return pages
    try:
        first = next(pages, None)
    except FilterRefused:
        first, kept = None, False
    else:
        kept = first is None or all(_within(row, span) for row in first.rows)
    client.memory[name] = kept
    if not kept:
        return None
    return pages if first is None else chain([first], pages)


def history(client: StoklyClient, source: Source, scope: Scope) -> Iterator[ListPage]:
    """Everything there is, oldest first, going on after the scope's cursor; rows without a time at the ends.

    Rows from after the scope's end are not left out: a creation time that lies years ahead is an error to be named.
    """
    listing = source.listing(client.settings)
    since = parse_time(scope.cursor) if scope.cursor else None
    first_count, seen = None, 0
    try:
        for page in by_time(client, listing, field=source.created, since=since):
            first_count = page.count if first_count is None else first_count
            seen += len(page.rows)
            if page.rows:
                yield page
        if since is not None or first_count is None or seen < first_count:
            yield from unreadable_times(client, listing, field=source.created)
    except FilterRefused:
        yield from unordered(settled(client, replace(listing, sort=None)))


def in_chunks(
    client: StoklyClient, source: Source, pages: Iterator[ListPage], *, field: str | None = None
) -> Iterator[Page]:
    """Pages with their sub-documents; small ones where each row costs calls of its own.

    `field` names the time that the rows are sorted by; the cursor of a page is the last such time in it.
    """
    for page in pages:
        size = client.settings.chunk if source.complete and source.call_each else max(1, len(page.rows))
        for start in range(0, len(page.rows), size):
            rows = page.rows[start : start + size]
            documents = source.complete(client, rows) if source.complete else rows
            cursor = _cursor(rows, field) if field and page.ordered else None
            yield Page(documents, page.requested_at, cursor, page.count)


def whole_pages(pages: Iterator[ListPage]) -> Iterator[Page]:
    """Bare rows, as a sweep reads them."""
    return (Page(page.rows, page.requested_at, None, page.count) for page in pages)


def with_lines(source_path: Callable[[StoklySettings], str], key: str) -> Complete:
    """A `complete` that puts the list `{path}/{id}/items` under `items`, for each row, several at once."""

    def complete(client: StoklyClient, rows: Sequence[Received]) -> Sequence[Received]:
        path = source_path(client.settings)
        lines = client.each(lambda row: client.sub_list(f"{path}/{row.get(key)}/items"), rows)
        # Without such a list the totals still count; a row that vanished meanwhile is the next sweep's affair.
        return [{**row, "items": found or []} for row, found in zip(rows, lines, strict=True)]

    return complete


_SLACK: Final = timedelta(seconds=1)


def _within(row: Received, span: Window) -> bool:
    text = row.get(UPDATED)
    moment = parse_time(text) if isinstance(text, str) else None
    # Times may be written in whole seconds, so that one just inside may look as if it were just outside.
    return moment is not None and span.start - _SLACK <= moment <= span.end + _SLACK


def _cursor(rows: Sequence[Received], field: str) -> str | None:
    moments = [m for row in rows if isinstance(text := row.get(field), str) and (m := parse_time(text))]
    return stamp(max(moments)) if moments else None


REMOVED_ONES: Final = where("status").differs("removed")

CUSTOMERS: Final = Source("customers", "customerId", dated="customers")
INVOICES: Final = Source("invoices", "saleInvoiceId", live=REMOVED_ONES, dated="invoices")
REFUNDS: Final = Source(
    "refunds",
    "refundId",
    live=REMOVED_ONES,
    complete=with_lines(lambda settings: path_of(settings, "refunds"), "refundId"),
)
CREDIT_NOTES: Final = Source("credit_notes", "creditNoteId", live=REMOVED_ONES)
DISPATCHES: Final = Source(
    "dispatches",
    "dispatchId",
    live=REMOVED_ONES,
    complete=with_lines(lambda settings: path_of(settings, "dispatches"), "dispatchId"),
)
