"""Vocabulary and shape for drift (X22), and that a shop's secrets are dropped. Source: Stokly API contract 3.9."""

from __future__ import annotations

from typing import Any

from stokly_sync.flow import Json
from stokly_sync.sandbox.stokly.disturbances import Drift
from stokly_sync.systems.stokly.reference import listings, reference
from stokly_sync_tests.systems.stokly.made import line, order

SECRET = "hush-hush"
ROWS = {
    "channels": [{"channelId": "c", "name": "Web", "type": 5, "status": 0, "data": {"apiKey": SECRET}}],
    "listings": [
        {"listingId": "l1", "channelId": "c", "referenceId": "77", "itemId": "i", "sku": "S", "data": {"key": SECRET}},
        {"listingId": "l2", "channelId": "c", "referenceId": "78", "itemId": "i", "sku": "S", "status": 2},
    ],
    "saleorders": [order(1), order(2, stage="quote", customerName="Customer 17850")],
    "saleorders/items": [line(1)],
}


def members(found: Any) -> dict[str, list[str]]:
    rows: list[Json] = [row for row in found["members"] if row["dataset"] == "stokly.orders"]
    return {row["member"]: row["types"] for row in rows}


def test_vocabulary_holds_words_and_shape_and_no_persons_data(account: Any, connect: Any) -> None:
    found = reference(connect(account(ROWS)))
    assert {"dataset": "stokly.orders", "member": "stage", "value": "quote"} in found["words"]
    assert {"dataset": "stokly.orders", "member": "itemStatuses", "value": "unprocessed"} in found["words"]
    assert members(found)["displayTotal"] == ["a number"]
    assert members(found)["itemStatuses"] == ["a list"]
    assert "17850" not in repr(found)


def test_a_channels_secrets_are_dropped_at_once(account: Any, connect: Any) -> None:
    client = connect(account(ROWS))
    found = reference(client)
    assert found["channels"] == [{"channelId": "c", "name": "Web", "type": 5, "status": 0}]
    assert SECRET not in repr(found)
    assert SECRET not in repr(list(listings(client, "c")))


def test_live_listings_tie_a_shops_product_to_an_item(account: Any, connect: Any) -> None:
    (found,) = listings(connect(account(ROWS)), "c")
    assert (found["referenceId"], found["itemId"]) == ("77", "i")


def test_a_member_that_is_new_gone_or_of_another_type_shows(account: Any, connect: Any) -> None:
    system = account(ROWS)
    before = members(reference(connect(system)))
    system.drift(
        Drift(collection="saleorders", member="displayTotal", change="retype", to="text"),
        Drift(collection="saleorders", member="currency", change="remove"),
        Drift(collection="saleorders", member="loyalty", change="add", value=1),
    )
    after = members(reference(connect(system)))
    assert (before["displayTotal"], after["displayTotal"]) == (["a number"], ["a text"])
    assert "currency" not in after
    assert after["loyalty"] == ["a number"]


def test_lists_that_the_account_lacks_are_empty_and_stop_nothing(account: Any, connect: Any) -> None:
    found = reference(connect(account(ROWS, absent_endpoints=["tax-classes", "refunds"])))
    assert found["tax_classes"] == []
    assert found["channels"]
