"""Items with what other lists say about them: barcodes, attribute values, parts, images, and whose variant they are.

Only images (and, if wanted, an item's own page) cost a call an item, and variants a call for each variable item, since
no list says it for all. What an item is found with is the same however it was found, or its content would seem to
change from one reading to the next. Source: Stokly API contract 3.6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from stokly_sync.flow import Json, Page, Received, Scope, Window
from stokly_sync.systems.stokly.client import ListPage, StoklyClient
from stokly_sync.systems.stokly.documents.products import DELETED, VARIABLE
from stokly_sync.systems.stokly.filters import where
from stokly_sync.systems.stokly.paging import Listing, by_ids, by_time, settled
from stokly_sync.systems.stokly.reading.item_lists import KEY, VALUES, ItemLists
from stokly_sync.systems.stokly.reading.timed import Source, history, in_chunks, whole_pages

PATH: Final = "/v0/items"
_ITEMS: Final = Listing(PATH, (KEY,), sort="timeCreated")
_LIVE: Final = where("status").differs(1)
_FAMILIES: Final = "families"


def read_items(client: StoklyClient, scope: Scope) -> Iterator[Page]:
    """Pages of items for any scope; those of a sweep are bare rows."""
    if scope.sweep:
        return whole_pages(settled(client, _ITEMS.narrowed(_LIVE)))
    lists = ItemLists(client, whole=scope.baseline)
    source = replace(SOURCE, complete=lambda _client, rows: _complete(client, rows, lists))
    if scope.baseline:
        return in_chunks(client, source, history(client, source, scope), field=source.created)
    return in_chunks(client, source, _changed(client, scope.window))


def complete(client: StoklyClient, rows: Sequence[Received]) -> Sequence[Received]:
    """Items with `$barcodes`, `$attributes`, `$components`, `$images` and `$parent`, each only where there is any."""
    return _complete(client, rows, ItemLists(client, whole=False))


SOURCE: Final = Source("items", KEY, live=_LIVE, complete=complete, call_each=False)


def _complete(client: StoklyClient, rows: Sequence[Received], lists: ItemLists) -> Sequence[Received]:
    documents = [dict(row) for row in rows]
    lists.add_to(documents)
    if client.settings.item_images:
        _images(client, [d for d in documents if d.get("imageCount")])
    if client.settings.item_details:
        found = client.each(lambda d: client.detail(f"{PATH}/{d.get(KEY)}"), documents)
        documents = [{**(detail or {}), **d} for d, detail in zip(documents, found, strict=True)]
    if client.settings.item_families and any(_may_be_variant(d) for d in documents):
        parents = _parents(client)
        for document in documents:
            if parent := parents.get(str(document.get(KEY))):
                document["$parent"] = parent
    return documents


def _changed(client: StoklyClient, window: Window) -> Iterator[ListPage]:
    """Items updated in the window, those with an attribute updated in it, and the variants of changed parents."""
    span = window.widened(timedelta(seconds=client.settings.overlap))
    seen: set[str] = set()
    wanted: set[str] = set()
    for page in by_time(client, _ITEMS, field="timeUpdated", since=span.start, until=span.end):
        seen |= {str(row.get(KEY)) for row in page.rows}
        if client.settings.item_families:
            parents = [str(row.get(KEY)) for row in page.rows if row.get("format") == VARIABLE]
            families = client.each(lambda parent: _children(client, parent), parents)
            wanted |= {child for children in families for child in children}
        yield page
    # An edited attribute does not always move its item's own update time.
    for page in by_time(client, VALUES, field="timeUpdated", since=span.start, until=span.end):
        wanted |= {str(row.get(KEY)) for row in page.rows}
    yield from by_ids(client, _ITEMS, field=KEY, ids=sorted(wanted - seen))


def _images(client: StoklyClient, documents: Sequence[Json]) -> None:
    found = client.each(lambda document: client.sub_list(f"{PATH}/{document.get(KEY)}/images"), documents)
    for document, images in zip(documents, found, strict=True):
        addresses = [image["uri"] for image in images or () if image.get("uri")]
        if addresses:
            document["$images"] = addresses


def _may_be_variant(document: Received) -> bool:
    return document.get("format") != VARIABLE and document.get("status") not in DELETED


def _parents(client: StoklyClient) -> dict[str, str]:
    """Parent by variant for the whole account; the children of a parent are asked for again when it has changed."""
    known: dict[str, tuple[Any, list[str]]] = client.memory.setdefault(_FAMILIES, {})
    variable = _ITEMS.narrowed(where("format").equals(VARIABLE)).narrowed(_LIVE)
    rows = [row for page in settled(client, variable) for row in page.rows]
    state = {str(row.get(KEY)): (row.get("timeUpdated"), row.get("variantItemCount")) for row in rows}
    stale = [i for i, now in state.items() if i not in known or known[i][0] != now]
    for i, children in zip(stale, client.each(lambda i: _children(client, i), stale), strict=True):
        known[i] = (state[i], children)
    return {child: i for i in sorted(state) for child in known[i][1]}


def _children(client: StoklyClient, item_id: str) -> list[str]:
    return [str(row.get(KEY)) for row in client.sub_list(f"{PATH}/{item_id}/children") or ()]
