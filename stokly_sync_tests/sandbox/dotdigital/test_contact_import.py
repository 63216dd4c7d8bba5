"""Bulk import of contacts: contract section 2."""

from typing import Any

import pytest

from stokly_sync_tests.sandbox.dotdigital.bench import Bench, Record, contact, email_of

pytestmark = pytest.mark.sandbox


def codes(report: Record) -> list[str]:
    return [failure["failureCode"] for row in report["failures"] for failure in row["failures"]]


def status(bench: Bench, name: str = "C1") -> str:
    shown: str = bench.get(f"/contacts/v3/email/{email_of(name)}")["status"]
    return shown


def identified(name: str, number: str, **more: Any) -> Record:
    return contact(identifiers={"email": email_of(name), "stokly-id": number}, **more)


@pytest.fixture
def known(bench: Bench) -> Bench:
    """A sandbox with a custom identifier."""
    bench.ok("POST", "/configuration/v3/customIdentifiers", {"name": "stokly-id"})
    return bench


def test_an_import_is_accepted_and_shows_nothing_before_its_end(bench: Bench) -> None:
    bench.system.set_switches(import_delay=5)
    answer = bench.call("PUT", "/contacts/v3/import", {"contacts": [contact()]})
    assert (answer.status_code, set(answer.json())) == (202, {"importId"})
    path = f"/contacts/v3/import/{answer.json()['importId']}"
    bench.clock.advance(4.9)
    assert bench.get(path) == {"importId": answer.json()["importId"], "status": "NotFinished"}
    assert bench.call("GET", "/v2/contacts/count").text == "0"
    bench.clock.advance(0.1)
    assert bench.get(path)["status"] == "Finished"


def test_large_imports_can_take_longer(bench: Bench) -> None:
    bench.system.set_switches(import_delay=0, records_per_second=2)
    number = bench.start(*(contact(f"C{n}") for n in range(4)))
    bench.clock.advance(1.9)
    assert bench.get(f"/contacts/v3/import/{number}")["status"] == "NotFinished"
    bench.clock.advance(0.1)
    assert bench.get(f"/contacts/v3/import/{number}")["status"] == "Finished"


def test_an_unknown_import_is_404(bench: Bench) -> None:
    answer = bench.call("GET", "/contacts/v3/import/none")
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "contacts:importNotFound")


def test_the_report_names_created_and_updated_contacts_by_the_servers_id(bench: Bench) -> None:
    first = bench.load(contact("C1"))
    second = bench.load(contact("C1"), contact("C2"))
    assert first["created"] == second["updated"]
    assert first["created"] == [
        {"contactId": first["created"][0]["contactId"], "identifiers": {"email": email_of("C1")}}
    ]
    assert [row["identifiers"]["email"] for row in second["created"]] == [email_of("C2")]


def test_the_counts_of_the_summary_close(known: Bench) -> None:
    known.load(contact("OLD"), contact("GONE", status="suppressed"))
    sent = [
        contact("NEW"),
        contact("OLD"),
        contact("GONE"),
        contact(identifiers={"email": "none"}),
        contact("NEW"),
        contact("BAD", dataFields={"UNKNOWN": 1}),
    ]
    report = known.load(*sent)
    assert report["summary"] == {
        "newContacts": 1,
        "updatedContacts": 1,
        "globallySuppressed": 1,
        "invalidEntries": 2,
        "duplicateIdentifiers": 1,
    }
    assert sum(report["summary"].values()) == len(sent)
    assert codes(report) == ["invalidEmail", "duplicateIdentifier", "dataFieldNotFound"]


def test_a_failure_names_the_contact_as_it_was_sent(bench: Bench) -> None:
    (failure,) = bench.load(contact(identifiers={"email": "none"}))["failures"]
    assert failure == {
        "matchIdentifier": "email",
        "identifiers": {"email": "none"},
        "failures": [{"failureCode": "invalidEmail", "description": "Invalid value for 'email'"}],
    }


def test_a_new_contact_without_a_status_is_subscribed(bench: Bench) -> None:
    bench.load(contact("C1", status=None), contact("C2", status="unsubscribed"))
    assert (status(bench, "C1"), status(bench, "C2")) == ("subscribed", "unsubscribed")


def test_a_status_left_out_leaves_an_existing_contact_as_it_is(bench: Bench) -> None:
    bench.load(contact())
    bench.load(contact(status=None, dataFields={"FIRSTNAME": "x"}))
    shown = bench.get("/contacts/v3/email/c1@example.com")
    assert (shown["status"], shown["dataFields"]) == ("unsubscribed", {"FIRSTNAME": "x"})


def test_a_status_that_is_sent_overwrites_a_persons_own_choice(bench: Bench) -> None:
    bench.load(contact(status="subscribed"))
    bench.system.unsubscribe("c1@example.com")
    bench.load(contact(status="subscribed"))
    assert status(bench) == "subscribed"


def test_a_suppressed_contact_is_counted_and_neither_reopened_nor_updated(bench: Bench) -> None:
    bench.load(contact(status="subscribed"))
    bench.system.unsubscribe("c1@example.com", status="suppressed")
    report = bench.load(contact(status="subscribed", dataFields={"FIRSTNAME": "x"}))
    assert (report["summary"]["globallySuppressed"], report["failures"]) == (1, [])
    assert (report["created"], report["updated"]) == ([], [])
    shown = bench.get("/contacts/v3/email/c1@example.com")
    assert (shown["status"], shown["dataFields"]) == ("suppressed", {})


def test_suppressed_contacts_can_be_reported_and_unsubscribed_ones_can_count_as_such(bench: Bench) -> None:
    bench.system.set_switches(report_suppressed=True, suppressed_statuses={"suppressed", "unsubscribed"})
    bench.load(contact())
    report = bench.load(contact())
    assert (report["summary"]["globallySuppressed"], codes(report)) == (1, ["globallySuppressed"])


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("overwrite", {"FIRSTNAME": "new", "LASTNAME": ""}),
        ("overwriteIfNotEmpty", {"FIRSTNAME": "new", "LASTNAME": "old"}),
        ("overwriteIfEmpty", {"FIRSTNAME": "old", "LASTNAME": "old"}),
    ],
)
def test_merge_options_say_what_empty_values_do(bench: Bench, option: str, expected: dict[str, str]) -> None:
    bench.load(contact(dataFields={"FIRSTNAME": "old", "LASTNAME": "old"}))
    bench.load(contact(dataFields={"FIRSTNAME": "new", "LASTNAME": ""}), mergeOption=option)
    assert bench.get("/contacts/v3/email/c1@example.com")["dataFields"] == expected


@pytest.mark.parametrize(
    "body",
    [
        {"contacts": [contact()], "mergeOption": "overwrite-if-empty"},
        {"contacts": [{"identifiers": {"email": "c1@example.com"}}]},
        {"contacts": [{"matchIdentifier": "email"}]},
        {"contacts": ["c1@example.com"]},
        {"contacts": [contact(lists="1")]},
    ],
)
def test_a_malformed_contact_refuses_the_whole_import(bench: Bench, body: Record) -> None:
    answer = bench.call("PUT", "/contacts/v3/import", body)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "contacts:badJson")
    assert bench.inspect("imports")["imported"] == {}


def test_two_customers_with_one_address_are_a_duplicate_in_one_import(known: Bench) -> None:
    report = known.load(identified("C1", "1"), identified("C1", "2"))
    assert (report["summary"]["newContacts"], report["summary"]["duplicateIdentifiers"]) == (1, 1)
    assert report["failures"][0]["identifiers"]["stokly-id"] == "2"


def test_an_identifier_of_another_contact_is_a_duplicate(known: Bench) -> None:
    known.load(identified("C1", "1"))
    assert codes(known.load(identified("C2", "1"))) == ["duplicateIdentifier"]


def test_a_contact_is_matched_by_the_identifier_that_is_named_and_gets_the_others(known: Bench) -> None:
    known.load(identified("OLD", "1", matchIdentifier="stokly-id"))
    report = known.load(identified("NEW", "1", matchIdentifier="stokly-id"))
    assert report["summary"]["updatedContacts"] == 1
    assert known.get("/contacts/v3/stokly-id/1")["identifiers"]["email"] == email_of("NEW")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"matchIdentifier": "mobileNumber", "identifiers": {"mobileNumber": "+44712312"}}, "invalidMobileNumber"),
        ({"matchIdentifier": "stokly-id", "identifiers": {"email": "c1@example.com"}}, "invalidIdentifier"),
        ({"matchIdentifier": "unknown", "identifiers": {"unknown": "1"}}, "invalidIdentifier"),
        ({"matchIdentifier": "contactId", "identifiers": {"contactId": 9}}, "contactNotFound"),
        ({"matchIdentifier": "email", "identifiers": {"email": None}}, "invalidEmail"),
    ],
)
def test_an_identifier_that_cannot_be_fails_its_contact_alone(known: Bench, body: Record, expected: str) -> None:
    report = known.load(body, contact("C2"))
    assert (codes(report), report["summary"]["newContacts"]) == ([expected], 1)


@pytest.mark.parametrize(("reading", "new", "reported"), [("refuse", 0, 1), ("report", 1, 1), ("ignore", 1, 0)])
def test_an_unknown_data_field_refuses_is_reported_or_is_ignored(
    bench: Bench, reading: str, new: int, reported: int
) -> None:
    bench.system.set_switches(unknown_field=reading)
    report = bench.load(contact(dataFields={"UNKNOWN": "x", "FIRSTNAME": "x"}))
    assert (report["summary"]["newContacts"], len(report["failures"])) == (new, reported)
    if new:
        assert bench.get("/contacts/v3/email/c1@example.com")["dataFields"] == {"FIRSTNAME": "x"}


def test_bad_consent_records_and_lists_are_reported_and_the_contact_is_saved(bench: Bench) -> None:
    report = bench.load(contact(consentRecords=[{"text": "yes"}], lists=[99]))
    assert (report["summary"]["newContacts"], codes(report)) == (1, ["listNotFound", "consentRecordsNotApplied"])
    assert report["failures"][0]["contactId"] == report["created"][0]["contactId"]


def test_25_imports_are_active_at_once_and_the_next_is_429(bench: Bench) -> None:
    bench.system.set_switches(import_delay=5)
    for n in range(25):
        bench.start(contact(f"C{n}"))
    answer = bench.call("PUT", "/contacts/v3/import", {"contacts": [contact("C26")]})
    assert (answer.status_code, answer.json()["errorCode"]) == (429, "contacts:tooManyActiveImports")
    bench.clock.advance(5)
    bench.start(contact("C26"))


def test_a_record_can_be_accepted_and_fail_in_the_report(bench: Bench) -> None:
    bench.system.set_switches(failing_ids={email_of("C1")})
    report = bench.load(contact("C1"), contact("C2"))
    assert (report["summary"]["invalidEntries"], report["summary"]["newContacts"]) == (1, 1)


@pytest.mark.parametrize("ending", ["RejectedByWatchdog", "Failed"])
def test_a_poisonous_record_ends_its_whole_import(bench: Bench, ending: str) -> None:
    bench.system.set_switches(poison_ids={email_of("C1")}, poison_status=ending)
    number = bench.start(contact("C1"), contact("C2"))
    bench.clock.advance(1)
    assert bench.get(f"/contacts/v3/import/{number}") == {"importId": number, "status": ending}
    assert bench.call("GET", "/v2/contacts/count").text == "0"


def test_an_import_beyond_the_packages_contacts_stores_nothing(bench: Bench) -> None:
    bench.system.set_switches(contact_limit=1)
    number = bench.start(contact("C1"), contact("C2"))
    bench.clock.advance(1)
    assert bench.get(f"/contacts/v3/import/{number}")["status"] == "ExceedsAllowedContactLimit"


def test_an_import_can_get_lost_or_never_end(bench: Bench) -> None:
    bench.system.set_switches(lost_imports=1, stuck_imports=1)
    lost, stuck, good = bench.start(contact("C1")), bench.start(contact("C2")), bench.start(contact("C3"))
    bench.clock.advance(3600)
    assert bench.call("GET", f"/contacts/v3/import/{lost}").status_code == 404
    assert bench.get(f"/contacts/v3/import/{stuck}")["status"] == "NotFinished"
    assert bench.get(f"/contacts/v3/import/{good}")["status"] == "Finished"
    assert bench.inspect("totals")["contacts"]["all"] == 1


def test_imports_are_counted_by_contact_and_needless_ones_apart(bench: Bench) -> None:
    bench.load(contact("C1"), contact("C2"))
    bench.load(contact("C1"), contact("C2", dataFields={"FIRSTNAME": "x"}))
    assert bench.inspect("imports") == {
        "imported": {f"contact/email/{email_of('C1')}": 2, f"contact/email/{email_of('C2')}": 2},
        "unchanged": {f"contact/email/{email_of('C1')}": 1},
    }
