"""External events and their triggers: contract section 1.8."""

from typing import Any

import pytest

from stokly_sync_tests.sandbox.emarsys.bench import Bench

pytestmark = pytest.mark.sandbox


@pytest.fixture
def event(bench: Bench) -> int:
    """An event and one contact, a@example.com."""
    bench.contact("a@example.com")
    number: int = bench.ask("POST", "/event", {"name": "Dispatched"})["id"]
    return number


def row(email: str = "a@example.com", **more: Any) -> dict[str, Any]:
    return {
        "external_id": email,
        "trigger_id": f"despatch-{email}",
        "data": {"global": {"orderNumber": "SO-1"}},
        **more,
    }


def test_events_are_made_listed_and_read(bench: Bench, event: int) -> None:
    (listed,) = bench.ask("GET", "/event/")
    assert (listed["id"], listed["name"], "created" in listed) == (str(event), "Dispatched", True)
    assert bench.ask("GET", f"/event/{event}") == [listed]
    assert bench.ask("GET", f"/event/{event}/usages")["program_ids"] == [event]
    assert bench.refusal("POST", "/event", {"name": "Dispatched"}) == (400, 5003)
    assert bench.refusal("POST", "/event", {}) == (400, 5002)


def test_a_single_trigger_answers_an_empty_object_and_is_kept(bench: Bench, event: int) -> None:
    body = {"key_id": "3", **row(event_time="2026-01-02T03:04:05Z")}
    assert bench.ask("POST", f"/event/{event}/trigger", body) == {}
    (kept,) = bench.inspect("triggers")
    assert (kept["trigger_id"], kept["event_time"]) == ("despatch-a@example.com", "2026-01-02T03:04:05Z")
    assert (kept["data"], kept["dropped"]) == ({"global": {"orderNumber": "SO-1"}}, False)


def test_a_trigger_id_counts_once(bench: Bench, event: int) -> None:
    for _ in range(2):
        assert bench.ask("POST", f"/event/{event}/trigger", {"key_id": "3", **row()}) == {}
    totals = bench.inspect("totals")
    assert (totals["triggers"], totals["triggers_dropped"]) == (1, 1)


def test_triggers_without_an_id_all_count(bench: Bench, event: int) -> None:
    for _ in range(2):
        bench.ask("POST", f"/event/{event}/trigger", {"key_id": "3", **row(trigger_id=None)})
    assert bench.inspect("totals")["triggers"] == 2


def test_a_batch_has_row_errors_and_ids(bench: Bench, event: int) -> None:
    body = {"key_id": "3", "contacts": [row(), row("b@example.com")]}
    data = bench.ask("POST", f"/event/{event}/trigger", body)
    assert len(data["ids"]) == 1
    assert list(data["errors"]["b@example.com"]) == ["2008"]


def test_a_single_trigger_for_nobody_fails_and_may_be_sent_again_later(bench: Bench, event: int) -> None:
    body = {"key_id": "3", **row("b@example.com")}
    assert bench.refusal("POST", f"/event/{event}/trigger", body) == (200, 2008)
    bench.contact("b@example.com")
    assert bench.ask("POST", f"/event/{event}/trigger", body) == {}
    assert bench.inspect("totals")["triggers"] == 1


def test_a_key_that_several_contacts_have_is_2010(bench: Bench, event: int) -> None:
    bench.system.plant_duplicate("3", "a@example.com")
    assert bench.refusal("POST", f"/event/{event}/trigger", {"key_id": "3", **row()}) == (200, 2010)


@pytest.mark.parametrize("number", ["999", "dispatched"])
def test_an_unknown_event_is_5001(bench: Bench, event: int, number: str) -> None:
    assert number != str(event)
    assert bench.refusal("POST", f"/event/{number}/trigger", {"key_id": "3", **row()}) == (400, 5001)


@pytest.mark.parametrize(
    "time", ["2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "2026-02-30T03:04:05Z", "2026-01-02T03:04:05.123Z"]
)
@pytest.mark.parametrize("batch", [False, True])
def test_an_event_time_of_another_form_is_5010_and_nothing_is_triggered(
    bench: Bench, event: int, time: str, batch: bool
) -> None:
    wrong = row(event_time=time)
    body = {"key_id": "3", "contacts": [row(), wrong]} if batch else {"key_id": "3", **wrong}
    assert bench.refusal("POST", f"/event/{event}/trigger", body) == (400, 5010)
    assert bench.inspect("totals")["triggers"] == 0


def test_milliseconds_of_an_event_time_may_be_zero(bench: Bench, event: int) -> None:
    body = {"key_id": "3", **row(event_time="2026-01-02T03:04:05.000Z")}
    assert bench.ask("POST", f"/event/{event}/trigger", body) == {}


def test_data_that_are_no_object_are_5011(bench: Bench, event: int) -> None:
    assert bench.refusal("POST", f"/event/{event}/trigger", {"key_id": "3", **row(data=[1])}) == (400, 5011)


def test_the_reserved_variable_is_ignored(bench: Bench, event: int) -> None:
    bench.ask("POST", f"/event/{event}/trigger", {"key_id": "3", **row(data={"ems_event_time": "x", "a": 1})})
    assert bench.inspect("triggers")[0]["data"] == {"a": 1}


def test_when_nobody_listens_it_is_5005_and_the_trigger_id_stays_free(bench: Bench, event: int) -> None:
    bench.system.set_switches(nobody_listens=True)
    assert bench.refusal("POST", f"/event/{event}/trigger", {"key_id": "3", **row()}) == (400, 5005)
    batch = {"key_id": "3", "contacts": [row()]}
    assert bench.refusal("POST", f"/event/{event}/trigger", batch) == (400, 5005)
    bench.system.set_switches(nobody_listens=False)
    bench.ask("POST", f"/event/{event}/trigger", batch)
    assert bench.inspect("totals")["triggers"] == 1


def test_with_advanced_features_the_answer_says_what_listens(bench: Bench, event: int) -> None:
    bench.system.set_switches(advanced_events=True)
    body = {"key_id": "3", **row()}
    listening = bench.ask("POST", f"/event/{event}/trigger", body)
    assert listening == {"connectedTo": {"email": False, "acProgram": True, "interactionsProgram": False}}
    bench.system.set_switches(nobody_listens=True)
    assert bench.ask("POST", f"/event/{event}/trigger", body) == {"connectedTo": False}
    batch = bench.ask("POST", f"/event/{event}/trigger", {"key_id": "3", "contacts": [row()]})
    assert batch["connectedTo"] is False


def test_a_batch_has_at_most_a_thousand_contacts(bench: Bench, event: int) -> None:
    body = {"key_id": "3", "contacts": [row()] * 1001}
    assert bench.refusal("POST", f"/event/{event}/trigger", body) == (400, 1000)


def test_data_above_100_kilobytes_are_5008_where_interactions_are_on(bench: Bench, event: int) -> None:
    body = {"key_id": "3", **row(data={"global": {"text": "x" * 100_000}})}
    assert bench.ask("POST", f"/event/{event}/trigger", body) == {}
    bench.system.set_switches(advanced_events=True)
    assert bench.refusal("POST", f"/event/{event}/trigger", body) == (400, 5008)
