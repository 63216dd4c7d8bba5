"""Money is exact, or it is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stokly_sync.contracts import money

AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=9, allow_nan=False)


@given(AMOUNTS)
def test_an_amount_survives_the_way_there_and_back(amount: Decimal) -> None:
    assert money.decimal(money.nano(amount)) == amount


@pytest.mark.parametrize(
    ("amount", "why"),
    [
        ("0.0000000001", "more than nine decimals"),
        ("1e30", "out of range"),
        ("12,50", "not an amount"),
        ("NaN", "not an amount"),
        ("Infinity", "not an amount"),
        ("", "not an amount"),
    ],
)
def test_what_cannot_be_kept_exactly_is_refused(amount: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        money.nano(amount)


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("2.345", "GBP", "2.34"),  # half to even, down
        ("2.355", "GBP", "2.36"),  # half to even, up
        ("49.991666667", "GBP", "49.99"),
        ("1234.5", "JPY", "1234"),  # no minor unit
        ("1.2345", "KWD", "1.234"),  # three digits
    ],
)
def test_documents_round_once_half_to_even(amount: str, currency: str, expected: str) -> None:
    assert str(money.rounded(money.nano(amount), currency)) == expected


@given(st.lists(st.tuples(st.sampled_from(["EUR", "GBP"]), st.integers(-(2**62), 2**62))))
def test_totals_neither_overflow_nor_mix_currencies(pairs: list[tuple[str, int]]) -> None:
    sums = money.totals(pairs)
    assert sums == {c: sum(a for code, a in pairs if code == c) for c in sorted({c for c, _ in pairs})}


def test_reports_print_two_places() -> None:
    assert money.texts({"GBP": money.nano("1234.5")}) == {"GBP": "1234.50"}
