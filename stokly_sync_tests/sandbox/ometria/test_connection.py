"""Key, rates and the shape of errors: contract sections 1 and 5."""

from email.utils import parsedate_to_datetime

import pytest

from stokly_sync.sandbox.kit import Fault
from stokly_sync.sandbox.ometria import build
from stokly_sync_tests.sandbox.ometria.bench import Bench, contact

pytestmark = pytest.mark.sandbox


@pytest.mark.parametrize("key", ["", "wrong", "sandbox-ometria-key ☂".encode().decode("latin-1")])
@pytest.mark.parametrize(("method", "path"), [("GET", "/contacts"), ("POST", "/push")])
def test_a_missing_or_wrong_key_is_forbidden(bench: Bench, method: str, path: str, key: str) -> None:
    answer = bench.call(method, path, key=key, data=b"[]")
    assert (answer.status_code, answer.json()) == (403, {"status": "ERROR", "message": "Forbidden"})


def test_a_key_may_lack_the_right_to_one_resource(bench: Bench) -> None:
    bench.system.set_switches(denied={"/orders"})
    assert bench.call("GET", "/orders/O1").status_code == 403
    assert bench.call("GET", "/contacts").status_code == 200


def test_settings_point_at_version_2_with_the_key() -> None:
    assert build().settings_env("http://127.0.0.1:1") == {
        "OMETRIA_BASE_URL": "http://127.0.0.1:1/v2",
        "OMETRIA_API_KEY": "sandbox-ometria-key",
        "OMETRIA_QUEUE_DRAIN_WAIT": "0.25",
    }


def test_four_calls_a_second_pass_and_the_fifth_is_refused_without_retry_after(bench: Bench) -> None:
    bench.system.set_limits(True)
    answers = [bench.call("GET", "/contacts") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    assert "Retry-After" not in answers[4].headers
    assert answers[4].json()["status"] == "ERROR"
    bench.clock.advance(0.25)
    assert bench.call("GET", "/contacts").status_code == 200


def test_pushes_and_reads_share_one_rate(bench: Bench) -> None:
    bench.system.set_limits(True)
    assert [bench.push(contact()).status_code for _ in range(3)] == [202, 202, 202]
    assert bench.call("GET", "/contacts").status_code == 200
    assert bench.push(contact()).status_code == 429


def test_the_rate_can_be_another(bench: Bench) -> None:
    bench.system.set_limits(True)
    bench.system.set_switches(rate=8)
    bench.clock.advance(1)
    statuses = [bench.call("GET", "/contacts").status_code for _ in range(9)]
    assert statuses == [200] * 8 + [429]


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_can_be_switched_on(bench: Bench, form: str) -> None:
    bench.system.set_limits(True)
    bench.system.set_switches(retry_after=form)
    answers = [bench.call("GET", "/contacts") for _ in range(5)]
    given = answers[4].headers["Retry-After"]
    if form == "seconds":
        assert given == "1"
    else:
        assert parsedate_to_datetime(given) > bench.clock.now()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/contacts/stokly/C1", 404),
        ("GET", "/contacts/nowhere", 404),
        ("GET", "/orders/O1", 404),
        ("GET", "/products/P1", 404),
        ("GET", "/data-deletion-requests/deletion-1", 404),
        ("GET", "/nothing", 404),
        ("DELETE", "/orders", 405),
    ],
)
def test_what_is_not_there_is_told_in_the_error_shape(bench: Bench, method: str, path: str, status: int) -> None:
    answer = bench.call(method, path)
    assert (answer.status_code, answer.json()["status"]) == (status, "ERROR")


def test_a_burst_of_429_and_a_500_can_be_ordered_on_pushes_alone(bench: Bench) -> None:
    bench.system.faults.add(Fault(method="POST", path="/push$", status=429, times=2))
    bench.system.faults.add(Fault(method="POST", path="/push$", status=500, after=2))
    assert bench.call("GET", "/contacts").status_code == 200
    assert [bench.push(contact()).status_code for _ in range(4)] == [429, 429, 500, 202]


def test_switches_can_be_set_by_http(bench: Bench) -> None:
    patch = {"failing_ids": ["C1"], "push_status": 200}
    assert bench.session.patch(f"{bench.root}/_sandbox/switches", json=patch, timeout=30).status_code == 204
    assert bench.push(contact("C1")).status_code == 200
    bench.clock.advance(1)
    assert [error["record_id"] for error in bench.errors()] == ["C1"]


def test_looking_by_the_test_only_routes_needs_no_key_and_costs_no_call(bench: Bench) -> None:
    bench.system.set_limits(True)
    for _ in range(10):
        assert bench.session.get(f"{bench.root}/_sandbox/totals", timeout=30).status_code == 200
    assert bench.call("GET", "/contacts").status_code == 200
