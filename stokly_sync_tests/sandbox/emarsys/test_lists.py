"""Contact lists: contract section 1.7 (contact lists) and 4 (counts)."""

import pytest

from stokly_sync_tests.sandbox.emarsys.bench import Bench

pytestmark = pytest.mark.sandbox


def make(bench: Bench, *emails: str, name: str = "Ours") -> int:
    body = {"key_id": "3", "name": name, "description": "", "external_ids": list(emails)}
    number: int = bench.ask("POST", "/contactlist", body)["id"]
    return number


def test_a_list_is_made_with_the_contacts_that_exist(bench: Bench) -> None:
    bench.contact("a@example.com")
    body = {"key_id": "3", "name": "Ours", "external_ids": ["a@example.com", "b@example.com"]}
    data = bench.ask("POST", "/contactlist", body)
    assert list(data["errors"]["b@example.com"]) == ["2008"]
    assert bench.ask("GET", f"/contactlist/{data['id']}/count") == 1
    (row,) = bench.ask("GET", "/contactlist")
    assert (row["id"], row["name"]) == (str(data["id"]), "Ours")


def test_a_name_is_taken_once(bench: Bench) -> None:
    make(bench)
    assert bench.refusal("POST", "/contactlist", {"key_id": "3", "name": "Ours"}) == (400, 3005)


def test_contacts_are_put_in_taken_out_and_replaced(bench: Bench) -> None:
    numbers = [str(bench.contact(f"{letter}@example.com")) for letter in "abc"]
    found = make(bench, "a@example.com")

    def edit(action: str, *emails: str) -> dict[str, object]:
        body = {"key_id": "3", "external_ids": list(emails)}
        data: dict[str, object] = bench.ask("POST", f"/contactlist/{found}/{action}", body)
        return data

    assert edit("add", "a@example.com", "b@example.com")["inserted_contacts"] == 1
    assert edit("delete", "a@example.com", "c@example.com")["deleted_contacts"] == 1
    assert bench.ask("GET", f"/contactlist/{found}/") == [numbers[1]]
    assert edit("replace", "b@example.com", "c@example.com")["inserted_contacts"] == 2
    assert bench.ask("GET", f"/contactlist/{found}", query={"limit": 1, "offset": 1}) == [numbers[2]]


def test_ten_thousand_ids_are_the_most(bench: Bench) -> None:  # 1.6
    found = make(bench)
    body = {"key_id": "3", "external_ids": ["a@example.com"] * 10_001}
    assert bench.refusal("POST", f"/contactlist/{found}/add", body) == (400, 3002)


def test_ids_are_paged_with_a_skip_token(bench: Bench) -> None:
    numbers = [str(bench.contact(f"{letter}@example.com")) for letter in "abc"]
    found = make(bench, "a@example.com", "b@example.com", "c@example.com")
    first = bench.ask("GET", f"/contactlist/{found}/contactIds", query={"$top": 2})
    assert first["value"] == numbers[:2]
    _, _, token = first["next"].partition("$skiptoken=")
    last = bench.ask("GET", f"/contactlist/{found}/contactIds", query={"$top": 2, "$skiptoken": token.split("&")[0]})
    assert last == {"value": numbers[2:], "next": None}
    assert bench.refusal("GET", f"/contactlist/{found}/contactIds", query={"$top": 100_000}) == (400, 10001)


def test_field_values_are_had_by_contact_id(bench: Bench) -> None:
    number = str(bench.contact("a@example.com", **{"1": "First"}))
    found = make(bench, "a@example.com")
    data = bench.ask("GET", f"/contactlist/{found}/contacts/data", query={"fields": "1"})
    fields = data[number]["fields"]
    assert (fields["1"], fields["id"]) == ("First", number)


def test_a_list_is_renamed_and_deleted_while_its_contacts_stay(bench: Bench) -> None:
    bench.contact("a@example.com")
    found = make(bench, "a@example.com")
    assert bench.ask("POST", f"/contactlist/{found}/rename", {"name": "Theirs"}) == {"id": found, "name": "Theirs"}
    bench.ask("POST", f"/contactlist/{found}/deletelist")
    assert bench.refusal("GET", f"/contactlist/{found}/count") == (404, 3004)
    assert bench.inspect("totals")["contacts"] == 1


def test_a_deleted_contact_leaves_its_lists(bench: Bench) -> None:
    bench.contact("a@example.com")
    found = make(bench, "a@example.com")
    bench.ask("POST", "/contact/delete", {"key_id": "3", "3": ["a@example.com"]})
    assert bench.ask("GET", f"/contactlist/{found}/count") == 0


def test_a_list_id_that_is_no_number_is_no_action(bench: Bench) -> None:
    answer = bench.call("POST", "/contactlist/ours/add", {"key_id": "3", "external_ids": []})
    assert (answer.status_code, answer.json()["replyCode"]) == (400, 1)
    assert answer.json()["replyText"] == "Action add is invalid."
