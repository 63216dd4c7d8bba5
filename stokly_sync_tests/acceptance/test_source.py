"""What a badly behaved Stokly gets, as a whole: refusals, shifting lists, bad answers, another shape (X1, X2, X22).

One rig is enough here: the destination does not matter for what is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from stokly_sync.errors import ContractBroken, CredentialsError, PermissionDenied, StoklySyncError, TransientError
from stokly_sync.pipeline import work
from stokly_sync.sandbox.kit import Fault
from stokly_sync.sandbox.stokly import Delete, Drift, PageHook, Put
from stokly_sync.systems.transport import Transport
from stokly_sync.warehouse.tables import LANDED, WINDOWS
from stokly_sync_tests.acceptance.account import (
    add_customers,
    add_order,
    change_customer,
    change_order,
    customer,
    now_in,
    order_ids,
)
from stokly_sync_tests.acceptance.benches import BENCHES
from stokly_sync_tests.acceptance.harness import Rig, landed, opened

pytestmark = [pytest.mark.acceptance, pytest.mark.sandbox]

Open = Callable[..., Rig]
# More than the share of rows says something of the whole, see the contract on the refusing share.
ENOUGH = range(1, 61)


@pytest.fixture
def account(sqlite_url: str) -> Iterator[Open]:
    """Open a rig with settings and switches of its own."""
    stack: list[Any] = []

    def make(environ: dict[str, str] | None = None, **switches: Any) -> Rig:
        manager = opened(BENCHES[0], sqlite_url, environ=environ, switches=switches)
        stack.append(manager)
        return manager.__enter__()

    yield make
    for manager in stack:
        manager.__exit__(None, None, None)


def keys(rig: Rig, dataset: str, key: str, *, live: bool | None = None) -> set[str]:
    table = LANDED[dataset]
    query = sa.select(table.c[key])
    if live is not None:
        query = query.where(table.c.live == live)
    with rig.services.warehouse.reading() as connection:
        return set(connection.execute(query).scalars())


def test_wrong_credentials_say_which_settings_to_look_at(account: Open) -> None:
    rig = account({"STOKLY_CLIENT_SECRET": "wrong-secret-value"})
    with pytest.raises(CredentialsError, match="STOKLY_CLIENT_SECRET") as refused:
        rig.extract()
    assert "wrong-secret-value" not in str(refused.value)
    assert keys(rig, "stokly.items", "item_id") == set()


def test_a_missing_permission_names_the_resource_and_keeps_what_landed_before(account: Open) -> None:
    rig = account(denied_paths=["/v2/saleorders"])
    with pytest.raises(PermissionDenied, match="/v2/saleorders"):
        rig.extract()
    assert len(keys(rig, "stokly.items", "item_id")) == 2
    rig.stokly.set_switches(denied_paths=[])
    rig.sync().fine()
    rig.agrees()


def test_where_a_filter_by_update_time_is_refused_changes_are_found_all_the_same(account: Open) -> None:
    rig = account(updated_at_filters=[], customers_updated_at=False)
    rig.sync().fine()
    still_open = order_ids(rig.stokly)[1]
    bought = add_order(rig.stokly, 1)
    change_order(rig.stokly, still_open, shippingAddressCity="Elsewhere")
    assert rig.sync().fine().sent == {rig.bench.follows: 2}
    assert rig.held(rig.bench.follows).keys() >= {bought, still_open}
    rig.agrees()


def test_a_resource_that_an_account_does_not_have_stops_nothing(account: Open) -> None:
    rig = account(absent_endpoints=["credit-notes", "dispatches"])
    done = rig.sync().fine()
    assert {name for name, figures in done.landed.items() if not figures.offered} == {
        "stokly.credit_notes",
        "stokly.dispatches",
    }
    rig.agrees()


@pytest.mark.parametrize("how", ["removal", "insertion", "both"])
@pytest.mark.parametrize("after", [1, 3])
def test_pages_that_shift_lose_nothing_and_repeat_nothing(account: Open, how: str, after: int) -> None:
    rig = account({"STOKLY_PAGE_SIZE": "7"})
    start = rig.clock.now() - timedelta(days=30)
    for number in range(1, 31):
        add_customers(rig.stokly, [number], created=start + timedelta(minutes=number))
    rows = sorted(rig.stokly.store.rows("customers"), key=lambda row: row["createdAt"])
    gone = [row["customerId"] for row in rows[:3]] if how != "insertion" else []
    early = (start - timedelta(days=200)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    new = [customer(n, createdAt=early, updatedAt=now_in(rig.stokly)) for n in (101, 102)] if how != "removal" else []
    rig.stokly.hook_page(
        PageHook(
            collection="customers",
            after=after,
            mutations=[
                *(Delete(collection="customers", key=key) for key in gone),
                *(Put(collection="customers", row=row, touch=False) for row in new),
            ],
        )
    )
    rig.extract()
    there_all_along = {row["customerId"] for row in rows} - set(gone)
    assert keys(rig, "stokly.customers", "customer_id") >= there_all_along
    rig.extract()
    work.sweep(rig.services, "stokly", run_id="sweep")
    assert keys(rig, "stokly.customers", "customer_id", live=True) == there_all_along | {r["customerId"] for r in new}
    assert rig.exceptions() == set()


@pytest.mark.parametrize("how", ["removal", "insertion", "both"])
def test_a_list_without_a_time_that_shifts_is_read_until_it_was_whole(account: Open, how: str) -> None:
    rig = account({"STOKLY_PAGE_SIZE": "2"})
    records = rig.stokly.store.rows("inventory-records")
    gone = [key for key in map(record_key, records[:1]) if how != "insertion"]
    new = {**records[0], "locationId": "another-location", "locationName": "Another", "onHand": 4}
    rig.stokly.hook_page(
        PageHook(
            collection="inventory-records",
            mutations=[
                *(Delete(collection="inventory-records", key=key) for key in gone),
                *([Put(collection="inventory-records", row=new)] if how != "removal" else []),
            ],
        )
    )
    rig.extract()
    rig.extract()
    left = {f"{r['itemId']}/{r['locationId']}" for r in rig.stokly.store.rows("inventory-records")}
    expected = {key for key in left if "UNASSIGNED" not in key}
    found = {key for key in keys(rig, "stokly.stock", "stock_id", live=True) if not key.endswith("/")}
    assert found == expected


def test_rows_that_a_page_repeats_land_once(account: Open) -> None:
    repeating = ["customers", "items", "saleorders", "refunds", "dispatches", "inventory-records"]
    rig = account(duplicate_rows=repeating)
    done = rig.sync().fine()
    assert rig.exceptions() == set()
    assert keys(rig, "stokly.orders", "order_id") == set(order_ids(rig.stokly))
    assert sum(figures.quarantined.total() for figures in done.landed.values()) == 0
    rig.agrees()


def test_an_answer_that_never_comes_is_given_up_and_asked_for_again(
    account: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    defaults = dict(Transport.__init__.__kwdefaults__ or {})
    monkeypatch.setattr(Transport.__init__, "__kwdefaults__", {**defaults, "timeout": (2.0, 0.3)})
    rig = account()
    rig.stokly.faults.add(Fault(path="/v0/customers", action="pass", delay=1.0, times=2))
    rig.extract()
    assert len(keys(rig, "stokly.customers", "customer_id")) == 2


BAD_ANSWERS: dict[str, dict[str, Any]] = {
    "not JSON": {"status": 200, "text": "<html>Welcome to the Wi-Fi of this hotel</html>", "content_type": "text/html"},
    "JSON without rows": {"status": 200, "text": '{"data": {"rows": "none"}}'},
    "a list of something else": {"status": 200, "text": '{"data": [1, 2, 3]}'},
    "server error": {"status": 500},
    "too many requests": {"status": 429},
    "cut": {"action": "cut"},
    "broken off": {"action": "truncate"},
}


@pytest.mark.parametrize("how", list(BAD_ANSWERS))
def test_bad_answers_that_do_not_end_stop_the_step_and_store_nothing(account: Open, how: str) -> None:
    rig = account()
    rig.stokly.faults.add(Fault(path="/v0/customers", times=None, **BAD_ANSWERS[how]))
    with pytest.raises(TransientError, match="/v0/customers"):
        rig.extract()
    assert keys(rig, "stokly.customers", "customer_id") == set()
    rig.stokly.faults.clear()
    rig.sync().fine()
    rig.agrees()


@pytest.mark.parametrize("how", ["not JSON", "server error", "too many requests", "cut", "broken off"])
def test_bad_answers_that_pass_are_not_noticed(account: Open, how: str) -> None:
    rig = account()
    rig.stokly.faults.add(Fault(path="/v0/customers", times=2, **BAD_ANSWERS[how]))
    rig.sync().fine()
    rig.agrees()


DRIFTS = {
    "re-typed": Drift(collection="saleorders", member="currency", change="retype", to="object"),
    "missing": Drift(collection="saleorders", member="createdAt", change="remove"),
}


@pytest.mark.parametrize("how", list(DRIFTS))
def test_another_shape_of_most_rows_stops_the_first_load_and_says_what_changed(account: Open, how: str) -> None:
    rig = account()
    for number in ENOUGH:
        add_order(rig.stokly, number, created=rig.clock.now() - timedelta(days=2))
    rig.stokly.drift(DRIFTS[how])
    with pytest.raises(ContractBroken, match=r"currency|created_?[aA]t") as broken:
        rig.extract()
    assert "stokly.orders" in str(broken.value)
    assert "Nothing was stored" in str(broken.value)
    assert keys(rig, "stokly.orders", "order_id") == set()
    assert rig.exceptions() == set()
    rig.stokly.drifts.clear()
    rig.sync().fine()
    rig.agrees()


def test_another_shape_of_most_rows_refuses_the_window_and_leaves_the_watermark(account: Open) -> None:
    rig = account()
    rig.sync().fine()
    before, marks = landed(rig.services), rig.watermarks()
    for number in ENOUGH:
        add_order(rig.stokly, number)
    rig.stokly.drift(DRIFTS["re-typed"])
    with pytest.raises(ContractBroken):
        rig.extract()
    assert landed(rig.services)["stokly.orders"] == before["stokly.orders"]
    assert rig.watermarks()["stokly.orders"] == marks["stokly.orders"]
    with rig.services.warehouse.reading() as connection:
        query = sa.select(WINDOWS.c.reason).where(WINDOWS.c.state == "refused", WINDOWS.c.dataset == "stokly.orders")
        assert all("currency" in reason for reason in connection.execute(query).scalars().all())
    assert rig.load().fine().sent == {}
    rig.stokly.drifts.clear()
    assert rig.sync().fine().sent == {rig.bench.follows: len(ENOUGH)}


def test_another_shape_of_few_rows_keeps_those_back_and_no_others(account: Open) -> None:
    rig = account()
    made = [add_order(rig.stokly, number) for number in ENOUGH]
    change_order(rig.stokly, made[3], currency={"code": "GBP"})
    change_order(rig.stokly, made[5], displayTotal=["18.00"])
    rig.sync().fine()
    assert rig.exceptions() == {("stokly.orders", made[n], "ST-MEMBER-TYPE") for n in (3, 5)}
    assert set(rig.held(rig.bench.follows)) == set(order_ids(rig.stokly)) - {made[3], made[5]}
    rig.agrees()


def test_a_new_member_is_kept_beside_the_known_ones_and_reported(account: Open) -> None:
    rig = account()
    add_customers(rig.stokly, [1])
    rig.sync().fine()
    assert work.refresh_reference(rig.services, "stokly", run_id="before") == []
    rig.stokly.drift(Drift(collection="customers", member="loyaltyTier", change="add", value="gold"))
    change_customer(rig.stokly, customer(1)["customerId"], name="Somebody else")
    rig.sync().fine()
    changes = work.refresh_reference(rig.services, "stokly", run_id="after")
    assert [(c.kind, c.what) for c in changes if "loyaltyTier" in c.key] == [("members", "new")]
    table = LANDED["stokly.customers"]
    with rig.services.warehouse.reading() as connection:
        extra = connection.execute(
            sa.select(table.c.extra).where(table.c.customer_id == customer(1)["customerId"])
        ).scalar_one()
    assert "loyaltyTier" in extra
    assert rig.exceptions() == set()


@pytest.mark.parametrize("dates", ["iso", "javascript"])
def test_both_ways_of_writing_times_mean_the_same_moment(account: Open, dates: str) -> None:
    rig = account(item_dates=dates, other_dates=dates)
    created = (rig.clock.now() - timedelta(days=2)).replace(microsecond=0)
    bought = add_order(rig.stokly, 1, created=created)
    rig.sync().fine()
    orders = LANDED["stokly.orders"]
    with rig.services.warehouse.reading() as connection:
        found = connection.execute(sa.select(orders.c.created_at).where(orders.c.order_id == bought)).scalar_one()
    assert found == created
    assert rig.exceptions() == set()
    rig.agrees()


def record_key(row: dict[str, Any]) -> str:
    """The key under which the sandbox keeps a stock record."""
    return "|".join(str(row[name]) for name in ("itemId", "locationId", "binId"))


def test_every_error_of_the_source_is_one_of_ours(account: Open) -> None:
    rig = account()
    rig.stokly.faults.add(Fault(path="/v0/items$", status=418, text="teapot", times=None))
    with pytest.raises(StoklySyncError):
        rig.extract()
