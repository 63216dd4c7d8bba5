"""Stock: the whole list each time, because Stokly has no way to ask for what changed.

Totals over all locations come with the items; physical stock by location is the sum over the bins. Rows whose bin is
the word UNASSIGNED are roll-ups or unbinned stock, nobody knows which: their stock is never added, only what is on
order, which stands nowhere else. Counts may be negative. Source: Stokly API contract 3.6, 3.7.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from stokly_sync.flow import Json, Page, Received, Scope
from stokly_sync.systems.stokly.client import StoklyClient
from stokly_sync.systems.stokly.documents.products import VARIABLE
from stokly_sync.systems.stokly.filters import where
from stokly_sync.systems.stokly.paging import Listing, settled

UNASSIGNED: Final = "UNASSIGNED"
_TOTALS: Final = Listing(
    "/v0/items",
    ("itemId",),
    base=where("status").differs(1) & where("format").differs(VARIABLE),
    sort="timeCreated",
)
_RECORDS: Final = Listing("/v1/inventory-records", ("itemId", "locationId", "binId"), sort="itemId")
_COUNTS: Final = ("onHand", "available", "quarantined", "onOrder")


def read_stock(client: StoklyClient, scope: Scope) -> Iterator[Page]:  # noqa: ARG001 - every read is the full list
    """Stock documents: `{item}/` for totals, `{item}/{location}` for locations; counts as Stokly gives them."""
    for page in settled(client, _TOTALS):
        yield Page([_total(row) for row in page.rows], page.requested_at, None, page.count)
    if client.settings.stock_locations:
        documents, requested_at = _by_location(client)
        for start in range(0, len(documents), client.settings.page_size):
            yield Page(documents[start : start + client.settings.page_size], requested_at, None, len(documents))


def _total(row: Received) -> Json:
    counts: Json = {name: row[name] for name in _COUNTS if name in row}
    return {"stockId": f"{row.get('itemId')}/", "itemId": row.get("itemId"), "sku": row.get("sku"), **counts}


def _by_location(client: StoklyClient) -> tuple[list[Received], datetime]:
    """One document for each item and location, summed over bins, and when the first page was asked for."""
    found: dict[tuple[str, str], Json] = {}
    requested_at: datetime | None = None
    for page in settled(client, _RECORDS):
        requested_at = requested_at or page.requested_at
        for row in page.rows:
            item, location = str(row.get("itemId")), str(row.get("locationId"))
            if location == UNASSIGNED or row.get("locationId") is None:
                continue
            key = (item, location)
            document = found.setdefault(
                key,
                {"stockId": f"{item}/{location}", "itemId": item, "locationId": location, "sku": row.get("itemSku")},
            )
            for name in ("onOrder",) if row.get("binId") == UNASSIGNED else ("onHand", "quarantined"):
                _add(document, name, row.get(name))
    return list(found.values()), requested_at or client.now()


def _add(document: Json, name: str, value: Any) -> None:
    """Add a count; a value that is no number stays as it came, for the contract to name."""
    if value is None:
        return
    before = document.get(name, 0)
    document[name] = before + value if _is_number(before) and _is_number(value) else value


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and not isinstance(value, str | list | dict)
