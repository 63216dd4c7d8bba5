"""Envelopes, paging, sorting and filters by HTTP: contract 2.1 to 2.3."""

from typing import Any

import pytest
import requests

from stokly_sync_tests.sandbox.stokly.bench import Bench, numbered_customers

pytestmark = pytest.mark.sandbox


@pytest.fixture
def many(bench: Bench) -> Bench:
    bench.plant(numbered_customers(1203))
    return bench


def numbers(bench: Bench, **query: object) -> list[int]:
    return [row["niceId"] for row in bench.rows("/v0/customers", **query)]


def test_a_list_tells_how_many_match_and_gives_a_hundred(many: Bench) -> None:
    answer = many.get("/v0/customers")
    assert set(answer) == {"metadata", "data"}
    assert answer["metadata"] == {"count": 1203}
    assert len(answer["data"]) == 100


def test_pages_are_counted_from_zero_and_end_empty(many: Bench) -> None:
    assert numbers(many, size=500, page=0)[-1] == 500
    assert numbers(many, size=500, page=2)[0] == 1001
    assert len(numbers(many, size=500, page=2)) == 203
    assert numbers(many, size=500, page=3) == []


def test_a_size_above_a_thousand_is_cut_down(many: Bench) -> None:
    assert len(numbers(many, size=5000)) == 1000
    assert numbers(many, size=5000, page=1)[0] == 1001


def test_a_size_above_the_largest_can_be_refused_instead(many: Bench) -> None:
    many.system.set_switches(max_size=200, over_max_size="refuse")
    assert len(numbers(many, size=200)) == 200
    assert many.call("/v0/customers", size=201).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        {"size": 0},
        {"size": "ten"},
        {"page": -1},
        {"sortDirection": "down"},
        {"sortField": "colour"},
    ],
)
def test_paging_that_makes_no_sense_is_refused(many: Bench, query: dict[str, Any]) -> None:
    answer = many.call("/v0/customers", **query)
    assert answer.status_code == 400
    assert answer.json() == {"message": f"Invalid {next(iter(query))}"}


def test_rows_are_sorted_both_ways(many: Bench) -> None:
    assert numbers(many, sortField="name", sortDirection="DESC", size=2) == [1203, 1202]
    assert numbers(many, sortField="niceId", sortDirection="ASC", size=2) == [1, 2]


def test_the_count_is_that_of_the_filter(many: Bench) -> None:
    answer = many.get("/v0/customers", filter="[niceId]>>{1200}")
    assert answer["metadata"]["count"] == len(answer["data"]) == 3


@pytest.mark.parametrize("filter_", ["[colour]=={red}", "[niceId]~~{1}", "[niceId]=={1"])
def test_an_invalid_filter_is_answered_so(many: Bench, filter_: str) -> None:
    answer = many.call("/v0/customers", filter=filter_)
    assert (answer.status_code, answer.json()) == (400, {"message": "Invalid filter"})


def raw(bench: Bench, query: str) -> list[int]:
    """A query that is sent as it stands, without any encoding by the client library."""
    request = requests.Request("GET", f"{bench.root}/v0/customers").prepare()
    request.url = f"{bench.root}/v0/customers?{query}"
    request.headers["Authorization"] = f"Bearer {bench.token}"
    answer = bench.session.send(request, timeout=30)
    assert answer.status_code == 200, answer.text
    return [row["niceId"] for row in answer.json()["data"]]


def test_brackets_travel_raw_or_encoded(many: Bench) -> None:
    assert raw(many, "filter=[niceId]=={7}||{niceId}==[9]") == [7, 9]
    assert raw(many, "filter=%5BniceId%5D%3D%3D%7B7%7D%7C%7C%7BniceId%7D%3D%3D%5B9%5D") == [7, 9]


def test_an_encoded_and_narrows_while_a_raw_one_ends_the_filter_and_silently_widens(many: Bench) -> None:
    assert raw(many, "filter=[niceId]<={3}%26%26[name]::{00002}") == [2]
    assert raw(many, "filter=[niceId]<={3}&&[name]::{00002}") == [1, 2, 3]


def test_an_empty_filter_finds_everything(many: Bench) -> None:
    assert many.get("/v0/customers", filter="")["metadata"]["count"] == 1203


def test_a_record_is_found_by_its_number_whether_it_is_a_number_or_text(many: Bench) -> None:
    assert numbers(many, filter="[niceId]=={@string;30}") == [30]
    many.system.set_switches(nice_id="text")
    row = many.rows("/v0/customers", filter="[niceId]=={30}")[0]
    assert row["niceId"] == "30"


def test_a_detail_is_wrapped_in_data_and_an_unknown_id_is_not_found(bench: Bench) -> None:
    order = bench.order_id()
    assert bench.get(f"/v2/saleorders/{order}")["data"]["saleOrderId"] == order
    for path in ("/v2/saleorders/unknown", "/v2/saleorders/unknown/items", "/v0/nothing"):
        answer = bench.call(path)
        assert answer.status_code == 404
        assert set(answer.json()) == {"message"}


LISTS = [
    "/v0/customers",
    "/v2/saleorders",
    "/v0/invoices",
    "/v0/refunds",
    "/v0/credit-notes",
    "/v0/returns",
    "/v0/dispatches",
    "/v0/items",
    "/v0/item-barcodes",
    "/v0/item-attribute-values",
    "/v0/item-attributes",
    "/v0/item-types",
    "/v0/units-of-measure",
    "/v0/composing-items",
    "/v0/tags/items",
    "/v1/inventory-records",
    "/v0/locations",
    "/v0/bins",
    "/v0/channels",
    "/v0/tax-classes",
]


@pytest.mark.parametrize("path", LISTS)
def test_every_list_is_there(bench: Bench, path: str) -> None:
    answer = bench.get(path)
    assert answer["metadata"]["count"] == len(answer["data"])


@pytest.mark.parametrize(
    ("parent", "sublists"),
    [
        ("/v0/customers", ["addresses", "contacts"]),
        ("/v2/saleorders", ["items", "refunds", "dispatches", "payments"]),
        ("/v0/invoices", ["items"]),
        ("/v0/refunds", ["items"]),
        ("/v0/dispatches", ["items"]),
        (
            "/v0/items",
            [
                "barcodes",
                "children",
                "images",
                "attributes",
                "variable-attributes",
                "units-of-measure",
                "inventory-thresholds",
            ],
        ),
        ("/v0/locations", ["bins"]),
        ("/v0/channels", ["listings"]),
    ],
)
def test_every_sublist_is_there(bench: Bench, parent: str, sublists: list[str]) -> None:
    first = bench.rows(parent)[0]
    own = next(value for name, value in first.items() if name.endswith("Id") and name != "niceId")
    for sublist in sublists:
        answer = bench.get(f"{parent}/{own}/{sublist}")
        assert answer["metadata"]["count"] == len(answer["data"]), sublist
