"""Data-deletion requests: contract section 3 (deletion) and the limit of section 1."""

import pytest

from stokly_sync_tests.sandbox.ometria.bench import Bench, contact, event, order, product

pytestmark = pytest.mark.sandbox

PATH = "/data-deletion-requests"


def test_a_request_is_taken_and_carried_out_later(bench: Bench) -> None:
    bench.system.set_switches(deletion_delay=100)
    asked = bench.call("POST", PATH, json={"email": "C1@example.com", "comment": "on request"})
    request = asked.json()
    assert (asked.status_code, request["action"], request["comment"]) == (201, "anonymise", "on request")
    assert bench.get(f"{PATH}/{request['id']}")["timestamp_completed"] is None
    bench.clock.advance(100)
    assert [row["timestamp_completed"] is not None for row in bench.get(PATH)] == [True]


def test_nothing_personal_is_left_of_the_person_and_everything_of_others(bench: Bench) -> None:
    bench.store(contact("C1", firstname="Customer"), contact("C2"))
    bench.store(product())
    bench.store(order(billing_address={"city": "York"}))
    bench.store(event())
    bench.call("POST", PATH, json={"email": "c1@example.com"})
    bench.clock.advance(1)
    first, second = bench.get("/contacts/stokly")
    assert not {"email", "firstname", "customer_id"} & set(first)
    assert second["email"] == "c2@example.com"
    assert not {"customer", "billing_address"} & set(bench.get("/orders/O1"))
    assert "identity_email" not in bench.inspect("events")[0]
    assert "c1@example.com" not in str(bench.system.dump())


def test_a_request_never_shows_the_address(bench: Bench) -> None:
    answer = bench.call("POST", PATH, json={"email": "c1@example.com"})
    assert "@" not in answer.text
    assert len(answer.json()["identities"][0]["hashed_email"]) == 64


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"email":"nobody"}'])
def test_a_request_without_an_address_is_400(bench: Bench, body: bytes) -> None:
    assert bench.call("POST", PATH, data=body).status_code == 400


def test_six_requests_a_minute_pass(bench: Bench) -> None:
    bench.system.set_limits(True)
    statuses = []
    for number in range(7):
        bench.clock.advance(1)
        statuses.append(bench.call("POST", PATH, json={"email": f"c{number}@example.com"}).status_code)
    assert statuses == [201] * 6 + [429]
    bench.clock.advance(60)
    assert bench.call("POST", PATH, json={"email": "c9@example.com"}).status_code == 201
