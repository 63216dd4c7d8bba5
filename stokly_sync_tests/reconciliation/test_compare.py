"""Two sides compared record by record."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stokly_sync.contracts.money import NANO
from stokly_sync.reconciliation.compare import Comparison, Difference, Kind, Side, compare, totals

COLUMNS = ["key", "value", "refunded", "currency", "status"]


def facts(*rows: tuple[str, int | None, int | None, str | None, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.astype({"key": "str", "value": "Int64", "refunded": "Int64", "currency": "str", "status": "str"})


A = ("a", 10 * NANO, 0, "GBP", "complete")


def found(ours: pd.DataFrame, theirs: pd.DataFrame, explanations: dict[str, str] | None = None) -> list[Difference]:
    return compare(ours, theirs, compared=("status",), explanations=explanations or {})


def test_equal_sides_have_no_difference() -> None:
    assert found(facts(A), facts(A)) == []


def test_a_record_that_is_not_there_is_missing_and_unexplained() -> None:
    (only,) = found(facts(A), facts())
    assert (only.key, only.kind, only.explained_by, only.amount) == ("a", Kind.MISSING, None, 10 * NANO)


def test_a_rule_explains_a_missing_record() -> None:
    (only,) = found(facts(A), facts(), {"a": "OM-SKU-UNKNOWN"})
    assert only.explained_by == "OM-SKU-UNKNOWN"


def test_a_record_that_only_they_have_is_unexpected() -> None:
    (only,) = found(facts(), facts(A))
    assert (only.kind, only.amount, only.currency) == (Kind.UNEXPECTED, -10 * NANO, "GBP")


@pytest.mark.parametrize(
    ("theirs", "differs"),
    [
        (10 * NANO + NANO // 100, False),  # one penny: rounding
        (10 * NANO + NANO // 50, True),  # two pence: not rounding
        (None, True),  # no amount counts as nothing
    ],
)
def test_money_may_differ_by_one_minor_unit(theirs: int | None, differs: bool) -> None:
    assert bool(found(facts(A), facts(("a", theirs, 0, "GBP", "complete")))) is differs


def test_refunds_and_fields_are_compared_too() -> None:
    kinds = {d.kind: d for d in found(facts(A), facts(("a", 10 * NANO, 3 * NANO, "GBP", "refunded")))}
    assert kinds[Kind.REFUNDED].amount == -3 * NANO
    assert (kinds[Kind.FIELD].field, kinds[Kind.FIELD].ours, kinds[Kind.FIELD].theirs) == (
        "status",
        "complete",
        "refunded",
    )


def test_our_own_key_finds_the_explanation_where_ids_differ() -> None:
    ours = facts(("SKU-1", None, None, None, "")).assign(feed_key="item-1")
    (only,) = found(ours, facts(), {"item-1": "ST-ITEM-SKU"})
    assert (only.key, only.explained_by) == ("SKU-1", "ST-ITEM-SKU")


@given(st.lists(st.tuples(st.sampled_from(["GBP", "EUR"]), st.integers(-(10**15), 10**15)), max_size=50))
def test_totals_are_exact_and_never_mix_currencies(rows: list[tuple[str, int]]) -> None:
    frame = facts(*((str(i), amount, None, currency, "") for i, (currency, amount) in enumerate(rows)))
    expected = {c: sum(a for code, a in rows if code == c) for c in {code for code, _ in rows}}
    got = totals(frame, "value")
    assert {c: got.get(c, 0) for c in expected} == expected


def comparison(**over: object) -> Comparison:
    base: dict[str, object] = {
        "feed": "ometria/orders",
        "source": Side(2, {"GBP": 15 * NANO}),
        "ours": Side(1, {"GBP": 10 * NANO}),
        "theirs": Side(1, {"GBP": 10 * NANO}),
        "differences": (),
        "kept_back": {"ST-ORDER-TOTAL": 1},
        "kept_back_totals": {"GBP": 5 * NANO},
    }
    return Comparison(**(base | over))  # type: ignore[arg-type]


def test_systems_agree_when_what_is_kept_back_accounts_for_the_whole_gap() -> None:
    assert comparison().agreed


def test_money_that_a_builder_loses_is_seen_although_both_sides_are_equal() -> None:
    lost = comparison(ours=Side(1, {"GBP": 9 * NANO}), theirs=Side(1, {"GBP": 9 * NANO}))
    assert lost.unaccounted == {"GBP": NANO}
    assert not lost.agreed


def test_a_record_in_doubt_means_no_agreement() -> None:
    assert not comparison(in_doubt=1).agreed
