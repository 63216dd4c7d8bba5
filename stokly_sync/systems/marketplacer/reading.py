"""What is asked for when a dataset is read: which invoices, requests, adverts and advices, and in which pages.

Windows go by the time of update, the baseline by the time of creation, which is also its cursor; a sweep reads
everything. Adverts are opened into variants here, however many pages of them one has. Source: Marketplacer API contract
2.3, 3.5, 4.1, 5, 6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from stokly_sync.errors import NotOffered, PermissionDenied
from stokly_sync.flow import Json, Page, Scope
from stokly_sync.systems.marketplacer import queries
from stokly_sync.systems.marketplacer.client import ConnectionPage, MarketplacerClient, page_of
from stokly_sync.systems.marketplacer.documents.papers import AMENDMENT

OPEN_REQUESTS: Final = ("AWAITING", "RETURNED", "REFUND_ACCEPTED", "PROCESSED")
"""States of a refund request that is not over. Source: contract 5."""
INNER: Final = 100
"""Variants of an advert that are asked for at once."""


def read_orders(client: MarketplacerClient, scope: Scope) -> Iterator[Page]:
    """Invoices with their lines; those of other sellers are left out where one is set."""
    query = queries.orders(client.members, operator=client.role == "operator")
    return _invoices(client, scope, query, lambda page: _mine(client, page.nodes))


def read_shipments(client: MarketplacerClient, scope: Scope) -> Iterator[Page]:
    """Shipments of the invoices, each with its invoice."""
    return _invoices(client, scope, queries.shipments(), lambda page: _inner(page.nodes, "shipments"))


def read_refunds(client: MarketplacerClient, scope: Scope) -> Iterator[Page]:
    """Refund requests, and the amendments of the invoices.

    Requests cannot be asked for by time: a window reads those that are not over, everything else reads all.
    """
    query = queries.requests(client.members)
    window = not (scope.sweep or scope.baseline)
    if scope.cursor is None:
        filters: Json = {"statuses": list(OPEN_REQUESTS)} if window else {}
        for page in client.connection(query, "refundRequests", {"filters": filters}):
            yield Page(page.nodes, page.requested_at, None, page.total)
    text = queries.amendments(client.members)
    yield from _invoices(client, scope, text, lambda page: _amendments(page.nodes))


def read_listings(client: MarketplacerClient, scope: Scope) -> Iterator[Page]:
    """Variants with their advert, of adverts that changed in the window, or of all."""
    since = None if scope.sweep or scope.baseline else _stamp(_widened(client, scope))
    return variants(client, queries.listings(client.members), since, levels_only=False)


def read_levels(client: MarketplacerClient, scope: Scope) -> Iterator[Page]:  # noqa: ARG001 - always the full list
    """SKU and stock of every variant that there is."""
    return variants(client, queries.levels(), None, levels_only=True)


def read_remittances(client: MarketplacerClient, scope: Scope) -> Iterator[Page]:  # noqa: ARG001 - no filter is known
    """Every remittance advice; raises NotOffered with a seller's key, or where the feature is not switched on."""
    if client.role != "operator":
        raise NotOffered("Remittance advices are for operators: a seller's key may not read them.")
    if "remittances" not in client.members:
        raise NotOffered("This marketplace has no remittance advices; the operator can have them switched on.")
    try:
        for page in client.connection(queries.remittances(client.members), "advices", {}):
            yield Page(_mine(client, page.nodes), page.requested_at, None, page.total)
    except PermissionDenied as denied:
        raise NotOffered(f"{denied}") from denied


def _invoices(
    client: MarketplacerClient, scope: Scope, query: str, opened: Callable[[ConnectionPage], Sequence[Json]]
) -> Iterator[Page]:
    for page in client.connection(query, "invoices", {"filters": _filters(client, scope)}):
        # A place in time holds when the server is asked again tomorrow; a cursor of its own may not.
        last = page.nodes[-1].get("createdAt") if scope.baseline and page.nodes else None
        yield Page(opened(page), page.requested_at, last, page.total)


def _filters(client: MarketplacerClient, scope: Scope) -> Json:
    if scope.sweep:
        return {}
    if scope.baseline:
        return {"createdUntil": _stamp(scope.window.end)} | ({"createdSince": scope.cursor} if scope.cursor else {})
    return {"updatedSince": _stamp(_widened(client, scope)), "updatedUntil": _stamp(scope.window.end)}


def _widened(client: MarketplacerClient, scope: Scope) -> datetime:
    return scope.window.widened(timedelta(seconds=client.settings.overlap)).start


def _stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _mine(client: MarketplacerClient, nodes: Sequence[Json]) -> list[Json]:
    seller = client.settings.seller_id
    return [n for n in nodes if seller is None or _seller_of(n) in (None, seller)]


def _seller_of(node: Mapping[str, Any]) -> str | None:
    seller = (node.get("details") or node).get("seller")
    return str(seller["id"]) if isinstance(seller, Mapping) and seller.get("id") else None


def _inner(nodes: Sequence[Json], member: str) -> list[Json]:
    return [
        {**inner, "invoice": {n: node.get(n) for n in ("id", "legacyId", "createdAt")}}
        for node in nodes
        for inner in node.get(member) or ()
    ]


def _amendments(nodes: Sequence[Json]) -> list[Json]:
    return [{**one, AMENDMENT: True} for one in _inner(nodes, "amendments")]


def variants(client: MarketplacerClient, query: str, since: str | None, *, levels_only: bool) -> Iterator[Page]:
    """Variants as documents of their own, of adverts that changed since then, or of all."""
    variables: Json = {"inner": INNER} | ({"since": since} if since else {})
    for page in client.connection(query, "allAdverts", variables):
        documents = [
            document
            for advert in _mine(client, page.nodes)
            for document in _of_advert(client, advert, levels_only=levels_only)
        ]
        yield Page(documents, page.requested_at, None, None)


def _of_advert(client: MarketplacerClient, advert: Json, *, levels_only: bool) -> list[Json]:
    """The variants of an advert as documents of their own; further pages are fetched."""
    held = advert.get("variants") or {}
    nodes = list(held.get("nodes") or ())
    info = held.get("pageInfo") or {}
    after = info.get("endCursor") if info.get("hasNextPage") else None
    seen: set[str] = set()
    while after and after not in seen:
        seen.add(after)
        given = {"id": advert.get("id"), "first": client.settings.page_size, "after": after}
        reply = client.read(queries.more_variants(client.members, levels_only=levels_only), given)
        more = page_of((reply.data.get("node") or {}).get("variants"), reply.requested_at, "variants")
        nodes += more.nodes
        after = more.end
    whole = {name: value for name, value in advert.items() if name != "variants"}
    if levels_only:
        return [{**node, "levelId": f"{node['sku']}/"} for node in nodes if node.get("sku")]
    return [{**node, "advert": whole} for node in nodes]
