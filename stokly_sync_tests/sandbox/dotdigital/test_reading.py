"""Markers, filters and sums: contract section 6, and the totals beside it."""

from decimal import Decimal
from typing import Any

import pytest

from stokly_sync_tests.sandbox.dotdigital.bench import CATALOGUE, Bench, contact, email_of, order, product

pytestmark = pytest.mark.sandbox

LISTS = ["/contacts/v3", "/insightData/v3/contacts/Orders", "/insightData/v3/account/catalog_main"]


@pytest.fixture
def full(bench: Bench) -> Bench:
    """A sandbox with seven contacts, orders and products."""
    bench.load(*(contact(f"C{n}") for n in range(7)))
    bench.load_insight(*(order(f"O{n}", owner=f"C{n}") for n in range(7)))
    bench.load_insight(*(product(f"P{n}") for n in range(7)), **CATALOGUE)
    return bench


def name_of(row: dict[str, Any]) -> str:
    return str(row["key"] if "key" in row else row["contactId"])


@pytest.mark.parametrize("path", LISTS)
def test_following_the_marker_reaches_every_row_once_in_ascending_order(full: Bench, path: str) -> None:
    whole = [name_of(row) for row in full.get(path)["_items"]]
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    sizes = []
    while True:
        page = full.get(path, **query)
        seen += [name_of(row) for row in page["_items"]]
        sizes.append(len(page["_items"]))
        if "next" not in page["_links"]:
            break
        query["marker"] = page["_links"]["next"]["marker"]
    assert (sizes, seen) == ([3, 3, 1], whole)
    assert len(set(seen)) == 7


@pytest.mark.parametrize("path", LISTS)
def test_a_last_page_that_is_just_full_has_no_next(full: Bench, path: str) -> None:
    links = full.get(path, limit=7)["_links"]
    assert set(links) == {"self", "first"}
    assert set(links["self"]) == {"marker", "link"}


def test_the_link_of_the_next_page_can_be_called_as_it_is(full: Bench) -> None:
    link = full.get("/contacts/v3", limit=3)["_links"]["next"]["link"]
    assert len(full.ok("GET", "", root=link)["_items"]) == 3


def test_a_row_changed_while_paging_does_not_move(full: Bench) -> None:
    first = full.get(LISTS[1], limit=3)
    full.load_insight(order("O0", owner="C0", note="x"))
    rest = full.get(LISTS[1], marker=first["_links"]["next"]["marker"])
    assert [row["key"] for row in rest["_items"]] == ["O3", "O4", "O5", "O6"]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 5001},
        {"limit": "all"},
        {"marker": "x"},
        {"marker": "bm8="},
        {"~modified": "2026-01-01T00:00:00Z"},
        {"~modified": "gte::2026-01-01"},
        {"~modified": "gte::2026-13-01T00:00:00Z"},
        {"~modified": "gte::2026-01-01T00:00:00+00:00"},
    ],
)
def test_a_parameter_that_cannot_be_read_is_400(full: Bench, path: str, query: dict[str, Any]) -> None:
    answer = full.call("GET", path, params=query)
    assert answer.status_code == 400
    assert answer.json()["errorCode"].endswith(":invalidFilter")


@pytest.mark.parametrize("path", LISTS)
def test_modified_since_gives_what_changed_from_that_instant_on(full: Bench, path: str) -> None:
    full.clock.advance(60)
    edge = full.clock.now().strftime("gte::%Y-%m-%dT%H:%M:%SZ")
    full.clock.advance(1)
    full.load(contact("C2"))
    full.load_insight(order("O2", owner="C2"))
    full.load_insight(product("P2"), **CATALOGUE)
    assert len(full.get(path, **{"~modified": edge})["_items"]) == 1


def test_created_since_leaves_out_what_was_only_changed(full: Bench) -> None:
    full.clock.advance(60)
    edge = full.clock.now().strftime("gte::%Y-%m-%dT%H:%M:%S.000Z")
    full.load(contact("C0"), contact("C8"))
    (row,) = full.get("/contacts/v3", **{"~created": edge})["_items"]
    assert row["identifiers"]["email"] == email_of("C8")


@pytest.mark.parametrize(
    "query",
    [
        {"~created": "gte::2026-01-01T00:00:00Z", "~modified": "gte::2026-01-01T00:00:00Z"},
        {"~listId": "1", "~segmentId": "1"},
        {"~listId": "x"},
        {"include": "everything"},
    ],
)
def test_filters_that_exclude_each_other_are_400(full: Bench, query: dict[str, str]) -> None:
    answer = full.call("GET", "/contacts/v3", params=query)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "contacts:invalidFilter")


def test_contacts_of_one_list_are_read_by_its_id(full: Bench) -> None:
    number = full.ok("POST", "/v2/address-books", {"name": "Customers"})["id"]
    full.load(contact("C1", lists=[number]))
    (row,) = full.get("/contacts/v3", **{"~listId": number, "include": "lists"})["_items"]
    assert row["lists"] == [{"id": number, "name": "Customers", "status": "suppressed"}]


def test_a_listed_contact_has_only_what_was_asked_for(bench: Bench) -> None:
    bench.load(contact(dataFields={"FIRSTNAME": "a", "LASTNAME": "b"}))
    basics = {"contactId", "status", "created", "updated", "identifiers"}

    def row(**query: str) -> dict[str, Any]:
        (found,) = bench.get("/contacts/v3", **query)["_items"]
        return dict(found)

    assert set(row()) == basics
    assert row(**{"data-fields": "LASTNAME|GENDER"})["dataFields"] == {"LASTNAME": "b"}
    assert row(**{"data-fields": "[[ALL]]"})["dataFields"] == {"FIRSTNAME": "a", "LASTNAME": "b"}
    assert set(row(include="lists|channelProperties")) == basics | {"lists", "channelProperties"}


def test_the_number_of_contacts_is_told_as_text(full: Bench) -> None:
    answer = full.call("GET", "/v2/contacts/count")
    assert (answer.text, answer.headers["Content-Type"].partition(";")[0]) == ("7", "text/plain")


def test_totals_count_and_add_up_per_currency(bench: Bench) -> None:
    number = bench.ok("POST", "/v2/address-books", {"name": "Customers"})["id"]
    bench.load(contact("C1", lists=[number]), contact("C2", status="subscribed"))
    bench.load_insight(
        order("O1", order_total=Decimal("0.10"), refund_total=Decimal("1.50"), order_total_gross=Decimal("1.60")),
        order("O2", order_total=Decimal("0.20"), refund_total=Decimal("0.0"), order_total_gross=Decimal("0.20")),
        order("O3", currency="EUR", order_total=Decimal("7.123")),
    )
    bench.load_insight(product(), **CATALOGUE)
    assert bench.inspect("totals") == {
        "contacts": {"all": 2, "status": {"subscribed": 1, "unsubscribed": 1}, "lists": {"Customers": 1}},
        "collections": {"Orders": 3, "catalog_main": 1},
        "orders": {
            "Orders": {
                "count": 3,
                "order_total": {"EUR": "7.123", "GBP": "0.30"},
                "order_total_gross": {"GBP": "1.80"},
                "refund_total": {"GBP": "1.50"},
            }
        },
        "events": {"kept": 0, "lost": 0},
    }


def test_totals_add_up_the_other_spelling_as_well(bench: Bench) -> None:
    bench.load(contact())
    bench.load_insight(order(orderTotal=Decimal("2.5")))
    assert bench.inspect("totals")["orders"]["Orders"]["order_total"] == {"GBP": "2.50"}
