"""Windows, the baseline and sweeps against the sandbox. Source: Stokly API contract 2.2, 3, 5."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from stokly_sync.errors import NotOffered
from stokly_sync.flow import Extract, Page, Scope, Window
from stokly_sync.sandbox.stokly.disturbances import Delete, Merge
from stokly_sync.systems.stokly.extracts import extracts
from stokly_sync_tests.systems.stokly.made import NOON, at, customer, item, line, order, row_id

PATH = "/v2/saleorders"
LINES = "/v2/saleorders/{id}/items"


def window(start: float, end: float) -> Window:
    return Window(NOON + timedelta(minutes=start), NOON + timedelta(minutes=end))


def extract(client: Any, name: str) -> Extract:
    return {e.dataset: e for e in extracts(client.settings)}[f"stokly.{name}"]


def pages(client: Any, name: str, scope: Scope) -> list[Page]:
    return list(extract(client, name).read(client, scope))


def found(client: Any, name: str, scope: Scope, member: str = "niceId") -> list[Any]:
    return [d[member] for page in pages(client, name, scope) for d in page.documents]


def orders(numbers: Sequence[int], **changes: Any) -> dict[str, Any]:
    return {
        "saleorders": [order(n, **changes) for n in numbers],
        "saleorders/items": [line(n) for n in numbers],
    }


def test_a_window_reads_what_was_updated_in_it_with_its_overlap(account: Any, connect: Any) -> None:
    client = connect(account(orders(range(30))), overlap=120)
    assert found(client, "orders", Scope(window(10, 15))) == [8, 9, 10, 11, 12, 13, 14, 15]


def test_lines_are_fetched_for_the_orders_in_hand_and_for_no_others(account: Any, connect: Any) -> None:
    system = account(orders(range(30)))
    client = connect(system, overlap=0)
    (page,) = pages(client, "orders", Scope(window(10, 12)))
    assert [len(d["items"]) for d in page.documents] == [1, 1, 1]
    assert (system.calls.count(template=LINES), system.calls.count(template=PATH)) == (3, 1)


def test_component_lines_are_left_out_by_the_server_already(account: Any, connect: Any) -> None:
    rows = orders([1])
    rows["saleorders/items"].append(line(1, 1, parentId=row_id("line 1/0")))
    client = connect(account(rows))
    (page,) = pages(client, "orders", Scope(window(0, 5)))
    assert len(page.documents[0]["items"]) == 1


def test_embedded_lines_save_the_calls(account: Any, connect: Any) -> None:
    system = account(orders(range(3)), embedded_items=True)
    client = connect(system)
    assert sum(len(d["items"]) for p in pages(client, "orders", Scope(window(0, 5))) for d in p.documents) == 3
    assert system.calls.count(template=LINES) == 0


@pytest.mark.parametrize("setting", ["auto", "no"])
def test_without_an_update_filter_creation_invoices_and_open_orders_find_changes(
    account: Any, connect: Any, setting: str
) -> None:
    done = {"itemStatuses": ["dispatched"]}
    rows = {
        "saleorders": [order(-9000, **done), order(-8000), order(-7000, **done), order(3, **done)],
        "saleorders/items": [line(n) for n in (-9000, -8000, -7000, 3)],
        "invoices": [{"saleInvoiceId": "i", "saleOrderId": row_id("order -7000"), "issueDate": at(2)}],
    }
    client = connect(account(rows, updated_at_filters=[]), orders_update_filter=setting)
    # -9000 is neither new nor open nor invoiced; -8000 is open, -7000 invoiced in the window, 3 created in it.
    assert sorted(found(client, "orders", Scope(window(0, 15)))) == [-8000, -7000, 3]


def test_open_orders_are_read_in_turn_within_their_share_and_none_is_left_out(account: Any, connect: Any) -> None:
    old = [-10_000 - n for n in range(20)]
    client = connect(
        account(orders(old), updated_at_filters=[]), rate_per_minute=2, open_orders_share=0.2, creation_overlap=0
    )
    turns = [set(found(client, "orders", Scope(window(15 * n, 15 * n + 15)))) for n in range(4)]
    assert sorted(len(turn) for turn in turns) == [2, 6, 6, 6]
    assert set().union(*turns) == set(old)


def test_a_filter_that_proves_nothing_counts_as_not_offered(account: Any, connect: Any) -> None:
    # The account takes the filter, but its rows carry no update time: creation time is asked for instead.
    system = account({"customers": [customer(n) for n in range(5)]}, customers_updated_at=False)
    client = connect(system, creation_overlap=0)
    read = found(client, "customers", Scope(window(2, 3)), "customerId")
    assert read == [row_id("customer 2"), row_id("customer 3")]
    assert client.memory["customers_update_filter"] is False


def test_what_was_found_out_is_asked_once(account: Any, connect: Any) -> None:
    system = account(orders([1]), updated_at_filters=[])
    client = connect(system, open_orders_share=0)
    for start in (0, 15, 30):
        found(client, "orders", Scope(window(start, start + 15)))
    assert system.calls.count(template=PATH, status=400) == 1


def baseline(cursor: str | None = None) -> Scope:
    return Scope(window(-60, 10_000), baseline=True, cursor=cursor)


def test_the_baseline_reads_the_whole_history_oldest_first(account: Any, connect: Any) -> None:
    system = account(orders(range(50), stage="removed"))
    client = connect(system, page_size=20, chunk=8)
    assert found(client, "orders", baseline()) == list(range(50))
    assert all(len(page.documents) <= 8 for page in pages(client, "orders", baseline()))


def test_a_baseline_that_was_stopped_goes_on_from_its_cursor(account: Any, connect: Any) -> None:
    client = connect(account(orders(range(50))), page_size=20, chunk=8)
    read = extract(client, "orders").read(client, baseline())
    before = list(itertools.islice(read, 3))
    after = found(client, "orders", baseline(before[-1].cursor))
    assert {d["niceId"] for page in before for d in page.documents} | set(after) == set(range(50))
    assert after == list(range(19, 50))


@pytest.mark.parametrize("bad", ["yesterday", "2999-01-01T00:00:00.000Z", ...])
def test_the_baseline_finds_orders_whose_time_is_unreadable_or_far_ahead(account: Any, connect: Any, bad: Any) -> None:
    rows = orders(range(10))
    rows["saleorders"].append(order(10, createdAt=bad))
    client = connect(account(rows), page_size=4)
    assert set(found(client, "orders", baseline())) == set(range(11))


def test_a_first_load_makes_hardly_a_call_more_than_pages_and_lines_need(account: Any, connect: Any) -> None:
    system = account(orders(range(300)))
    client = connect(system, page_size=100)
    found(client, "orders", baseline())
    assert client.calls <= 1.05 * (3 + 300)


def test_a_sweep_reads_the_rows_of_what_lives_without_their_lines(account: Any, connect: Any) -> None:
    system = account(orders(range(6)))
    system.mutate(Delete(collection="saleorders", key=row_id("order 2")))
    client = connect(system)
    assert sorted(found(client, "orders", Scope(window(0, 1), sweep=True))) == [0, 1, 3, 4, 5]
    assert system.calls.count(template=LINES) == 0


def test_what_a_sweep_found_can_be_completed_and_what_is_gone_is_left_out(account: Any, connect: Any) -> None:
    client = connect(account(orders(range(3))))
    (page,) = pages(client, "orders", Scope(window(0, 1), sweep=True))
    complete = extract(client, "orders").complete
    assert complete is not None
    whole = complete(client, [*page.documents, {"saleOrderId": row_id("nobody")}])
    assert [len(document["items"]) for document in whole] == [1, 1, 1]


def test_a_merge_and_a_deletion_of_customers_are_seen_by_the_window(account: Any, connect: Any) -> None:
    system = account({"customers": [customer(n) for n in range(4)]})
    system.mutate(
        Merge(winner=row_id("customer 0"), loser=row_id("customer 1")),
        Delete(collection="customers", key=row_id("customer 2")),
    )
    client = connect(system)
    today = Window(system.clock.now() - timedelta(minutes=5), system.clock.now() + timedelta(minutes=5))
    (page,) = pages(client, "customers", Scope(today))
    made = extract(client, "customers").rows(page.documents, page.requested_at).frames["stokly.customers"]
    made = made.set_index("customer_id")
    assert not made.loc[row_id("customer 1"), "live"]
    assert made.loc[row_id("customer 1"), "merged_into"] == row_id("customer 0")
    assert not made.loc[row_id("customer 2"), "live"]


ABSENT = [("refunds", "refunds"), ("credit_notes", "credit-notes"), ("dispatches", "dispatches")]


@pytest.mark.parametrize(("name", "endpoint"), ABSENT)
@pytest.mark.parametrize("scope", [Scope(window(0, 15)), baseline(), Scope(window(0, 15), sweep=True)])
def test_a_resource_that_the_account_lacks_is_not_offered(
    account: Any, connect: Any, name: str, endpoint: str, scope: Scope
) -> None:
    with pytest.raises(NotOffered):
        pages(connect(account(absent_endpoints=[endpoint])), name, scope)
    with pytest.raises(NotOffered, match="settings"):
        pages(connect(account(), not_offered=(f"stokly.{name}",)), name, scope)


def catalogue() -> dict[str, Any]:
    red, blue, parent, bundle = (row_id(f"item {n}") for n in (1, 2, 3, 4))
    colour = {"itemAttributeId": "c", "itemAttributeName": "Colour"}
    return {
        "items": [
            item(1, imageCount=1, attributeCount=1),
            item(2, attributeCount=1),
            item(3, format=2, variantItemCount=2),
            item(4, format=1, composingItemCount=2),
        ],
        "item-barcodes": [{"itemId": red, "barcode": "502"}, {"itemId": red, "barcode": "501"}],
        "item-attribute-values": [
            {
                "itemId": red,
                **colour,
                "value": "Red",
                "timeUpdated": at(1),
            },
            {
                "itemId": blue,
                **colour,
                "value": "Blue",
                "timeUpdated": at(30),
            },
        ],
        "composing-items": [
            {"itemId": bundle, "composingItemId": blue, "quantity": 1},
            {"itemId": bundle, "composingItemId": red, "quantity": 2},
        ],
        "items/images": [{"_parent": red, "imageId": "i", "uri": "https://example.com/1.png", "title": "x"}],
        "items/children": [{"_parent": parent, "itemId": red}, {"_parent": parent, "itemId": blue}],
    }


def by_id(read: list[Page]) -> dict[str, Any]:
    return {d["itemId"]: d for page in read for d in page.documents}


def test_items_come_with_what_other_lists_say_about_them(account: Any, connect: Any) -> None:
    documents = by_id(pages(connect(account(catalogue())), "items", baseline()))
    red, bundle = documents[row_id("item 1")], documents[row_id("item 4")]
    assert red["$barcodes"] == ["501", "502"]
    assert red["$attributes"] == {"Colour": "Red"}
    assert red["$images"] == ["https://example.com/1.png"]
    assert red["$parent"] == row_id("item 3")
    assert {(part["item_id"], part["quantity"]) for part in bundle["$components"]} == {
        (row_id("item 1"), 2),
        (row_id("item 2"), 1),
    }


def test_an_item_looks_the_same_however_it_was_found(account: Any, connect: Any) -> None:
    client = connect(account(catalogue()))
    first = by_id(pages(client, "items", baseline()))
    again = by_id(pages(client, "items", Scope(window(-60, 60))))
    assert first == again
    bare = [d for page in pages(client, "items", Scope(window(0, 1), sweep=True)) for d in page.documents]
    complete = extract(client, "items").complete
    assert complete is not None
    assert {d["itemId"]: d for d in complete(client, bare)} == first


def test_images_cost_a_call_only_for_items_that_have_any(account: Any, connect: Any) -> None:
    system = account(catalogue())
    pages(connect(system), "items", baseline())
    assert system.calls.count(template="/v0/items/{id}/images") == 1


def test_an_edited_attribute_and_a_changed_parent_bring_their_items_along(account: Any, connect: Any) -> None:
    client = connect(account(catalogue()), overlap=0)
    # Attribute of item 2 edited at minute 30, although no item was.
    assert set(by_id(pages(client, "items", Scope(window(29, 31))))) == {row_id("item 2")}
    # Item 3, a parent, changed at minute 3: its variants are read with it.
    assert set(by_id(pages(client, "items", Scope(window(3, 3.5))))) == {row_id(f"item {n}") for n in (1, 2, 3)}


def test_stock_adds_bins_and_never_the_roll_up_rows(account: Any, connect: Any) -> None:
    def record(place: str, bin_: str, on_hand: int, **more: Any) -> dict[str, Any]:
        return {"itemId": "a", "itemSku": "S", "locationId": place, "binId": bin_, "onHand": on_hand, **more}

    rows = {
        "items": [item(1, onHand=-1, available=-4), item(2, format=2), item(3, status=1)],
        "inventory-records": [
            record("L", "b1", 3, quarantined=1),
            record("L", "b2", -5),
            record("L", "UNASSIGNED", -2, onOrder=7),
            record("UNASSIGNED", "UNASSIGNED", -2, onOrder=9),
        ],
    }
    client = connect(account(rows), page_size=2)
    documents = {d["stockId"]: d for page in pages(client, "stock", Scope(window(0, 15))) for d in page.documents}
    assert set(documents) == {f"{row_id('item 1')}/", "a/L"}
    assert dict(documents["a/L"]) | {"onHand": -2, "quarantined": 1, "onOrder": 7} == documents["a/L"]
    assert documents[f"{row_id('item 1')}/"]["available"] == -4


def test_refunds_and_dispatches_come_with_their_lines_or_without(account: Any, connect: Any) -> None:
    rows = {
        "refunds": [{"refundId": "r", "niceId": 1, "createdAt": at(1)}],
        "refunds/items": [{"_parent": "r", "lineId": "l", "quantity": 1}],
    }
    client = connect(account(rows))
    (page,) = pages(client, "refunds", Scope(window(0, 5)))
    assert page.documents[0]["items"] == [{"lineId": "l", "quantity": 1}]
    client = connect(account(rows, absent_endpoints=["refunds/items"]))
    (page,) = pages(client, "refunds", Scope(window(0, 5)))
    assert page.documents[0]["items"] == []
