"""Rows that keep every rule go on; the others become problems, and a broken frame stops everything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.contracts.money import NANO
from stokly_sync.contracts.schema import refuse_if_most_fail, schema_of, validate
from stokly_sync.contracts.tables import DTYPES, Table, empty
from stokly_sync.errors import ContractBroken
from stokly_sync.flow import Frames, Problem, Rows

ORDERS = DATASETS["stokly.orders"]
NOW = datetime.now(UTC)
GOOD: dict[str, Any] = {
    "order_id": "o1",
    "stage": "order",
    "currency": "GBP",
    "total": 12 * NANO,
    "shipping": 2 * NANO,
    "shipping_tax": 0,
    "line_count": 1,
    "lines_total": 10 * NANO,
    "country": "GB",
    "live": True,
    "created_at": NOW - timedelta(days=1),
    "content_hash": "h",
    "version": NOW,
}
LINE: dict[str, Any] = {
    "order_id": "o1",
    "line_id": "l1",
    "position": 0,
    "quantity": 1,
    "line_price": 10 * NANO,
    "line_tax": 0,
    "line_total": 10 * NANO,
}


def frame(table: Table, *rows: dict[str, Any]) -> pd.DataFrame:
    if not rows:
        return empty(table)
    return pd.DataFrame(
        {c.name: pd.Series([r.get(c.name) for r in rows], dtype=DTYPES[c.kind]) for c in table.all_columns}  # type: ignore[call-overload]
    )


def orders(*rows: dict[str, Any], lines: tuple[dict[str, Any], ...] = (LINE,)) -> Frames:
    return {"stokly.orders": frame(ORDERS.root, *rows), "stokly.order_lines": frame(ORDERS.children[0], *lines)}


def broken_by(**change: Any) -> list[str]:
    return [p.rule for p in validate(ORDERS, Rows(orders(GOOD | change))).problems]


def test_a_good_order_passes_with_its_lines() -> None:
    rows = validate(ORDERS, Rows(orders(GOOD)))
    assert rows.problems == []
    assert [len(f) for f in rows.frames.values()] == [1, 1]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"currency": "POUNDS"}, "ST-CURRENCY"),
        ({"line_count": 0, "lines_total": 0}, "ST-ORDER-LINES"),
        ({"currency": None}, "ST-MEMBER-TYPE"),
        ({"total": 17 * NANO}, "ST-ORDER-TOTAL"),
        ({"country": "England"}, "ST-ORDER-COUNTRY"),
        ({"created_at": NOW + timedelta(days=400)}, "ST-TIME"),
        ({"total": None}, "ST-MEMBER-TYPE"),
        ({"stage": None}, "ST-MEMBER-TYPE"),
    ],
)
def test_each_defect_has_its_own_rule_and_no_other(change: dict[str, Any], rule: str) -> None:
    assert broken_by(**change) == [rule]


@pytest.mark.parametrize(
    "change",
    [
        {"country": None},
        {"customer_id": None},
        {"total": 12 * NANO + NANO // 100},  # one penny on one line
        {"created_at": NOW + timedelta(hours=2)},  # another zone's clock
        {"stage": "removed", "live": False, "line_count": 0, "total": 2 * NANO, "lines_total": 0},
    ],
)
def test_what_is_odd_but_allowed_passes(change: dict[str, Any]) -> None:
    assert broken_by(**change) == []


def test_a_bad_line_takes_its_order_with_it() -> None:
    rows = validate(ORDERS, Rows(orders(GOOD, GOOD | {"order_id": "o2"}, lines=(LINE | {"quantity": None},))))
    assert [(p.key, p.rule, p.detail) for p in rows.problems] == [
        ("o1", "ST-MEMBER-TYPE", "order_lines.quantity is missing")
    ]
    assert rows.frames["stokly.orders"]["order_id"].tolist() == ["o2"]
    assert rows.frames["stokly.order_lines"].empty


def test_a_frame_without_a_column_breaks_the_contract_as_a_whole() -> None:
    frames = orders(GOOD)
    frames["stokly.orders"] = frames["stokly.orders"].drop(columns="total")
    with pytest.raises(ContractBroken, match=r"stokly\.orders as a whole"):
        validate(ORDERS, Rows(frames))


def test_a_column_of_another_dtype_breaks_the_contract_as_a_whole() -> None:
    frames = orders(GOOD)
    frames["stokly.orders"] = frames["stokly.orders"].astype({"total": "float64"})
    with pytest.raises(ContractBroken, match=r"stokly\.orders as a whole .* total as float64"):
        validate(ORDERS, Rows(frames))


def test_a_column_that_nobody_declared_breaks_the_contract_as_a_whole() -> None:
    frames = orders(GOOD)
    frames["stokly.orders"]["surprise"] = "x"
    with pytest.raises(ContractBroken, match=r"stokly\.orders as a whole .* surprise"):
        validate(ORDERS, Rows(frames))


def test_a_load_stops_when_most_rows_fail_and_says_what_changed() -> None:
    problems = [Problem(str(i), "ST-MONEY", "total is not an amount") for i in range(40)]
    with pytest.raises(ContractBroken, match=r"40 of 100 rows .* ST-MONEY: total is not an amount \(40 rows\)"):
        refuse_if_most_fail("stokly.orders", read=100, problems=problems, share=0.2)


def test_a_few_bad_rows_of_a_small_read_do_not_stop_it() -> None:
    refuse_if_most_fail("stokly.orders", read=4, problems=[Problem("a", "ST-MONEY", "x")] * 3, share=0.2)


@pytest.mark.parametrize("name", list(DATASETS))
def test_empty_frames_keep_their_contract(name: str) -> None:
    for table in DATASETS[name].tables:
        schema_of(table).validate(empty(table))


def test_a_malformed_address_is_the_customers_problem_and_a_missing_one_is_not() -> None:
    customers = DATASETS["stokly.customers"]
    good = {"customer_id": "c", "live": True, "content_hash": "h", "version": NOW}
    rows = [
        good | {"customer_id": str(i), "email": e} for i, e in enumerate(["a@example.com", None, "a@@x", "a b@c.d"])
    ]
    found = validate(customers, Rows({customers.name: frame(customers.root, *rows)}))
    assert [(p.key, p.rule) for p in found.problems] == [("2", "ST-CUSTOMER-EMAIL"), ("3", "ST-CUSTOMER-EMAIL")]
