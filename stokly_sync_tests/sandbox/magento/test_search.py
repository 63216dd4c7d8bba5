"""searchCriteria: contract section 4."""

from typing import Any

import pytest

from stokly_sync_tests.sandbox.magento.bench import Bench, criteria

pytestmark = pytest.mark.sandbox

F = "searchCriteria[filter_groups][0][filters][0]"


@pytest.fixture
def three(bench: Bench) -> Bench:
    """Three orders, a minute apart, of one, two and three pieces; the second is cancelled."""
    bench.goods("S1")
    for quantity in (1, 2, 3):
        bench.place(("S1", quantity), email=f"guest-{quantity}@example.com")
        bench.clock.advance(60)
    bench.ask("POST", "/orders/2/cancel")
    return bench


def ids(bench: Bench, query: list[tuple[str, str]]) -> list[int]:
    return [row["entity_id"] for row in bench.ask("GET", "/orders", query=query)["items"]]


def found(bench: Bench, *filters: tuple[str, str, str]) -> set[int]:
    return set(ids(bench, criteria(*filters)))


def test_the_parameter_is_obligatory_and_may_be_empty(three: Bench) -> None:
    assert three.refusal("GET", "/orders") == (
        400,
        '"%fieldName" is required. Enter and try again.',
        {"fieldName": "searchCriteria"},
    )
    assert len(ids(three, [("searchCriteria", "")])) == 3


@pytest.mark.parametrize(
    ("field", "condition", "value", "expected"),
    [
        ("entity_id", "eq", "2", {2}),
        ("entity_id", "neq", "2", {1, 3}),
        ("entity_id", "gt", "2", {3}),
        ("entity_id", "gteq", "2", {2, 3}),
        ("entity_id", "lt", "2", {1}),
        ("entity_id", "lteq", "2", {1, 2}),
        ("entity_id", "from", "2", {2, 3}),
        ("entity_id", "to", "2", {1, 2}),
        ("entity_id", "in", "1,3", {1, 3}),
        ("entity_id", "nin", "1,3", {2}),
        ("state", "like", "NE%", {1, 3}),
        ("state", "nlike", "ne%", {2}),
        ("state", "like", "ne", set()),
        ("state", "finset", "new", {1, 3}),
        ("state", "nfinset", "new", {2}),
        ("ext_order_id", "null", "anything", {1, 2, 3}),
        ("ext_order_id", "notnull", "1", set()),
        ("total_canceled", "notnull", "", {2}),
        # As seen on orders: equality, for `moreq` and for what no condition is called.
        ("entity_id", "moreq", "2", {2}),
        ("entity_id", "nosuch", "2", {2}),
        # Numbers are compared as numbers, texts without regard to case.
        ("total_qty_ordered", "eq", "2.0000", {2}),
        ("customer_email", "eq", "GUEST-1@example.com", {1}),
    ],
)
def test_each_condition_chooses(three: Bench, field: str, condition: str, value: str, expected: set[int]) -> None:
    assert found(three, (field, condition, value)) == expected


def test_a_condition_that_is_left_out_is_equality_and_is_echoed_so(three: Bench) -> None:
    answer = three.ask("GET", "/orders", query=[(f"{F}[field]", "entity_id"), (f"{F}[value]", "3")])
    assert [row["entity_id"] for row in answer["items"]] == [3]
    assert answer["search_criteria"] == {
        "filter_groups": [{"filters": [{"field": "entity_id", "value": "3", "condition_type": "eq"}]}]
    }


def test_filters_of_a_group_are_alternatives_and_groups_must_all_hold(three: Bench) -> None:
    group = "searchCriteria[filter_groups][{}][filters][{}][{}]"
    query = [
        (group.format(7, 3, "field"), "entity_id"),
        (group.format(7, 3, "value"), "1"),
        (group.format(7, 9, "field"), "entity_id"),
        (group.format(7, 9, "value"), "2"),
        (group.format(8, 0, "field"), "state"),
        (group.format(8, 0, "value"), "new"),
    ]
    assert ids(three, query) == [1]


def test_both_spellings_of_every_key_are_understood(three: Bench) -> None:
    query = [
        ("search_criteria[filterGroups][0][filters][0][field]", "entity_id"),
        ("search_criteria[filterGroups][0][filters][0][value]", "1"),
        ("search_criteria[filterGroups][0][filters][0][conditionType]", "gt"),
        ("search_criteria[sort_orders][0][field]", "entity_id"),
        ("search_criteria[sort_orders][0][direction]", "asc"),
        ("search_criteria[page_size]", "1"),
        ("search_criteria[current_page]", "2"),
    ]
    answer = three.ask("GET", "/orders", query=query)
    assert [row["entity_id"] for row in answer["items"]] == [3]
    assert answer["search_criteria"]["page_size"] == 1
    assert answer["search_criteria"]["current_page"] == 2
    assert answer["search_criteria"]["sort_orders"] == [{"field": "entity_id", "direction": "ASC"}]


@pytest.mark.parametrize(
    ("query", "status", "text", "parameters"),
    [
        (
            [("searchCriteria[bogus]", "1")],
            400,
            '"%fieldName" is not supported. Correct the field name and try again.',
            {"fieldName": "Bogus"},
        ),
        (criteria(("nosuch", "eq", "1")), 500, "Internal Error. Details are available in Magento log file.", None),
        ([(f"{F}[value]", "1")], 500, "Internal Error. Details are available in Magento log file.", None),
        (criteria(sort="nosuch"), 500, "Internal Error. Details are available in Magento log file.", None),
        (
            criteria(sort="entity_id UP"),
            400,
            "The sort order has to be specified as %1 for ascending order or %2 for descending order.",
            ["ASC", "DESC"],
        ),
        (
            criteria(pageSize="abc"),
            400,
            'Error occurred during "pageSize" processing. The "abc" value\'s type is invalid.',
            None,
        ),
        ([(f"{F}[field]", "entity_id"), (f"{F}[value][]", "1")], 400, 'Error occurred during "value"', None),
    ],
)
def test_wrong_criteria_are_refused(
    three: Bench, query: list[tuple[str, str]], status: int, text: str, parameters: Any
) -> None:
    seen = three.refusal("GET", "/orders", query=query)
    assert (seen[0], seen[1].startswith(text), seen[2]) == (status, True, parameters)


@pytest.mark.parametrize("path", ["/products", "/customers/search"])
def test_an_unknown_attribute_is_400(bench: Bench, path: str) -> None:
    text = 'The "%1" attribute name is invalid. Reset the name and try again.'
    assert bench.refusal("GET", path, query=criteria(("nosuch", "eq", "1"))) == (400, text, ["nosuch"])


def test_a_field_without_a_value_finds_nothing(three: Bench) -> None:
    assert ids(three, [(f"{F}[field]", "entity_id")]) == []


def test_times_are_compared_in_utc_to_the_second_and_in_several_spellings(three: Bench) -> None:
    second = three.order(2)["created_at"]
    for value in (second, second.replace(" ", "T") + "Z"):
        assert found(three, ("created_at", "gteq", value)) == {2, 3}
    assert found(three, ("created_at", "gteq", second[:10])) == {1, 2, 3}


def test_a_time_that_is_none_matches_every_row(three: Bench) -> None:
    assert found(three, ("created_at", "gteq", "garbage")) == {1, 2, 3}


def test_a_sort_without_a_direction_is_descending(three: Bench) -> None:
    assert ids(three, [("searchCriteria[sortOrders][0][field]", "entity_id")]) == [3, 2, 1]


def test_several_sorts_are_applied_in_their_order(three: Bench) -> None:
    assert ids(three, criteria(sort="state DESC, entity_id DESC")) == [3, 1, 2]


def test_without_a_sort_there_is_no_order_and_paging_repeats_or_loses_rows(bench: Bench) -> None:  # 15 #6
    bench.goods("S1", quantity=1000)
    for _ in range(20):
        bench.do("orders/place", {"lines": [{"sku": "S1"}]})
    pages = [ids(bench, criteria(pageSize="5", currentPage=str(page))) for page in (1, 2, 3, 4)]
    seen = [number for page in pages for number in page]
    assert len(seen) == 20
    assert len(set(seen)) < 20
    sorted_pages = [
        ids(bench, criteria(sort="entity_id", pageSize="5", currentPage=str(page))) for page in (1, 2, 3, 4)
    ]
    assert [number for page in sorted_pages for number in page] == list(range(1, 21))
    bench.system.set_switches(unsorted="id")
    assert ids(bench, criteria()) == list(range(1, 21))


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"pageSize": "0"}, [1, 2, 3]),
        ({"pageSize": "-1"}, [1]),
        ({"pageSize": "2", "currentPage": "0"}, [1, 2]),
        ({"pageSize": "2", "currentPage": "-4"}, [1, 2]),
        ({"pageSize": "2", "currentPage": "2"}, [3]),
        ({"currentPage": "2"}, [1, 2, 3]),
    ],
)
def test_pages_are_cut_as_asked(three: Bench, more: dict[str, str], expected: list[int]) -> None:
    assert ids(three, criteria(sort="entity_id", **more)) == expected


@pytest.mark.parametrize(("release", "expected"), [("2.4.7", []), ("2.3.7", [3])])
def test_past_the_last_page_there_is_nothing_but_before_24_the_last_page_again(
    three: Bench, release: str, expected: list[int]
) -> None:
    three.system.set_switches(release=release, bearer=False)
    answer = three.ask("GET", "/orders", query=criteria(sort="entity_id", pageSize="2", currentPage="9"))
    assert [row["entity_id"] for row in answer["items"]] == expected
    assert answer["total_count"] == 3
