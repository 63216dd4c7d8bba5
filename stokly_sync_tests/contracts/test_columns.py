"""Columns as lists: nothing is lost, and money is rounded once, half-even, as Decimal itself would."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stokly_sync.contracts import columns
from stokly_sync.contracts.money import rounded
from stokly_sync.contracts.tables import UTC_TIME

CURRENCIES = st.sampled_from(["GBP", "EUR", "JPY", "BHD", None])
NANOS = st.one_of(
    st.integers(min_value=-(10**18), max_value=10**18),
    # Halves of a minor unit, where rounding to even shows.
    st.integers(min_value=-(10**6), max_value=10**6).map(lambda n: n * 5_000_000),
)


def series(values: list[object], dtype: object) -> pd.Series:
    return pd.Series(values, dtype=dtype)  # type: ignore[call-overload, no-any-return]


@given(st.lists(st.tuples(st.one_of(st.none(), NANOS), CURRENCIES), max_size=30))
def test_amounts_are_rounded_like_single_amounts(rows: list[tuple[int | None, str | None]]) -> None:
    column = series([nanos for nanos, _ in rows], "Int64")
    currency = series([code for _, code in rows], "str")
    expected = [None if nanos is None else rounded(nanos, code) for nanos, code in rows]
    found = columns.amounts(column, currency)
    assert found == expected
    # Adding nothing turns a negative zero, which no document should show, into a plain one.
    plain = [None if amount is None else amount + 0 for amount in expected]
    assert [str(amount) for amount in found] == [str(amount) for amount in plain]


@pytest.mark.parametrize(
    ("nanos", "step", "expected"),
    [(25, 10, 2), (35, 10, 4), (-25, 10, -2), (-35, 10, -4), (26, 10, 3), (-26, 10, -3), (0, 10, 0)],
)
def test_halves_go_to_the_even_neighbour(nanos: int, step: int, expected: int) -> None:
    assert columns.half_even(np.array([nanos]), np.array([step])).tolist() == [expected]


def test_missing_values_become_none() -> None:
    assert columns.texts(series(["a", None], "str")) == ["a", None]
    assert columns.wholes(series([1, None], "Int64")) == [1, None]
    assert columns.counts(series([1, None], "Int64")).tolist() == [1, 0]
    assert columns.flags(series([True, None], "boolean")).tolist() == [True, False]
    assert columns.flags(series([False, None], "boolean"), missing=True).tolist() == [False, True]


def test_times_are_written_in_utc_to_the_second() -> None:
    moment = datetime(2026, 3, 29, 1, 30, 15, 999_999, tzinfo=UTC)
    column = series([moment, None], UTC_TIME)
    assert columns.stamps(column) == ["2026-03-29T01:30:15Z", None]
    assert columns.moments(column) == [moment, None]


def test_an_empty_column_gives_an_empty_list() -> None:
    assert columns.amounts(series([], "Int64"), series([], "str")) == []
    assert columns.stamps(series([], UTC_TIME)) == []


def test_equal_amounts_have_equal_places() -> None:
    column, currency = series([10**9, 10**8], "Int64"), series(["GBP", "GBP"], "str")
    assert columns.amounts(column, currency) == [Decimal("1.00"), Decimal("0.10")]
    assert [str(amount) for amount in columns.amounts(column, currency)] == ["1.00", "0.10"]
