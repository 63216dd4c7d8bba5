"""Customer metrics: what they say, when they move, and that the way in which rows came leaves no trace."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stokly_sync.contracts.confirmation import Confirmation
from stokly_sync.contracts.money import NANO
from stokly_sync.contracts.rules import Catalogue, Rule, catalogue
from stokly_sync.flow import Team, Window
from stokly_sync.landing import derived, grid, metrics, run
from stokly_sync.landing.derived import Basis, Deriving
from stokly_sync.landing.run import Reader, land_baseline, land_window, sweep
from stokly_sync.warehouse import windows
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import LANDED
from stokly_sync_tests.landing.source import Source

METRICS = "derived.customer_metrics"
T0 = grid.floor(datetime.now(UTC)) - timedelta(hours=8)
SPAN = Window(T0, T0 + timedelta(hours=6))
CODES = ("ST-ORDER-TOTAL", "ST-REFUND-OVER", "ST-REFUND-ORDER", "ST-TIME", "ST-MONEY", "ST-MEMBER-TYPE")
RULES: Catalogue = catalogue(Rule(c, "It is wrong.", "Mend it.", Team.FINANCE, "X2") for c in CODES)
# What only tells when a row was seen.
SEEN = ("window_start", "landed_at", "version")


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "CHUNK_ROWS", 3)
    monkeypatch.setattr(derived, "_FIRST_ORDERS", 2)
    monkeypatch.setattr(derived, "_CHUNK_CUSTOMERS", 2)


class Shop:
    """Orders, refunds and credit notes at a source; each change is a minute later than the one before."""

    def __init__(self, warehouse: Warehouse, basis: Basis | None = None) -> None:
        self.warehouse = warehouse
        self.reader = Reader(warehouse, RULES, "run-1", T0 - timedelta(days=1), basis=basis or Basis())
        self.orders, self.refunds = Source("stokly.orders"), Source("stokly.refunds")
        self.notes = Source("stokly.credit_notes")
        self.minute = 0

    @property
    def now(self) -> datetime:
        self.minute += 1
        return T0 + timedelta(minutes=self.minute)

    def order(self, key: str, customer: str | None, *skus: str | None, total: int = 0, **more: Any) -> None:
        """An order of ten pounds a SKU, unless `total` says otherwise; known orders keep their time."""
        now, amount = self.now, 10 * max(len(skus), 1) * NANO
        before = self.orders.documents.get(key, {})
        line = {"quantity": 1, "line_price": 10 * NANO, "line_tax": 0, "line_total": 10 * NANO}
        lines = [{**line, "line_id": f"{key}-{n}", "position": n, "sku": sku} for n, sku in enumerate(skus or ("x",))]
        row = {
            "order_id": key,
            "customer_id": customer,
            "stage": "order",
            "payment_status": "paid",
            "live": True,
            "currency": "GBP",
            "total": total * NANO or amount,
            "lines_total": total * NANO or amount,
            "line_count": len(lines),
            "created_at": before.get("created_at", now),
            "updated_at": now,
            "country": "GB",
            "city": "Leeds",
            "lines": lines,
        }
        self.orders.put(**row | more)

    def refund(self, key: str, order: str | None, amount: int, **more: Any) -> None:
        now = self.now
        row = {"refund_id": key, "order_id": order, "status": "completed", "currency": "GBP", "total": amount * NANO}
        self.refunds.put(**row | {"live": True, "created_at": now, "updated_at": now} | more)

    def note(self, key: str, order: str | None, amount: int, **more: Any) -> None:
        now = self.now
        row = {"credit_note_id": key, "order_id": order, "currency": "GBP", "value": amount * NANO, "live": True}
        self.notes.put(**row | {"created_at": now, "updated_at": now} | more)

    def land(self) -> None:
        for source in (self.orders, self.refunds, self.notes):
            land_window(self.reader, source.extract(), None, SPAN)

    def rows(self, *, live: bool | None = None) -> dict[str, Any]:
        """Metrics by customer, without what only tells when a row was seen."""
        table = LANDED[METRICS]
        query = sa.select(*(c for c in table.c if c.name not in SEEN)).where(table.c.brand == self.warehouse.brand)
        query = query if live is None else query.where(table.c.live == live)
        with self.warehouse.reading() as connection:
            return {row.customer_id: row for row in connection.execute(query)}

    def one(self, customer: str) -> Any:
        table = LANDED[METRICS]
        with self.warehouse.reading() as connection:
            return connection.execute(sa.select(table).where(table.c.customer_id == customer)).one()

    def owed(self) -> dict[datetime, int]:
        with self.warehouse.reading() as connection:
            found = windows.owed(connection, brand=self.warehouse.brand, feed="f", datasets=[METRICS])
        return {o.window.start: o.revision for o in found}

    def recompute(self) -> int:
        deriving = Deriving(self.warehouse.brand, "run-2", self.reader.windows_from, self.reader.basis)
        return derived.recompute(self.warehouse, deriving, SPAN.start)

    def forget(self) -> None:
        with self.warehouse.transaction() as connection:
            connection.execute(sa.delete(LANDED[METRICS]))


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


CUSTOMERS = st.sampled_from(["a", "b", "c", None])
ORDER_KEYS = st.sampled_from(["o1", "o2", "o3", "o4", "o5"])
CURRENCIES = st.sampled_from(["GBP", "GBP", "EUR"])
AN_ORDER = st.fixed_dictionaries(
    {
        "key": ORDER_KEYS,
        "customer": CUSTOMERS,
        "skus": st.lists(st.sampled_from(["red", "blue", "green", None]), min_size=1, max_size=3),
        "currency": CURRENCIES,
        "payment_status": st.sampled_from(["paid", "paid", "unpaid"]),
        "stage": st.sampled_from(["order", "order", "quote"]),
        "tags": st.sampled_from([None, [], ["fraud-hold"]]),
        "live": st.sampled_from([True, True, False]),
        "bad": st.sampled_from([False, False, False, True]),
    }
)
A_REFUND = st.fixed_dictionaries(
    {
        "key": st.sampled_from(["r1", "r2"]),
        "order": ORDER_KEYS,
        "amount": st.integers(1, 12),
        "currency": CURRENCIES,
        "status": st.sampled_from(["completed", None, "pending"]),
        "credit_note_id": st.sampled_from([None, "n1", "n2"]),
        "live": st.sampled_from([True, True, False]),
    }
)
A_NOTE = st.fixed_dictionaries(
    {"key": st.sampled_from(["n1", "n2"]), "order": ORDER_KEYS, "amount": st.integers(1, 12), "currency": CURRENCIES}
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("order"), AN_ORDER),
        st.tuples(st.just("refund"), A_REFUND),
        st.tuples(st.just("note"), A_NOTE),
        st.tuples(st.sampled_from(["land orders", "land refunds", "land notes", "sweep orders"]), st.none()),
        st.tuples(st.just("drop"), ORDER_KEYS),
    ),
    min_size=4,
    max_size=24,
)


def act(shop: Shop, step: str, given: Any) -> None:
    """One step of a random life."""
    more = dict(given) if isinstance(given, dict) else {}
    sources = {"orders": shop.orders, "refunds": shop.refunds, "notes": shop.notes}
    if step == "order":
        total = 999 if more.pop("bad") else 0
        known = {"lines_total": 10 * NANO} if total else {}
        shop.order(more.pop("key"), more.pop("customer"), *more.pop("skus"), total=total, **known, **more)
    elif step == "refund":
        shop.refund(more.pop("key"), more.pop("order"), more.pop("amount"), **more)
    elif step == "note":
        shop.note(more.pop("key"), more.pop("order"), more.pop("amount"), **more)
    elif step == "drop":
        shop.orders.documents.pop(given, None)
    elif step == "sweep orders":
        sweep(shop.reader, shop.orders.extract(), None, now=SPAN.end)
    else:
        land_window(shop.reader, sources[step.removeprefix("land ")].extract(), None, SPAN)


def by_hand(warehouse: Warehouse) -> dict[str, Any]:
    """Lifetime value by currency, number of orders and SKUs of each customer, row by row from what is landed."""
    with warehouse.reading() as connection:
        orders, lines, refunds, notes = (
            list(connection.execute(sa.select(LANDED[f"stokly.{name}"])))
            for name in ("orders", "order_lines", "refunds", "credit_notes")
        )
    found: dict[str, Any] = {}
    for order in sorted(orders, key=lambda o: (o.created_at, o.order_id), reverse=True):
        confirmed = order.live and order.stage == "order" and order.payment_status == "paid"
        if not confirmed or order.customer_id is None or "fraud-hold" in (order.tags or ""):
            continue
        mine = found.setdefault(order.customer_id, {"count": 0, "values": {}, "skus": []})
        named = {r.credit_note_id for r in refunds if r.live and r.order_id == order.order_id}
        parts = [(order.currency, order.total)]
        parts += [
            (r.currency, -r.total)
            for r in refunds
            if r.live and r.order_id == order.order_id and r.status in (None, "completed")
        ]
        parts += [
            (n.currency, -n.value)
            for n in notes
            if n.live and n.order_id == order.order_id and n.credit_note_id not in named
        ]
        mine["count"] += 1
        for currency, amount in parts:
            mine["values"][currency] = mine["values"].get(currency, 0) + amount
        of_order = sorted((line.position, line.sku) for line in lines if line.order_id == order.order_id and line.sku)
        mine["skus"] += [sku for _, sku in of_order if sku not in mine["skus"]]
        mine["skus"] = list(dict.fromkeys(mine["skus"]))
    return found


def told(row: Any) -> dict[str, Any]:
    others = {currency: int(text.replace(".", "")) for currency, text in json.loads(row.other_values).items()}
    base = {"GBP": row.lifetime_value} if row.lifetime_value else {}
    return {"count": row.order_count, "values": others | base, "skus": json.loads(row.sku_history)}


def without_zero_base(hand: dict[str, Any]) -> dict[str, Any]:
    values = {c: v for c, v in hand["values"].items() if v or c != "GBP"}
    return {**hand, "values": values}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_however_rows_came_metrics_are_what_a_full_recomputation_makes(
    migrated_sqlite: Path, steps: list[tuple[str, Any]]
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "warehouse.sqlite"
        shutil.copy(migrated_sqlite, path)
        warehouse = Warehouse.open(f"sqlite:///{path}", brand="demo")
        shop = Shop(warehouse)
        shop.reader = Reader(warehouse, RULES, "run-1", T0, share=1.0)
        for step, more in itertools.chain(steps, [(f"land {name}", None) for name in ("orders", "refunds", "notes")]):
            act(shop, step, more)
        incremental = shop.rows()
        live = {customer: row for customer, row in incremental.items() if row.live}
        assert {c: told(row) for c, row in live.items()} == {
            c: without_zero_base(hand) for c, hand in by_hand(warehouse).items()
        }
        assert shop.recompute() == 0
        shop.forget()
        shop.recompute()
        assert shop.rows() == live
        warehouse.close()
