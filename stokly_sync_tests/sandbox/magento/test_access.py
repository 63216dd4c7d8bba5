"""Signed requests, admin tokens, bearer and rights: contract section 2."""

from typing import Any

import pytest
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, SIGNATURE_PLAINTEXT, Client

from stokly_sync.sandbox.kit import decode
from stokly_sync.sandbox.magento.access import ADMIN, FAILURES, LOCKED_FOR
from stokly_sync_tests.sandbox.magento.bench import Bench, criteria

pytestmark = pytest.mark.sandbox

STORES = "/rest/V1/store/websites"


def get(bench: Bench, header: str, path: str = STORES) -> tuple[int, Any]:
    answer = bench.session.get(bench.root + path, headers={"Authorization": header}, timeout=30)
    return answer.status_code, answer.json()


def library_header(bench: Bench, method: str) -> str:
    """A request signed by a library that the sandbox's tests did not write."""
    own = bench.system.access.integration
    client = Client(
        own.consumer_key,
        client_secret=own.consumer_secret,
        resource_owner_key=own.access_token,
        resource_owner_secret=own.access_token_secret,
        signature_method=method,
        timestamp=str(int(bench.clock.now().timestamp())),
    )
    _, headers, _ = client.sign(bench.root + STORES)
    return str(headers["Authorization"])


def test_a_request_signed_by_hmac_sha256_passes(bench: Bench) -> None:  # 2.1
    assert get(bench, bench.oauth("GET", STORES))[0] == 200
    assert get(bench, library_header(bench, SIGNATURE_HMAC_SHA256))[0] == 200


def test_the_version_parameter_may_be_left_out(bench: Bench) -> None:  # 2.1
    assert get(bench, bench.oauth("GET", STORES, without="version"))[0] == 200


def test_a_json_body_is_not_signed(bench: Bench) -> None:  # 2.1
    assert bench.ask("POST", "/products/base-prices", {"prices": []}) == []


@pytest.mark.parametrize(
    ("given", "status", "message", "parameters"),
    [
        ({"signature": "x"}, 401, "The signature is invalid. Verify and try again.", None),
        ({"timestamp": "9999999999"}, 401, "An error occurred validating the nonce", None),
        ({"consumer_key": "k" * 32}, 401, "A consumer having the specified key does not exist", None),
        ({"consumer_key": "short"}, 401, "Consumer key is not the correct length", None),
        ({"token": "t" * 32}, 401, "Specified token does not exist", None),
        ({"token": "short"}, 400, "The token length is invalid. Check the length and try again.", None),
        ({"signature_method": "PLAINTEXT"}, 400, "Signature method %1 is not supported", ["PLAINTEXT"]),
        ({"version": "2.0"}, 400, 'The "%1" Oauth version isn\'t supported.', ["2.0"]),
        (
            {"without": "nonce"},
            400,
            '"%fieldName" is required. Enter and try again.',
            {"fieldName": "oauth_nonce"},
        ),
    ],
    ids=["signature", "future", "consumer", "consumer length", "token", "token length", "method", "version", "nonce"],
)
def test_each_fault_of_a_signed_request_has_its_status_and_text(
    bench: Bench, given: dict[str, Any], status: int, message: str, parameters: Any
) -> None:  # 2.1, table
    expected = {"message": message} | ({"parameters": parameters} if parameters else {})
    without = given.pop("without", "")
    assert get(bench, bench.oauth("GET", STORES, without=without, **given)) == (status, expected)


def test_a_nonce_is_good_once_even_with_another_timestamp(bench: Bench) -> None:  # 2.1
    assert get(bench, bench.oauth("GET", STORES, nonce="once"))[0] == 200
    bench.clock.advance(5)
    status, content = get(bench, bench.oauth("GET", STORES, nonce="once"))
    assert (status, content["parameters"]) == (401, ["1"])
    assert content["message"] == "The nonce is already being used by the consumer with ID %1"
    bench.clock.advance(7_200)
    assert get(bench, bench.oauth("GET", STORES, nonce="once"))[0] == 200


def test_an_old_timestamp_passes_and_ten_minutes_ahead_too(bench: Bench) -> None:  # 2.1
    now = int(bench.clock.now().timestamp())
    for timestamp in (now - 3_600, now + 600):
        assert get(bench, bench.oauth("GET", STORES, timestamp=str(timestamp)))[0] == 200


def test_sha1_was_taken_up_to_243(bench: Bench) -> None:  # 2.1
    assert get(bench, library_header(bench, SIGNATURE_HMAC_SHA1))[0] == 400
    bench.system.set_switches(release="2.4.3")
    assert get(bench, library_header(bench, SIGNATURE_HMAC_SHA1))[0] == 200
    assert get(bench, library_header(bench, SIGNATURE_PLAINTEXT))[0] == 400


def test_a_blank_in_the_query_must_be_sent_as_percent_20(bench: Bench) -> None:  # 2.1
    pairs = [*criteria(), ("note", "a b")]
    assert bench.call("GET", "/products", query=pairs).status_code == 200
    header = bench.oauth("GET", "/rest/V1/products", query=pairs)
    assert get(bench, header, "/rest/V1/products?searchCriteria=&note=a+b")[0] == 401


@pytest.mark.parametrize("value", ["a,b", "a/b", "50%", "Cafetière", "x]y["])
def test_odd_characters_in_the_query_verify(bench: Bench, value: str) -> None:  # 2.1
    assert bench.call("GET", "/products", query=criteria(("sku", "eq", value))).status_code == 200


@pytest.mark.parametrize(
    ("release", "signed", "status"),
    [
        ("2.4.7", "/rest/V1/products/A/B%201+x", 200),
        ("2.4.7", "/rest/V1/products/A%2FB%201%2Bx", 401),
        ("2.4.8", "/rest/V1/products/A%2FB%201%2Bx", 200),
        ("2.4.8", "/rest/V1/products/A/B%201+x", 401),
    ],
)
def test_reserved_characters_in_the_path_are_signed_by_the_rule_of_the_release(
    bench: Bench, release: str, signed: str, status: int
) -> None:  # 2.1
    bench.goods("A/B 1+x")
    bench.system.set_switches(release=release)
    path = "/rest/V1/products/A%2FB%201%2Bx"
    assert get(bench, bench.oauth("GET", path, signed_path=signed), path)[0] == status


def test_the_access_token_alone_opens_nothing_unless_switched_on(bench: Bench) -> None:  # 2.1
    token = bench.system.access.integration.access_token
    assert get(bench, f"Bearer {token}")[0] == 401
    bench.system.set_switches(bearer=True)
    assert get(bench, f"bearer {token}")[0] == 200


def test_up_to_243_the_access_token_alone_was_enough(bench: Bench) -> None:  # 2.1
    bench.system.set_switches(release="2.4.3")
    assert get(bench, f"Bearer {bench.system.access.integration.access_token}")[0] == 200


def sign_in(bench: Bench, password: str) -> tuple[int, Any]:
    body = {"username": ADMIN, "password": password}
    answer = bench.session.post(f"{bench.root}/rest/V1/integration/admin/token", json=body, timeout=30)
    return answer.status_code, answer.json()


def test_an_admin_token_is_a_jwt_in_a_bare_string_and_lives_for_an_hour(bench: Bench) -> None:  # 2.2
    status, token = sign_in(bench, bench.system.access.password)
    assert (status, token.count(".")) == (200, 2)
    assert get(bench, f"Bearer {token}")[0] == 200
    bench.clock.advance(3_599)
    assert get(bench, f"Bearer {token}")[0] == 200
    bench.clock.advance(1)
    assert get(bench, f"Bearer {token}")[0] == 401


def test_revoked_admin_tokens_are_refused(bench: Bench) -> None:
    _, token = sign_in(bench, bench.system.access.password)
    bench.do("tokens/revoke")
    assert get(bench, f"Bearer {token}")[0] == 401


def test_six_failures_lock_the_admin_for_half_an_hour(bench: Bench) -> None:  # 2.2
    right = bench.system.access.password
    texts = {sign_in(bench, "wrong")[1]["message"] for _ in range(FAILURES)}
    status, content = sign_in(bench, right)
    assert (status, {content["message"]}) == (401, texts)
    bench.clock.advance(LOCKED_FOR)
    assert sign_in(bench, right)[0] == 200


def test_a_missing_password_is_400(bench: Bench) -> None:  # 2.2
    answer = bench.session.post(f"{bench.root}/rest/V1/integration/admin/token", json={"username": ADMIN}, timeout=30)
    assert (answer.status_code, answer.json()["parameters"]) == (400, {"fieldName": "password"})


def test_with_two_factors_the_endpoint_refuses(bench: Bench) -> None:  # 2.2
    bench.system.set_switches(two_factor=True)
    assert sign_in(bench, bench.system.access.password)[1]["message"].startswith("Please use the 2fa")


@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Bearer a.b.c", "Basic eDp5", "OAuth2 x"])
def test_whoever_is_nobody_gets_401_naming_the_resource(bench: Bench, header: str) -> None:  # 2.3
    status, content = get(bench, header, "/rest/V1/orders")
    assert status == 401
    assert content == {
        "message": "The consumer isn't authorized to access %resources.",
        "parameters": {"resources": "Magento_Sales::actions_view"},
    }


def test_a_missing_right_is_401_and_not_403(bench: Bench) -> None:  # 2.3
    bench.system.set_switches(denied={"Magento_Sales::ship"})
    status, _, parameters = bench.refusal("POST", "/order/1/ship", {})
    assert (status, parameters) == (401, {"resources": "Magento_Sales::ship"})
    assert bench.call("GET", "/orders", query=criteria()).status_code == 200


def test_248_asks_for_another_right_to_change_an_order(bench: Bench) -> None:  # 2.3
    bench.system.set_switches(denied={"Magento_Sales::api_actions"})
    assert bench.refusal("POST", "/orders", {"entity": {"entity_id": 1}})[0] == 404
    bench.system.set_switches(release="2.4.8")
    assert bench.refusal("POST", "/orders", {"entity": {"entity_id": 1}})[0] == 401


def test_credentials_are_random_and_32_characters_long(bench: Bench) -> None:  # 2.1
    env = bench.system.settings_env("http://127.0.0.1:1")
    assert env.pop("MAGENTO_BASE_URL") == "http://127.0.0.1:1"
    assert set(decode(env.pop("MAGENTO_LOCATIONS").encode()).values()) == {"warehouse", "shop"}
    assert (env.pop("MAGENTO_PRICES_WITH_TAX"), env.pop("MAGENTO_TAX_RATES")) == ("true", '{"*":20}')
    assert set(env) == {
        f"MAGENTO_{name}" for name in ("CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET")
    }
    assert {len(value) for value in env.values()} == {32}
    assert len(set(env.values())) == 4
    other = type(bench.system)().settings_env("")
    assert not set(env.values()) & {other[name] for name in env}
