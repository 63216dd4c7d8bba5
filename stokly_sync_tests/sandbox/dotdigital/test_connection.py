"""Credentials, region, discovery and call limits: contract section 1."""

from datetime import UTC, datetime

import pytest

from stokly_sync.sandbox.dotdigital import build
from stokly_sync.sandbox.kit import Fault
from stokly_sync_tests.sandbox.dotdigital.bench import Bench, contact, order

pytestmark = pytest.mark.sandbox


def properties(bench: Bench) -> dict[str, str]:
    return {row["name"]: row["value"] for row in bench.get("/v2/account-info")["properties"]}


@pytest.mark.parametrize("auth", [None, ("nobody", "wrong"), ("apiuser-sandbox@example.com", "wrong")])
def test_a_missing_or_wrong_password_is_401_with_a_message_in_v2_and_no_body_in_v3(
    bench: Bench, auth: tuple[str, str] | None
) -> None:
    old = bench.call("GET", "/v2/account-info", auth=auth)
    assert (old.status_code, old.json()) == (401, {"message": "Authorization has been denied for this request."})
    new = bench.call("PUT", "/contacts/v3/import", {"contacts": [contact()]}, auth=auth)
    assert (new.status_code, new.content) == (401, b"")


def test_a_token_instead_of_a_password_is_401(bench: Bench) -> None:
    answer = bench.session.get(bench.root + "/v2/account-info", headers={"Authorization": "Bearer x"}, timeout=30)
    assert answer.status_code == 401


def test_discovery_names_this_host_with_a_trailing_slash_among_text_properties(bench: Bench) -> None:
    found = properties(bench)
    assert found["ApiEndpoint"] == bench.root + "/"
    assert {type(value) for value in found.values()} == {str}
    assert {"Name", "MainEmail", "ApiCallsInLastHour", "ApiCallsRemaining", "CurrencyCode"} <= set(found)


def test_the_account_tells_how_many_calls_the_last_hour_saw(bench: Bench) -> None:
    for _ in range(3):
        bench.get("/v2/data-fields")
    assert properties(bench)["ApiCallsInLastHour"] == "4"
    bench.clock.advance(3600)
    assert properties(bench)["ApiCallsInLastHour"] == "1"


def test_in_a_closed_region_everything_but_discovery_is_forbidden(bench: Bench) -> None:
    bench.system.set_switches(region="closed")
    answer = bench.call("GET", "/contacts/v3")
    assert (answer.status_code, answer.text) == (403, "Forbidden - Access is denied")
    assert bench.call("GET", "/v2/account-info").status_code == 200


def test_an_account_that_lives_elsewhere_answers_only_at_the_host_that_discovery_names(bench: Bench) -> None:
    bench.system.set_switches(region="moved")
    elsewhere = properties(bench)["ApiEndpoint"]
    assert elsewhere == bench.root.replace("127.0.0.1", "localhost") + "/"
    assert bench.call("GET", "/v2/data-fields").status_code == 403
    assert bench.call("GET", "/v2/data-fields", root=elsewhere.rstrip("/")).status_code == 200


def test_the_api_user_may_lack_a_permission(bench: Bench) -> None:
    bench.system.set_switches(denied={"/v2/programs"})
    assert bench.call("GET", "/v2/programs").status_code == 403
    assert bench.call("GET", "/v2/data-fields").status_code == 200


def test_the_server_tells_its_time_as_text(bench: Bench) -> None:
    answer = bench.call("GET", "/v2/server-time")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert datetime.fromisoformat(answer.text) == bench.clock.now()


def test_settings_point_here_with_the_credentials_and_a_quick_poll() -> None:
    assert build().settings_env("http://127.0.0.1:1") == {
        "DOTDIGITAL_BASE_URL": "http://127.0.0.1:1",
        "DOTDIGITAL_USERNAME": "apiuser-sandbox@example.com",
        "DOTDIGITAL_PASSWORD": "sandbox-dotdigital-password",
        "DOTDIGITAL_POLL_SECONDS": "0.1",
    }


@pytest.mark.parametrize(("path", "tier", "limit"), [("/contacts/v3", "low", 35), ("/v2/data-fields", "high", 600)])
def test_a_call_tells_its_tier_limit_what_is_left_and_when_it_resets(
    bench: Bench, path: str, tier: str, limit: int
) -> None:
    bench.system.set_limits(True)
    headers = bench.call("GET", path).headers
    assert (headers["X-RateLimit-Limit"], headers["x-ratelimit-remaining"]) == (str(limit), str(limit - 1))
    assert headers["X-RateLimit-Scope"] == f"{tier}CallRate"
    assert int(headers["X-RateLimit-Reset"]) == bench.clock.now().timestamp() + 60


def test_the_36th_low_call_of_a_minute_is_429_while_the_other_tiers_go_on(bench: Bench) -> None:
    bench.system.set_limits(True)
    assert [bench.call("GET", "/contacts/v3").status_code for _ in range(36)] == [200] * 35 + [429]
    refused = bench.call("GET", "/contacts/v3")
    assert (refused.headers["X-RateLimit-Remaining"], refused.content) == ("0", b"")
    assert bench.call("GET", "/v2/data-fields").status_code == 200
    assert bench.call("DELETE", "/contacts/v3/email/a@example.com").status_code == 404
    bench.clock.advance(60)
    assert bench.call("GET", "/contacts/v3").status_code == 200


def test_a_refused_request_spends_a_call_too(bench: Bench) -> None:
    bench.system.set_limits(True)
    answer = bench.call("PUT", "/contacts/v3/import", b"no json")
    assert (answer.status_code, answer.headers["X-RateLimit-Remaining"]) == (400, "34")


def test_polling_is_not_limited(bench: Bench) -> None:
    bench.system.set_limits(True)
    bench.system.set_switches(low=2)
    number = bench.start(contact())
    answers = [bench.call("GET", f"/contacts/v3/import/{number}") for _ in range(10)]
    assert {answer.status_code for answer in answers} == {200}
    assert "X-RateLimit-Limit" not in answers[0].headers


def test_tier_limits_can_be_others_and_the_reset_can_be_told_in_seconds(bench: Bench) -> None:
    bench.system.set_limits(True)
    bench.system.set_switches(medium=1, reset="seconds")
    path = "/contacts/v3/email/a@example.com"
    answers = [bench.call("DELETE", path) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [404, 429]
    assert answers[1].headers["X-RateLimit-Reset"] == "60"


def test_the_flat_scheme_refuses_with_400_until_the_hour_has_rolled_on(bench: Bench) -> None:
    bench.system.set_limits(True)
    bench.system.set_switches(scheme="flat", flat_per_hour=3)
    answers = [bench.call("GET", "/contacts/v3") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 400]
    assert "ERROR_APIUSAGE_EXCEEDED" in answers[3].json()["message"]
    assert "X-RateLimit-Limit" not in answers[0].headers
    bench.clock.advance(3600)
    assert bench.call("GET", "/contacts/v3").status_code == 200


def test_without_limits_nothing_is_counted_against_a_tier(bench: Bench) -> None:
    bench.system.set_switches(low=1)
    assert [bench.call("GET", "/contacts/v3").status_code for _ in range(3)] == [200] * 3


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("PATCH", "/contacts/v3", 405)])
def test_what_is_not_served_says_so(bench: Bench, method: str, path: str, status: int) -> None:
    assert bench.call(method, path).status_code == status


@pytest.mark.parametrize(
    ("path", "code"), [("/contacts/v3/import", "contacts:badJson"), ("/insightData/v3/import", "insightData:badJson")]
)
@pytest.mark.parametrize("body", [b"no json", b"[]", b"{}", b'{"contacts":[],"records":[]}', b'{"contacts":{}}'])
def test_a_malformed_import_is_told_in_the_v3_error_shape(bench: Bench, path: str, code: str, body: bytes) -> None:
    answer = bench.call("PUT", path, body)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)
    assert answer.json()["description"]


def test_a_body_of_more_than_50_mb_is_refused(bench: Bench) -> None:
    bench.system.set_switches(body_bytes=200)
    large = {**contact(), "dataFields": {"FIRSTNAME": "x" * 200}}
    assert bench.call("PUT", "/contacts/v3/import", {"contacts": [large]}).status_code == 413
    assert bench.call("PUT", "/contacts/v3/import", {"contacts": [contact()]}).status_code == 202


def test_faults_can_be_ordered_on_one_kind_of_call(bench: Bench) -> None:
    bench.system.faults.add(Fault(method="PUT", path="^/contacts/v3/import$", status=503, times=1))
    answers = [bench.call("PUT", "/contacts/v3/import", {"contacts": [contact()]}).status_code for _ in range(2)]
    assert (bench.call("GET", "/contacts/v3").status_code, answers) == (200, [503, 202])


def test_test_only_routes_need_no_credentials_and_cost_no_call(bench: Bench) -> None:
    bench.system.set_limits(True)
    bench.system.set_switches(low=1)
    for name in ("totals", "imports", "events", "jobs"):
        bench.inspect(name)
    assert bench.call("GET", "/contacts/v3").status_code == 200


def test_switches_can_be_set_by_http(bench: Bench) -> None:
    patch = {"done": "Complete", "import_delay": 0}
    assert bench.session.patch(f"{bench.root}/_sandbox/switches", json=patch, timeout=30).status_code == 204
    bench.load(contact())
    number = bench.insight(order())
    assert bench.get(f"/insightData/v3/import/{number}")["status"] == "Complete"


def test_times_are_utc(bench: Bench) -> None:
    bench.load(contact())
    shown = bench.get("/contacts/v3/email/c1@example.com")["created"]
    assert shown.endswith("Z")
    assert datetime.fromisoformat(shown).tzinfo == UTC
