"""Stokly's vocabulary and shape, for drift (X22), and what the doctor asks of an account.

Belongs here: small lists that rarely change, the words and members seen in the newest rows, and probes. A channel's
`data` holds the shop's own secrets: it is dropped before anything else sees it. Values of rows never leave this
module, only the names and types of their members. Source: Stokly API contract 3.9, 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from stokly_sync.errors import NotOffered, StoklySyncError
from stokly_sync.flow import Json, Probe, Received
from stokly_sync.systems.rows.cells import kind_of
from stokly_sync.systems.stokly.client import StoklyClient
from stokly_sync.systems.stokly.filters import where
from stokly_sync.systems.stokly.paging import Listing, settled
from stokly_sync.systems.stokly.unverified import CREATED, PROVEN_PATHS, findings, path_of

SAMPLE: Final = 200
"""Newest rows of a dataset that its shape is read from."""

_KEPT: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "channels": (
        "/v0/channels",
        ("channelId", "name", "type", "status", "manageInventory", "inventoryLocationIds", "defaultInventory"),
    ),
    "locations": ("/v0/locations", ("locationId", "name", "status")),
    "item_attributes": (
        "/v0/item-attributes",
        ("itemAttributeId", "name", "type", "allowedValues", "allowedValueLabels", "status"),
    ),
    "item_types": ("/v0/item-types", ("itemTypeId", "name", "status")),
    "tax_classes": ("", ("taxClassId", "name", "rate", "status")),
}
_WORDS: Final = {
    "orders": ("stage", "sourceType", "paymentStatus", "currency", "itemStatuses"),
    "invoices": ("status", "currency"),
    "refunds": ("status", "currency"),
    "credit_notes": ("status", "referenceType"),
    "dispatches": ("status", "courier", "service"),
    "items": ("format", "typeName", "status"),
}
_LISTING_MEMBERS: Final = ("listingId", "channelId", "referenceId", "itemId", "sku", "status", "type")


def reference(client: StoklyClient) -> Mapping[str, Sequence[Json]]:
    """Vocabulary by kind, then `words` (member values seen) and `members` (names and types), by dataset.

    A list that the account does not have is empty. `words` rows: dataset, member, value. `members` rows: dataset,
    member, types (sorted list of words).
    """
    found: dict[str, Sequence[Json]] = {kind: _vocabulary(client, kind) for kind in _KEPT}
    words: list[Json] = []
    members: list[Json] = []
    for name in CREATED:
        rows = _sample(client, name)
        words += _words(name, rows)
        members += _members(name, rows)
    return {**found, "words": words, "members": members}


def listings(client: StoklyClient, channel_id: str) -> Iterator[Json]:
    """Live listings of a channel: the bridge from a shop's product id (`referenceId`) to an item. No overrides."""
    listing = Listing(f"/v0/channels/{channel_id}/listings", ("listingId",), base=where("status").differs(2))
    for page in settled(client, listing):
        for row in page.rows:
            yield {name: row[name] for name in _LISTING_MEMBERS if name in row}


def probe(client: StoklyClient) -> Iterable[Probe]:
    """The doctor's lines for a Stokly account; about fifteen small reads."""
    try:
        page = client.page(PROVEN_PATHS["orders"], size=1)
    except StoklySyncError as error:
        yield Probe("credentials of Stokly", False, str(error), "Nothing else can be looked at before this is right.")
        return
    count = "an unknown number of" if page.count is None else str(page.count)
    yield Probe("credentials of Stokly", True, f"accepted; the account has {count} orders")
    for name, path in PROVEN_PATHS.items():
        yield _readable(client, name, path)
    yield _readable(client, "stock by location", "/v1/inventory-records")
    yield from findings(client)


def _readable(client: StoklyClient, name: str, path: str) -> Probe:
    try:
        page = client.page(path, size=1)
    except StoklySyncError as error:
        return Probe(f"reading {name}", False, str(error), "Ask for the right to read it in Stokly.")
    return Probe(f"reading {name}", True, f"{page.count if page.count is not None else 'some'} records")


def _vocabulary(client: StoklyClient, kind: str) -> list[Json]:
    path, members = _KEPT[kind]
    try:
        listing = Listing(path or path_of(client.settings, kind), (members[0],))
        rows = [row for page in settled(client, listing) for row in page.rows]
    except NotOffered:
        return []
    kept = [{name: row[name] for name in members if name in row} for row in rows]
    return sorted(kept, key=lambda row: str(row.get(members[0])))


def _sample(client: StoklyClient, name: str) -> Sequence[Received]:
    try:
        path = PROVEN_PATHS.get(name) or path_of(client.settings, name)
        return client.page(path, size=SAMPLE, sort=CREATED[name], descending=True).rows
    except NotOffered:
        return []


def _words(name: str, rows: Sequence[Received]) -> list[Json]:
    seen: set[tuple[str, str]] = set()
    for row in rows:
        for member in _WORDS.get(name, ()):
            value = row.get(member)
            seen |= {(member, str(v)) for v in (value if isinstance(value, list) else [value]) if v is not None}
    return [{"dataset": f"stokly.{name}", "member": member, "value": value} for member, value in sorted(seen)]


def _members(name: str, rows: Sequence[Received]) -> list[Json]:
    types: dict[str, set[str]] = {}
    for row in rows:
        for member, value in row.items():
            types.setdefault(member, set()).add(_type(value))
    return [{"dataset": f"stokly.{name}", "member": member, "types": sorted(types[member])} for member in sorted(types)]


def _type(value: Any) -> str:
    return "nothing" if value is None else kind_of(value)
