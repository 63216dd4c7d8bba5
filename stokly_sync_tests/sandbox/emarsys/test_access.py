"""Token endpoint, WSSE, permissions and the counter of calls: contract sections 1.1 to 1.6."""

from datetime import timedelta
from typing import Any

import pytest

from stokly_sync.sandbox.emarsys.access import wsse_digest
from stokly_sync.sandbox.emarsys.guard import BODY_BYTES, UPDATE_BYTES
from stokly_sync_tests.sandbox.emarsys.bench import NONCE, Bench

pytestmark = pytest.mark.sandbox


def bearer_status(bench: Bench, token: str, path: str = "/api/v3/field") -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return bench.session.get(bench.root + path, headers=headers, timeout=30).status_code


def test_a_token_is_had_with_basic_auth_and_a_form_body(bench: Bench) -> None:  # 1.3
    answer = bench.token_call()
    content = answer.json()
    assert (answer.status_code, content["token_type"], content["expires_in"]) == (200, "bearer", 3600)
    assert content["access_token"].count(".") == 2
    assert bearer_status(bench, content["access_token"]) == 200


@pytest.mark.parametrize(
    ("wrong", "status", "error"),
    [
        ({"auth": ("sandbox-emarsys-client", "wrong")}, 401, "invalid_client"),
        ({"auth": None}, 401, "invalid_client"),
        ({"data": {"grant_type": "password"}}, 400, "unsupported_grant_type"),
        ({"data": '{"grant_type":"client_credentials"}'}, 400, "invalid_request"),
    ],
    ids=["secret", "no credentials", "grant", "no form"],
)
def test_a_token_is_refused_to_whoever_asks_wrongly(
    bench: Bench, wrong: dict[str, Any], status: int, error: str
) -> None:
    answer = bench.token_call(**wrong)
    assert (answer.status_code, answer.json()) == (status, {"error": error})


def test_the_token_url_has_no_trailing_slash(bench: Bench) -> None:  # 1.3
    assert bench.token_call(path="/oauth2/token/").status_code == 404


def test_the_lifetime_may_be_kept_secret(bench: Bench) -> None:  # 1.3: clients then assume 3600
    bench.system.set_switches(announce_expiry=False)
    assert "expires_in" not in bench.token_call().json()


def test_a_token_expires(bench: Bench) -> None:
    bench.system.set_switches(token_lifetime=100)
    token = bench.token_call().json()["access_token"]
    bench.clock.advance(99)
    assert bearer_status(bench, token) == 200
    bench.clock.advance(1)
    assert bearer_status(bench, token) == 401


def test_revoked_tokens_are_refused_and_a_fresh_one_is_good(bench: Bench) -> None:
    token = bench.token_call().json()["access_token"]
    assert bench.do("tokens/revoke").status_code == 204
    assert bearer_status(bench, token) == 401
    assert bearer_status(bench, bench.token_call().json()["access_token"]) == 200


def test_all_tokens_can_be_refused_for_as_long_as_a_switch_says(bench: Bench) -> None:
    bench.system.set_switches(refuse_tokens=True)
    assert bench.call("GET", "/field").status_code == 401


def test_without_credentials_the_answer_is_401_with_reply_code_1(bench: Bench) -> None:  # 1.2
    answer = bench.session.get(f"{bench.root}/api/v3/field", timeout=30)
    assert answer.status_code == 401
    assert answer.json() == {"replyCode": 1, "replyText": "Credentials are invalid", "data": ""}


def test_the_digest_is_base64_of_the_hexadecimal_sha1() -> None:  # 1.2, test vector
    digest = wsse_digest(nonce=NONCE, created="2026-01-02T03:04:05Z", secret="example-secret")
    assert digest == "OTUzZWRjODc5ZWM3ZGQyOTExYzM1OTY2NWU0Yjg3NWIyNjJhNDZmNw=="


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S+00:00", "%Y-%m-%dT%H:%M:%S+0000"])
def test_wsse_opens_version_2_with_any_form_of_utc(bench: Bench, form: str) -> None:  # 1.2
    assert bench.wsse("/field", created=bench.clock.now().strftime(form)).status_code == 200


@pytest.mark.parametrize("name", ["X-WSSE", "WSSE"])
def test_wsse_has_two_header_names(bench: Bench, name: str) -> None:  # 1.2
    assert bench.wsse("/field", name=name).status_code == 200


def test_wsse_members_come_in_any_order_and_case(bench: Bench) -> None:  # 1.2
    created = bench.clock.now().isoformat()
    switches = bench.system.switches
    digest = wsse_digest(nonce=NONCE, created=created, secret=switches.wsse_secret)
    secrets = f'USERNAME="{switches.wsse_user}", passworddigest="{digest}"'
    header = f'usernametoken created="{created}", nonce="{NONCE}", {secrets}'
    assert bench.wsse("/field", header=header).status_code == 200


@pytest.mark.parametrize(
    "wrong", [{"digest": "d3Jvbmc="}, {"user": "someone"}, {"nonce": ""}, {"header": "Basic x"}, {"created": "today"}]
)
def test_a_wrong_wsse_header_is_401(bench: Bench, wrong: dict[str, str]) -> None:
    assert bench.wsse("/field", **wrong).status_code == 401


@pytest.mark.parametrize(("minutes", "status"), [(-5, 200), (5, 200), (-5.1, 401), (5.1, 401)])
def test_wsse_must_be_within_five_minutes(bench: Bench, minutes: float, status: int) -> None:  # 1.2
    created = (bench.clock.now() + timedelta(minutes=minutes)).isoformat()
    assert bench.wsse("/field", created=created).status_code == status


def test_a_wsse_time_without_a_zone_is_vienna_time(bench: Bench) -> None:  # 1.2
    naive = bench.clock.now().replace(tzinfo=None)
    assert bench.wsse("/field", created=naive.isoformat()).status_code == 401
    # The bench's clock stands in January: one hour ahead of UTC.
    assert bench.wsse("/field", created=(naive + timedelta(hours=1)).isoformat()).status_code == 200


def test_a_used_nonce_is_refused_only_where_switched_on(bench: Bench) -> None:  # 1.2, guess
    assert [bench.wsse("/field").status_code for _ in range(2)] == [200, 200]
    bench.system.set_switches(refuse_used_nonces=True)
    fresh = "f" * 32
    assert [bench.wsse("/field", nonce=fresh).status_code for _ in range(2)] == [200, 401]


def test_each_version_takes_its_own_credentials_alone(bench: Bench) -> None:  # 1.1
    assert bench.wsse("/field", version="v3").status_code == 401
    token = bench.system.access.issue()
    assert bearer_status(bench, token, "/api/v2/field") == 401


def test_one_path_of_version_2_takes_a_bearer_token_too(bench: Bench) -> None:  # 1.1
    number = bench.ask("POST", "/contactlist", {"name": "All"})["id"]
    assert bearer_status(bench, bench.system.access.issue(), f"/api/v2/contactlist/{number}/contactIds") == 200


def test_a_missing_permission_is_403_without_a_reply_code(bench: Bench) -> None:  # 1.4
    bench.system.set_switches(denied={"contact.getdata"})
    answer = bench.call("POST", "/contact/getdata", {"keyId": "3", "keyValues": []})
    assert (answer.status_code, answer.text) == (403, "Forbidden")
    assert bench.call("GET", "/field").status_code == 200


def test_an_update_that_may_create_needs_the_permission_to_create(bench: Bench) -> None:  # 1.4
    bench.system.set_switches(denied={"contact.create"})
    body = {"contacts": [{"3": "a@example.com"}]}
    assert bench.call("PUT", "/contact", body, query={"create_if_not_exists": 1}).status_code == 403
    assert bench.call("PUT", "/contact", body).status_code == 200


def test_every_answer_tells_the_limit_in_three_headers(bench: Bench) -> None:  # 1.6
    bench.system.set_limits(True)
    bench.clock.advance(90 - bench.clock.now().second)
    headers = bench.call("GET", "/field").headers
    assert (headers["X-RateLimit-Limit"], headers["X-Ratelimit-Remaining"]) == ("1000", "999")
    assert 0 < int(headers["X-RateLimit-Reset"]) - bench.clock.now().timestamp() <= 60
    assert headers["X-Suite-Response-Time"].isdecimal()


def test_each_api_user_has_so_many_calls_a_minute(bench: Bench) -> None:  # 1.4, 1.6
    bench.system.set_limits(True)
    bench.system.set_switches(requests_per_minute=2)
    bench.clock.advance(60)
    assert [bench.call("GET", "/field").status_code for _ in range(3)] == [200, 200, 429]
    assert bench.wsse("/field").status_code == 200
    bench.clock.advance(60)
    assert bench.call("GET", "/field").status_code == 200


@pytest.mark.parametrize(("form", "code"), [("envelope", 7003), ("text", None)])
def test_a_429_is_an_envelope_or_plain_text(bench: Bench, form: str, code: int | None) -> None:  # 1.6
    bench.system.set_limits(True)
    bench.system.set_switches(requests_per_minute=0, too_many=form)
    answer = bench.call("GET", "/field")
    assert answer.status_code == 429
    assert "Retry-After" not in answer.headers
    if code is None:
        assert answer.text == "Your application has made too many requests in too short a time."
    else:
        assert answer.json()["replyCode"] == code


def test_retry_after_can_be_switched_on(bench: Bench) -> None:  # 1.6
    bench.system.set_limits(True)
    bench.system.set_switches(requests_per_minute=0, retry_after="seconds")
    assert 0 < int(bench.call("GET", "/field").headers["Retry-After"]) <= 60


def test_limits_that_are_off_let_everything_pass(bench: Bench) -> None:
    bench.system.set_switches(requests_per_minute=1)
    assert [bench.call("GET", "/field").status_code for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize(("method", "limit"), [("PUT", UPDATE_BYTES), ("POST", BODY_BYTES)])
def test_a_body_may_have_ten_megabytes_and_eight_for_an_update(bench: Bench, method: str, limit: int) -> None:  # 1.6
    padded = {"contacts": [], "padding": ""}
    assert bench.call(method, "/contact", {**padded, "padding": "x" * (limit - 100)}).status_code == 200
    assert bench.call(method, "/contact", {**padded, "padding": "x" * limit}).status_code == 413


def test_the_health_check_needs_no_credentials(bench: Bench) -> None:  # 1.1
    assert bench.session.get(f"{bench.root}/healthcheck", timeout=30).status_code == 200


def test_an_unknown_path_is_no_action(bench: Bench) -> None:
    assert bench.call("GET", "/nothing").status_code == 404
    assert bench.call("DELETE", "/event").status_code == 405


@pytest.mark.parametrize("body", [b"{", b"[]"])
def test_a_body_that_is_no_json_object_is_refused(bench: Bench, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {bench.system.access.issue()}", "Content-Type": "application/json"}
    answer = bench.session.post(f"{bench.root}/api/v3/contact/getdata", data=body, headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["replyCode"]) == (400, 1)
