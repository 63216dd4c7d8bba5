"""Customer metrics: what they say, when they move, and where they are owed, on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from stokly_sync.contracts.confirmation import Confirmation
from stokly_sync.contracts.money import NANO
from stokly_sync.landing import derived, grid, metrics, run
from stokly_sync.landing.derived import Basis
from stokly_sync.landing.run import land_baseline, sweep
from stokly_sync.warehouse.store import Warehouse
from stokly_sync_tests.landing.shop import SPAN, T0, Shop


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "CHUNK_ROWS", 3)
    monkeypatch.setattr(derived, "_FIRST_ORDERS", 2)
    monkeypatch.setattr(derived, "_CHUNK_CUSTOMERS", 2)


@pytest.fixture
def shop(warehouse: Warehouse) -> Shop:
    """Customer `a` with two orders of 20 and 30 pounds, `b` with one of 10, and a guest."""
    made = Shop(warehouse)
    made.order("o1", "a", "red", "blue")
    made.order("o2", "a", "red", "green", "red", country="FR", city="Lyon")
    made.order("o3", "b", "red")
    made.order("o4", None, "red")
    made.land()
    return made


def test_metrics_say_what_a_customer_has_bought(shop: Shop) -> None:
    row = shop.one("a")
    assert (row.order_count, row.lifetime_value, row.average_order_value) == (2, 50 * NANO, 25 * NANO)
    assert (row.first_order_at, row.last_order_at) == (T0 + timedelta(minutes=1), T0 + timedelta(minutes=2))
    assert (row.currency, json.loads(row.other_values), row.refunded_total, row.live) == ("GBP", {}, 0, True)
    assert json.loads(row.last_order_skus) == ["red", "green"]
    assert json.loads(row.sku_history) == ["red", "green", "blue"]
    assert (row.last_location_country, row.last_location_city) == ("FR", "Lyon")
    assert row.version == T0 + timedelta(minutes=2)


def test_guests_have_no_metrics(shop: Shop) -> None:
    assert set(shop.rows()) == {"a", "b"}


def test_refunds_and_credit_notes_against_orders_are_taken_off(shop: Shop) -> None:
    shop.refund("r1", "o1", 4)
    shop.note("n1", "o2", 7)
    shop.land()
    row = shop.one("a")
    assert (row.lifetime_value, row.refunded_total, row.order_count) == (39 * NANO, 11 * NANO, 2)
    assert row.average_order_value == 39 * NANO // 2
    assert row.version == T0 + timedelta(minutes=6)
    assert shop.one("b").lifetime_value == 10 * NANO


def test_a_credit_note_that_documents_a_refund_counts_once(shop: Shop) -> None:
    shop.note("n1", "o1", 4)
    shop.land()
    shop.refund("r1", "o1", 4, credit_note_id="n1")
    shop.land()
    assert shop.one("a").refunded_total == 4 * NANO
    shop.refund("r1", "o1", 4, credit_note_id="n1", live=False)
    shop.land()
    assert shop.one("a").refunded_total == 4 * NANO


@pytest.mark.parametrize("more", [{"status": "pending"}, {"live": False}, {"order_id": None}], ids=str)
def test_refunds_that_are_open_gone_or_without_order_take_nothing_off(shop: Shop, more: dict[str, Any]) -> None:
    shop.refund("r1", "o1", 4, **more)
    shop.land()
    assert shop.one("a").lifetime_value == 50 * NANO


def test_a_refund_that_changes_its_order_touches_both_customers(shop: Shop) -> None:
    shop.refund("r1", "o1", 4)
    shop.land()
    shop.refund("r1", "o3", 4)
    shop.land()
    assert (shop.one("a").refunded_total, shop.one("b").refunded_total) == (0, 4 * NANO)


def test_a_credit_note_that_came_before_its_order_counts_with_it(shop: Shop) -> None:
    shop.note("n1", "late", 4)
    shop.land()
    shop.order("late", "b", "x")
    shop.land()
    assert shop.one("b").lifetime_value == 16 * NANO


def test_amounts_in_other_currencies_stand_apart(shop: Shop) -> None:
    shop.order("o5", "a", "x", "y", "z", currency="EUR", base_total=25 * NANO)
    shop.refund("r1", "o5", 5, currency="EUR")
    shop.order("o6", "c", "x", currency="JPY")
    shop.land()
    row = shop.one("a")
    assert (row.order_count, row.lifetime_value, row.refunded_total) == (3, 50 * NANO, 0)
    assert row.average_order_value == 25 * NANO
    assert json.loads(row.other_values) == {"EUR": "25.000000000"}
    only = shop.one("c")
    assert (only.order_count, only.lifetime_value, only.average_order_value) == (1, 0, None)


def test_the_base_currency_is_the_brands(warehouse: Warehouse) -> None:
    shop = Shop(warehouse, Basis(currency="EUR"))
    shop.order("o1", "a", "x", currency="EUR")
    shop.order("o2", "a", "x", "y")
    shop.land()
    row = shop.one("a")
    assert (row.currency, row.lifetime_value, json.loads(row.other_values)) == (
        "EUR",
        10 * NANO,
        {"GBP": "20.000000000"},
    )


NOT_CONFIRMED = [
    {"stage": "quote"},
    {"payment_status": "part_paid"},
    {"payment_status": None},
    {"tags": ["fraud-hold"]},
]


@pytest.mark.parametrize("more", NOT_CONFIRMED, ids=str)
def test_orders_that_are_not_confirmed_count_once_they_are(shop: Shop, more: dict[str, Any]) -> None:
    shop.order("o5", "a", "x", **more)
    shop.order("o6", "new", "x", **more)
    shop.land()
    assert shop.one("a").order_count == 2
    assert "new" not in shop.rows()
    shop.order("o5", "a", "x")
    shop.land()
    assert shop.one("a").order_count == 3


def test_what_is_confirmed_is_the_brands_choice(warehouse: Warehouse) -> None:
    policy = Confirmation(payment_states=("paid", "unknown"), hold_tags=(), needed_tags=("checked",))
    shop = Shop(warehouse, Basis(policy))
    shop.order("o1", "a", "x", payment_status=None, tags=["checked", "fraud-hold"])
    shop.order("o2", "a", "x")
    shop.land()
    assert shop.one("a").order_count == 1


def _stage(shop: Shop) -> None:
    shop.order("o3", "b", "red", stage="removed", live=False)
    shop.land()


def _unlisted(shop: Shop) -> None:
    del shop.orders.documents["o3"]
    sweep(shop.reader, shop.orders.extract(), None)


@pytest.mark.parametrize("remove", [_stage, _unlisted])
def test_a_removed_order_does_not_count_and_its_customer_is_left_with_nothing(
    shop: Shop, remove: Callable[[Shop], None]
) -> None:
    before = shop.one("b")
    remove(shop)
    row = shop.one("b")
    assert (row.order_count, row.lifetime_value, row.average_order_value, row.live) == (0, 0, None, False)
    assert (row.last_order_at, json.loads(row.sku_history)) == (None, [])
    assert row.version >= before.version
    assert row.window_start in shop.owed()


def test_a_version_never_falls_when_the_newest_order_goes(shop: Shop) -> None:
    before = shop.one("a")
    del shop.orders.documents["o2"]
    sweep(shop.reader, shop.orders.extract(), None)
    assert (shop.one("a").order_count, shop.one("a").version) == (1, before.version)


def test_a_state_that_is_held_back_does_not_count_and_the_one_before_it_does(shop: Shop) -> None:
    shop.order("o3", "b", "red", total=99, lines_total=10 * NANO)
    shop.order("o5", "b", "red", total=99, lines_total=10 * NANO)
    shop.land()
    assert (shop.one("b").order_count, shop.one("b").lifetime_value) == (1, 10 * NANO)


def test_an_order_that_changes_its_customer_touches_both(shop: Shop) -> None:
    shop.order("o1", "b", "red", "blue")
    shop.land()
    assert (shop.one("a").lifetime_value, shop.one("b").lifetime_value) == (30 * NANO, 30 * NANO)
    shop.order("o1", None, "red", "blue")
    shop.land()
    assert shop.one("b").order_count == 1


def test_only_rows_whose_values_differ_move(shop: Shop) -> None:
    before, owed = shop.one("b"), shop.owed()
    shop.land()
    assert (shop.one("b"), shop.owed()) == (before, owed)
    shop.order("o3", "b", "red", number="another")
    shop.land()
    assert (shop.one("b"), shop.owed()) == (before, owed)


def test_a_change_is_owed_in_the_window_of_the_row_that_caused_it(shop: Shop) -> None:
    owed, shop.minute = shop.owed(), 100
    shop.refund("r1", "o1", 4)
    shop.land()
    start = grid.floor(T0 + timedelta(minutes=101))
    assert shop.one("a").window_start == start
    assert {at: n for at, n in shop.owed().items() if owed.get(at) != n} == {start: 1}
    assert shop.one("b").window_start == grid.floor(T0 + timedelta(minutes=3))


def test_history_lands_with_its_metrics_and_they_are_owed(warehouse: Warehouse) -> None:
    shop = Shop(warehouse)
    for n in range(8):
        shop.order(f"o{n}", "ab"[n % 2], "x")
    shop.refund("r1", "o0", 4)
    for source in (shop.orders, shop.refunds, shop.notes):
        land_baseline(shop.reader, source.extract(), None, SPAN.end)
    assert (shop.one("a").lifetime_value, shop.one("b").lifetime_value) == (36 * NANO, 40 * NANO)
    assert shop.one("a").window_start in shop.owed()


def test_a_history_that_was_broken_off_brings_all_metrics_once_it_is_complete(warehouse: Warehouse) -> None:
    shop = Shop(warehouse)
    for n in range(12):
        shop.order(f"o{n:02}", "abc"[n % 3], "x")
    shop.orders.stop_after = 4
    with pytest.raises(ConnectionError):
        land_baseline(shop.reader, shop.orders.extract(), None, SPAN.end)
    shop.orders.stop_after = None
    land_baseline(shop.reader, shop.orders.extract(), None, SPAN.end)
    assert {customer: row.order_count for customer, row in shop.rows().items()} == {"a": 4, "b": 4, "c": 4}
    assert {shop.one(customer).window_start for customer in "abc"} <= shop.owed().keys()
    assert shop.recompute() == 0


def test_the_history_of_skus_ends_after_the_newest_two_hundred(warehouse: Warehouse) -> None:
    shop = Shop(warehouse)
    for n in range(5):
        shop.order(f"o{n}", "a", *(f"s{n}-{i}" for i in range(60)), None, "again")
    shop.land()
    history = json.loads(shop.one("a").sku_history)
    newest = [f"s4-{i}" for i in range(60)] + ["again"] + [f"s{n}-{i}" for n in (3, 2, 1) for i in range(60)]
    assert history == newest[: metrics.SKUS]
    assert len(history) == 200


def test_skus_of_old_orders_are_found_behind_many_newer_ones(warehouse: Warehouse) -> None:
    shop = Shop(warehouse)
    shop.order("o00", "a", "rare")
    for n in range(1, 30):
        shop.order(f"o{n:02}", "a", "usual")
    shop.land()
    assert json.loads(shop.one("a").sku_history) == ["usual", "rare"]


def test_a_value_beyond_the_range_of_amounts_is_missing_and_not_wrong(warehouse: Warehouse) -> None:
    shop = Shop(warehouse)
    for n in range(3):
        shop.order(f"o{n}", "a", "x", total=4_000_000_000)
        shop.order(f"e{n}", "a", "x", total=4_000_000_000, currency="EUR")
    shop.land()
    row = shop.one("a")
    assert (row.order_count, row.lifetime_value, row.average_order_value) == (6, None, 4_000_000_000 * NANO)
    assert json.loads(row.other_values) == {"EUR": "12000000000.000000000"}


def test_brands_do_not_share_customers(shop: Shop) -> None:
    other = Shop(Warehouse(shop.warehouse.engine, "other"))
    other.order("o1", "a", "x")
    other.land()
    shop.order("o3", "a", "x")
    shop.land()
    assert (other.rows()["a"].order_count, shop.rows()["a"].order_count) == (1, 3)


def test_a_sweep_of_orders_brings_metrics_to_a_warehouse_that_had_none(shop: Shop) -> None:
    before = shop.rows()
    shop.forget()
    sweep(shop.reader, shop.orders.extract(), None)
    assert shop.rows() == before


def test_a_full_recomputation_on_another_basis_changes_what_it_must(shop: Shop) -> None:
    again = Shop(shop.warehouse, Basis(currency="EUR"))
    assert again.recompute() == 2
    assert json.loads(again.one("a").other_values) == {"GBP": "50.000000000"}
