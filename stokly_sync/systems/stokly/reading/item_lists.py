"""What Stokly's account-wide lists say about items: barcodes, attribute values, parts.

Belongs here: choosing the cheaper way to ask. For some items, 200 ids go into a call; for the whole account the list
is read once, unless it is too long to keep. Both ways find the same. Source: Stokly API contract 3.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from stokly_sync.flow import Json, Received
from stokly_sync.systems.stokly.client import StoklyClient
from stokly_sync.systems.stokly.filters import where
from stokly_sync.systems.stokly.paging import IDS_AT_ONCE, Listing, settled

KEY: Final = "itemId"
BARCODES: Final = Listing("/v0/item-barcodes", (KEY, "barcode"))
VALUES: Final = Listing("/v0/item-attribute-values", (KEY, "itemAttributeId"))
PARTS: Final = Listing("/v0/composing-items", (KEY, "composingItemId"))
# About 40 MB of rows: what a first load may keep in memory. Longer lists are asked for by ids.
LONGEST_KEPT: Final = 50_000
_ACTIVE: Final = frozenset({None, "active", 0})


class ItemLists:
    """The lists for one reading; `whole` says that all items of the account will be asked for."""

    def __init__(self, client: StoklyClient, *, whole: bool) -> None:
        self._client = client
        self._whole = whole
        self._kept: dict[str, dict[str, list[Received]] | None] = {}

    def add_to(self, documents: Sequence[Json]) -> None:
        """Put `$barcodes`, `$attributes` and `$components` into documents of items, each where there is any.

        An item whose row says that it has none is not asked for. The order of values does not depend on the server's.
        """
        by_id = {str(document.get(KEY)): document for document in documents}
        for row in self._rows(BARCODES, by_id, "barcode"):
            by_id[str(row[KEY])].setdefault("$barcodes", []).append(str(row["barcode"]))
        for row in self._rows(
            VALUES, {i: d for i, d in by_id.items() if d.get("attributeCount", 1)}, "itemAttributeId"
        ):
            if row.get("status") in _ACTIVE and row.get("value") is not None:
                name = str(row.get("itemAttributeName") or row.get("itemAttributeId"))
                by_id[str(row[KEY])].setdefault("$attributes", {})[name] = row["value"]
        for row in self._rows(
            PARTS, {i: d for i, d in by_id.items() if d.get("composingItemCount", 1)}, "composingItemId"
        ):
            part = {"item_id": row.get("composingItemId"), "quantity": row.get("quantity")}
            by_id[str(row[KEY])].setdefault("$components", []).append(part)

    def _rows(self, listing: Listing, by_id: dict[str, Json], value: str) -> list[Received]:
        """Rows of a list for these items that have a value, sorted by it."""
        kept = self._all(listing) if self._whole else None
        if kept is not None:
            rows = [row for item_id in by_id for row in kept.get(item_id, ())]
        else:
            rows = self._by_ids(listing, list(by_id))
        rows = [row for row in rows if str(row.get(KEY)) in by_id and row.get(value)]
        return sorted(rows, key=lambda row: str(row[value]))

    def _by_ids(self, listing: Listing, ids: Sequence[str]) -> list[Received]:
        parts = [ids[start : start + IDS_AT_ONCE] for start in range(0, len(ids), IDS_AT_ONCE)]
        found = self._client.each(lambda part: self._read(listing.narrowed(where(KEY).among(part))), parts)
        return [row for rows in found for row in rows]

    def _all(self, listing: Listing) -> dict[str, list[Received]] | None:
        """The whole list by item, read once; None where it is too long to keep."""
        if listing.path not in self._kept:
            self._kept[listing.path] = self._read_all(listing)
        return self._kept[listing.path]

    def _read_all(self, listing: Listing) -> dict[str, list[Received]] | None:
        by_item: dict[str, list[Received]] = {}
        for page in settled(self._client, listing):
            if (page.count or 0) > LONGEST_KEPT:
                return None
            for row in page.rows:
                by_item.setdefault(str(row.get(KEY)), []).append(row)
        return by_item

    def _read(self, listing: Listing) -> list[Any]:
        return [row for page in settled(self._client, listing) for row in page.rows]
