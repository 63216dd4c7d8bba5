"""Creating, updating, deleting and merging contacts: contract section 1.7."""

from typing import Any

import pytest

from stokly_sync_tests.sandbox.emarsys.bench import Bench

pytestmark = pytest.mark.sandbox


def test_a_created_id_is_a_number_and_an_existing_one_a_text_in_one_array(bench: Bench) -> None:
    known = bench.contact("known@example.com")
    ids = bench.put({"3": "known@example.com"}, {"3": "new@example.com"})["ids"]
    assert ids[0] == str(known)
    assert isinstance(ids[1], int)


@pytest.mark.parametrize(("form", "expected"), [("array", {"errors": []}), ("object", {"errors": {}}), ("absent", {})])
def test_no_errors_have_several_forms(bench: Bench, form: str, expected: dict[str, Any]) -> None:  # 1.5
    bench.system.set_switches(empty_errors=form)
    data = bench.put({"3": "a@example.com"})
    del data["ids"]
    assert data == expected


def test_only_the_fields_that_are_present_are_written(bench: Bench) -> None:
    bench.contact("a@example.com", **{"1": "First", "2": "Last"})
    bench.put({"3": "a@example.com", "2": "Other"})
    assert {name: bench.values("a@example.com", "1", "2")[name] for name in "12"} == {"1": "First", "2": "Other"}


@pytest.mark.parametrize("empty", [None, ""])
def test_null_and_an_empty_text_empty_a_field(bench: Bench, empty: str | None) -> None:
    bench.contact("a@example.com", **{"1": "First"})
    bench.put({"3": "a@example.com", "1": empty})
    assert bench.values("a@example.com", "1")["1"] is None


def test_without_create_if_not_exists_an_unknown_row_fails_under_its_key_inside_200(bench: Bench) -> None:
    bench.contact("known@example.com")
    data = bench.put({"3": "new@example.com"}, {"3": "known@example.com"}, create=False)
    assert len(data["ids"]) == 1
    assert list(data["errors"]) == ["new@example.com"]
    assert list(data["errors"]["new@example.com"]) == ["2008"]


def test_key_id_is_the_email_when_it_is_left_out(bench: Bench) -> None:
    assert (
        len(
            bench.ask("PUT", "/contact", {"contacts": [{"3": "a@example.com"}]}, query={"create_if_not_exists": 1})[
                "ids"
            ]
        )
        == 1
    )


def test_email_is_found_without_regard_to_case(bench: Bench) -> None:
    number = bench.contact("Mixed@Example.com")
    assert bench.put({"3": "mixed@example.com"})["ids"] == [str(number)]


def test_a_bad_key_fails_the_whole_batch_under_no_key_id_inside_200(bench: Bench) -> None:
    data = bench.put({"3": "a@example.com"}, key="100")
    assert data == {"ids": [], "errors": {"<NO_KEY_ID>": {"2004": "Invalid key field id: 100"}}}


def test_a_custom_field_is_a_key_only_when_it_is_indexed(bench: Bench) -> None:  # 1.7, 6
    plain, indexed = bench.field("Shoe size"), bench.field()
    row = {"3": "a@example.com", plain: "42", indexed: "C1"}
    assert "<NO_KEY_ID>" in bench.put(row, key=plain)["errors"]
    assert len(bench.put(row, key=indexed)["ids"]) == 1
    bench.system.set_switches(indexed_fields={"shoe_size"})
    assert bench.put({plain: "42", "1": "First"}, key=plain, create=False)["errors"] == []
    assert bench.values("a@example.com", "1")["1"] == "First"


def test_eid_is_a_key_where_an_external_id_is_configured(bench: Bench) -> None:
    assert "<NO_KEY_ID>" in bench.put({"eid": "C1"}, key="eid")["errors"]
    field = bench.field()
    assert len(bench.put({field: "C1"}, key="eid")["ids"]) == 1


@pytest.mark.parametrize("key", ["id", "uid"])
def test_id_and_uid_are_keys_but_are_never_set(bench: Bench, key: str) -> None:
    bench.contact("a@example.com")
    value = bench.values("a@example.com", "3")[key]
    assert bench.put({key: value, "1": "First"}, key=key)["errors"] == []
    assert bench.values("a@example.com", "1")["1"] == "First"
    assert list(bench.put({key: "999"}, key=key)["errors"]["999"]) == ["2008"]
    create = {"key_id": key, "contacts": [{key: "999"}]}
    assert list(bench.ask("POST", "/contact", create)["errors"]["<NO_KEY_ID>"]) == ["2004"]


@pytest.mark.parametrize("row", [{"1": "First"}, {"3": ""}, {"3": None}, {"3": "no address"}, {"3": True}])
def test_a_row_without_a_good_key_value_is_2005(bench: Bench, row: dict[str, Any]) -> None:
    (error,) = bench.put(row)["errors"].values()
    assert list(error) == ["2005"]


def test_an_unknown_field_is_2006(bench: Bench) -> None:
    assert list(bench.put({"3": "a@example.com", "99999": "x"})["errors"]["a@example.com"]) == ["2006"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("31", True),
        ("31", False),
        ("31", 3),
        ("31", "true"),
        ("14", "GB"),
        ("14", 9999),
        ("5", "male"),
        ("4", "01/02/1990"),
        ("4", "1990-02-30"),
        ("4", "1990-02-03T10:00"),
        ("1", "x" * 61),
        ("10", "x" * 256),
        ("1", 7),
        ("48", "2026-01-01"),
        ("32", "1"),
        ("0", "x"),
    ],
)
def test_a_value_that_does_not_suit_its_field_is_2007_and_nothing_of_the_row_is_written(
    bench: Bench, field: str, value: Any
) -> None:
    assert list(bench.put({"3": "a@example.com", field: value})["errors"]["a@example.com"]) == ["2007"]
    assert bench.inspect("totals")["contacts"] == 0


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("31", 1, "1"),
        ("31", "2", "2"),
        ("14", 184, "184"),
        ("4", "1990-02-03", "1990-02-03"),
        ("4", "1990-02-03 10:11", "1990-02-03 10:11"),
        ("4", "1990-02-03 10:11:12", "1990-02-03 10:11:12"),
        ("1", "x" * 60, "x" * 60),
        ("10", "x" * 255, "x" * 255),
    ],
)
def test_a_value_that_suits_is_read_back_as_text(bench: Bench, field: str, value: Any, shown: str) -> None:
    bench.contact("a@example.com", **{field: value})
    assert bench.values("a@example.com", field)[field] == shown


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("numeric", [12.5, "-3.25", "9" * 24], ["twelve", "9" * 25, True, "1,5"]),
        ("url", ["https://example.com/a"], ["example.com", "ftp://example.com"]),
        ("largetext", ["x" * 300], [3]),
    ],
)
def test_custom_fields_have_their_types_too(bench: Bench, kind: str, good: list[Any], bad: list[Any]) -> None:
    field = bench.field("Extra", kind)
    for value in good:
        assert bench.put({"3": "a@example.com", field: value})["errors"] == []
    for value in bad:
        assert list(bench.put({"3": "a@example.com", field: value})["errors"]["a@example.com"]) == ["2007"]


def test_a_multi_choice_field_takes_an_array_that_is_not_empty(bench: Bench) -> None:
    made = bench.do("choice-fields", {"name": "Interests", "choices": {"1": "Tea", "2": "Coffee"}, "several": True})
    field = str(made.json()["id"])
    bench.contact("a@example.com", **{field: [1, "2"]})
    assert bench.values("a@example.com", field)[field] == ["1", "2"]
    for bad in ([], ["3"], "1"):
        assert list(bench.put({"3": "a@example.com", field: bad})["errors"]["a@example.com"]) == ["2007"]


def test_long_text_may_be_cut_instead(bench: Bench) -> None:  # 7
    bench.system.set_switches(long_text="cut")
    bench.contact("a@example.com", **{"1": "x" * 70})
    assert bench.values("a@example.com", "1")["1"] == "x" * 60


def test_a_thousand_rows_are_the_most(bench: Bench) -> None:  # 1.6
    rows = [{"3": f"c{number}@example.com"} for number in range(1001)]
    assert len(bench.put(*rows[:1000])["ids"]) == 1000
    assert bench.refusal("PUT", "/contact", {"key_id": "3", "contacts": rows}) == (400, 1000)


def test_contact_list_id_also_adds_every_row_that_is_identified(bench: Bench) -> None:
    known = bench.contact("known@example.com")
    number = bench.ask("POST", "/contactlist", {"name": "Ours"})["id"]
    new = bench.put({"3": "known@example.com"}, {"3": "new@example.com"}, {"3": "bad"}, contact_list_id=number)["ids"][
        1
    ]
    assert bench.ask("GET", f"/contactlist/{number}") == [str(known), str(new)]


def test_an_unknown_contact_list_refuses_the_whole_call_with_2020(bench: Bench) -> None:
    body = {"contact_list_id": 969, "contacts": [{"3": "a@example.com"}]}
    answer = bench.call("PUT", "/contact", body, query={"create_if_not_exists": 1})
    assert (answer.status_code, answer.json()["replyCode"]) == (400, 2020)
    assert answer.json()["replyText"] == "Invalid contact list id: 969"
    assert bench.inspect("totals")["contacts"] == 0


def test_the_single_form_answers_one_id(bench: Bench) -> None:
    body = {"key_id": "3", "3": "a@example.com", "1": "First"}
    number = bench.ask("PUT", "/contact", body, query={"create_if_not_exists": 1})["id"]
    assert isinstance(number, int)
    assert bench.ask("PUT", "/contact", body)["id"] == str(number)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"3": "new@example.com"}, (200, 2008)),
        ({"key_id": "100", "3": "a@example.com"}, (200, 2004)),
        ({"1": "First"}, (200, 2005)),
        ({"3": "new@example.com", "source_id": "9"}, (400, 2013)),
    ],
)
def test_the_single_form_fails_at_the_top_inside_200_for_the_documented_family(
    bench: Bench, body: dict[str, Any], expected: tuple[int, int]
) -> None:  # 1.5
    assert bench.refusal("PUT", "/contact", body) == expected


def test_post_creates_only(bench: Bench) -> None:
    bench.contact("known@example.com")
    body = {"key_id": "3", "contacts": [{"3": "known@example.com"}, {"3": "new@example.com"}]}
    data = bench.ask("POST", "/contact", body)
    assert isinstance(data["ids"][0], int)
    assert list(data["errors"]["known@example.com"]) == ["2009"]


def test_a_source_must_exist(bench: Bench) -> None:
    assert list(bench.put({"3": "a@example.com", "source_id": "123"})["errors"]["a@example.com"]) == ["2013"]
    bench.system.set_switches(contact_sources={"123"})
    bench.put({"3": "a@example.com", "source_id": "123"})
    assert bench.values("a@example.com", "33")["33"] == "123"


def test_a_key_that_several_contacts_have_is_2010(bench: Bench) -> None:
    bench.contact("twin@example.com")
    assert bench.do("duplicates", {"key_id": "3", "value": "twin@example.com"}).status_code == 200
    assert list(bench.put({"3": "twin@example.com"})["errors"]["twin@example.com"]) == ["2010"]


def test_email_is_not_unique_by_force(bench: Bench) -> None:  # 5, pitfall 3
    field = bench.field()
    bench.put({field: "C1", "3": "same@example.com"}, {field: "C2", "3": "same@example.com"}, key=field)
    assert list(bench.put({"3": "same@example.com"})["errors"]["same@example.com"]) == ["2010"]


def test_a_switch_creates_addresses_twice(bench: Bench) -> None:
    bench.system.set_switches(twins={"twin@example.com"})
    bench.put({"3": "Twin@example.com"})
    assert bench.inspect("totals")["contacts"] == 2


def test_a_race_answers_2009_without_creating_and_the_retry_creates(bench: Bench) -> None:
    bench.system.set_switches(racing={"a@example.com"})
    assert list(bench.put({"3": "a@example.com"})["errors"]["a@example.com"]) == ["2009"]
    assert isinstance(bench.put({"3": "a@example.com"})["ids"][0], int)


def test_needless_writes_are_counted(bench: Bench) -> None:
    for _ in range(3):
        bench.put({"3": "a@example.com", "1": "First"})
    bench.put({"3": "a@example.com", "1": "Other"})
    assert bench.inspect("totals")["rows"] == {"created": 1, "unchanged": 2, "updated": 1}


def test_delete_skips_keys_that_are_not_unique_or_not_there(bench: Bench) -> None:
    bench.contact("gone@example.com")
    bench.contact("twin@example.com")
    bench.system.plant_duplicate("3", "twin@example.com")
    given = ["gone@example.com", "twin@example.com", "nobody@example.com"]
    data = bench.ask("POST", "/contact/delete", {"key_id": "3", "3": given})
    assert data["deleted_contacts"] == 1
    assert {key: list(error) for key, error in data["errors"].items()} == {
        "twin@example.com": ["2010"],
        "nobody@example.com": ["2008"],
    }
    assert bench.inspect("totals")["contacts"] == 2


@pytest.mark.parametrize("status", [400, 404])
def test_deleting_nobody_has_another_status_in_other_sources(bench: Bench, status: int) -> None:
    bench.system.set_switches(delete_missing_status=status)
    assert bench.refusal("POST", "/contact/delete", {"key_id": "3", "3": ["nobody@example.com"]}) == (status, 2008)


def test_merge_overwrites_the_named_fields_and_may_delete_the_source(bench: Bench) -> None:
    field = bench.field()
    bench.put({field: "C1", "3": "old@example.com", "1": "Old", "2": "Old"}, key=field)
    bench.put({field: "C2", "3": "new@example.com", "1": "New", "2": "New"}, key=field)
    body = {"key_id": field, "source_key_value": "C1", "target_key_value": "C2", "merge_rules": {"1": "overwrite"}}
    bench.ask("POST", "/contact/merge", {**body, "delete_source": True})
    row = bench.values("new@example.com", "1", "2")
    assert (row["1"], row["2"], bench.inspect("totals")["contacts"]) == ("Old", "New", 1)
    assert bench.refusal("POST", "/contact/merge", body) == (200, 2008)
    unknown_rule = {**body, "merge_rules": {"1": "guess"}}
    assert bench.refusal("POST", "/contact/merge", unknown_rule) == (400, 10001)
