"""Emarsys through the whole product: sales data over time, where history begins, and the file of the catalogue."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast
from uuid import uuid4

import pytest

from stokly_sync.delivery.figures import PlanScope
from stokly_sync.delivery.history import adopt
from stokly_sync.errors import PermanentError
from stokly_sync.landing.grid import floor
from stokly_sync.pipeline import work
from stokly_sync.pipeline.services import Services
from stokly_sync.sandbox.emarsys import EmarsysSandbox
from stokly_sync.sandbox.emarsys.catalogue import poll_catalogue
from stokly_sync.sandbox.stokly import Merge, Put
from stokly_sync_tests.acceptance.account import (
    add_customers,
    add_order,
    change_item,
    change_order,
    customer,
    order_ids,
    product_of,
)
from stokly_sync_tests.acceptance.benches import EmarsysBench
from stokly_sync_tests.acceptance.harness import Rig, load, opened, saved

pytestmark = [pytest.mark.sandbox]


@pytest.fixture
def rig_on_each(warehouse_url: str) -> Iterator[Rig]:
    """The product between Stokly and Emarsys on each database, nothing loaded yet."""
    with opened(EmarsysBench(), warehouse_url) as made:
        yield made


@pytest.fixture
def fresh(sqlite_url: str) -> Iterator[Rig]:
    """The same on SQLite alone."""
    with opened(EmarsysBench(), sqlite_url) as made:
        yield made


@pytest.fixture(scope="module")
def first_load(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> tuple[Path, Mapping[str, bytes]]:
    """What a first load leaves: a database to copy, and the state of both sandboxes."""
    path = tmp_path_factory.mktemp("loaded") / "warehouse.sqlite"
    shutil.copy(migrated_sqlite, path)
    with opened(EmarsysBench(), f"sqlite:///{path}") as made:
        made.sync().fine()
        made.bench.flat(made)
        return path, saved(made)


@pytest.fixture
def rig(tmp_path: Path, first_load: tuple[Path, Mapping[str, bytes]]) -> Iterator[Rig]:
    """The product after a first load, on SQLite."""
    before, state = first_load
    path = tmp_path / "warehouse.sqlite"
    shutil.copy(before, path)
    with opened(EmarsysBench(), f"sqlite:///{path}", state=state) as made:
        yield made


def there(rig: Rig) -> EmarsysSandbox:
    return cast("EmarsysSandbox", rig.there)


def lines(rig: Rig, order: str) -> list[tuple[str, str]]:
    """Units and amounts that were sent for an order, in their order."""
    return [(line["quantity"], line["price"]) for line in there(rig).sales.shown() if line["order"] == order]


def test_an_edited_order_is_corrected_by_difference_lines_and_never_sent_again(rig_on_each: Rig) -> None:
    rig = rig_on_each
    bought = add_order(rig.stokly, 1)
    rig.sync().fine()
    for quantity, sent in ((5, ("3", "27.00")), (1, ("-4", "-36.00"))):
        rig.clock.sleep(60)
        add_order(rig.stokly, 1, quantity=quantity, updated=rig.clock.now())
        assert rig.sync().fine().sent == {"orders": 1}
        assert lines(rig, bought)[-1] == sent
        assert rig.sync().fine().sent == {}
        rig.agrees()
    assert lines(rig, bought) == [("2", "18.00"), ("3", "27.00"), ("-4", "-36.00")]


def test_a_change_that_sells_nothing_else_sends_nothing(rig: Rig) -> None:
    change_order(rig.stokly, order_ids(rig.stokly)[0], shippingAddressCity="Elsewhere")
    assert rig.sync().fine().sent == {}
    rig.agrees()


def test_the_same_correction_twice_is_two_corrections(rig: Rig) -> None:
    bought = add_order(rig.stokly, 1)
    rig.sync().fine()
    for quantity in (3, 4):
        rig.clock.sleep(60)
        add_order(rig.stokly, 1, quantity=quantity, updated=rig.clock.now())
        rig.sync().fine()
    assert lines(rig, bought) == [("2", "18.00"), ("1", "9.00"), ("1", "9.00")]
    rig.agrees()


def test_an_order_that_is_removed_later_is_taken_back_and_may_come_again(rig: Rig) -> None:
    bought = add_order(rig.stokly, 1)
    rig.sync().fine()
    for stage, sent in (("removed", ("-2", "-18.00")), ("order", ("2", "18.00"))):
        change_order(rig.stokly, bought, stage=stage)
        rig.sync().fine()
        assert lines(rig, bought)[-1] == sent
        rig.agrees()


def test_a_refund_is_sent_once_on_its_own_key_and_not_taken_off_the_order_too(rig: Rig) -> None:
    first = order_ids(rig.stokly)[0]
    assert [line for line in lines(rig, first) if line[0].startswith("-")] == [("-1", "-9.00")]
    assert rig.replay(force=True).fine().loaded["refunds"].to_send == 0
    found = {c.feed: c for c in rig.reconcile()}["emarsys/refunds"]
    assert {currency: Decimal(total) / 10**9 for currency, total in found.theirs.totals.items()} == {"GBP": -9}


def test_every_line_is_booked_on_a_contact_that_is_there(fresh: Rig) -> None:
    rig = fresh
    add_order(rig.stokly, 1)
    add_customers(rig.stokly, [2])
    add_order(rig.stokly, 2, customer=customer(2))
    rig.sync().fine()
    upload = there(rig).sales
    assert all(line.known for line in upload.lines)


def test_a_merge_of_customers_is_a_merge_of_contacts(rig: Rig) -> None:
    winner, loser = add_customers(rig.stokly, [1, 2])
    add_order(rig.stokly, 2, customer=customer(2))
    rig.sync().fine()
    rig.clock.sleep(60)
    rig.stokly.mutate(Merge(winner=winner, loser=loser))
    work.sweep(rig.services, "stokly", run_id=uuid4().hex)
    rig.sync().fine()
    held = rig.held("contacts")
    assert winner in held
    assert loser not in held
    rig.agrees()


def test_nothing_is_sent_before_it_is_said_where_history_begins(sqlite_url: str) -> None:
    with opened(EmarsysBench(), sqlite_url, environ={"EMARSYS_HISTORY_FROM": " "}) as rig:
        rig.sync().fine()
        assert there(rig).sales.uploads == []
        assert set(rig.states("orders").values()) == {"parked"}
        assert {row["rule"] for (feed, _), row in rig.ledger().items() if feed == "orders"} == {"DELIVERY-NO-HISTORY"}
        assert rig.replay(force=True).fine().loaded["orders"].to_send == 0


def test_an_account_is_adopted_without_sending_and_goes_on_from_there(warehouse_url: str) -> None:
    with opened(EmarsysBench(), warehouse_url, environ={"EMARSYS_HISTORY_FROM": " "}) as rig:
        bought = add_order(rig.stokly, 1)
        rig.sync().fine()
        adopted = {feed: adopted_by(rig, feed) for feed in ("orders", "refunds")}
        assert adopted == {"orders": 3, "refunds": 1}
        rig.sync().fine()
        assert there(rig).sales.uploads == []
        assert set(rig.states("orders").values()) == {"accepted"}
        rig.agrees()
        rig.clock.sleep(60)
        add_order(rig.stokly, 1, quantity=3, updated=rig.clock.now())
        later = add_order(rig.stokly, 2)
        rig.sync().fine()
        assert lines(rig, bought) == [("1", "9.00")]
        assert lines(rig, later) == [("2", "18.00")]
        with pytest.raises(PermanentError, match="begun already"):
            adopted_by(rig, "orders")


def test_only_what_lies_before_a_time_may_be_adopted(warehouse_url: str) -> None:
    with opened(EmarsysBench(), warehouse_url, environ={"EMARSYS_HISTORY_FROM": " "}) as rig:
        rig.sync().fine()
        assert adopted_by(rig, "orders", days=5) == 1
        rig.sync().fine()
        old, new = order_ids(rig.stokly)
        assert lines(rig, old) == []
        assert lines(rig, new) == [("2", "18.00")]


def adopted_by(rig: Rig, feed: str, *, days: int | None = None) -> int:
    declared, run_id = rig.services.feed(rig.feed_id(feed)), uuid4().hex
    before = None if days is None else rig.clock.now() - timedelta(days=days)
    work.plan_feed(rig.services, declared, PlanScope(everything=True), run_id=run_id)
    return adopt(rig.services.warehouse, declared, catalogue=rig.services.catalogue, run_id=run_id, before=before)


def test_history_may_begin_at_a_time_and_what_lies_before_has_no_refunds_either(sqlite_url: str) -> None:
    begins = (floor(datetime.now(UTC)) - timedelta(days=5)).isoformat()
    with opened(EmarsysBench(), sqlite_url, environ={"EMARSYS_HISTORY_FROM": begins}) as rig:
        rig.sync().fine()
        old, new = order_ids(rig.stokly)
        assert (lines(rig, old), lines(rig, new)) == ([], [("2", "18.00")])
        assert rig.states("orders")[old] == "excluded"
        assert set(rig.states("refunds").values()) == {"excluded"}
        assert set(rig.states("dispatches").values()) == {"excluded"}
        rig.agrees()


def test_a_history_that_is_unsaid_again_stops_what_was_planned(fresh: Rig) -> None:
    rig = fresh
    add_order(rig.stokly, 1)
    rig.extract()
    for name in ("products", "contacts"):
        feed = rig.services.feed(rig.feed_id(name))
        work.plan_feed(rig.services, feed, PlanScope(), run_id=uuid4().hex)
        work.deliver_feed(rig.services, feed, run_id=uuid4().hex)
    work.plan_feed(rig.services, rig.services.feed("emarsys/orders"), PlanScope(), run_id=uuid4().hex)
    unsaid = {**rig.env, "EMARSYS_HISTORY_FROM": " "}
    services = Services.open(unsaid)
    try:
        with pytest.raises(PermanentError, match="where history begins"):
            work.deliver_feed(services, services.feed("emarsys/orders"), run_id=uuid4().hex)
    finally:
        services.close()
    assert there(rig).sales.uploads == []


def test_the_catalogue_is_published_whole_when_a_price_changes_and_not_when_nothing_does(rig: Rig) -> None:
    rig.sync().fine()
    file = there(rig).catalogue_folder / "catalogue.csv"
    first = file.stat().st_mtime_ns
    rig.sync().fine()
    assert file.stat().st_mtime_ns == first
    change_item(rig.stokly, "MUG", salePrice=Decimal("8.25"))
    assert rig.sync().fine().sent == {"products": 1}
    taken = poll_catalogue(there(rig))
    assert (taken.done, taken.rows) == (True, 2)
    assert there(rig).catalogue.products["MUG"]["price"] == "8.25"
    rig.agrees()


def test_the_catalogue_is_published_again_when_a_product_sells_out(rig: Rig) -> None:
    mug = product_of(rig.stokly, "MUG").item_id
    for row in rig.stokly.store.rows("inventory-records"):
        if row["itemId"] == mug:
            rig.stokly.mutate(Put(collection="inventory-records", row={**row, "onHand": 0}))
    rig.stokly.mutate(Put(collection="items", row={"itemId": mug, "onHand": 0, "available": 0}))
    assert rig.sync().fine().sent == {"products": 1}
    assert rig.held("products")["MUG"]["available"] == "false"


def test_a_catalogue_that_is_gone_or_of_yesterday_is_published_again(rig: Rig) -> None:
    rig.sync().fine()
    file = there(rig).catalogue_folder / "catalogue.csv"
    file.unlink()
    assert rig.sync().fine().sent == {}
    assert file.exists()
    first = file.stat().st_mtime_ns
    rig.clock.sleep(86_400)
    rig.sync().fine()
    assert file.stat().st_mtime_ns > first


def test_an_order_waits_for_its_product_and_leaves_with_the_file(sqlite_url: str) -> None:
    with opened(EmarsysBench(), sqlite_url, environ={"EMARSYS_PRODUCT_URL": " "}) as rig:
        done = rig.sync()
        assert "EMARSYS_PRODUCT_URL" in str(done.errors["products"])
        assert set(rig.states("orders").values()) == {"parked"}
        assert there(rig).sales.uploads == []
        services = Services.open({**rig.env, "EMARSYS_PRODUCT_URL": "https://shop.example.com/{sku}"})
        try:
            load(services, "emarsys")
        finally:
            services.close()
        assert set(rig.states("orders").values()) == {"accepted"}


def test_a_dispatch_triggers_its_event_once(rig: Rig) -> None:
    rig.replay(force=True).fine()
    counted = [trigger.trigger_id for trigger in there(rig).store.triggers if not trigger.dropped]
    assert len(counted) == len(set(counted)) == 1


MODES = '{"orders": "observe", "refunds": "observe"}'


def beginning_again(rig: Rig, **environ: str) -> Services:
    """The product on the same database under other settings."""
    return Services.open({**rig.env, **environ})


def test_who_has_observed_must_say_anew_where_history_begins_before_anything_is_sent(rig_on_each: Rig) -> None:
    rig = rig_on_each
    bought = add_order(rig.stokly, 1)
    rig.extract()
    observing = beginning_again(rig, EMARSYS_MODES=MODES)
    try:
        for name in ("orders", "refunds"):
            work.plan_feed(observing, observing.feed(rig.feed_id(name)), PlanScope(), run_id=uuid4().hex)
    finally:
        observing.close()
    for _ in range(2):
        rig.sync().fine()
        assert there(rig).sales.uploads == []
        held = [row for (feed, _), row in rig.ledger().items() if feed == "orders"]
        assert {row["rule"] for row in held} == {"DELIVERY-NO-HISTORY"}
        assert all("only observed" in str(row["reason"]) for row in held)
    assert adopted_by(rig, "orders") == 3
    assert adopted_by(rig, "refunds") == 1
    later = add_order(rig.stokly, 2)
    rig.sync().fine()
    assert (lines(rig, bought), lines(rig, later)) == ([], [("2", "18.00")])
    rig.agrees()


def test_another_time_from_which_history_begins_says_it_anew(rig: Rig) -> None:
    bought = add_order(rig.stokly, 1)
    rig.sync().fine()
    observing = beginning_again(rig, EMARSYS_MODES=MODES)
    try:
        work.plan_feed(observing, observing.feed("emarsys/orders"), PlanScope(), run_id=uuid4().hex)
    finally:
        observing.close()
    rig.clock.sleep(60)
    add_order(rig.stokly, 1, quantity=3, updated=rig.clock.now())
    rig.sync().fine()
    assert lines(rig, bought) == [("2", "18.00")]
    begins = (floor(datetime.now(UTC)) - timedelta(days=5)).isoformat()
    writing = beginning_again(rig, EMARSYS_HISTORY_FROM=begins)
    try:
        load(writing, "emarsys")
    finally:
        writing.close()
    assert lines(rig, bought) == [("2", "18.00"), ("1", "9.00")]


def test_a_refund_of_an_order_that_was_cancelled_before_it_was_sent_is_left_out_and_follows_it_later(
    fresh: Rig,
) -> None:
    rig = fresh
    first = order_ids(rig.stokly)[0]
    change_order(rig.stokly, first, stage="removed")
    rig.sync().fine()
    assert rig.states("orders")[first] == "excluded"
    assert {row["rule"] for (feed, _), row in rig.ledger().items() if feed == "refunds"} == {"DELIVERY-LEFT-OUT"}
    assert lines(rig, first) == []
    rig.agrees()
    rig.clock.sleep(60)
    change_order(rig.stokly, first, stage="order")
    rig.sync().fine()
    assert [line for line in lines(rig, first) if line[0].startswith("-")] == [("-1", "-9.00")]
    rig.agrees()


def test_guests_are_contacts_before_their_orders_and_no_part_of_a_batch_of_sales(rig: Rig) -> None:
    for number in range(1, 4):
        add_order(rig.stokly, number)
    done = rig.sync().fine()
    assert done.loaded["guests"].to_send == 3
    assert rig.sync().fine().sent == {}
    assert all(line.known for line in there(rig).sales.lines)
    told = repr([(key, row["reason"]) for key, row in rig.ledger().items() if row["document"] is None])
    assert "@" not in told
