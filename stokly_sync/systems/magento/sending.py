"""Sending products and stock: writes that may be repeated, refused whole or not at all.

A call with stock is all or nothing, so a refused one is halved by delivery until the culprit stands alone; one that is
too long for the shop's own limit is cut to it. An unknown source would take every batch with it: the sources are looked
at before the first write. Source: Magento API contract 10, 11.2, 13.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from stokly_sync.errors import BatchRefused, PermanentError
from stokly_sync.flow import Json, Outcome, Record, State
from stokly_sync.systems.magento.answers import Refused
from stokly_sync.systems.magento.client import VENDOR, MagentoClient
from stokly_sync.systems.magento.rules import REJECTED
from stokly_sync.systems.transport import decode, found_once

_LIMIT: Final = "source_items_limit"


def send_products(client: MagentoClient, batch: Sequence[Record]) -> list[Outcome]:
    """Write products, one call each; the SKU stands in the body, so that none is ever renamed."""
    return [_send_product(client, record) for record in batch]


def _send_product(client: MagentoClient, record: Record) -> Outcome:
    try:
        client.post("/products", {"product": decode(record.document)})
    except Refused as refused:
        return Outcome(record.key, State.REJECTED, refused.words, rule=REJECTED.code)
    return Outcome(record.key, State.ACCEPTED)


def send_stock(client: MagentoClient, batch: Sequence[Record]) -> list[Outcome]:
    """Write the quantities of a batch of SKUs in one call, or in as few as the shop's limit allows.

    Raises PermanentError for a source that Magento does not have, BatchRefused where one of the rows is not acceptable.
    """
    _refuse_unknown_sources(client)
    rows: list[Json] = []
    for record in batch:
        document = decode(record.document)
        rows += [{"sku": document["sku"], **level} for level in document["levels"]]
    _write(client, rows)
    return [Outcome(record.key, State.ACCEPTED) for record in batch]


def _write(client: MagentoClient, rows: list[Json]) -> None:
    limit = client.shared.get(_LIMIT, len(rows))
    if len(rows) > limit:
        for start in range(0, len(rows), limit):
            _write(client, rows[start : start + limit])
        return
    try:
        client.post("/inventory/source-items", {"sourceItems": rows})
    except Refused as refused:
        if refused.limit is None or refused.limit >= len(rows):
            raise BatchRefused(str(refused)) from refused
        client.shared[_LIMIT] = refused.limit
        _write(client, rows)


def known_sources(client: MagentoClient) -> dict[str, Json]:
    """Sources of the shop by code; asked for once by a client."""
    found: dict[str, Json] | None = client.shared.get("sources")
    if found is None:
        data = client.get("/inventory/sources", params={"searchCriteria": ""})
        rows = data.get("items") if isinstance(data, dict) else None
        found = {str(row.get("source_code")): row for row in rows or [] if isinstance(row, dict)}
        client.shared["sources"] = found
    return found


def _refuse_unknown_sources(client: MagentoClient) -> None:
    known: list[str] = found_once(client, "source codes", lambda it: sorted(known_sources(it)))
    unknown = [source for source in client.settings.sources if source not in known]
    if unknown:
        raise PermanentError(
            f"{VENDOR}: there is no source {', '.join(unknown)}; there are {', '.join(known)}. No stock was "
            "sent, because Magento drops every row of a call that names an unknown source. Correct locations under "
            "[magento], or make the source in Magento under Stores > Inventory > Sources."
        )
