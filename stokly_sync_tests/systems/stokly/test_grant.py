"""Getting a token, keeping it, and getting another one in time. Source: Stokly API contract 1.1."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stokly_sync.errors import CredentialsError, PermissionDenied, TransientError
from stokly_sync.flow import Lane
from stokly_sync.sandbox.kit.faults import Fault
from stokly_sync.systems.stokly.grant import GrantAuth, signature
from stokly_sync.systems.transport import Clock, NoAuth, Transport, Unlimited, encode
from stokly_sync_tests.systems.stokly.made import NOON, at, order
from stokly_sync_tests.systems.transport.stub import Reply, serving

ORDERS = "/v2/saleorders"


def grants(system: Any) -> int:
    return int(system.calls.count(template="/v1/grant"))


def test_the_signature_is_lower_case_hex_keyed_with_the_secret_as_it_is() -> None:
    # From the command line: printf client | openssl dgst -sha256 -hmac secret
    assert signature("client", "secret") == "d0c6e48fa6742da86d2538cfd7e0112e458a5d2a53284bbb4d98b60002ab09b7"


def test_one_token_serves_many_calls(account: Any, connect: Any) -> None:
    system = account({"saleorders": [order(1)]})
    client = connect(system)
    for _ in range(5):
        assert client.page(ORDERS).count == 1
    assert grants(system) == 1
    assert client.calls == 6


def grant_reply(token: str, expiry: str) -> Reply:
    return Reply(body=encode({"data": {"authenticationResult": {"accessToken": token, "expiry": expiry}}}))


LIVES = [
    # (expiry of the first token, seconds later, whether another one is asked for by then)
    pytest.param(at(60), 57 * 60, False, id="an hour's token is kept while it is good"),
    pytest.param(at(60), 59 * 60, True, id="and renewed two minutes before its end"),
    pytest.param(at(1), 29, False, id="a minute's token is kept for half its life"),
    pytest.param(at(1), 31, True, id="and renewed after it"),
    pytest.param(at(-60), 7 * 60, False, id="an expiry in the past is our clock's mistake: the token is used"),
    pytest.param("soon", 7 * 60, False, id="an unreadable expiry: the token is used"),
    pytest.param(
        "Mon Mar 02 2026 13:00:00 GMT+0000 (Coordinated Universal Time)", 59 * 60, True, id="JavaScript's text"
    ),
]


@pytest.mark.parametrize(("expiry", "later", "renewed"), LIVES)
def test_a_token_is_renewed_a_little_before_it_ends(expiry: str, later: float, renewed: bool) -> None:
    now = [NOON]
    clock = Clock(now=lambda: now[0])
    replies = [grant_reply("first", expiry), *([grant_reply("second", at(120))] if renewed else [])]
    with serving(*replies) as stub:
        transport = Transport(stub.url, vendor="Stokly", auth=NoAuth(), budget=Unlimited(), lane=Lane.BULK)
        auth = GrantAuth(
            transport, account_key="a", client_id="c", secret=lambda: "not-a-real-one", early=120, clock=clock
        )
        assert auth.headers() == {"Authorization": "Bearer first"}
        now[0] += timedelta(seconds=later)
        assert auth.headers() == {"Authorization": f"Bearer {'second' if renewed else 'first'}"}
        transport.close()


def test_two_threads_that_are_refused_at_once_ask_for_one_new_token(account: Any, connect: Any) -> None:
    system = account({"saleorders": [order(1)]})
    client = connect(system, concurrency=2)
    client.page(ORDERS)
    system.revoke_tokens()
    assert [page.count for page in client.each(lambda _: client.page(ORDERS), range(8))] == [1] * 8
    assert grants(system) == 2


def test_an_expired_token_is_replaced_and_the_call_replayed_once(account: Any, connect: Any) -> None:
    system = account({"saleorders": [order(1)]})
    client = connect(system)
    client.page(ORDERS)
    system.revoke_tokens()
    assert client.page(ORDERS).count == 1
    assert grants(system) == 2
    assert system.calls.count(template=ORDERS, status=401) == 1


def test_a_token_refused_again_and_again_is_an_error_and_no_loop(account: Any, connect: Any) -> None:
    system = account()
    client = connect(system)
    system.faults.add(Fault(path=ORDERS, status=401, text='{"message":"jwt expired"}', times=None))
    with pytest.raises(CredentialsError, match="clock"):
        client.page(ORDERS)
    assert client.calls == 4


@pytest.mark.parametrize("wrong", ["client_secret", "client_id", "account_key"])
def test_wrong_credentials_are_named_with_where_to_set_them(account: Any, connect: Any, wrong: str) -> None:
    client = connect(account(), **{wrong: "something-else"})
    with pytest.raises(CredentialsError) as caught:
        client.page(ORDERS)
    assert "something-else" not in str(caught.value)


def test_a_tenant_without_permission_is_told_apart_from_wrong_credentials(account: Any, connect: Any) -> None:
    client = connect(account(denied_paths=[ORDERS]))
    with pytest.raises(PermissionDenied, match="lack the right"):
        client.page(ORDERS)


def test_a_grant_without_a_token_is_tried_again_later(account: Any, connect: Any) -> None:
    system = account()
    system.faults.add(Fault(path="/v1/grant", status=200, text='{"data":{}}', times=None))
    with pytest.raises(TransientError, match="accessToken"):
        connect(system).page(ORDERS)


def test_the_secret_shows_nowhere(account: Any, connect: Any) -> None:
    client = connect(account())
    client.page(ORDERS)
    assert "sandbox-secret" not in f"{client!r} {client.settings!r} {vars(client)!r}"
