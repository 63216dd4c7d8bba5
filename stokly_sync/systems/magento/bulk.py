"""Products by the shop's own queue: many in one call, and one question for the fates of all of them.

For shops whose consumer runs (`product_batch` says so): without one every operation stays open for ever. Products alone
go this way: shipments and credit memos need the shop's answer before the next one of their order is decided on. The SKU
stands inside the product, because an element without one stops the whole queue. Source: Magento API contract 12.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from stokly_sync.errors import BatchRefused
from stokly_sync.flow import Outcome, Record, State
from stokly_sync.systems.magento.answers import Refused
from stokly_sync.systems.magento.client import MagentoClient
from stokly_sync.systems.magento.rules import REJECTED
from stokly_sync.systems.transport import decode

_COMPLETE, _AGAIN, _OPEN = 1, 2, 4
"""Statuses of an operation: done, failed for now, not done yet; 3 and 5 are refusals."""
_ACCEPTED: Final = "accepted"
_GONE: Final = 404


def send_products_in_bulk(client: MagentoClient, batch: Sequence[Record]) -> list[Outcome]:
    """Hand products to the queue in one call; raises BatchRefused where one of them is not well formed."""
    try:
        told = client.post("/products", [{"product": decode(record.document)} for record in batch], bulk=True)
    except Refused as refused:
        raise BatchRefused(str(refused)) from refused
    name, taken = told["bulk_uuid"], {row["id"]: row for row in told["request_items"]}
    return [_taken(record.key, name, place, taken.get(place, {})) for place, record in enumerate(batch)]


def settle_products(client: MagentoClient, submitted: Sequence[Outcome]) -> list[Outcome]:
    """What became of products by now; those still open are left out, those nobody knows any more are sent again."""
    by_bulk: dict[str, dict[int, str]] = {}
    for one in submitted:
        name, _, place = (one.receipt or "").partition(" ")
        by_bulk.setdefault(name, {})[int(place)] = one.key
    found: list[Outcome] = []
    for name, keys in by_bulk.items():
        operations = _operations(client, name)
        fates = ((key, operations.get(place, {"status": _AGAIN})) for place, key in keys.items())
        found += [_fate(key, operation) for key, operation in fates if operation["status"] != _OPEN]
    return found


def _taken(key: str, name: str, place: int, item: Mapping[str, Any]) -> Outcome:
    if item.get("status") != _ACCEPTED:
        return Outcome(key, State.REJECTED, str(item.get("error_message") or "not queued"), rule=REJECTED.code)
    return Outcome(key, State.SUBMITTED, receipt=f"{name} {place}")


def _operations(client: MagentoClient, name: str) -> Mapping[int, Mapping[str, Any]]:
    """Operations of a bulk by place; none of one that the shop does not know any more."""
    try:
        told = client.get(f"/bulk/{name}/status")
    except Refused as refused:
        if refused.status != _GONE:
            raise
        return {}
    return {row["id"]: row for row in told["operations_list"]}


def _fate(key: str, operation: Mapping[str, Any]) -> Outcome:
    if operation["status"] == _COMPLETE:
        return Outcome(key, State.ACCEPTED)
    if operation["status"] == _AGAIN:
        return Outcome(key, State.PLANNED)
    words = str(operation.get("result_message") or "refused without a reason")
    return Outcome(key, State.REJECTED, words, rule=REJECTED.code)
