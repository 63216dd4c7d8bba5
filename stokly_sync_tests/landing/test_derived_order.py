"""The way in which rows came leaves no trace in customer metrics: random lives, beside sums made by hand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stokly_sync.contracts.money import NANO
from stokly_sync.landing import derived, run
from stokly_sync.landing.run import Reader, land_window, sweep
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import LANDED
from stokly_sync_tests.landing.shop import RULES, SPAN, T0, Shop


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "CHUNK_ROWS", 3)
    monkeypatch.setattr(derived, "_FIRST_ORDERS", 2)
    monkeypatch.setattr(derived, "_CHUNK_CUSTOMERS", 2)


CUSTOMERS = st.sampled_from(["a", "b", "c", None])
ORDER_KEYS = st.sampled_from(["o1", "o2", "o3"])
CURRENCIES = st.sampled_from(["GBP", "GBP", "EUR"])
FLAWS: list[dict[str, Any]] = [
    *({"payment_status": "unpaid"}, {"stage": "quote"}, {"tags": ["fraud-hold"]}, {"live": False}),
    {"total": 999, "lines_total": 10 * NANO},
]
AN_ORDER = st.fixed_dictionaries(
    {
        "key": ORDER_KEYS,
        "customer": CUSTOMERS,
        "skus": st.lists(st.sampled_from(["red", "blue", "green", None]), min_size=1, max_size=3),
        "currency": CURRENCIES,
        # Most orders count, or there would be nothing to lose.
        "flaw": st.sampled_from([{}, {}, {}, {}, *FLAWS]),
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
CHANGES = st.one_of(
    st.tuples(st.just("order"), AN_ORDER),
    st.tuples(st.just("order"), AN_ORDER),
    st.tuples(st.just("refund"), A_REFUND),
    st.tuples(st.just("note"), A_NOTE),
    st.tuples(st.just("drop"), ORDER_KEYS),
)
LANDINGS = st.sampled_from(["land orders", "land orders", "land refunds", "land notes", "sweep orders", ""])
STEPS = st.lists(st.tuples(CHANGES, LANDINGS), min_size=6, max_size=20)


def act(shop: Shop, step: str, given: Any) -> None:
    """One step of a random life."""
    more = dict(given) if isinstance(given, dict) else {}
    sources = {"orders": shop.orders, "refunds": shop.refunds, "notes": shop.notes}
    if step == "order":
        shop.order(more.pop("key"), more.pop("customer"), *more.pop("skus"), **more.pop("flaw"), **more)
    elif step == "refund":
        shop.refund(more.pop("key"), more.pop("order"), more.pop("amount"), **more)
    elif step == "note":
        shop.note(more.pop("key"), more.pop("order"), more.pop("amount"), **more)
    elif step == "drop":
        shop.orders.documents.pop(given, None)
    elif step == "sweep orders":
        sweep(shop.reader, shop.orders.extract(), None, now=SPAN.end)
    elif step:
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


@settings(max_examples=settings().max_examples // 2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_however_rows_came_metrics_are_what_a_full_recomputation_makes(
    migrated_sqlite: Path, steps: list[tuple[tuple[str, Any], str]]
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "warehouse.sqlite"
        shutil.copy(migrated_sqlite, path)
        warehouse = Warehouse.open(f"sqlite:///{path}", brand="demo")
        shop = Shop(warehouse)
        shop.reader = Reader(warehouse, RULES, "run-1", T0, share=1.0)
        for change, landing in steps:
            act(shop, *change)
            act(shop, landing, None)
        for name in ("orders", "refunds", "notes"):
            act(shop, f"land {name}", None)
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
