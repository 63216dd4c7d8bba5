"""What the doctor asks of a shop, and its vocabulary for drift (X22). Reading only.

Belongs here: each right that a flow needs, the sources that the settings name, and the small lists whose change
matters. Source: Magento API contract 2.3, 3, 11.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from stokly_sync.errors import NotOffered, StoklySyncError
from stokly_sync.flow import Json, Probe
from stokly_sync.systems.magento.answers import Refused
from stokly_sync.systems.magento.client import MagentoClient
from stokly_sync.systems.magento.documents.common import objects, part
from stokly_sync.systems.magento.extracts import LEVELS, ORDERS, PRODUCTS, REFUNDS, SHIPMENTS, base_currency
from stokly_sync.systems.magento.search import Search
from stokly_sync.systems.magento.sending import known_sources

SAMPLE: Final = 100
"""Rows that the words in use are read from."""
_RIGHTS: Final = (
    ("orders", ORDERS, "Magento_Sales::actions_view"),
    ("shipments", SHIPMENTS, "Magento_Sales::shipment"),
    ("credit memos", REFUNDS, "Magento_Sales::sales_creditmemo"),
    ("products", PRODUCTS, "Magento_Catalog::products"),
    ("stock", LEVELS, "Magento_InventoryApi::source"),
)
_STORE: Final = ("id", "code", "name", "website_id", "is_active")
_SOURCE: Final = ("source_code", "name", "enabled")
_ATTRIBUTE: Final = ("attribute_code", "frontend_input", "is_required")


def probe(client: MagentoClient) -> Iterable[Probe]:
    """The doctor's lines for a shop; about eight small reads."""
    try:
        currency = base_currency(client)
    except StoklySyncError as error:
        yield Probe("credentials of Magento", False, str(error), "Nothing else can be looked at before this is right.")
        return
    yield Probe("credentials of Magento", True, f"accepted; the catalogue is in {currency or 'several currencies'}")
    for what, wanted, right in _RIGHTS:
        yield _readable(client, what, wanted, right)
    yield from _sources(client)


def _readable(client: MagentoClient, what: str, wanted: Search, right: str) -> Probe:
    try:
        total = client.search(wanted, size=1).total
    except StoklySyncError as error:
        return Probe(f"reading {what}", False, str(error), f"Give the integration the resource {right}.")
    return Probe(f"reading {what}", True, f"{total} records")


def _sources(client: MagentoClient) -> Iterator[Probe]:
    try:
        known = known_sources(client)
    except StoklySyncError as error:
        yield Probe("sources of stock", False, str(error), "Give the integration Magento_InventoryApi::source.")
        return
    for location, place in client.settings.locations.items():
        ok = place.source in known
        finding = f"fills source {place.source}" if ok else f"source {place.source} is not there"
        yield Probe(f"location {location}", ok, finding, "" if ok else f"There are {', '.join(sorted(known))}.")


def reference(client: MagentoClient) -> Mapping[str, Sequence[Json]]:
    """Stores, sources, attributes, and the words in use: states, payment and shipping methods, carriers.

    A list that the shop does not offer is empty.
    """
    return {
        "store_views": _kept(_offered(client, "/store/storeViews", {}), _STORE, "code"),
        "sources": _kept(list(_known(client)), _SOURCE, "source_code"),
        "attributes": _kept(_items(client, "/products/attributes"), _ATTRIBUTE, "attribute_code"),
        "words": _words(client),
    }


def _known(client: MagentoClient) -> Iterable[Json]:
    try:
        return known_sources(client).values()
    except (NotOffered, Refused):
        return ()


def _items(client: MagentoClient, path: str) -> list[Json]:
    found = _offered(client, path, {"searchCriteria[pageSize]": 300, "searchCriteria[currentPage]": 1})
    return objects(found.get("items")) or [] if isinstance(found, dict) else []


def _offered(client: MagentoClient, path: str, params: Mapping[str, str | int]) -> Any:
    try:
        return client.get(path, params=params)
    except (NotOffered, Refused):
        return []


def _kept(rows: Any, names: Sequence[str], key: str) -> list[Json]:
    kept = [{name: row[name] for name in names if name in row} for row in objects(rows) or []]
    return sorted(kept, key=lambda row: str(row.get(key)))


def _words(client: MagentoClient) -> list[Json]:
    """Values of members that mappings depend on, as they stand in the newest rows."""
    seen: set[tuple[str, str, str]] = set()
    for row in client.search(ORDERS.newest(), size=SAMPLE).rows:
        seen |= {("magento.orders", name, str(row[name])) for name in ("state", "status") if row.get(name)}
        seen.add(("magento.orders", "payment_method", str(part(row, "payment").get("method"))))
        for assignment in objects(part(row, "extension_attributes").get("shipping_assignments")) or []:
            seen.add(("magento.orders", "shipping_method", str(part(assignment, "shipping").get("method"))))
    for row in client.search(SHIPMENTS.newest(), size=SAMPLE).rows:
        tracks = objects(row.get("tracks")) or []
        seen |= {("magento.shipments", "carrier", str(track.get("carrier_code"))) for track in tracks}
    return [{"dataset": dataset, "member": member, "value": value} for dataset, member, value in sorted(seen)]
