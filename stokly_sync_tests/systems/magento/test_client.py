"""Single calls: how they are signed, what comes back, what refusals mean. Source: Magento API contract 2, 4, 5, 13."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import pytest

from stokly_sync.errors import (
    CredentialsError,
    InDoubt,
    NotOffered,
    PermanentError,
    PermissionDenied,
    StoklySyncError,
    TransientError,
)
from stokly_sync.systems.magento.answers import Refused
from stokly_sync.systems.magento.extracts import ORDERS, PRODUCTS
from stokly_sync.systems.magento.search import Condition, among
from stokly_sync_tests.systems.magento.rows import CREDENTIALS, client_of
from stokly_sync_tests.systems.transport.stub import Reply, Seen, serving

UNAUTHORISED: dict[str, Any] = {
    "message": "The consumer isn't authorized to access %resources.",
    "parameters": {"resources": "Magento_Sales::actions_view"},
}
HTML: dict[str, Any] = {"body": b"<html><h1>Maintenance</h1></html>", "headers": {"Content-Type": "text/html"}}
NOTHING = b'{"items":null,"total_count":0}'


def said(message: str, parameters: Any = None, status: int = 400) -> Reply:
    told = {"message": message} | ({} if parameters is None else {"parameters": parameters})
    return Reply(status, json.dumps(told).encode())


def escaped(text: str) -> str:
    return quote(text, safe="-._~")


def signature_of(seen: Seen, url: str) -> str:
    """The signature as the page says it is made. Source: contract 2.1."""
    header = dict(re.findall(r'(\w+)="([^"]*)"', seen.headers["Authorization"]))
    target = urlsplit(seen.path)
    pairs = [(k, unquote(v)) for k, v in header.items() if k != "oauth_signature"]
    # The server leaves a plus sign in the query a plus sign.
    pairs += parse_qsl(target.query.replace("+", "%2B"), keep_blank_values=True)
    params = "&".join(sorted(f"{escaped(k)}={escaped(v)}" for k, v in pairs))
    base = "&".join(escaped(part) for part in (seen.method, f"{url}{target.path}", params))
    secret = f"{CREDENTIALS['consumer_secret']}&{CREDENTIALS['access_token_secret']}".encode()
    return base64.b64encode(hmac.new(secret, base.encode(), hashlib.sha256).digest()).decode()


def test_every_request_is_signed_with_hmac_sha256_over_its_query_and_not_its_body() -> None:
    with serving(Reply(body=NOTHING), Reply(body=b'"7"')) as stub:
        client = client_of(stub.url)
        client.search(ORDERS.where(Condition("updated_at", "gteq", "2026-03-01 09:30:00")), size=20)
        assert client.post("/order/5/ship", {"items": [{"order_item_id": 11, "qty": 1}]}, once=True) == "7"
    nonces = set()
    for seen in stub.seen:
        header = dict(re.findall(r'(\w+)="([^"]*)"', seen.headers["Authorization"]))
        assert header["oauth_signature_method"] == "HMAC-SHA256"
        assert unquote(header["oauth_signature"]) == signature_of(seen, stub.url)
        nonces.add(header["oauth_nonce"])
    assert len(nonces) == 2


def test_blanks_leave_as_percent_20_and_everything_is_asked_in_the_scope_of_all_stores() -> None:
    with serving(Reply(body=NOTHING)) as stub:
        client_of(stub.url).search(PRODUCTS.where(among("sku", ["A/B 1+x", "C%"])), size=20)
    (seen,) = stub.seen
    assert seen.path.startswith("/rest/all/V1/products?")
    assert "A%2FB%201%2Bx%2CC%25" in seen.path
    assert "+" not in seen.path


def test_a_token_alone_is_sent_as_it_is_and_nothing_is_signed() -> None:
    with serving(Reply(body=NOTHING)) as stub:
        client_of(stub.url, bearer_token="the-bearer-token").search(ORDERS, size=20)
    assert stub.seen[0].headers["Authorization"] == "Bearer the-bearer-token"


def test_a_list_without_rows_may_come_as_nothing() -> None:
    with serving(Reply(body=NOTHING)) as stub:
        assert client_of(stub.url).search(ORDERS, size=20).rows == []


@pytest.mark.parametrize("body", [b"[]", b'{"total_count":3}', b'{"items":"x","total_count":1}', b'"text"', b"{"])
def test_an_answer_that_is_no_list_is_never_taken_for_an_empty_one(body: bytes) -> None:
    with serving(*[Reply(body=body)] * (3 if body == b"{" else 1)) as stub, pytest.raises(TransientError):
        client_of(stub.url).search(ORDERS, size=20)


def test_a_page_too_large_for_the_shop_is_asked_for_again_as_large_as_it_allows() -> None:
    refusal = said("Maximum SearchCriteria pageSize is %max", {"max": 20})
    with serving(refusal, Reply(body=NOTHING), Reply(body=NOTHING)) as stub:
        client = client_of(stub.url)
        assert client.search(ORDERS, size=100).size == 20
        client.search(ORDERS, size=100)
    sizes = [dict(parse_qsl(urlsplit(seen.path).query))["searchCriteria[pageSize]"] for seen in stub.seen]
    assert sizes == ["100", "20", "20"]


def refusal(reply: Reply, **settings: Any) -> StoklySyncError:
    with serving(reply) as stub, pytest.raises(StoklySyncError) as caught:
        client_of(stub.url, **settings).search(ORDERS, size=20)
    return caught.value


@pytest.mark.parametrize(
    ("message", "parameters", "status", "error", "advice"),
    [
        ("The signature is invalid. Verify and try again.", None, 401, CredentialsError, "MAGENTO_CONSUMER_SECRET"),
        ("An error occurred validating the nonce", None, 401, CredentialsError, "clock"),
        ("A consumer having the specified key does not exist", None, 401, CredentialsError, "MAGENTO_CONSUMER_KEY"),
        ("Consumer key is not the correct length", None, 401, CredentialsError, "MAGENTO_CONSUMER_KEY"),
        ("Specified token does not exist", None, 401, CredentialsError, "authorised anew"),
        ("The token length is invalid. Check the length and try again.", None, 400, CredentialsError, "ACCESS_TOKEN"),
        ("Signature method %1 is not supported", ["HMAC-SHA256"], 400, CredentialsError, "2.4.4"),
        (UNAUTHORISED["message"], UNAUTHORISED["parameters"], 401, PermissionDenied, "lacks the resource"),
        ("Specified request cannot be processed.", None, 400, PermanentError, "MAGENTO_BASE_URL"),
        ("Request does not match any route.", None, 404, NotOffered, "MAGENTO_BASE_URL"),
    ],
)
def test_a_refusal_is_told_with_what_to_do(
    message: str, parameters: Any, status: int, error: type[StoklySyncError], advice: str
) -> None:
    caught = refusal(said(message, parameters, status))
    assert type(caught) is error
    assert advice in str(caught)


def test_placeholders_are_filled_in_because_magento_does_not() -> None:
    assert "access Magento_Sales::actions_view" in str(refusal(said(**UNAUTHORISED, status=401)))
    caught = refusal(said('The "%1" attribute name is invalid. Reset the name and try again.', ["nosuch"]))
    assert isinstance(caught, Refused)
    assert 'The "nosuch" attribute' in caught.words


def test_every_fault_of_several_is_told() -> None:
    body = {
        "message": 'Validation Failed: "status" should be numeric.',
        "errors": [
            {"message": '"%field" should be numeric.', "parameters": {"field": "status"}},
            {"message": '"%field" can not be empty.', "parameters": {"field": "sku"}},
        ],
    }
    caught = refusal(Reply(400, json.dumps(body).encode()))
    assert isinstance(caught, Refused)
    assert caught.words == 'Validation Failed: "status" should be numeric.; "sku" can not be empty.'


def test_the_same_words_mean_something_else_for_a_token_alone() -> None:
    caught = refusal(said(**UNAUTHORISED, status=401), bearer_token="the-bearer-token")
    assert type(caught) is CredentialsError
    assert "four credentials" in str(caught)


def test_a_reused_nonce_is_tried_again_with_another_but_a_write_is_in_doubt() -> None:
    """A proxy that repeats a request makes the second one fail; the first may have been carried out."""
    nonce = said("The nonce is already being used by the consumer with ID %1", ["1"], 401)
    with serving(nonce, Reply(body=NOTHING)) as stub:
        client_of(stub.url).search(ORDERS, size=20)
    with serving(nonce) as stub, pytest.raises(InDoubt):
        client_of(stub.url).post("/order/5/ship", {}, once=True)


def test_an_error_page_of_something_else_points_at_the_address() -> None:
    caught = refusal(Reply(404, **HTML))
    assert type(caught) is PermanentError
    assert "MAGENTO_BASE_URL" in str(caught)


@pytest.mark.parametrize(
    ("reply", "waits"),
    [
        (Reply(429, b"", {"Retry-After": "7"}), [7.0]),
        (Reply(429, **HTML), [5.0]),
        (Reply(503, b"", {"Retry-After": "9"}), [9.0]),
        (Reply(503, **HTML), None),
        (Reply(502, **HTML), None),
        (Reply(500, b"An error has happened during application run. See exception log for details."), None),
        (Reply(cut="before"), None),
    ],
)
def test_a_read_is_repeated_after_what_the_server_says_or_a_while(reply: Reply, waits: list[float] | None) -> None:
    slept: list[float] = []
    with serving(reply, Reply(body=NOTHING)) as stub:
        client_of(stub.url, slept=slept).search(ORDERS, size=20)
    assert len(slept) == 1
    assert waits is None or slept == waits


@pytest.mark.parametrize("reply", [Reply(503, **HTML), Reply(504, **HTML), Reply(500, b"x"), Reply(cut="half")])
def test_a_write_that_may_have_arrived_is_never_sent_twice(reply: Reply) -> None:
    with serving(reply) as stub, pytest.raises(InDoubt):
        client_of(stub.url).post("/order/5/ship", {}, once=True)


def test_too_many_requests_is_certain_not_to_have_arrived() -> None:
    with serving(Reply(429, b""), Reply(body=b'"7"')) as stub:
        assert client_of(stub.url).post("/order/5/ship", {}, once=True) == "7"


def test_no_secret_shows_in_errors_or_in_the_client() -> None:
    secrets = [CREDENTIALS[name] for name in ("consumer_secret", "access_token", "access_token_secret")]
    told = " ".join(secrets)
    caught = refusal(said(f"Echo of {told}", status=400))
    assert not [secret for secret in secrets if secret in str(caught)]
    with serving() as stub:
        assert not [secret for secret in secrets if secret in repr(client_of(stub.url).settings)]


def test_a_value_with_a_comma_is_never_put_among_others() -> None:
    with pytest.raises(ValueError, match="comma"):
        among("sku", ["A,B"])
    with pytest.raises(ValueError, match="no values"):
        among("sku", [])
