"""One exception in full: masked until somebody asks by name, and then that is written down."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from stokly_sync.operations import acting
from stokly_sync.operations.desk import Desk
from stokly_sync.operations.listing import Ref
from stokly_sync.operations.looking import Detail, NoSuchException, look, reveal
from stokly_sync.warehouse.tables import ACTIONS
from stokly_sync_tests.delivery.kit import T0, Destination, land, order, orders_feed
from stokly_sync_tests.operations.kit import DAGSTER_RUN, FEED, ORDERS, kept_back, load, rejected

SECRET = "ann@example.com"
REFUSED = Ref(FEED, "1", "T-REJECTED")


def texts(detail: Detail) -> str:
    return "\n".join(shown.text for shown in (*detail.received, *detail.outgoing))


def acts(desk: Desk) -> list[Any]:
    with desk.warehouse.reading() as conn:
        return [tuple(r) for r in conn.execute(sa.select(ACTIONS.c.action, ACTIONS.c.actor, ACTIONS.c.key))]


@pytest.fixture
def refused(desk: Desk) -> Desk:
    land(desk.warehouse, ORDERS, [order("1", customer_email=SECRET, number="7")])
    load(desk.warehouse, orders_feed(), Destination(reject=lambda record: True))
    return desk


def test_the_record_is_shown_as_it_landed_and_as_it_waits_to_be_sent(refused: Desk) -> None:
    detail = look(refused, REFUSED)
    assert [shown.title for shown in detail.received] == ["Landed in stokly.orders"]
    assert [shown.title for shown in detail.outgoing] == ["As it is stored, to be sent"]
    assert '"total": 12' in detail.received[0].text, "money in major units"
    assert '"id": "1"' in detail.outgoing[0].text
    assert (detail.state, detail.row.value, detail.row.currency) == ("rejected", 12 * 10**9, "GBP")
    assert detail.rule is not None


def test_personal_data_is_masked_until_somebody_asks_and_that_is_written_down(refused: Desk) -> None:
    assert SECRET not in texts(look(refused, REFUSED))
    assert acts(refused) == []
    detail = reveal(refused, REFUSED, actor="kim")
    assert SECRET in texts(detail)
    assert detail.revealed
    assert acts(refused) == [("reveal", "kim", "1")]


def test_a_document_that_broke_the_contract_is_shown_as_it_was_received(desk: Desk) -> None:
    payload = '{"order_id":"1","rate":1.10,"email":"ann@example.com","customerName":"Ann","lines":[{"name":"Mug"}]}'
    ref = kept_back(desk.warehouse, "1", payload=payload)
    shown = texts(look(desk, ref))
    assert "Mug" in shown
    assert "1.10" in shown, "as it came, to the last digit"
    assert "ann" not in shown.casefold()
    assert "Ann" in texts(reveal(desk, ref, actor="kim"))


def test_the_history_tells_what_happened_in_order_of_time(refused: Desk) -> None:
    acting.assign(refused, [REFUSED], to="day shift", actor="kim")
    told = [(step.what, step.run_id) for step in look(refused, REFUSED).history]
    assert [what for what, _ in told[-1:]] == ["assign by kim"]
    assert {"planned", "sent", "rejected", "found"} <= {what for what, _ in told}
    assert ("sent", DAGSTER_RUN) in told


def test_an_exception_that_closed_says_so(desk: Desk) -> None:
    rejected(desk.warehouse, "1")
    acting.retry(desk, [REFUSED], actor="kim")
    detail = look(desk, REFUSED)
    assert detail.row.state == "closed"
    assert "closed" in [step.what for step in detail.history]


def test_what_else_is_wrong_with_the_record_is_named(desk: Desk) -> None:
    ref = kept_back(desk.warehouse, "1", at=T0 + timedelta(hours=1))
    other = kept_back(desk.warehouse, "1", subject=FEED, rule="T-BAD")
    kept_back(desk.warehouse, "2", subject=FEED, rule="T-BAD")
    assert look(desk, ref).others == [other]
    assert look(desk, other).others == [ref]


def test_an_exception_that_is_not_there_is_refused_and_nobody_is_written_down(desk: Desk) -> None:
    with pytest.raises(NoSuchException, match="has no exception"):
        look(desk, REFUSED)
    with pytest.raises(NoSuchException, match="has no exception"):
        reveal(desk, REFUSED, actor="kim")
    assert acts(desk) == []
