import time
from email.utils import parsedate_to_datetime

import pytest
import requests

from stokly_sync.sandbox.kit import CUT, Fault, FaultPlan
from stokly_sync_tests.sandbox.kit.conftest import Served

pytestmark = pytest.mark.sandbox


def test_an_answer_fault_replaces_the_answer_and_the_call_is_not_handled(served: Served) -> None:
    served.toy.faults.add(Fault(status=503, text='{"message":"down"}', headers={"X-Reason": "test"}))
    answer = served.get()
    assert (answer.status_code, answer.json(), answer.headers["X-Reason"]) == (
        503,
        {"message": "down"},
        "test",
    )
    assert served.toy.handled == 0
    assert served.get().status_code == 200


def test_an_answer_fault_may_strike_after_the_call_was_handled(served: Served) -> None:
    served.toy.faults.add(Fault(status=500, processed=True))
    assert served.get().status_code == 500
    assert served.toy.handled == 1


@pytest.mark.parametrize(("form", "expected"), [("absent", None), ("seconds", "7"), ("date", "a date in the future")])
def test_retry_after_comes_as_seconds_as_a_date_or_not_at_all(served: Served, form: str, expected: str | None) -> None:
    reply = served.session.post(
        served.url + "/_sandbox/faults",
        json={"status": 429, "retry_after": form, "retry_after_seconds": 7},
        timeout=5,
    )
    assert reply.status_code == 204
    answer = served.get()
    assert answer.status_code == 429
    given = answer.headers.get("Retry-After")
    if form == "date":
        assert given is not None
        assert 6 <= parsedate_to_datetime(given).timestamp() - time.time() <= 9
    else:
        assert given == expected


@pytest.mark.parametrize(("processed", "handled"), [(False, 0), (True, 1)])
def test_a_cut_closes_the_connection_before_or_after_the_call_is_handled(
    served: Served, processed: bool, handled: int
) -> None:
    served.toy.faults.add(Fault(action="cut", processed=processed))
    with pytest.raises(requests.ConnectionError):
        served.get()
    assert served.toy.handled == handled
    assert served.toy.calls.count(template="/things/{id}", status=CUT) == 1
    assert served.get().status_code == 200


def test_a_truncated_answer_promises_more_than_it_delivers(served: Served) -> None:
    served.toy.faults.add(Fault(action="truncate"))
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        served.get()
    assert served.toy.handled == 1
    assert served.get().status_code == 200


def test_a_200_can_be_no_json(served: Served) -> None:
    served.toy.faults.add(Fault(status=200, text="<html>maintenance</html>", content_type="text/html"))
    answer = served.get()
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_a_delay_passes_the_call_on_after_waiting(served: Served) -> None:
    served.toy.faults.add(Fault(action="pass", delay=0.1))
    before = time.monotonic()
    assert served.get().json()["handled"] == 1
    assert time.monotonic() - before >= 0.1


def test_a_body_reaches_the_system_although_a_fault_looked_at_it(served: Served) -> None:
    served.toy.faults.add(Fault(body="poison"))
    post = f"{served.url}/things/1"
    assert served.session.post(post, data=b"healthy", timeout=30).json()["length"] == 7
    assert served.session.post(post, data=b"some poison", timeout=30).status_code == 500


def test_faults_are_listed_and_cleared_by_http(served: Served) -> None:
    served.toy.faults.add(Fault(path="^/things", times=None))
    faults = served.url + "/_sandbox/faults"
    assert [fault["path"] for fault in served.session.get(faults, timeout=30).json()] == ["^/things"]
    assert served.get().status_code == 500
    assert served.session.delete(faults, timeout=30).status_code == 204
    assert served.get().status_code == 200


@pytest.mark.parametrize(
    "order", [{"path": "("}, {"action": "explode"}, {"stauts": 500}], ids=["expression", "action", "member"]
)
def test_an_order_that_makes_no_sense_is_refused(served: Served, order: dict[str, str]) -> None:
    reply = served.session.post(served.url + "/_sandbox/faults", json=order, timeout=30)
    assert reply.status_code == 400
    assert served.toy.faults.faults == []


def strikes(plan: FaultPlan, path: str, query: str = "") -> bool:
    return plan.strike(method="GET", path=path, query=query, body="") is not None


def test_the_first_matches_pass_and_only_so_many_are_hit() -> None:
    plan = FaultPlan()
    plan.add(Fault(path="/orders$", after=2, times=2))
    assert [strikes(plan, "/orders") for _ in range(6)] == [False, False, True, True, False, False]


def test_only_calls_that_an_order_is_about_count_as_matches() -> None:
    plan = FaultPlan()
    plan.add(Fault(path="/orders$", query="page=2", method="GET"))
    assert not strikes(plan, "/orders/1", "page=2")
    assert not strikes(plan, "/orders", "page=1")
    assert plan.strike(method="POST", path="/orders", query="page=2", body="") is None
    assert strikes(plan, "/orders", "size=1&page=2")


def test_of_two_orders_that_hit_the_first_wins_and_both_are_used_up() -> None:
    plan = FaultPlan()
    plan.add(Fault(status=503))
    plan.add(Fault(status=429))
    struck = plan.strike(method="GET", path="/", query="", body="")
    assert struck is not None
    assert struck.status == 503
    assert not strikes(plan, "/")
