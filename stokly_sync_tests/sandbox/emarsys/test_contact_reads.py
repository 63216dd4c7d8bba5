"""Reading contacts back: contract section 1.7 (read)."""

import pytest

from stokly_sync_tests.sandbox.emarsys.bench import Bench

pytestmark = pytest.mark.sandbox


def test_getdata_shows_the_asked_fields_with_id_and_uid_and_lists_who_was_not_found(bench: Bench) -> None:
    number = bench.contact("a@example.com", **{"1": "First"})
    asked = {"keyId": "3", "keyValues": ["a@example.com", "b@example.com"], "fields": ["1", "2"]}
    data = bench.ask("POST", "/contact/getdata", asked)
    (row,) = data["result"]
    uid = row.pop("uid")
    assert row == {"1": "First", "2": None, "id": str(number)}
    assert isinstance(uid, str)
    (error,) = data["errors"]
    assert (error["key"], error["errorCode"]) == ("b@example.com", "2008")
    assert error["errorMsg"]


def test_getdata_answers_false_when_nobody_is_found(bench: Bench) -> None:
    assert bench.ask("POST", "/contact/getdata", {"keyId": "3", "keyValues": ["b@example.com"]})["result"] is False


def test_getdata_without_fields_shows_everything(bench: Bench) -> None:
    bench.contact("a@example.com")
    assert {"1", "3", "31", "48"} <= set(bench.values("a@example.com"))


def test_getdata_takes_keyid_in_camel_case_and_at_most_a_thousand(bench: Bench) -> None:
    assert bench.refusal("POST", "/contact/getdata", {"keyId": "100", "keyValues": []}) == (200, 2004)
    many = [f"c{number}@example.com" for number in range(1001)]
    assert bench.refusal("POST", "/contact/getdata", {"keyId": "3", "keyValues": many}) == (400, 10001)
    assert bench.refusal("POST", "/contact/getdata", {"keyId": "3", "external_ids": []}) == (400, 10001)


def test_checkids_maps_key_values_to_internal_ids(bench: Bench) -> None:
    number = bench.contact("a@example.com")
    asked = {"key_id": "3", "external_ids": ["a@example.com", "b@example.com"]}
    data = bench.ask("POST", "/contact/checkids", asked)
    assert data["ids"] == {"a@example.com": str(number)}
    assert list(data["errors"]["b@example.com"]) == ["2008"]


def test_checkids_lists_all_ids_of_a_duplicate_when_asked(bench: Bench) -> None:
    first = bench.contact("twin@example.com")
    second = bench.system.plant_duplicate("3", "twin@example.com")
    asked = {"key_id": "3", "external_ids": ["twin@example.com"]}
    assert list(bench.ask("POST", "/contact/checkids", asked)["errors"]["twin@example.com"]) == ["2010"]
    data = bench.ask("POST", "/contact/checkids", {**asked, "get_multiple_ids": True})
    assert data["ids"] == {"twin@example.com": [str(first), str(second)]}


@pytest.mark.parametrize(("ids", "code"), [(["x@example.com"] * 1001, 2002), ("x@example.com", 2003)])
def test_checkids_takes_an_array_of_at_most_a_thousand(bench: Bench, ids: object, code: int) -> None:
    assert bench.refusal("POST", "/contact/checkids", {"key_id": "3", "external_ids": ids}) == (400, code)


def test_query_pages_through_all_contacts(bench: Bench) -> None:
    numbers = [bench.contact(f"c{position}@example.com") for position in range(3)]
    page = bench.ask("GET", "/contact/query/", query={"return": "3", "limit": 2, "offset": 1})["result"]
    assert page == [{"id": numbers[1], "3": "c1@example.com"}, {"id": numbers[2], "3": "c2@example.com"}]
    assert bench.ask("GET", "/contact/query/", query={"return": "3", "offset": 3})["result"] == []


def test_query_leaves_out_empty_values_when_asked(bench: Bench) -> None:
    field = bench.field()
    bench.contact("a@example.com", **{field: "C1"})
    bench.contact("b@example.com")
    assert len(bench.ask("GET", "/contact/query", query={"return": field})["result"]) == 2
    full = bench.ask("GET", "/contact/query", query={"return": field, "excludeempty": "true"})["result"]
    assert [row[field] for row in full] == ["C1"]


def test_query_filters_by_indexed_fields_and_an_empty_value_matches_null(bench: Bench) -> None:
    field = bench.field()
    bench.contact("a@example.com", **{field: "C1"})
    bench.contact("b@example.com")

    def emails(value: str) -> list[str]:
        rows = bench.ask("GET", "/contact/query", query={"return": "3", field: value})["result"]
        return [row["3"] for row in rows]

    assert emails("C1") == ["a@example.com"]
    assert emails("") == ["b@example.com"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"return": "3", "1": "First"}, (400, 2015)),
        ({"limit": 5}, (400, 2014)),
        ({"return": "3", "limit": 10_001}, (400, 2016)),
        ({"return": "3", "limit": 0}, (400, 2016)),
        ({"return": "99999"}, (400, 2006)),
    ],
)
def test_a_query_that_cannot_be_answered_is_refused(
    bench: Bench, query: dict[str, object], expected: tuple[int, int]
) -> None:
    assert bench.refusal("GET", "/contact/query/", query=query) == expected


def test_a_query_without_return_finds_one_internal_id(bench: Bench) -> None:
    number = bench.contact("a@example.com")
    assert bench.ask("GET", "/contact/query/", query={"3": "a@example.com"}) == {"id": number}
    assert bench.ask("GET", "/contact/query/3=a@example.com") == {"id": number}
    assert bench.refusal("GET", "/contact/query/", query={"3": "b@example.com"}) == (200, 2008)
    bench.system.plant_duplicate("3", "a@example.com")
    assert bench.refusal("GET", "/contact/query/", query={"3": "a@example.com"}) == (200, 2010)


def test_an_opt_out_inside_emarsys_is_seen_in_field_31_and_its_last_change(bench: Bench) -> None:
    bench.contact("a@example.com", **{"31": 1})
    bench.clock.advance(3600)
    assert bench.do("unsubscribes", {"email": "a@example.com"}).status_code == 204
    assert bench.values("a@example.com", "31")["31"] == "2"
    asked = {"keyId": "3", "keyValues": ["a@example.com", "b@example.com"], "fieldId": "31"}
    data = bench.ask("POST", "/contact/last_change", asked)
    change = data["result"]["a@example.com"]
    assert (change["old_value"], change["current_value"]) == ("1", "2")
    local = bench.clock.now().replace(tzinfo=None).hour + 1
    assert int(change["time"][11:13]) == local % 24
    assert list(data["errors"]["b@example.com"]) == ["2008"]


def test_nobody_unknown_can_opt_out(bench: Bench) -> None:
    assert bench.do("unsubscribes", {"email": "nobody@example.com"}).status_code == 400
