"""What rows look like on the wire, and both readings of every [guess]: contract 2.4, 3, 5."""

import re
from decimal import Decimal
from typing import Any

import pytest

from stokly_sync.sandbox.kit import decode
from stokly_sync.sandbox.seeds import demo_seed
from stokly_sync.sandbox.seeds.account import DUMMY_SECRETS
from stokly_sync_tests.sandbox.stokly.bench import TODAY, Bench

pytestmark = pytest.mark.sandbox

JAVASCRIPT = re.compile(r"\w{3} \w{3} \d\d \d{4} \d\d:\d\d:\d\d GMT\+0000 \(Coordinated Universal Time\)")
DEMO = demo_seed(TODAY)


@pytest.fixture
def demo(bench: Bench) -> Bench:
    bench.plant(DEMO)
    return bench


def nulls(value: Any) -> bool:
    if isinstance(value, dict):
        return any(nulls(part) for part in value.values())
    if isinstance(value, list):
        return any(nulls(part) for part in value)
    return value is None


@pytest.mark.parametrize("path", ["/v0/customers", "/v2/saleorders", "/v0/items", "/v0/refunds"])
def test_missing_members_are_left_out_and_never_null(demo: Bench, path: str) -> None:
    rows = demo.rows(path, size=1000)
    assert not nulls(rows)
    assert len({frozenset(row) for row in rows}) > 1


def test_money_keeps_its_digits_as_a_json_number(demo: Bench) -> None:
    text = demo.call("/v0/items", filter="[sku]=={LAMP/OAK}").text
    assert '"salePrice":49.991666667,' in text
    assert '"salePrice":1E+30,' in demo.call("/v0/items", filter="[sku]=={SAMPLE-HUGE}").text


def test_no_seeded_member_is_unknown_to_filters(demo: Bench) -> None:
    for path, name in (("/v2/saleorders", "saleorders"), ("/v0/items", "items"), ("/v0/customers", "customers")):
        members = {member for row in demo.system.store.rows(name) for member in row}
        for member in members:
            assert demo.call(path, size=1, filter=f"[{member}]=={{@null;}}").status_code == 200, member


def test_items_spell_dates_as_javascript_does_and_orders_as_iso(bench: Bench) -> None:
    assert JAVASCRIPT.fullmatch(bench.rows("/v0/items")[0]["timeUpdated"])
    assert bench.rows("/v2/saleorders")[0]["createdAt"] == "2025-12-22T12:00:00.000Z"
    bench.system.set_switches(item_dates="iso", other_dates="javascript")
    assert bench.rows("/v0/items")[0]["timeCreated"] == "2025-09-23T00:00:00.000Z"
    order = bench.rows("/v2/saleorders")[0]
    assert order["createdAt"] == "Mon Dec 22 2025 12:00:00 GMT+0000 (Coordinated Universal Time)"


def test_dates_are_filtered_alike_however_they_are_spelt(bench: Bench) -> None:
    window = {"filter": "[createdAt]>={2025-12-22 12:00:00}&&[createdAt]<={2025-12-22T12:00}"}
    found = bench.rows("/v2/saleorders", **window)
    bench.system.set_switches(other_dates="javascript")
    assert [row["niceId"] for row in bench.rows("/v2/saleorders", **window)] == [found[0]["niceId"]]


@pytest.mark.parametrize("collection", ["saleorders", "customers", "invoices"])
def test_filters_by_update_time_can_be_unsupported(bench: Bench, collection: str) -> None:
    path = {"saleorders": "/v2/saleorders"}.get(collection, f"/v0/{collection}")
    query: dict[str, Any] = {"filter": "[updatedAt]>>{2025-01-01T00:00}", "size": 1}
    assert bench.call(path, **query).status_code == 200
    bench.system.set_switches(updated_at_filters=[])
    assert bench.call(path, **query).json() == {"message": "Invalid filter"}
    assert bench.call(path, sortField="updatedAt").status_code == 400
    assert "updatedAt" in bench.rows(path)[0]


def test_customers_can_be_without_an_update_time(bench: Bench) -> None:
    assert "updatedAt" in bench.rows("/v0/customers")[0]
    bench.system.set_switches(customers_updated_at=False)
    assert "updatedAt" not in bench.rows("/v0/customers")[0]
    assert bench.call("/v0/customers", filter="[updatedAt]>>{2025-01-01T00:00}").status_code == 400


def test_a_line_has_unit_prices_and_explicit_line_amounts(bench: Bench) -> None:
    line = bench.rows(f"/v2/saleorders/{bench.order_id()}/items")[0]
    assert (line["quantity"], line["price"], line["tax"]) == (2, Decimal("7.50"), Decimal("1.50"))
    assert (line["displayPrice"], line["displayTax"]) == (Decimal("7.50"), Decimal("1.50"))
    assert (line["displayLinePrice"], line["displayLineTax"]) == (15, 3)
    assert line["displayLineTotal"] == 18


def test_the_price_of_a_line_can_mean_the_whole_line(bench: Bench) -> None:
    bench.system.set_switches(line_price="line")
    line = bench.rows(f"/v2/saleorders/{bench.order_id()}/items")[0]
    assert (line["price"], line["tax"], line["displayPrice"]) == (15, 3, Decimal("7.50"))
    bench.system.set_switches(display_line_price="line", display_line_members=False)
    line = bench.rows(f"/v2/saleorders/{bench.order_id()}/items")[0]
    assert (line["displayPrice"], line["displayTax"]) == (15, 3)
    assert not [member for member in line if member.startswith("displayLine")]


def test_an_order_can_carry_its_lines(bench: Bench) -> None:
    assert "items" not in bench.rows("/v2/saleorders")[0]
    bench.system.set_switches(embedded_items=True)
    order = bench.rows("/v2/saleorders")[0]
    assert order["items"] == bench.rows(f"/v2/saleorders/{order['saleOrderId']}/items")


def test_the_exchange_rate_can_be_the_other_way_round(demo: Bench) -> None:
    query = {"filter": "[currency]=={EUR}", "size": 1}
    assert demo.rows("/v2/saleorders", **query)[0]["exchangeRate"] == Decimal("1.15")
    demo.system.set_switches(exchange_rate="base_by_document")
    assert demo.rows("/v2/saleorders", **query)[0]["exchangeRate"] == Decimal("0.869565")


@pytest.mark.parametrize("name", ["refunds", "dispatches", "credit-notes", "tax-classes"])
def test_a_guessed_endpoint_can_be_absent(bench: Bench, name: str) -> None:
    bench.system.set_switches(absent_endpoints=[name])
    assert bench.call(f"/v0/{name}").status_code == 404
    if name in ("refunds", "dispatches"):
        assert bench.call(f"/v2/saleorders/{bench.order_id()}/{name}").status_code == 404
    assert bench.call("/v0/invoices").status_code == 200


def test_stock_has_rolled_up_rows_that_can_be_sums_or_zero(demo: Bench) -> None:
    item = demo.rows("/v0/items", filter="[sku]=={@string;NOTEBOOK-A5}")[0]
    own = f"[itemId]=={{{item['itemId']}}}"

    def on_hand(more: str) -> list[int]:
        return [row["onHand"] for row in demo.rows("/v1/inventory-records", filter=own + more)]

    assert sum(on_hand("&&[binId]!={UNASSIGNED}")) == item["onHand"] == 700
    assert on_hand("&&[binId]=={UNASSIGNED}") == [610, 90, 700]
    demo.system.set_switches(unassigned_on_hand="zero")
    assert on_hand("&&[binId]=={UNASSIGNED}") == [0, 0, 0]


def test_stock_may_be_negative(demo: Bench) -> None:
    row = demo.rows("/v0/items", filter="[onHand]<<{0}")[0]
    assert row["available"] == row["onHand"] - row["sold"] - row["allocated"] < 0


def test_the_cost_of_a_unit_is_nested_under_its_item_or_bare_but_bare_in_the_account_list(demo: Bench) -> None:
    item = demo.rows("/v0/items", filter="[sku]=={MUG-STONE}")[0]["itemId"]
    path = f"/v0/items/{item}/units-of-measure"
    assert demo.rows(path)[0]["cost"] == {"amount": Decimal("3.00"), "currency": "GBP"}
    demo.system.set_switches(unit_cost="bare")
    assert demo.rows(path)[0]["cost"] == 3
    assert demo.rows("/v0/units-of-measure", filter=f"[itemId]=={{{item}}}")[0]["cost"] == 3


def test_components_of_a_composite_point_at_their_line_and_can_be_filtered_away(demo: Bench) -> None:
    bundle = demo.rows("/v0/items", filter="[format]=={1}")[0]
    lines = demo.system.store.children
    order = next(
        row["saleOrderId"]
        for row in demo.system.store.rows("saleorders")
        if any("parentId" in line for line in lines("saleorders/items", row["saleOrderId"]))
    )
    path = f"/v2/saleorders/{order}/items"
    everything = demo.rows(path)
    real = demo.rows(path, filter="[parentId]=={@null;}")
    parent = next(line for line in real if line["referenceId"] == bundle["itemId"])
    components = [line for line in everything if line.get("parentId") == parent["lineId"]]
    assert [line["quantity"] / parent["quantity"] for line in components] == [2, 1]
    assert len(everything) == len(real) + len(components)


def test_till_orders_repeat_their_reference(demo: Bench) -> None:
    rows = demo.rows("/v2/saleorders", filter="[sourceType]=={epos}", size=1000)
    assert len(rows) > 1
    assert {row["sourceReferenceId"] for row in rows} == {rows[0]["locationId"]}


def test_listings_are_found_under_their_channel_with_a_text_tax_rate(demo: Bench) -> None:
    channel = demo.rows("/v0/channels", filter="[type]=={5}")[0]["channelId"]
    row = demo.rows(f"/v0/channels/{channel}/listings", filter="[status]!={2}")[0]
    assert row["taxRate"] == "20"
    assert "data" not in row
    assert demo.get(f"/v0/listings/{row['listingId']}")["data"]["data"]["itemId"] == row["itemId"]
    assert demo.call("/v0/listings").status_code == 404


def test_channels_hold_secrets_that_nothing_else_does(demo: Bench) -> None:
    text = demo.call("/v0/channels").text
    assert all(secret in text for secret in DUMMY_SECRETS)
    others = ("/v0/customers", "/v2/saleorders", "/v0/items", "/v1/inventory-records")
    assert not any(secret in demo.call(path, size=1000).text for path in others for secret in DUMMY_SECRETS)


def test_details_have_members_that_lists_leave_out(demo: Bench) -> None:
    row = demo.rows("/v0/items", size=1)[0]
    detail = decode(demo.call(f"/v0/items/{row['itemId']}").content)["data"]
    assert "description" not in row
    assert detail["description"]
    assert {**detail, **row} == detail


def test_variants_are_the_children_of_their_parent(demo: Bench) -> None:
    parent = demo.rows("/v0/items", filter="[sku]=={TEE}")[0]
    children = demo.rows(f"/v0/items/{parent['itemId']}/children")
    assert parent["format"] == 2
    assert len(children) == parent["variantItemCount"] == 6
    assert demo.rows(f"/v0/items/{parent['itemId']}/variable-attributes") == [{"name": "Colour"}, {"name": "Size"}]
    attributes = demo.rows(f"/v0/items/{children[0]['itemId']}/attributes")
    assert [row["value"] for row in attributes] == ["Blue", "S"]
    assert {row["status"] for row in attributes} == {"active"}
