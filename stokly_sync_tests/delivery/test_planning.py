"""What a plan decides, against landed rows and the ledger, on both databases."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from stokly_sync.delivery.figures import DeliveryFigures, PlanFigures, PlanScope, RowSumBroken
from stokly_sync.delivery.planning import plan
from stokly_sync.delivery.sending import deliver
from stokly_sync.errors import PermanentError
from stokly_sync.flow import BatchLimits, Built, Feed, Problem, ReplayClass, Window
from stokly_sync.warehouse.exceptions import counts_by_rule, open_for
from stokly_sync.warehouse.store import Busy, Warehouse
from stokly_sync.warehouse.tables import EXCEPTIONS, LEDGER, PLANS
from stokly_sync.warehouse.windows import WindowCount, note_landed
from stokly_sync_tests.delivery.kit import (
    QUICK,
    RULES,
    Destination,
    build_orders,
    customer_gate,
    land,
    ledger,
    order,
    orders_feed,
    refunds_trigger,
    row,
    states,
    window,
)


def planned(warehouse: Warehouse, feed: Feed, scope: PlanScope | None = None, **options: Any) -> PlanFigures:
    return plan(warehouse, feed, catalogue=RULES, scope=scope, run_id="run", **options)


def sent(warehouse: Warehouse, feed: Feed, client: Destination | None = None, **options: Any) -> DeliveryFigures:
    return deliver(warehouse, feed, client or Destination(), catalogue=RULES, run_id="run", options=QUICK, **options)


def synced(warehouse: Warehouse, feed: Feed, client: Destination | None = None) -> PlanFigures:
    figures = planned(warehouse, feed)
    sent(warehouse, feed, client)
    return figures


def test_a_first_plan_sends_every_landed_record_of_the_windows_it_owes(warehouse: Warehouse) -> None:
    land(warehouse, "stokly.orders", [order("1"), order("2")])
    land(warehouse, "stokly.orders", [order("3")], number=4)
    figures = planned(warehouse, orders_feed())
    assert (figures.read, figures.to_send, figures.api_calls_needed) == (3, 3, 1)
    assert set(states(warehouse).values()) == {"planned"}
    assert ledger(warehouse)["1"]["value"] == 12 * 10**9


def test_a_window_is_owed_once_and_again_when_it_changes(warehouse: Warehouse) -> None:
    feed = orders_feed()
    land(warehouse, "stokly.orders", [order("1")])
    synced(warehouse, feed)
    assert planned(warehouse, feed).read == 0
    land(warehouse, "stokly.orders", [order("2")])
    again = planned(warehouse, feed)
    assert (again.read, again.to_send, again.unchanged) == (2, 1, 1)


def test_what_the_destination_holds_is_not_sent_again_unless_forced(warehouse: Warehouse) -> None:
    feed = orders_feed()
    land(warehouse, "stokly.orders", [order("1"), order("2")])
    synced(warehouse, feed)
    replay = PlanScope(windows=(window(),))
    assert planned(warehouse, feed, replay).unchanged == 2
    assert states(warehouse) == {"1": "accepted", "2": "accepted"}
    assert planned(warehouse, feed, replay, force=True).to_send == 2


def test_an_explicit_window_reads_only_what_was_observed_in_it(warehouse: Warehouse) -> None:
    land(warehouse, "stokly.orders", [order("1")], number=0)
    land(warehouse, "stokly.orders", [order("2")], number=3)
    figures = planned(warehouse, orders_feed(), PlanScope(windows=(window(3),)))
    assert (figures.read, list(states(warehouse))) == (1, ["2"])
    # The other window is still owed.
    assert planned(warehouse, orders_feed()).read == 1


def test_a_plan_over_everything_looks_at_windows_long_planned(warehouse: Warehouse) -> None:
    feed = orders_feed()
    land(warehouse, "stokly.orders", [order(str(i)) for i in range(25)])
    synced(warehouse, feed)
    figures = planned(warehouse, feed, PlanScope(everything=True), chunk=10)
    assert (figures.read, figures.unchanged) == (25, 25)


def test_changed_content_is_sent_and_content_that_changed_back_is_not(warehouse: Warehouse) -> None:
    feed, client = orders_feed(), Destination()
    land(warehouse, "stokly.orders", [order("1", number="a")])
    synced(warehouse, feed, client)
    land(warehouse, "stokly.orders", [order("1", number="b")], number=1)
    assert planned(warehouse, feed).to_send == 1
    land(warehouse, "stokly.orders", [order("1", number="a")], number=2)
    back = planned(warehouse, feed)
    assert (back.to_send, back.unchanged) == (0, 1)
    assert states(warehouse) == {"1": "accepted"}
    assert ledger(warehouse)["1"]["document"] is None
    sent(warehouse, feed, client)
    assert [body["note"] for body in client.held["1"]] == ["a"]


def test_an_older_version_never_overtakes_a_newer_one(warehouse: Warehouse) -> None:
    feed = orders_feed()
    land(warehouse, "stokly.orders", [order("1", number="new")], number=5)
    synced(warehouse, feed)
    land(warehouse, "stokly.orders", [order("1", number="old")], number=6, version=window(2).start)
    figures = planned(warehouse, feed, force=True)
    assert (figures.to_send, figures.unchanged) == (0, 1)


@pytest.mark.parametrize(
    ("rule", "field", "state"),
    [
        ("T-BAD", "quarantined", "quarantined"),
        ("T-GUEST", "excluded", "excluded"),
        ("T-NOT-CONFIRMED", "parked", "parked"),
    ],
)
def test_a_record_is_kept_back_as_the_effect_of_its_rule_says(
    warehouse: Warehouse, rule: str, field: str, state: str
) -> None:
    land(warehouse, "stokly.orders", [order("1", number=rule), order("2")])
    figures = planned(warehouse, orders_feed())
    assert getattr(figures, field) == {rule: 1}
    assert (figures.to_send, states(warehouse)["1"]) == (1, state)


def test_an_exception_opens_with_its_owner_and_closes_by_itself_when_the_record_passes(warehouse: Warehouse) -> None:
    feed = orders_feed()
    land(warehouse, "stokly.orders", [order("1", number="T-BAD")])
    planned(warehouse, feed)
    assert exceptions(warehouse) == [("1", "T-BAD", "open", "operations")]
    land(warehouse, "stokly.orders", [order("1")], number=1)
    figures = planned(warehouse, feed)
    assert (figures.read, figures.carried_in, figures.to_send) == (1, 0, 1)
    assert exceptions(warehouse) == [("1", "T-BAD", "closed", "operations")]


def test_what_is_kept_back_is_carried_into_every_plan_and_counted_there(warehouse: Warehouse) -> None:
    feed = orders_feed()
    land(warehouse, "stokly.orders", [order("1", number="T-BAD"), order("2", number="T-NOT-CONFIRMED"), order("3")])
    planned(warehouse, feed)
    again = planned(warehouse, feed)
    assert (again.read, again.carried_in, again.to_send) == (0, 3, 1)
    assert (again.quarantined, again.parked) == ({"T-BAD": 1}, {"T-NOT-CONFIRMED": 1})


def test_an_exception_that_a_person_ignores_is_held_until_the_record_passes(warehouse: Warehouse) -> None:
    feed = orders_feed()
    land(warehouse, "stokly.orders", [order("1", number="T-BAD")])
    planned(warehouse, feed)
    with warehouse.transaction() as connection:
        connection.execute(sa.update(EXCEPTIONS).values(state="ignored"))
    assert planned(warehouse, feed).held == 1
    assert exceptions(warehouse)[0][2] == "ignored"
    land(warehouse, "stokly.orders", [order("1")], number=1)
    assert planned(warehouse, feed).to_send == 1


def test_a_cancelled_order_is_sent_only_where_the_destination_has_accepted_it_before(warehouse: Warehouse) -> None:
    feed, client = orders_feed(), Destination()
    land(warehouse, "stokly.orders", [order("1")])
    synced(warehouse, feed, client)
    land(warehouse, "stokly.orders", [order("1", stage="removed"), order("2", stage="removed")], number=1)
    figures = synced(warehouse, feed, client)
    assert (figures.to_send, figures.excluded) == (1, {"T-REMOVED": 1})
    assert client.held["1"][-1]["cancelled"] is True
    assert "2" not in client.held


def test_rows_that_broke_their_contract_in_the_window_count_under_its_rule(warehouse: Warehouse) -> None:
    feed = orders_feed()
    land(warehouse, "stokly.orders", [order("1")])
    with warehouse.transaction() as connection:
        open_for(
            connection,
            brand="demo",
            subject="stokly.orders",
            problems=[Problem("9", "ST-ORDER-TOTAL", "the total is not the sum of its parts")],
            catalogue=RULES,
            run_id="landing",
            window_starts={"9": window().start},
        )
    figures = planned(warehouse, feed)
    assert (figures.read, figures.to_send, figures.quarantined) == (2, 1, {"ST-ORDER-TOTAL": 1})
    assert planned(warehouse, feed).read == 0


def test_a_change_of_another_dataset_makes_its_record_due_again(warehouse: Warehouse) -> None:
    feed = orders_feed(triggers=(refunds_trigger(),))
    land(warehouse, "stokly.orders", [order("1"), order("2")])
    synced(warehouse, feed)
    land(warehouse, "stokly.refunds", [refund("r1", order_id="1")], number=1)
    figures = planned(warehouse, feed)
    assert (figures.read, figures.unchanged) == (1, 1)


def test_a_record_seen_in_its_own_window_and_through_a_trigger_counts_once(warehouse: Warehouse) -> None:
    feed = orders_feed(triggers=(refunds_trigger(),))
    land(warehouse, "stokly.orders", [order("1")])
    land(warehouse, "stokly.refunds", [refund("r1", order_id="1"), refund("r2", order_id="1")])
    assert planned(warehouse, feed).read == 1


def test_a_touched_record_that_is_not_landed_is_left_to_the_time_when_it_lands(warehouse: Warehouse) -> None:
    feed = orders_feed(triggers=(refunds_trigger(),))
    land(warehouse, "stokly.refunds", [refund("r1", order_id="77")])
    assert planned(warehouse, feed).read == 0


def test_a_row_that_belongs_to_no_record_is_excluded_by_name_until_it_does(warehouse: Warehouse) -> None:
    feed = orders_feed(triggers=(refunds_trigger(),))
    land(warehouse, "stokly.orders", [order("r1")])
    land(warehouse, "stokly.refunds", [refund("r1"), refund("r2")])
    figures = planned(warehouse, feed)
    assert (figures.read, figures.excluded, figures.to_send) == (3, {"T-NO-ORDER": 2}, 1)
    assert exceptions(warehouse) == [
        ("r1", "T-NO-ORDER", "excluded", "operations"),
        ("r2", "T-NO-ORDER", "excluded", "operations"),
    ]
    land(warehouse, "stokly.refunds", [refund("r2", order_id="r1")], number=1)
    planned(warehouse, feed)
    assert [row[2] for row in exceptions(warehouse)] == ["excluded", "closed"]


def test_an_order_waits_until_its_customer_was_accepted_and_says_what_for(warehouse: Warehouse) -> None:
    feed = orders_feed(gates=(customer_gate(),))
    land(warehouse, "stokly.orders", [order("1", customer_id="c1"), order("2")])
    figures = planned(warehouse, feed)
    assert (figures.to_send, figures.parked) == (1, {"DELIVERY-WAITS": 1})
    assert ledger(warehouse)["1"]["reason"] == "waits for its customer c1, which test/customers does not know yet"
    accept(warehouse, "test/customers", "c1")
    released = planned(warehouse, feed)
    assert (released.carried_in, released.to_send, released.parked) == (2, 2, {})


def test_an_order_whose_customer_is_kept_back_waits_with_that_reason(warehouse: Warehouse) -> None:
    feed = orders_feed(gates=(customer_gate(),))
    row(warehouse, "test/customers", "c1", state="quarantined", rule="T-BAD")
    land(warehouse, "stokly.orders", [order("1", customer_id="c1")])
    planned(warehouse, feed)
    assert ledger(warehouse)["1"]["reason"] == "waits for its customer c1, which is quarantined by T-BAD"


def test_a_record_is_left_out_with_the_one_that_it_belongs_to_and_follows_it_later(warehouse: Warehouse) -> None:
    feed = orders_feed(gates=(customer_gate(follows=True),))
    row(warehouse, "test/customers", "c1", state="excluded", rule="T-REMOVED")
    row(warehouse, "test/customers", "c2", state="quarantined", rule="T-BAD")
    land(warehouse, "stokly.orders", [order("1", customer_id="c1"), order("2", customer_id="c2")])
    figures = planned(warehouse, feed)
    assert (figures.excluded, figures.parked) == ({"DELIVERY-LEFT-OUT": 1}, {"DELIVERY-WAITS": 1})
    assert ledger(warehouse)["1"]["reason"] == "belongs to its customer c1, which is excluded by T-REMOVED"
    accept(warehouse, "test/customers", "c1")
    released = planned(warehouse, feed)
    assert (released.carried_in, released.to_send, released.excluded) == (2, 1, {})


def test_a_record_waits_on_for_one_that_is_left_out_where_it_does_not_belong_to_it(warehouse: Warehouse) -> None:
    feed = orders_feed(gates=(customer_gate(),))
    row(warehouse, "test/customers", "c1", state="excluded", rule="T-REMOVED")
    land(warehouse, "stokly.orders", [order("1", customer_id="c1")])
    assert planned(warehouse, feed).parked == {"DELIVERY-WAITS": 1}


def test_a_plan_that_sends_nothing_may_take_for_granted_what_is_planned_and_delivery_looks_again(
    warehouse: Warehouse,
) -> None:
    feed = orders_feed(gates=(customer_gate(),))
    row(warehouse, "test/customers", "c1", state="planned")
    row(warehouse, "test/customers", "c2", state="planned")
    land(warehouse, "stokly.orders", [order("1", customer_id="c1"), order("2", customer_id="c2")])
    assert planned(warehouse, feed).parked == {"DELIVERY-WAITS": 2}
    assert planned(warehouse, feed, assume_sent=True).to_send == 2
    accept(warehouse, "test/customers", "c1")
    delivered = sent(warehouse, feed)
    assert (delivered.to_send, delivered.accepted, delivered.parked) == (2, 1, 1)
    assert states(warehouse) == {"1": "accepted", "2": "parked"}


def test_a_rejected_record_is_held_until_its_content_changes(warehouse: Warehouse) -> None:
    feed, client = orders_feed(), Destination(reject=lambda record: b"wrong" in record.document)
    land(warehouse, "stokly.orders", [order("1", number="wrong")])
    synced(warehouse, feed, client)
    assert planned(warehouse, feed, PlanScope(everything=True)).held == 1
    land(warehouse, "stokly.orders", [order("1", number="right")], number=1)
    assert synced(warehouse, feed, client).to_send == 1
    assert exceptions(warehouse) == [("1", "T-REJECTED", "closed", "operations")]


def test_what_drifted_at_the_destination_is_sent_again_once(warehouse: Warehouse) -> None:
    feed = orders_feed()
    land(warehouse, "stokly.orders", [order("1")])
    synced(warehouse, feed)
    with warehouse.transaction() as connection:
        connection.execute(sa.update(LEDGER).values(stale=True))
    figures = planned(warehouse, feed)
    assert (figures.carried_in, figures.to_send) == (1, 1)
    # Planned twice before it leaves, it is still sent.
    assert planned(warehouse, feed).to_send == 1
    sent(warehouse, feed)
    assert planned(warehouse, feed, PlanScope(everything=True)).unchanged == 1


def test_a_record_in_doubt_is_held_whatever_its_content_says_now(warehouse: Warehouse) -> None:
    feed = orders_feed(replay=ReplayClass.NEVER)
    row(warehouse, feed.id, "1", state="in_doubt")
    land(warehouse, "stokly.orders", [order("1", number="other")])
    assert planned(warehouse, feed, force=True).held == 1


def test_submitted_content_is_not_sent_twice_but_an_upsert_may_be_overtaken(warehouse: Warehouse) -> None:
    feed = orders_feed()
    land(warehouse, "stokly.orders", [order("1")])
    row(warehouse, feed.id, "1", state="submitted")
    figures = planned(warehouse, feed)
    assert figures.to_send == 1  # other content than what was submitted
    with warehouse.transaction() as connection:
        connection.execute(sa.update(LEDGER).values(state="submitted"))
    assert planned(warehouse, feed, PlanScope(everything=True)).unchanged == 1


def test_a_builder_that_loses_a_record_stops_the_plan(warehouse: Warehouse) -> None:
    def forgetful(frames: Any) -> Built:
        built = build_orders(frames)
        return Built(built.documents[1:], built.kept_back)

    land(warehouse, "stokly.orders", [order("1"), order("2")])
    with pytest.raises(PermanentError, match="nothing for 1 and 0 unasked, for example 1"):
        planned(warehouse, orders_feed(build=forgetful))
    assert states(warehouse) == {}
    assert planned(warehouse, orders_feed()).to_send == 2


def test_a_rule_that_the_catalogue_lacks_stops_the_plan(warehouse: Warehouse) -> None:
    land(warehouse, "stokly.orders", [order("1", number="T-UNHEARD-OF")])
    with pytest.raises(PermanentError, match="T-UNHEARD-OF is not in the rule catalogue"):
        planned(warehouse, orders_feed())


def test_brands_do_not_meet(warehouse: Warehouse) -> None:
    other = Warehouse(warehouse.engine, "other")
    land(warehouse, "stokly.orders", [order("1")])
    land(other, "stokly.orders", [order("2")])
    assert planned(other, orders_feed()).read == 1
    assert planned(warehouse, orders_feed()).read == 1


def test_two_plans_of_one_feed_do_not_run_at_once(warehouse: Warehouse) -> None:
    with warehouse.exclusive("feed:test/orders"), pytest.raises(Busy):
        planned(warehouse, orders_feed())


def test_a_plan_is_kept_under_its_id_with_its_counts(warehouse: Warehouse) -> None:
    land(warehouse, "stokly.orders", [order("1")])
    figures = planned(warehouse, orders_feed())
    with warehouse.reading() as connection:
        kept = connection.execute(sa.select(PLANS)).one()
    assert (kept.plan_id, kept.state, json.loads(kept.counts)["to_send"]) == (figures.plan_id, "planned", 1)


def test_a_sum_that_does_not_close_is_an_error_that_says_where() -> None:
    figures = PlanFigures("p1", "test/orders", read=3, carried_in=1, to_send=2, unchanged=1, held=0)
    with pytest.raises(RowSumBroken, match="3 records read and 1 carried in, but 3 accounted for"):
        figures.check()


def test_many_scattered_windows_become_few_spans_that_cover_them_all() -> None:
    from stokly_sync.delivery.candidates import spans

    windows = [window(i) for i in (0, 1, 2, 10, 11, 40, 90)]
    assert spans(windows) == [
        Window(window(0).start, window(2).end),
        Window(window(10).start, window(11).end),
        window(40),
        window(90),
    ]
    assert spans(windows, most=2) == [Window(window(0).start, window(40).end), window(90)]


def test_windows_without_any_change_are_planned_without_reading_records(warehouse: Warehouse) -> None:
    with warehouse.transaction() as connection:
        note_landed(connection, brand="demo", dataset="stokly.orders", counts=[WindowCount(window())], run_id="landing")
    assert planned(warehouse, orders_feed()).read == 0


def refund(key: str, **columns: Any) -> dict[str, Any]:
    return {"refund_id": key, "currency": "GBP", "total": 10**9} | columns


def exceptions(warehouse: Warehouse) -> list[tuple[str, str, str, str]]:
    e = EXCEPTIONS.c
    query = sa.select(e.key, e.rule, e.state, e.owner).where(e.subject == "test/orders").order_by(e.key, e.rule)
    with warehouse.reading() as connection:
        assert counts_by_rule(connection, brand="other", subject="test/orders") == {}
        return [tuple(row) for row in connection.execute(query)]


def accept(warehouse: Warehouse, feed: str, key: str) -> None:
    with warehouse.transaction() as connection:
        connection.execute(sa.delete(LEDGER).where(LEDGER.c.feed == feed, LEDGER.c.key == key))
    row(warehouse, feed, key, state="accepted", accepted_hash="h")


def test_a_plan_tells_creating_from_updating_and_removing(warehouse: Warehouse) -> None:
    land(warehouse, "stokly.orders", [order("1"), order("2"), order("3")])
    first = synced(warehouse, orders_feed())
    assert (first.creates, first.updates, first.removals) == (3, 0, 0)
    land(warehouse, "stokly.orders", [order("1", number="new"), order("2", stage="removed"), order("4")], number=1)
    second = planned(warehouse, orders_feed())
    assert (second.creates, second.updates, second.removals) == (1, 1, 1)
    assert second.creates + second.updates + second.removals == second.to_send


def test_a_plan_counts_the_calls_that_a_batch_cannot_do_without(warehouse: Warehouse) -> None:
    land(warehouse, "stokly.orders", [order(str(n)) for n in range(12)])
    figures = planned(warehouse, orders_feed(limits=BatchLimits(records=5, bytes=100_000, calls=3)))
    assert (figures.api_calls_needed, figures.least_calls) == (3, 9)
