"""The client on the wire: three layers of refusals told apart, rate limits with and without Retry-After, paging."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from stokly_sync.errors import (
    BatchRefused,
    CredentialsError,
    InDoubt,
    PermanentError,
    PermissionDenied,
    TransientError,
)
from stokly_sync.flow import Lane
from stokly_sync.systems.marketplacer import MarketplacerClient, queries
from stokly_sync.systems.marketplacer.client import refusal
from stokly_sync.systems.marketplacer.unverified import INTROSPECTION, members
from stokly_sync.systems.transport import Clock, Unlimited
from stokly_sync_tests.systems.marketplacer.made import settings
from stokly_sync_tests.systems.transport.stub import Reply, Seen, Stub, serving

KEY = "example-key-0123456789"


class Waits:
    """A clock whose sleeping takes no time and is remembered."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def clock(self) -> Clock:
        return Clock(sleep=self.slept.append)


def answer(data: Any = None, *errors: dict[str, Any], status: int = 200, **headers: str) -> Reply:
    told: dict[str, Any] = {"data": data} | ({"errors": list(errors)} if errors else {})
    return Reply(status, json.dumps(told).encode(), {name.replace("_", "-"): value for name, value in headers.items()})


def said(seen: Seen) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(seen.body)
    return body


@contextmanager
def client(*replies: Reply, waits: Waits | None = None, **given: Any) -> Iterator[tuple[MarketplacerClient, Stub]]:
    with serving(*replies) as stub:
        chosen = settings(url=stub.url, api_key=KEY, **{"role": "operator", **given})
        made = MarketplacerClient(chosen, Unlimited(), Lane.INTERVAL, clock=(waits or Waits()).clock())
        yield made, stub
        made.close()


def test_there_is_no_client_without_address_and_key() -> None:
    with pytest.raises(CredentialsError, match="MARKETPLACER_URL and MARKETPLACER_API_KEY"):
        MarketplacerClient(settings(), Unlimited(), Lane.BULK)


def test_the_key_travels_in_its_own_header() -> None:
    with client(answer({"x": 1})) as (made, stub):
        assert made.read("{ x }").data == {"x": 1}
    (seen,) = stub.seen
    assert (seen.method, seen.path) == ("POST", "/graphql")
    assert seen.headers["MARKETPLACER-API-KEY"] == KEY
    assert "Authorization" not in seen.headers


def test_http_basic_stands_beside_it() -> None:
    with client(answer({}), basic_user="shop", basic_password="sesame-open") as (made, stub):
        made.read("{ x }")
    assert base64.b64decode(stub.seen[0].headers["Authorization"].removeprefix("Basic ")) == b"shop:sesame-open"


@pytest.mark.parametrize(
    ("text", "advice"),
    [("API Token has expired", "missing, mistyped or really expired"), ("Unauthorized", "MARKETPLACER_BASIC_USER")],
)
def test_the_two_texts_of_a_401_lead_to_what_is_wrong(text: str, advice: str) -> None:
    with (
        client(Reply(401, text.encode(), {"Content-Type": "text/plain"})) as (made, _),
        pytest.raises(CredentialsError, match=advice) as raised,
    ):
        made.read("{ x }")
    assert KEY not in str(raised.value)


@pytest.mark.parametrize("status", [429, 503])
def test_a_limit_that_says_how_long_is_waited_out(status: int) -> None:
    waits = Waits()
    with client(answer(status=status, Retry_After="7"), answer({"x": 1}), waits=waits) as (made, _):
        made.read("{ x }")
    assert waits.slept == [7.0]


@pytest.mark.parametrize("status", [429, 503])
def test_a_limit_that_does_not_is_waited_out_longer_each_time(status: int) -> None:
    waits = Waits()
    with (
        client(*[answer(status=status)] * 4, waits=waits) as (made, _),
        pytest.raises(TransientError, match=str(status)),
    ):
        made.read("{ x }")
    assert waits.slept == [60.0, 120.0, 240.0]


def test_a_missing_scope_is_named_with_what_to_do() -> None:
    error = {"message": "Key needs invoices:read", "extensions": {"code": "MISSING_SCOPE"}}
    with (
        client(answer(None, error)) as (made, _),
        pytest.raises(PermissionDenied, match=r"lacks a scope.*invoices:read"),
    ):
        made.read("{ x }")


def test_a_sellers_key_that_asks_for_too_much_is_told_so() -> None:
    error = {"message": "You do not have permission to access order", "path": ["invoices"]}
    with client(answer({"invoices": None}, error)) as (made, _), pytest.raises(PermissionDenied, match="seller's key"):
        made.read("{ x }")


def test_a_query_that_is_not_understood_is_no_matter_of_any_record() -> None:
    error = {"message": "Field 'nope' doesn't exist on type 'Query'"}
    with client(answer(None, error)) as (made, _), pytest.raises(PermanentError, match="doctor"):
        made.read("{ nope }")


def test_half_an_answer_is_not_taken_for_a_whole_one() -> None:
    error = {"message": "something broke", "path": ["b"]}
    with (
        client(answer({"a": 1, "b": None}, error)) as (made, _),
        pytest.raises(PermanentError, match="something broke"),
    ):
        made.read("{ a b }")


def test_what_is_no_graphql_is_tried_again_by_the_next_run() -> None:
    with client(Reply(200, b"[]")) as (made, _), pytest.raises(TransientError, match="no GraphQL"):
        made.read("{ x }")


def test_changes_of_one_kind_leave_in_one_request_under_aliases() -> None:
    payloads = {f"c{i}": {"status": 200, "errors": [], "variant": {"id": f"V{i}"}} for i in range(3)}
    with client(answer(payloads)) as (made, stub):
        found = made.change("variantUpdate", [{"variantId": f"V{i}", "attributes": {}} for i in range(3)])
    assert [one["variant"]["id"] for one in found] == ["V0", "V1", "V2"]
    asked = said(stub.seen[0])
    assert asked["query"].count("variantUpdate(input:") == 3
    assert asked["variables"]["c2"] == {"variantId": "V2", "attributes": {}}


def test_one_change_that_fails_leaves_the_others_as_they_are() -> None:
    error = {"message": "Variant was locked", "path": ["c1"]}
    data = {"c0": {"status": 200, "errors": None}, "c1": None}
    with client(answer(data, error)) as (made, _):
        first, second = made.change("variantUpdate", [{}, {}])
    assert refusal(first) is None
    assert isinstance(second, PermanentError)
    assert "Variant was locked" in str(second)


def test_a_value_that_is_refused_as_a_whole_may_be_halved() -> None:
    text = "Variable $c0 of type ShipmentCreateMutationInput! was provided invalid value for dispatchedAt"
    with client(answer(None, {"message": text})) as (made, _), pytest.raises(BatchRefused, match="dispatchedAt"):
        made.change("shipmentCreate", [{}])


def test_a_payload_tells_of_refusals_by_field() -> None:
    told = {"status": 422, "errors": [{"field": "sku", "messages": ["is taken", "is short"]}, {"messages": ["no"]}]}
    assert refusal(told) == "sku: is taken; is short; no"
    assert refusal({"status": 200, "errors": None}) is None


@pytest.mark.parametrize("lost", [Reply(cut="before"), Reply(200, b"{}"), Reply(503), Reply(200, b"<html>")])
def test_a_change_that_may_have_arrived_is_never_repeated(lost: Reply) -> None:
    with client(lost) as (made, stub), pytest.raises(InDoubt):
        made.change("shipmentCreate", [{}], once=True)
    assert len(stub.seen) == 1


def test_an_absolute_value_is_sent_again_when_its_answer_was_lost() -> None:
    with client(Reply(cut="before"), answer({"c0": {"errors": []}})) as (made, stub):
        made.change("variantUpdate", [{}])
    assert len(stub.seen) == 2


def page(nodes: list[str], end: str | None, *, more: bool) -> Reply:
    info = {"hasNextPage": more, "endCursor": end}
    return answer({"brands": {"nodes": [{"id": n, "name": n} for n in nodes], "pageInfo": info, "totalCount": 3}})


def test_lists_are_read_forwards_and_always_say_how_many() -> None:
    with client(page(["a", "b"], "c2", more=True), page(["c"], "c3", more=False), page_size=2) as (made, stub):
        pages = list(made.connection(queries.BRANDS, "brands", {}))
    assert [[node["id"] for node in one.nodes] for one in pages] == [["a", "b"], ["c"]]
    assert [said(seen)["variables"] for seen in stub.seen] == [{"first": 2}, {"first": 2, "after": "c2"}]


@pytest.mark.parametrize(
    "last", [page([], "c9", more=True), page(["c"], "c2", more=True), page(["c"], None, more=True)]
)
def test_a_list_that_never_ends_is_noticed(last: Reply) -> None:
    with client(page(["a"], "c2", more=True), last) as (made, _), pytest.raises(TransientError):
        list(made.connection(queries.BRANDS, "brands", {}))


def test_a_list_that_needs_too_many_calls_is_not_read_in_part() -> None:
    with (
        client(page(["a"], "c2", more=True), read_calls=1) as (made, _),
        pytest.raises(PermanentError, match="MARKETPLACER_READ_CALLS"),
    ):
        list(made.connection(queries.BRANDS, "brands", {}))


@pytest.mark.parametrize(("seller", "role"), [({"id": "S1"}, "seller"), (None, "operator")])
def test_whose_key_it_is_is_asked_once(seller: Any, role: str) -> None:
    with client(answer({"apiKeyPrincipal": {"name": "key", "seller": seller}}), role="auto") as (made, _):
        assert [made.role, made.role] == [role, role]


def test_a_key_that_may_not_say_whose_it_is_counts_as_a_sellers() -> None:
    denied = answer(None, {"message": "x", "extensions": {"code": "MISSING_SCOPE"}})
    with client(denied, role="auto") as (made, _):
        assert made.role == "seller"


def test_an_order_is_never_asked_for_with_a_sellers_key() -> None:
    assert "order {" not in queries.orders(members(None, {}), operator=False)
    assert "order {" in queries.orders(members(None, {}), operator=True)


def type_of(*fields: str) -> dict[str, Any]:
    return {"fields": [{"name": name, "type": {"kind": "SCALAR"}} for name in fields]}


def test_open_members_are_called_what_the_server_calls_them() -> None:
    told = {"LineItem": type_of("unitPriceCents", "taxCents"), "Invoice": type_of("postageTotalCents")}
    with client(answer(told)) as (made, stub):
        assert (
            made.members.selected("line_cost", "line_tax", "line_total")
            == "line_cost: unitPriceCents line_tax: taxCents"
        )
        assert "line_cost: unitPriceCents" in queries.orders(made.members, operator=False)
    assert said(stub.seen[0])["query"] == INTROSPECTION


def test_a_setting_says_what_a_member_is_called() -> None:
    with client(answer({"LineItem": type_of("weird")}), members={"line_cost": "weird"}) as (made, _):
        assert made.members.names["line_cost"] == "weird"


def test_where_a_server_tells_nothing_the_likeliest_names_stand() -> None:
    with client(answer(None, {"message": "introspection is off"})) as (made, _):
        assert made.members.names["line_cost"] == "costCents"
        assert "commissionAmountCents" in queries.orders(made.members, operator=False)


def test_amounts_are_asked_for_as_text_where_the_pence_are_gone() -> None:
    told = {"Invoice": type_of("totalCents", "commissionAmountFormatted"), "LineItem": type_of("costCents")}
    text = queries.orders(members(told, {}), operator=False)
    assert "totalCents" in text
    assert "commissionAmountFormatted" in text
    assert "commissionAmountCents" not in text


def test_nothing_secret_or_personal_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    error = json.dumps({"message": f"buyer@example.com used {KEY}"}).encode()
    with client(Reply(429, error, {"Retry-After": "1"}), answer({"x": 1})) as (made, _):
        made.read("{ x }")
    assert caplog.records
    assert KEY not in caplog.text
    assert "buyer@example.com" not in caplog.text
    assert KEY not in repr(made.settings)
