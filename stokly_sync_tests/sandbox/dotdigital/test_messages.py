"""Dispatch mail triggers: contract section 4."""

from typing import Any

import pytest

from stokly_sync_tests.sandbox.dotdigital.bench import Bench, Record, contact, email_of

pytestmark = pytest.mark.sandbox


@pytest.fixture
def people(bench: Bench) -> list[int]:
    """The ids of two subscribed contacts and one who is not."""
    report = bench.load(contact("C1", status="subscribed"), contact("C2", status="subscribed"), contact("C3"))
    return [row["contactId"] for row in report["created"]]


def event(name: str = "E1", /, owner: str = "C1", **more: Any) -> Record:
    return {
        "contactIdentity": {"identifier": "email", "value": email_of(owner)},
        "type": "order-dispatched",
        "id": name,
        "eventTimestamp": "2026-01-01T10:00:00.000Z",
        "eventData": {"order_id": "O1"},
        **more,
    }


def test_events_are_taken_without_a_word_and_kept_as_often_as_they_came(bench: Bench, people: list[int]) -> None:
    answer = bench.call("POST", "/events/v3/import", [event(), event("E2", timelineDetails={"summary": "Sent"})])
    assert (answer.status_code, answer.content) == (202, b"")
    bench.ok("POST", "/events/v3/import", [event()])
    kept = bench.inspect("events")
    assert [(row["id"], row["contactId"]) for row in kept] == [(name, people[0]) for name in ("E1", "E2", "E1")]


def test_an_event_of_nobody_vanishes(bench: Bench) -> None:
    assert bench.call("POST", "/events/v3/import", [event(owner="NOBODY")]).status_code == 202
    assert bench.inspect("totals")["events"] == {"kept": 0, "lost": 1}


@pytest.mark.parametrize(
    "body",
    [
        [],
        [event()] * 5001,
        [event(type="x" * 81)],
        [event(type="")],
        [event(timelineDetails={"summary": "x" * 161})],
        [event(timelineDetails={})],
        [event(contactIdentity=None)],
        [event(eventData=[])],
        [event(id=1)],
        {},
        b"no",
    ],
)
def test_one_malformed_event_refuses_all(bench: Bench, body: Any) -> None:
    bench.load(contact("C1"))
    answer = bench.call("POST", "/events/v3/import", body)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "events:badJson")
    assert bench.inspect("events") == []


def message(bench: Bench, body: Any) -> tuple[int, str]:
    answer = bench.call("POST", "/v2/programs/enrolments", body)
    return answer.status_code, answer.json()["message"].removeprefix("Error: ")


def test_an_enrolment_is_processed_and_its_faults_are_told_as_csv(bench: Bench, people: list[int]) -> None:
    bench.ok("POST", "/v2/programs/enrolments", {"programId": 1, "contacts": people[:1]})
    made = bench.call("POST", "/v2/programs/enrolments", {"programId": 1, "contacts": people})
    path = f"/v2/programs/enrolments/{made.json()['id']}"
    assert (made.status_code, made.json()["status"], bench.get(path)["status"]) == (201, "Processing", "Processing")
    assert bench.call("GET", f"{path}/report-faults").json()["message"] == "Error: ERROR_ENROLMENT_IS_PROCESSING"
    bench.clock.advance(1)
    assert bench.get(path)["status"] == "Finished"
    assert bench.call("GET", f"{path}/report-faults").text.splitlines() == [
        "Id,Email,TelephoneNumber,Reason",
        f"{people[0]},{email_of('C1')},,AlreadyInProgram",
        f"{people[2]},{email_of('C3')},,Unsubcribed",
    ]


def test_a_list_can_be_enrolled(bench: Bench) -> None:
    number = bench.ok("POST", "/v2/address-books", {"name": "Dispatched"})["id"]
    bench.load(contact("C1", status="subscribed", lists=[number]))
    bench.ok("POST", "/v2/programs/enrolments", {"programId": 1, "addressBooks": [number]})
    assert len(bench.system.store.programmes[1].enrolled) == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"programId": 1}, (400, "ERROR_ENROLMENT_INVALID")),
        ({"programId": 1, "contacts": list(range(26))}, (400, "ERROR_ENROLMENT_INVALID")),
        ({"programId": 1, "contacts": [7]}, (400, "ERROR_CONTACT_NOT_FOUND")),
        ({"programId": 1, "addressBooks": list(range(11))}, (400, "ERROR_ADDRESSBOOK_TOOMANY")),
        ({"programId": 1, "addressBooks": [7]}, (400, "ERROR_ADDRESSBOOK_NOT_FOUND")),
        ({"programId": 2, "contacts": [7]}, (422, "ERROR_PROGRAM_NOT_ACTIVE")),
        ({"programId": 9, "contacts": [7]}, (404, "ERROR_PROGRAM_NOT_FOUND")),
    ],
)
def test_an_enrolment_that_cannot_be_is_refused(bench: Bench, body: Record, expected: tuple[int, str]) -> None:
    assert message(bench, body) == expected


def test_20_enrolments_an_hour_pass_over_all_programmes(bench: Bench, people: list[int]) -> None:
    bench.system.set_limits(True)
    body = {"programId": 1, "contacts": people[:1]}
    for _ in range(20):
        bench.ok("POST", "/v2/programs/enrolments", body)
    assert message(bench, body) == (400, "ERROR_ENROLMENT_ALLOWANCE_EXCEEDED")
    bench.clock.advance(3600)
    bench.ok("POST", "/v2/programs/enrolments", body)


def test_programmes_are_listed_with_their_status(bench: Bench) -> None:
    assert [(row["id"], row["status"]) for row in bench.get("/v2/programs")] == [(1, "Active"), (2, "Draft")]
    assert bench.get("/v2/programs/1")["name"] == "Dispatch"
    assert bench.call("GET", "/v2/programs/9").json()["message"] == "Error: ERROR_PROGRAM_NOT_FOUND"
    assert bench.call("GET", "/v2/programs/enrolments/none").status_code == 404
