"""Loading into Stokly in bad weather: limits, expired tokens, replays and runs beside each other. On both databases."""

from __future__ import annotations

from typing import Any

import pytest

from stokly_sync.delivery.figures import PlanScope
from stokly_sync.delivery.options import DeliveryStopped
from stokly_sync.delivery.planning import plan
from stokly_sync.sandbox.kit import Fault
from stokly_sync.warehouse.store import Busy
from stokly_sync_tests.systems.stokly.channel import RULES, Desk, MakeDesk, line, order, refund


def ready(at: Desk, count: int = 3) -> None:
    """So many guest orders, planned and not sent."""
    at.shop(*(order(n, customer_key=None) for n in range(1, count + 1)))
    at.read()
    at.plan("orders")


@pytest.mark.parametrize("how", ["seconds", "date", "absent"])
def test_too_many_requests_are_waited_out(desk: MakeDesk, how: Any) -> None:
    at = desk()
    ready(at)
    answer = {"status": 429, "text": '{"message":"Too many requests"}', "retry_after": how, "retry_after_seconds": 3}
    at.account.faults.add(Fault(action="answer", path="/v2/saleorders", method="POST", times=1, **answer))
    assert at.send("orders").accepted == 3
    assert len(at.orders()) == 3


def test_a_token_that_ends_half_way_is_renewed(desk: MakeDesk) -> None:
    at = desk()
    ready(at)
    at.account.revoke_tokens()
    assert at.send("orders").accepted == 3


def test_an_answer_that_is_no_json_is_looked_up_and_not_sent_again(desk: MakeDesk) -> None:
    at = desk({"write_delay": 5.0})
    ready(at)
    at.account.faults.add(
        Fault(action="truncate", path="/v2/saleorders", method="POST", processed=True, times=1),
    )
    assert at.send("orders").accepted == 3
    assert len(at.orders()) == 3


def test_an_order_that_stokly_never_answers_for_keeps_no_other_back_and_is_told(desk: MakeDesk) -> None:
    at = desk()
    ready(at, 8)
    broken: Any = {"status": 500, "text": '{"message":"Unexpected error"}', "times": None}
    at.account.faults.add(Fault(action="answer", path="/v2/saleorders", method="POST", body='"100000002"', **broken))
    with pytest.raises(DeliveryStopped, match="1 records were sent twice"):
        at.send("orders")
    assert set(at.orders()) == {f"10000000{n}" for n in range(1, 9)} - {"100000002"}
    assert at.states("orders")["2"] == ("planned", None)
    at.account.faults.clear()
    assert at.send("orders").accepted == 1
    assert len(at.orders()) == 8


def test_a_replay_by_force_doubles_nothing(desk: MakeDesk) -> None:
    at = desk()
    first = order(1, customer_key=None)
    at.shop(first, order(2, customer_key=None))
    at.sync()
    at.credit(refund(7, first, line(1, "MUG", 1, "10.00")))
    at.sync()
    at.read()
    for kind in ("orders", "refunds"):
        scope = PlanScope(everything=True)
        plan(at.warehouse, at.feed(kind), catalogue=RULES, scope=scope, run_id="replay", force=True)
        at.send(kind)
    assert len(at.orders()) == 2
    assert len(at.held("refunds")) == 1


def test_a_replay_before_stokly_was_read_again_doubles_nothing(desk: MakeDesk) -> None:
    at = desk()
    ready(at)
    at.send("orders")
    at.clock.advance(2)
    assert at.plan("orders").to_send == 3, "Stokly has not said yet that it holds them"
    assert at.send("orders").accepted == 3
    assert len(at.orders()) == 3


def test_two_runs_at_once_do_not_both_load(desk: MakeDesk) -> None:
    at = desk()
    ready(at)
    with at.warehouse.exclusive("feed:stokly/magento_orders", purpose="another run"), pytest.raises(Busy):
        at.send("orders")
    assert at.send("orders").accepted == 3


def test_nothing_personal_is_left_in_ledger_links_and_exceptions(desk: MakeDesk) -> None:
    at = desk()
    at.account.faults.add(
        Fault(
            action="answer",
            status=400,
            text='{"message":"No account for 1@example.com"}',
            path="/v2/saleorders",
            method="POST",
            times=1,
        )
    )
    at.shop(order(1, customer_key=None))
    at.sync()
    detail = at.exceptions()["1", "MG-ORDER-REFUSED"]["detail"]
    assert detail == "No account for ***"
