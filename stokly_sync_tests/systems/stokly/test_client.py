"""Single calls: what is repeated, what is refused, what is absent. Source: Stokly API contract 2.1, 2.5, 2.6."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from stokly_sync.errors import CredentialsError, NotOffered, TransientError
from stokly_sync.flow import Lane
from stokly_sync.sandbox.kit.faults import Fault
from stokly_sync.systems.stokly import StoklyClient, StoklySettings
from stokly_sync.systems.stokly.client import FilterRefused
from stokly_sync.systems.stokly.filters import where
from stokly_sync.systems.transport import Clock, Unlimited
from stokly_sync_tests.systems.stokly.made import item, line, order, row_id

ORDERS = "/v2/saleorders"


def test_a_page_keeps_nine_decimals_and_says_how_many_rows_match(account: Any, connect: Any) -> None:
    page = connect(account({"items": [item(1), item(2)]})).page("/v0/items", size=1)
    assert page.rows[0]["salePrice"] == Decimal("49.991666667")
    assert (len(page.rows), page.count) == (1, 2)


def test_a_filter_reaches_the_server_whole(account: Any, connect: Any) -> None:
    system = account({"items": [item(1, sku="A&&B"), item(2, sku="A"), item(3, sku="0012"), item(4, sku="12")]})
    client = connect(system)

    def skus(text: str) -> list[str]:
        condition = where("sku").equals(text) & where("status").differs(1)
        return [row["sku"] for row in client.page("/v0/items", filter=condition).rows]

    assert skus("A&&B") == ["A&&B"]
    assert skus("0012") == ["0012"]


def test_an_unknown_field_is_a_refused_filter_and_not_repeated(account: Any, connect: Any) -> None:
    system = account()
    with pytest.raises(FilterRefused, match="settings"):
        connect(system).page(ORDERS, filter=where("unheardOf").equals("x"))
    with pytest.raises(FilterRefused):
        connect(system).page(ORDERS, sort="unheardOf")
    assert system.calls.count(template=ORDERS) == 2


def test_an_absent_resource_is_not_offered(account: Any, connect: Any) -> None:
    with pytest.raises(NotOffered, match="not_offered"):
        connect(account(absent_endpoints=["refunds"])).page("/v0/refunds")


TROUBLE = [
    pytest.param(Fault(path=ORDERS, status=429, text='{"message":"Too many requests"}'), id="429"),
    pytest.param(Fault(path=ORDERS, status=429, retry_after="seconds"), id="429 with seconds"),
    pytest.param(Fault(path=ORDERS, status=429, retry_after="date"), id="429 with a date"),
    pytest.param(Fault(path=ORDERS, status=500), id="500"),
    pytest.param(Fault(path=ORDERS, status=503, text="<html>busy</html>", content_type="text/html"), id="503 in HTML"),
    pytest.param(Fault(path=ORDERS, action="cut"), id="cut before the answer"),
    pytest.param(Fault(path=ORDERS, action="truncate"), id="cut half-way"),
    pytest.param(Fault(path=ORDERS, status=200, text="<html>login</html>"), id="no JSON"),
]


@pytest.mark.parametrize("fault", TROUBLE)
def test_a_read_survives_one_failure_of_any_kind(account: Any, connect: Any, fault: Fault) -> None:
    system = account({"saleorders": [order(1)]})
    system.faults.add(fault)
    client = connect(system)
    assert client.page(ORDERS).count == 1
    assert client.calls == 3


BROKEN = [b'{"data": 3}', b'{"metadata": {"count": 1}}', b'{"data": ["text"]}', b"[]"]


@pytest.mark.parametrize("body", BROKEN)
def test_an_answer_without_a_list_is_an_error_and_never_an_empty_list(account: Any, connect: Any, body: bytes) -> None:
    system = account()
    system.faults.add(Fault(path=ORDERS, status=200, text=body.decode(), times=None))
    with pytest.raises(TransientError, match="list of rows"):
        connect(system).page(ORDERS)


class Listening(Unlimited):
    """A budget that remembers what the server's header said."""

    def __init__(self) -> None:
        self.heard: list[int | None] = []

    def observe(self, *, remaining: int | None = None, retry_after: float | None = None) -> None:
        self.heard.append(remaining if retry_after is None else None)


def test_the_budget_hears_how_many_calls_are_left(account: Any, connect: Any) -> None:
    system = account({"saleorders": [order(1)]})
    settings = connect(system).settings
    budget = Listening()
    client = StoklyClient(settings, budget, Lane.FAST)
    client.page(ORDERS)
    client.close()
    assert len(budget.heard) == 2
    assert all(isinstance(remaining, int) for remaining in budget.heard)


def test_a_limit_that_is_reached_is_waited_out(account: Any, connect: Any) -> None:
    system = account({"saleorders": [order(1)]}, limit=2)
    system.set_limits(True)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        system.set_limits(False)

    client = StoklyClient(connect(system).settings, Unlimited(), Lane.BULK, clock=Clock(sleep=sleep))
    for _ in range(3):
        client.page(ORDERS)
    client.close()
    assert len(slept) == 1
    assert 0 < slept[0] <= 60


def test_a_sub_list_is_read_to_its_end_even_when_pages_are_cut_short(account: Any, connect: Any) -> None:
    system = account({"saleorders": [order(1)], "saleorders/items": [line(1, n) for n in range(7)]}, max_size=3)
    path = f"{ORDERS}/{row_id('order 1')}/items"
    assert len(connect(system).sub_list(path) or []) == 7
    assert connect(system).sub_list(f"{ORDERS}/{row_id('nobody')}/items") is None


def test_a_detail_is_the_record_or_nothing(account: Any, connect: Any) -> None:
    client = connect(account({"items": [item(1, description="Long")]}))
    assert client.detail(f"/v0/items/{row_id('item 1')}")["description"] == "Long"
    assert client.detail(f"/v0/items/{row_id('item 2')}") is None


def test_a_failure_among_several_calls_stops_those_not_yet_begun(account: Any, connect: Any) -> None:
    system = account({"saleorders": [order(1)]})
    system.faults.add(Fault(path=ORDERS, status=400, text='{"message":"Invalid filter"}', times=None))
    client = connect(system, concurrency=2)
    with pytest.raises(FilterRefused):
        client.each(lambda _: client.page(ORDERS), range(200))
    assert client.calls < 100


def test_without_credentials_there_is_no_client() -> None:
    with pytest.raises(CredentialsError, match="STOKLY_ACCOUNT_KEY"):
        StoklyClient(StoklySettings(), Unlimited(), Lane.BULK)
