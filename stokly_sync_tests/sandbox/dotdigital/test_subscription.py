"""Who opted out, and single calls on consent: contract section 2 (lists, subscription)."""

from typing import Any

import pytest

from stokly_sync_tests.sandbox.dotdigital.bench import Bench, contact, email_of

pytestmark = pytest.mark.sandbox


def gone(bench: Bench, since: str = "2020-01-01", kind: str = "suppressed", **query: Any) -> list[tuple[str, str]]:
    rows = bench.get(f"/v2/contacts/{kind}-since/{since}", **query)
    return [(row["suppressedContact"]["email"], row["reason"]) for row in rows]


def test_opt_outs_from_anywhere_are_listed_with_reason_and_time(bench: Bench) -> None:
    bench.load(
        contact("C1", status="subscribed"), contact("C2", status="subscribed"), contact("C3", status="subscribed")
    )
    bench.system.unsubscribe(email_of("C1"))
    bench.clock.advance(60)
    bench.session.post(
        f"{bench.root}/_sandbox/unsubscribes", json={"email": email_of("C2"), "status": "suppressed"}, timeout=30
    )
    assert gone(bench) == [(email_of("C1"), "Unsubscribed"), (email_of("C2"), "Suppressed")]
    assert gone(bench, kind="unsubscribed") == [(email_of("C1"), "Unsubscribed")]
    assert gone(bench, bench.clock.now().isoformat().replace("+00:00", "Z")) == [(email_of("C2"), "Suppressed")]
    row = bench.get("/v2/contacts/suppressed-since/2020-01-01")[0]
    assert set(row) == {"suppressedContact", "dateRemoved", "reason"}
    assert set(row["suppressedContact"]) == {"id", "email", "optInType", "emailType", "dataFields", "status"}


def test_a_contact_created_as_unsubscribed_is_listed_too(bench: Bench) -> None:
    bench.load(contact())
    assert gone(bench) == [(email_of("C1"), "Unsubscribed")]


def test_the_time_can_be_spelt_with_a_space(bench: Bench) -> None:
    bench.load(contact())
    bench.system.set_switches(v2_times="spaced")
    (row,) = bench.get("/v2/contacts/suppressed-since/2020-01-01")
    assert " " in row["dateRemoved"]
    assert row["dateRemoved"].endswith("+00:00")


def test_the_list_is_paged_by_select_and_skip(bench: Bench) -> None:
    bench.load(*(contact(f"C{n}") for n in range(5)))
    pages = [gone(bench, select=2, skip=skip) for skip in (0, 2, 4, 6)]
    assert [len(page) for page in pages] == [2, 2, 1, 0]


def test_a_date_that_is_none_is_400(bench: Bench) -> None:
    answer = bench.call("GET", "/v2/contacts/suppressed-since/yesterday")
    assert (answer.status_code, answer.json()["message"]) == (400, "Error: ERROR_PARAMETER_INVALID")


def test_a_repeated_load_does_not_move_the_time_of_an_opt_out(bench: Bench) -> None:
    bench.load(contact())
    before = bench.get("/v2/contacts/suppressed-since/2020-01-01")
    bench.load(contact())
    assert bench.get("/v2/contacts/suppressed-since/2020-01-01") == before


def test_one_person_is_unsubscribed_and_comes_back(bench: Bench) -> None:
    bench.load(contact(status="subscribed"))
    row = bench.ok("POST", "/v2/contacts/unsubscribe", {"email": email_of("C1")})
    assert (row["reason"], row["suppressedContact"]["status"]) == ("Unsubscribed", "Unsubscribed")
    body = {"unsubscribedContact": {"email": email_of("C1"), "dataFields": []}}
    assert bench.ok("POST", "/v2/contacts/resubscribe", body)["status"] == "ContactChallenged"
    assert bench.get("/contacts/v3/email/c1@example.com")["status"] == "pendingOptIn"
    assert bench.ok("POST", "/v2/contacts/resubscribe-with-no-challenge", body)["status"] == "ContactAdded"
    assert bench.get("/contacts/v3/email/c1@example.com")["status"] == "subscribed"
    assert gone(bench) == []


def test_who_is_suppressed_does_not_come_back(bench: Bench) -> None:
    bench.load(contact(status="suppressed"))
    body = {"unsubscribedContact": {"email": email_of("C1")}}
    answer = bench.call("POST", "/v2/contacts/resubscribe-with-no-challenge", body)
    assert (answer.status_code, answer.json()["message"]) == (400, "Error: ERROR_CONTACT_SUPPRESSED")


def test_people_are_suppressed_in_bulk_by_id_or_address(bench: Bench) -> None:
    made = bench.load(contact("C1", status="subscribed"), contact("C2", status="subscribed"))["created"]
    people = [{"id": made[0]["contactId"]}, {"email": email_of("C2")}, {"email": email_of("C9")}]
    answer = bench.ok("PUT", "/v2/contacts/suppress-contacts", people)
    assert (len(answer["suppressed"]), answer["notFound"]) == (2, [{"id": 0, "email": email_of("C9")}])
    assert {reason for _, reason in gone(bench)} == {"Suppressed"}


@pytest.mark.parametrize(
    ("body", "status"), [({}, 400), ({"email": "none"}, 400), ({"email": "c9@example.com"}, 404), (b"no", 400)]
)
def test_an_unknown_or_impossible_address_is_refused(bench: Bench, body: Any, status: int) -> None:
    assert bench.call("POST", "/v2/contacts/unsubscribe", body).status_code == status


@pytest.mark.parametrize(("body", "status"), [({"email": "c9@example.com"}, 404), ({"email": 1}, 400), ([], 400)])
def test_the_test_only_opt_out_names_somebody_that_exists(bench: Bench, body: Any, status: int) -> None:
    assert bench.session.post(f"{bench.root}/_sandbox/unsubscribes", json=body, timeout=30).status_code == status
