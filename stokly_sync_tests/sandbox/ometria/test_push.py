"""The door of `POST /push`: contract sections 1, 2 and 5."""

from typing import Any

import pytest

from stokly_sync_tests.sandbox.ometria.bench import Bench, contact, order, product

pytestmark = pytest.mark.sandbox


def padded(size: int) -> bytes:
    """A push of one product, the record of which is `size` bytes long as sent."""
    head, tail = b'{"@type":"product","id":"P1","title":"', b'"}'
    return b"[" + head + b"x" * (size - len(head) - len(tail)) + tail + b"]"


def test_an_accepted_push_tells_the_request_id_and_how_many(bench: Bench) -> None:
    answer = bench.push(contact("C1"), contact("C2"))
    body = answer.json()
    assert answer.status_code == 202
    assert body.pop("request_id")
    assert body == {"status": "OK", "accepted": 2, "rejected": 0}


def test_each_push_has_a_request_id_of_its_own(bench: Bench) -> None:
    assert bench.push(contact()).json()["request_id"] != bench.push(contact()).json()["request_id"]


def test_the_success_status_can_be_200(bench: Bench) -> None:
    bench.system.set_switches(push_status=200)
    assert bench.push(contact()).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"@type":"contact","id":"C1"}',
        b"[]",
        b"[1]",
        b'[{"id":"C1"}]',
        b'[{"@type":"refund","id":"R1"}]',
        b'[{"@type":"contact","id":"C1"},{"@type":"order","id":"O1"}]',
    ],
    ids=["empty", "bad JSON", "object", "no records", "no object", "no type", "unknown type", "mixed types"],
)
def test_what_is_no_array_of_records_of_one_type_is_refused_whole(bench: Bench, body: bytes) -> None:
    answer = bench.call("POST", "/push", data=body)
    assert answer.status_code == 400
    assert answer.json()["status"] == "ERROR"
    assert answer.json()["message"].startswith("Payload invalid: ")
    assert bench.inspect("queue") == {"waiting": 0, "failed": 0}


@pytest.mark.parametrize(("count", "status"), [(100, 202), (101, 400)])
def test_a_push_holds_at_most_100_records(bench: Bench, count: int, status: int) -> None:
    assert bench.push(*(contact(f"C{n}") for n in range(count))).status_code == status


@pytest.mark.parametrize(("size", "status"), [(60_000, 202), (60_001, 400)])
def test_a_record_holds_at_most_60_kb(bench: Bench, size: int, status: int) -> None:
    answer = bench.call("POST", "/push", data=padded(size))
    assert answer.status_code == status
    if status == 400:
        assert "Payload invalid: Record is too large." in answer.json()["message"]


def test_many_records_together_may_be_larger_than_60_kb(bench: Bench) -> None:
    assert bench.push(*(product(f"P{n}", title="x" * 3_000) for n in range(50))).status_code == 202


def test_a_poison_record_sinks_its_whole_batch_and_is_not_named(bench: Bench) -> None:
    bench.system.set_switches(poison_ids={"C2"})
    answer = bench.push(contact("C1"), contact("C2"))
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Payload invalid: ")
    assert "C2" not in answer.text
    bench.store(contact("C1"))
    assert bench.get("/contacts") == [{"collection": "stokly", "count": 1}]


def test_the_backlog_is_told_in_the_headers_of_a_push(bench: Bench) -> None:
    headers = bench.push(contact("C1"), contact("C2")).headers
    assert (headers["X-QueueSize-Limit"], headers["X-QueueSize-Remaining"]) == ("50000", "49998")
    bench.clock.advance(1)
    assert bench.push(contact("C3")).headers["X-QueueSize-Remaining"] == "49999"


def test_the_backlog_headers_can_be_absent(bench: Bench) -> None:
    bench.system.set_switches(queue_headers=False)
    assert not any(name.lower().startswith("x-queuesize") for name in bench.push(contact()).headers)


def test_a_push_that_would_overfill_the_backlog_is_429_and_kept_out(bench: Bench) -> None:
    bench.system.set_switches(queue_limit=2)
    assert bench.push(contact("C1"), contact("C2")).status_code == 202
    full = bench.push(contact("C3"))
    assert (full.status_code, full.headers["X-QueueSize-Remaining"]) == (429, "0")
    bench.clock.advance(1)
    assert bench.push(contact("C3")).status_code == 202


def test_rejections_can_come_inside_a_2xx_answer(bench: Bench) -> None:
    bench.system.set_switches(reject_inside_ids={"C2"})
    answer = bench.push(contact("C1"), contact("C2"))
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["status"], body["accepted"], body["rejected"]) == (202, "OK", 1, 1)
    assert [item["id"] for item in body["rejected_items"]] == ["C2"]
    bench.clock.advance(1)
    assert [row["id"] for row in bench.get("/contacts/stokly")] == ["C1"]
    assert bench.errors() == []


def test_a_push_of_which_nothing_is_accepted_has_the_status_error(bench: Bench) -> None:
    bench.system.set_switches(reject_inside=True)
    body = bench.push(order(timestamp="yesterday")).json()
    assert (body["status"], body["accepted"], body["rejected"]) == ("ERROR", 0, 1)
    assert body["rejected_items"][0]["error_path"] == "root > timestamp"
