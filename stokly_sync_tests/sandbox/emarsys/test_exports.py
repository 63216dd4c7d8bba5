"""Exports of changes: contract section 1.9."""

from typing import Any

import pytest

from stokly_sync_tests.sandbox.emarsys.bench import Bench

pytestmark = pytest.mark.sandbox


def order(bench: Bench, **more: Any) -> dict[str, Any]:
    today = bench.clock.now().date().isoformat()
    year = bench.clock.now().year
    return {
        "distribution_method": "local",
        "origin": "all",
        "origin_id": 0,
        "time_range": [today, f"{year + 1}-01-01"],
        "contact_fields": [3, 31],
        "delimiter": ",",
        "add_field_names_header": 1,
        "language": "en",
        **more,
    }


def export(bench: Bench, **more: Any) -> list[str]:
    number = bench.ask("POST", "/contact/getchanges", order(bench, **more))["id"]
    bench.clock.advance(1)
    answer = bench.call("GET", f"/export/{number}/data")
    assert answer.headers["Content-Type"].startswith("text/csv")
    return answer.text.splitlines()


def test_an_export_is_ordered_waited_for_and_fetched(bench: Bench) -> None:
    bench.contact("a@example.com", **{"31": 1})
    bench.system.set_switches(export_delay=10)
    number = bench.ask("POST", "/contact/getchanges", order(bench))["id"]
    words = []
    for _ in range(3):
        words.append(bench.ask("GET", f"/export/{number}")["status"])
        bench.clock.advance(5)
    assert words == ["scheduled", "in progress", "done"]
    assert bench.call("GET", f"/export/{number}/data").text == "Email,Optin\na@example.com,1\n"
    assert bench.call("GET", f"/export/{number}/data", query={"offset": 1, "limit": 1}).text == "a@example.com,1\n"


def test_data_are_not_had_before_the_export_is_finished(bench: Bench) -> None:
    number = bench.ask("POST", "/contact/getchanges", order(bench))["id"]
    assert bench.refusal("GET", f"/export/{number}/data") == (404, 4005)
    assert bench.refusal("GET", "/export/99999") == (410, 4003)


def test_the_same_export_runs_once(bench: Bench) -> None:
    bench.ask("POST", "/contact/getchanges", order(bench))
    assert bench.refusal("POST", "/contact/getchanges", order(bench)) == (400, 4001)


def test_an_export_for_elsewhere_cannot_be_fetched(bench: Bench) -> None:
    number = bench.ask("POST", "/contact/getchanges", order(bench, distribution_method="ftp"))["id"]
    assert bench.refusal("GET", f"/export/{number}/data") == (400, 4004)


def test_the_two_dates_must_differ(bench: Bench) -> None:
    same = order(bench, time_range=["2026-01-01", "2026-01-01"])
    assert bench.refusal("POST", "/contact/getchanges", same) == (400, 10001)


def test_changes_by_api_appear_for_email_and_optin_or_for_all_fields(bench: Bench) -> None:
    field = bench.field()
    bench.put({field: "C1"}, key=field)
    assert export(bench, contact_fields=[field]) == ["Stokly Customer Id"]
    bench.system.set_switches(export_api_changes="any")
    assert export(bench, contact_fields=[field]) == ["Stokly Customer Id", "C1"]


def test_an_opt_out_by_a_person_has_the_origin_form(bench: Bench) -> None:
    bench.contact("a@example.com", **{"31": 1})
    bench.contact("b@example.com", **{"31": 1})
    bench.do("unsubscribes", {"email": "a@example.com"})
    assert export(bench, origin="form", add_field_names_header=0) == ["a@example.com,2"]


def test_the_export_ends_in_another_word_in_other_sources(bench: Bench) -> None:
    bench.system.set_switches(export_end="ready")
    number = bench.ask("POST", "/contact/getchanges", order(bench))["id"]
    bench.clock.advance(1)
    assert bench.ask("GET", f"/export/{number}")["status"] == "ready"
