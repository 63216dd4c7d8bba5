"""What people do about exceptions: it happens, it is written down, and nothing else moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from stokly_sync.delivery.options import DeliveryStopped
from stokly_sync.errors import InDoubt, TransientError
from stokly_sync.flow import Record, ReplayClass, Team
from stokly_sync.operations import acting
from stokly_sync.operations.acting import NotDone, Retried
from stokly_sync.operations.desk import Desk
from stokly_sync.operations.listing import Ref, Wanted
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import ACTIONS, EXCEPTIONS
from stokly_sync_tests.delivery.kit import Destination, land, ledger, order, orders_feed, states
from stokly_sync_tests.operations.kit import FEED, ORDERS, desk_over, hands_of, kept_back, load, rejected

REFUSED = Ref(FEED, "1", "T-REJECTED")


def stored(desk: Desk, *names: str) -> list[tuple[Any, ...]]:
    c = EXCEPTIONS.c
    with desk.warehouse.reading() as conn:
        return [tuple(r) for r in conn.execute(sa.select(*[c[n] for n in names]).order_by(c.subject, c.key, c.rule))]


def written(desk: Desk) -> list[tuple[str, str, str, str]]:
    a = ACTIONS.c
    with desk.warehouse.reading() as conn:
        query = sa.select(a.key, a.action, a.actor, a.detail).order_by(a.at, a.key)
        return [tuple(row) for row in conn.execute(query)]


def test_an_exception_is_ignored_with_its_reason_and_can_be_opened_again(desk: Desk) -> None:
    ref = kept_back(desk.warehouse, "1")
    assert acting.ignore(desk, [ref], reason=" a gift ", actor="kim") == 1
    assert stored(desk, "state", "note") == [("ignored", "a gift")]
    assert acting.ignore(desk, [ref], reason="again", actor="kim") == 0, "only what is open"
    assert acting.reopen(desk, [ref], actor="kim") == 1
    assert stored(desk, "state", "note") == [("open", "a gift")]
    assert written(desk) == [("1", "ignore", "kim", "a gift"), ("1", "reopen", "kim", "")]


def test_nothing_is_ignored_without_a_reason(desk: Desk) -> None:
    ref = kept_back(desk.warehouse, "1")
    with pytest.raises(NotDone, match="reason"):
        acting.ignore(desk, [ref], reason="  ", actor="kim")
    assert (stored(desk, "state"), written(desk)) == ([("open",)], [])


def test_an_exception_is_assigned_and_taken_from_everybody(desk: Desk) -> None:
    ref = kept_back(desk.warehouse, "1")
    assert acting.assign(desk, [ref], to=" day  shift ", actor="kim") == 1
    assert stored(desk, "assigned_to") == [("day shift",)]
    assert acting.assign(desk, [ref], to="", actor="kim") == 1
    assert stored(desk, "assigned_to") == [(None,)]
    assert [detail for *_, detail in written(desk)] == ["day shift", "nobody"]


def test_an_act_on_a_list_meets_all_of_it_and_nothing_else(desk: Desk) -> None:
    for key, owner in (("1", "finance"), ("2", "cx"), ("3", "cx")):
        kept_back(desk.warehouse, key, owner=owner)
    assert acting.ignore(desk, Wanted(owner=Team.CX), reason="known", actor="kim") == 2
    assert stored(desk, "key", "state") == [("1", "open"), ("2", "ignored"), ("3", "ignored")]
    assert [key for key, *_ in written(desk)] == ["2", "3"], "each record has its own history"


def test_an_act_on_nothing_is_refused(desk: Desk) -> None:
    with pytest.raises(NotDone, match="chosen"):
        acting.assign(desk, [], to="day shift", actor="kim")


def test_acts_of_another_brand_stay_there(desk: Desk) -> None:
    ref = kept_back(desk.warehouse, "1")
    other = desk_over(Warehouse(desk.warehouse.engine, "other"))
    assert acting.ignore(other, [ref], reason="not mine", actor="kim") == 0
    assert (stored(desk, "state"), written(desk)) == ([("open",)], [])


def test_a_refused_record_is_sent_again_though_nothing_has_changed(desk: Desk) -> None:
    rejected(desk.warehouse, "1", "2")
    assert states(desk.warehouse) == {"1": "rejected", "2": "rejected"}
    assert acting.retry(desk, [REFUSED], actor="kim") == Retried(1, 0, at_once=True)
    assert states(desk.warehouse) == {"1": "accepted", "2": "rejected"}, "the other one stays where it is"
    assert hands_of(desk).read == [(ORDERS, ("1",))]
    assert stored(desk, "key", "state") == [("1", "closed"), ("2", "open")]


def test_a_record_that_is_refused_once_more_stays_open(desk: Desk) -> None:
    rejected(desk.warehouse, "1")
    hands_of(desk).client.reject = lambda record: True
    assert acting.retry(desk, [REFUSED], actor="kim") == Retried(1, 1, at_once=True)
    assert states(desk.warehouse) == {"1": "rejected"}
    load(desk.warehouse, orders_feed(), client := Destination())
    assert client.calls == [], "one wish is one try"


def test_a_corrected_record_passes_its_rule_and_leaves(desk: Desk) -> None:
    land(desk.warehouse, ORDERS, [order("1", number="T-BAD")])
    load(desk.warehouse, orders_feed(), Destination())
    hands_of(desk).corrected = lambda key: land(desk.warehouse, ORDERS, [order(key, number="7")], number=1)
    assert acting.retry(desk, [Ref(FEED, "1", "T-BAD")], actor="kim") == Retried(1, 0, at_once=True)
    assert states(desk.warehouse) == {"1": "accepted"}


def test_a_destination_that_is_down_leaves_the_wish_to_the_next_load(desk: Desk) -> None:
    rejected(desk.warehouse, "1")
    hands_of(desk).trouble = TransientError("Test is down; the next load goes on.")
    done = acting.retry(desk, [REFUSED], actor="kim")
    assert (done.still_open, done.trouble) == (1, ("test/orders: Test is down; the next load goes on.",))
    assert ledger(desk.warehouse)["1"]["stale"]
    load(desk.warehouse, orders_feed(), client := Destination())
    assert list(client.held) == ["1"]


def test_of_very_many_only_the_wish_is_stored(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acting, "AT_ONCE", 1)
    rejected(desk.warehouse, "1", "2")
    assert acting.retry(desk, Wanted(), actor="kim") == Retried(2, 2, at_once=False)
    assert hands_of(desk).read == []
    load(desk.warehouse, orders_feed(), client := Destination())
    assert sorted(client.held) == ["1", "2"]


@pytest.fixture
def doubtful(warehouse: Warehouse) -> Desk:
    """Two records left together, and no answer came."""
    desk = desk_over(warehouse, orders_feed(replay=ReplayClass.NEVER))
    land(warehouse, ORDERS, [order("1"), order("2")])

    def cut(batch: Sequence[Record]) -> None:
        raise InDoubt(f"{len(batch)} were sent")

    with pytest.raises(DeliveryStopped):
        load(warehouse, desk.feeds[FEED], Destination(after=cut))
    assert states(warehouse) == {"1": "in_doubt", "2": "in_doubt"}
    return desk


@pytest.mark.parametrize(
    ("word", "state", "action"), [("arrived", "accepted", "arrived"), ("again", "planned", "send again")]
)
def test_a_person_decides_what_is_in_doubt(doubtful: Desk, word: Any, state: str, action: str) -> None:
    assert acting.decide(doubtful, [Ref(FEED, "1", "DELIVERY-IN-DOUBT")], word, actor="kim") == 1
    assert states(doubtful.warehouse) == {"1": state, "2": "in_doubt"}
    assert written(doubtful) == [("1", action, "kim", "")]


def test_what_is_in_doubt_can_be_neither_ignored_nor_retried_away(doubtful: Desk) -> None:
    ref = Ref(FEED, "1", "DELIVERY-IN-DOUBT")
    with pytest.raises(NotDone, match="look at the destination"):
        acting.ignore(doubtful, [ref], reason="never mind", actor="kim")
    acting.retry(doubtful, [ref], actor="kim")
    assert states(doubtful.warehouse) == {"1": "in_doubt", "2": "in_doubt"}


def test_only_a_feed_has_anything_in_doubt(desk: Desk) -> None:
    with pytest.raises(NotDone, match="is no feed"):
        acting.decide(desk, [kept_back(desk.warehouse, "1")], "arrived", actor="kim")
