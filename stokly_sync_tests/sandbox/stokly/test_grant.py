"""Grant, tokens and permission: contract 1.1 and 2.6."""

import pytest

from stokly_sync_tests.sandbox.stokly.bench import Bench

pytestmark = pytest.mark.sandbox


def test_a_signed_grant_gives_a_jwt_and_its_end_an_hour_ahead(bench: Bench) -> None:
    result = bench.grant().json()["data"]["authenticationResult"]
    assert len(result["accessToken"].split(".")) == 3
    assert result["expiry"] == f"{bench.clock.now().replace(hour=1):%Y-%m-%dT%H:%M:%S}.000Z"
    assert bench.call("/v0/customers", token=result["accessToken"]).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [{"signature": "0" * 64}, {"signature": None}, {"clientId": "other"}, {"accountkey": "other"}],
)
def test_a_grant_that_is_not_ours_is_refused(bench: Bench, changes: dict[str, str]) -> None:
    answer = bench.grant(**changes)
    assert (answer.status_code, answer.json()) == (401, {"message": "Invalid credentials"})


def test_the_signature_is_lower_case_hex(bench: Bench) -> None:
    env = bench.system.settings_env(bench.root)
    assert set(env) == {"STOKLY_BASE_URL", "STOKLY_ACCOUNT_KEY", "STOKLY_CLIENT_ID", "STOKLY_CLIENT_SECRET"}
    right = bench.grant().request.body
    assert right is not None
    text = right.decode() if isinstance(right, bytes) else right
    signature = text.rpartition('"signature": "')[2][:64]
    assert bench.grant(signature=signature.upper()).status_code == 401


def test_a_grant_without_json_is_refused(bench: Bench) -> None:
    answer = bench.session.post(f"{bench.root}/v1/grant", data=b"accountkey=x", timeout=30)
    assert (answer.status_code, answer.json()) == (401, {"message": "Invalid request body"})


@pytest.mark.parametrize("path", ["/v0/customers", "/v2/saleorders/x", "/v0/nothing"])
def test_a_call_without_a_token_is_refused(bench: Bench, path: str) -> None:
    answer = bench.session.get(bench.root + path, timeout=30)
    assert (answer.status_code, answer.json()) == (401, {"message": "No authorization token was found"})


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "ünlike.a.token".encode().decode("latin-1")])
def test_a_token_of_somebody_else_is_refused(bench: Bench, token: str) -> None:
    answer = bench.call("/v0/customers", token=token)
    assert (answer.status_code, answer.json()) == (401, {"message": "invalid token"})


def test_a_token_ends_after_its_lifetime(bench: Bench) -> None:
    bench.system.set_switches(token_lifetime=10)
    token = bench.grant().json()["data"]["authenticationResult"]["accessToken"]
    bench.clock.advance(9.9)
    assert bench.call("/v0/customers", token=token).status_code == 200
    bench.clock.advance(0.1)
    answer = bench.call("/v0/customers", token=token)
    assert (answer.status_code, answer.json()) == (401, {"message": "jwt expired"})


def test_all_tokens_can_be_revoked_and_a_new_one_works(bench: Bench) -> None:
    assert bench.control("POST", "tokens/revoke").status_code == 204
    assert bench.call("/v0/customers").json() == {"message": "jwt expired"}
    token = bench.grant().json()["data"]["authenticationResult"]["accessToken"]
    assert bench.call("/v0/customers", token=token).status_code == 200


def test_a_denied_path_is_forbidden_and_others_are_not(bench: Bench) -> None:
    bench.system.set_switches(denied_paths=["/v0/refunds"])
    assert bench.call("/v0/refunds").status_code == 403
    assert set(bench.call("/v0/refunds").json()) == {"message"}
    assert bench.call("/v0/customers").status_code == 200


def test_the_calls_of_a_minute_are_limited_and_counted_down_on_every_answer(bench: Bench) -> None:
    bench.system.set_switches(limit=4)
    bench.system.set_limits(True)
    answers = [
        bench.call("/v0/customers"),
        bench.call("/v0/nothing"),
        bench.call("/v0/customers", token="bad"),
        bench.call("/v0/customers", filter="?"),
        bench.call("/v0/customers"),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 401, 400, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["3", "2", "1", "0", "0"]
    assert answers[-1].json() == {"message": "Too many requests"}
    bench.clock.advance(int(answers[-1].headers["retry-after"]))
    assert bench.call("/v0/customers").status_code == 200
