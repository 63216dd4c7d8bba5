"""Fields and choices: contract section 1.7 (fields)."""

import pytest

from stokly_sync_tests.sandbox.emarsys.bench import Bench

pytestmark = pytest.mark.sandbox


@pytest.mark.parametrize("path", ["/field", "/field/translate/en"])
def test_all_fields_are_listed_with_ids_as_texts(bench: Bench, path: str) -> None:
    fields = {field["id"]: field for field in bench.ask("GET", path)}
    assert fields["3"] == {"id": "3", "name": "Email", "application_type": "longtext", "string_id": "email"}
    known = {number: fields[number]["string_id"] for number in ("1", "2", "14", "31", "37")}
    assert known == {"1": "first_name", "2": "last_name", "14": "country", "31": "optin", "37": "mobile"}


def test_field_ids_may_come_as_numbers(bench: Bench) -> None:
    bench.system.set_switches(field_ids_as_numbers=True)
    assert all(isinstance(field["id"], int) for field in bench.ask("GET", "/field"))


def test_a_custom_field_gets_a_number_of_the_account_and_is_listed(bench: Bench) -> None:
    number = bench.ask("POST", "/field", {"name": "Lifetime Value", "application_type": "numeric"})["id"]
    assert isinstance(number, int)
    listed = {field["id"]: field for field in bench.ask("GET", "/field")}
    expected = {"id": str(number), "name": "Lifetime Value", "application_type": "numeric"}
    assert listed[str(number)] == {**expected, "string_id": "lifetime_value"}


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("Shoe size", "numeric", 9002),
        ("first name", "shorttext", 9003),
        ("", "shorttext", 9005),
        ("Interests", "singlechoice", 9006),
    ],
)
def test_a_field_that_cannot_be_made_is_refused(bench: Bench, name: str, kind: str, code: int) -> None:
    bench.field("Shoe Size")
    assert bench.refusal("POST", "/field", {"name": name, "application_type": kind}) == (400, code)


def test_an_account_can_run_out_of_slots(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stokly_sync.sandbox.emarsys.field_calls.SLOTS", 1)
    bench.field("One")
    assert bench.refusal("POST", "/field", {"name": "Two", "application_type": "date"}) == (500, 9004)


def test_countries_are_chosen_by_the_vendors_numbers(bench: Bench) -> None:
    choices = {row["choice"]: row["id"] for row in bench.ask("GET", "/field/14/choice/translate/en")}
    expected = {"United Kingdom": "184", "Ireland": "81", "United States of America": "185"}
    assert {label: choices[label] for label in expected} == expected


def test_choices_of_several_fields_come_at_once(bench: Bench) -> None:
    found = bench.ask("GET", "/field/choices", query={"fields": "31,5", "language": "en"})
    assert [[row["id"] for row in found[number]] for number in ("31", "5")] == [["1", "2"], ["1", "2"]]


def test_a_custom_field_is_deleted_with_its_values_and_a_system_field_is_not(bench: Bench) -> None:
    field = bench.field("Extra")
    bench.contact("a@example.com", **{field: "x"})
    bench.ask("DELETE", f"/field/{field}")
    assert field not in bench.values("a@example.com")
    assert bench.refusal("DELETE", "/field/3") == (400, 263)
