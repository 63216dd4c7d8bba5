"""Mutations, page hooks, duplicates and drift, in process and under `/_sandbox/`."""

import pytest

from stokly_sync.sandbox.stokly import Delete, Drift, Merge, PageHook, Put, PutChildren
from stokly_sync_tests.sandbox.stokly.bench import Bench, numbered_customers

pytestmark = pytest.mark.sandbox

FIRST = "00000000-0000-4000-8000-000000000001"


def test_mutations_by_http_are_seen_by_the_next_read_and_mark_the_state_as_changed(bench: Bench) -> None:
    changes = bench.system.changes
    customers = bench.rows("/v0/customers")
    winner, loser = (row["customerId"] for row in customers)
    order = bench.order_id()
    answer = bench.control(
        "POST",
        "mutations",
        [
            {"op": "merge", "winner": winner, "loser": loser},
            {"op": "put", "collection": "customers", "row": {"customerId": winner, "notes": "x"}},
            {"op": "put_children", "sublist": "saleorders/items", "parent": order, "rows": []},
            {"op": "delete", "collection": "saleorders", "key": bench.order_id(1)},
        ],
    )
    assert answer.status_code == 204
    rows = {row["customerId"]: row for row in bench.rows("/v0/customers")}
    assert rows[winner]["notes"] == "x"
    assert rows[loser]["mergedIntoId"] == winner
    assert bench.rows(f"/v2/saleorders/{order}/items") == []
    assert [row["stage"] for row in bench.rows("/v2/saleorders")] == ["order", "removed"]
    assert bench.system.changes > changes


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([{"op": "put", "collection": "customer", "row": {}}], 400),
        ([{"op": "explode"}], 400),
        ([{"op": "put", "collection": "customers", "row": {"name": "no key"}}], 400),
        ([{"op": "delete", "collection": "customers", "key": "unknown"}], 404),
        ([{"op": "put_children", "sublist": "items/barcodes", "parent": "x", "rows": []}], 400),
    ],
)
def test_a_mutation_that_makes_no_sense_is_refused(bench: Bench, body: object, status: int) -> None:
    answer = bench.control("POST", "mutations", body)
    assert answer.status_code == status
    assert answer.json()["message"]


def test_rows_shift_while_they_are_paged(bench: Bench) -> None:
    bench.plant(numbered_customers(9))
    hook = PageHook(collection="customers", after=2, mutations=[Delete(collection="customers", key=FIRST)])
    bench.system.hook_page(hook)
    live = {"filter": "[status]=={1}", "size": 3, "sortField": "niceId"}
    pages = [[row["niceId"] for row in bench.rows("/v0/customers", page=page, **live)] for page in range(4)]
    # Customer 7 has slipped from page 2 to page 1, which was read already.
    assert pages == [[1, 2, 3], [4, 5, 6], [8, 9], []]


def test_a_page_hook_by_http_strikes_once_and_can_be_taken_back(bench: Bench) -> None:
    bench.plant(numbered_customers(2))
    new = {"op": "put", "collection": "customers", "row": {"customerId": "new", "niceId": 0}}
    hook = [{"collection": "customers", "after": 1, "mutations": [new]}]
    assert bench.control("POST", "page-hooks", hook).status_code == 204
    counts = [bench.get("/v0/customers")["metadata"]["count"] for _ in range(3)]
    assert counts == [2, 3, 3]
    bench.control("POST", "page-hooks", hook)
    bench.control("DELETE", "page-hooks")
    bench.system.mutate(Put(collection="customers", row={"customerId": "new", "niceId": 5}))
    bench.get("/v0/customers")
    assert bench.rows("/v0/customers", filter="[niceId]=={5}")


def test_pages_can_repeat_a_row(bench: Bench) -> None:
    bench.system.set_switches(duplicate_rows=["saleorders"])
    rows = bench.rows("/v2/saleorders")
    assert len(rows) == 3
    assert rows[0] == rows[-1]


def test_a_drift_changes_what_is_served_and_not_what_is_kept(bench: Bench) -> None:
    plain = bench.rows("/v2/saleorders")
    bench.system.drift(
        Drift(collection="saleorders", member="displayTotal", change="retype", to="object"),
        Drift(collection="saleorders", member="niceId", change="retype"),
        Drift(collection="saleorders", member="currency", change="remove"),
        Drift(collection="saleorders", member="loyaltyTier", change="add", value=3),
    )
    drifted = bench.rows("/v2/saleorders")
    for before, after in zip(plain, drifted, strict=True):
        assert after["displayTotal"] == {"value": before["displayTotal"]}
        assert after["niceId"] == str(before["niceId"])
        assert "currency" not in after
        assert after["loyaltyTier"] == 3
    assert bench.control("DELETE", "drifts").status_code == 204
    assert bench.rows("/v2/saleorders") == plain


def test_a_drift_by_http_can_be_of_a_sublist(bench: Bench) -> None:
    drift = {"collection": "saleorders/items", "member": "quantity", "change": "retype", "to": "text"}
    assert bench.control("POST", "drifts", [drift]).status_code == 204
    line = bench.rows(f"/v2/saleorders/{bench.order_id()}/items")[0]
    assert line["quantity"] == "2"


def test_the_seed_tells_what_was_planted(bench: Bench) -> None:
    assert bench.control("GET", "seed").json() == {"planted": [], "report": None}


def test_mutations_in_process_do_the_same(bench: Bench) -> None:
    order = bench.order_id()
    winner, loser = (row["customerId"] for row in bench.rows("/v0/customers"))
    bench.system.mutate(
        PutChildren(sublist="saleorders/items", parent=order, rows=[]), Merge(winner=winner, loser=loser)
    )
    assert bench.rows(f"/v2/saleorders/{order}/items") == []
    assert bench.rows("/v0/customers", filter="[status]=={1}")[0]["customerId"] == winner
