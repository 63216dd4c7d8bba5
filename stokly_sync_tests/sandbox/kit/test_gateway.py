import pytest

from stokly_sync_tests.sandbox.kit.conftest import Served

pytestmark = pytest.mark.sandbox


def test_calls_are_counted_by_method_template_and_status(served: Served) -> None:
    served.get("/things/1")
    served.get("/things/2")
    served.get("/nothing")
    assert served.toy.calls.count(method="GET", template="/things/{id}", status=200) == 2
    assert served.toy.calls.count(template="/nothing", status=404) == 1
    rows = served.session.get(served.url + "/_sandbox/stats", timeout=30).json()["calls"]
    assert rows[0] == {"method": "GET", "template": "/things/{id}", "status": 200, "calls": 2}


def test_looking_at_the_sandbox_is_not_counted_and_the_count_can_be_reset(served: Served) -> None:
    served.get()
    served.session.delete(served.url + "/_sandbox/stats", timeout=30)
    assert served.toy.calls.rows() == []


def test_limits_are_switched_by_http(served: Served) -> None:
    assert [served.get().status_code for _ in range(3)] == [200, 200, 200]
    served.session.post(served.url + "/_sandbox/limits", json={"on": True}, timeout=30)
    assert 429 in [served.get().status_code for _ in range(3)]


def test_limits_need_to_be_told_on_or_off(served: Served) -> None:
    assert served.session.post(served.url + "/_sandbox/limits", json={}, timeout=30).status_code == 400


def test_switches_are_read_and_set_by_http(served: Served) -> None:
    switches = served.url + "/_sandbox/switches"
    assert served.session.get(switches, timeout=30).json() == {"greeting": "hello"}
    assert served.session.patch(switches, json={"greeting": "bonjour"}, timeout=30).status_code == 204
    assert served.get().json()["greeting"] == "bonjour"


@pytest.mark.parametrize("patch", [{"greeting": 7}, {"greetings": "x"}, ["greeting"]])
def test_a_switch_that_does_not_exist_or_fit_is_refused(served: Served, patch: object) -> None:
    answer = served.session.patch(served.url + "/_sandbox/switches", json=patch, timeout=30)
    assert answer.status_code == 400
    assert served.toy.switches.greeting == "hello"
