"""One member of many documents, exactly: the quick way and the slow way say the same."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stokly_sync.contracts.money import LARGEST, nano
from stokly_sync.contracts.people import CUSTOMERS
from stokly_sync.systems.rows.cells import Cells
from stokly_sync.systems.rows.sums import product, quotient


def cells(*values: Any) -> Cells:
    documents = [{"a": value} if value is not ... else {} for value in values]
    return Cells(CUSTOMERS, documents, [str(i) for i in range(len(values))])


AMOUNTS = st.decimals(-9_000_000_000, 9_000_000_000, places=9)


@given(st.lists(st.one_of(AMOUNTS, st.integers(-(10**9), 10**9), st.just(...))))
def test_money_is_exact_for_every_amount_in_range(values: list[Any]) -> None:
    made = cells(*values)
    expected = [None if v is ... else nano(v) for v in values]
    assert [None if pd.isna(v) else int(v) for v in made.money("a")] == expected
    assert made.problems == []


@given(
    st.lists(AMOUNTS, min_size=1), st.sampled_from([Decimal("1e30"), Decimal("0.1234567891"), 10**20, "1", True, {}])
)
def test_one_bad_amount_spoils_only_its_own_row(values: list[Any], bad: Any) -> None:
    made = cells(*values, bad)
    assert [int(v) for v in made.money("a")[:-1]] == [nano(v) for v in values]
    assert pd.isna(made.money("a").iloc[-1])
    assert {p.key for p in made.problems} == {str(len(values))}


def test_the_largest_amount_is_kept_and_one_more_is_not() -> None:
    made = cells(Decimal(LARGEST).scaleb(-9), Decimal(-LARGEST).scaleb(-9), Decimal(LARGEST + 1).scaleb(-9))
    column = made.money("a")
    assert column.tolist()[:2] == [LARGEST, -LARGEST]
    assert [p.rule for p in made.problems] == ["ST-MONEY"]


WHOLES = [
    (2, 2),
    (Decimal("2.0"), 2),
    (-5, -5),
    (..., None),
    (Decimal("2.5"), "bad"),
    (True, "bad"),
    ("2", "bad"),
    (2**64, "bad"),
]


@pytest.mark.parametrize(("value", "expected"), WHOLES)
def test_whole_numbers(value: Any, expected: Any) -> None:
    made = cells(value, 1)
    found = made.whole("a").iloc[0]
    assert bool(made.problems) == (expected == "bad")
    assert pd.isna(found) if expected in (None, "bad") else found == expected


FLAGS = [(True, True), (False, False), (1, True), (0, False), (..., None), ("true", "bad"), (2, "bad")]


@pytest.mark.parametrize(("value", "expected"), FLAGS)
def test_flags(value: Any, expected: Any) -> None:
    made = cells(value)
    found = made.flag("a").iloc[0]
    assert bool(made.problems) == (expected == "bad")
    assert pd.isna(found) if expected in (None, "bad") else bool(found) == expected


def test_the_first_member_that_a_document_has_is_taken() -> None:
    made = Cells(CUSTOMERS, [{"b": "second"}, {"a": "first", "b": "second"}, {}], ["0", "1", "2"])
    assert made.values("a", "b") == ["second", "first", None]


@given(st.lists(st.tuples(st.integers(-(10**12), 10**12), st.integers(-1000, 1000)), min_size=1))
def test_multiplying_and_dividing_give_the_amount_back(pairs: list[tuple[int, int]]) -> None:
    amount, quantity = (pd.Series(list(column), dtype="Int64") for column in zip(*pairs, strict=True))
    back = quotient(product(amount, quantity, cells(*[1] * len(pairs)), "a"), quantity)
    assert [None if pd.isna(v) else int(v) for v in back] == [a if q else None for a, q in pairs]


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**4))
def test_a_quotient_is_rounded_half_even(amount: int, quantity: int) -> None:
    found = quotient(pd.Series([amount], dtype="Int64"), pd.Series([quantity], dtype="Int64")).iloc[0]
    assert found == int((Decimal(amount) / Decimal(quantity)).quantize(Decimal(1)))


def test_a_product_out_of_range_is_a_problem_and_never_wraps_round() -> None:
    made = cells(1, 1)
    found = product(pd.Series([LARGEST, 2], dtype="Int64"), pd.Series([2, 2], dtype="Int64"), made, "a")
    assert pd.isna(found.iloc[0])
    assert found.iloc[1] == 4
    assert [(p.key, p.rule) for p in made.problems] == [("0", "ST-MONEY")]
