"""Two sides of one feed, record by record.

Our side comes from landed rows through the feed's own builder; their side from read-back. Each difference is named by
record and kind, with both values, and carries the rule that explains it or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import pandas as pd

from stokly_sync.contracts import money

UNKNOWN_CURRENCY = "?"


class Kind(StrEnum):
    """In which way a record differs."""

    MISSING = "missing"
    """With us, not with them."""
    UNEXPECTED = "unexpected"
    """With them, not with us."""
    VALUE = "value"
    REFUNDED = "refunded"
    FIELD = "field"


@dataclass(frozen=True)
class Difference:
    """One record that differs; `explained_by` is a rule code, a state such as `parked`, or None."""

    key: str
    kind: Kind
    ours: str
    theirs: str
    explained_by: str | None
    field: str = ""
    amount: int = 0
    """Ours minus theirs, in nano units of `currency`."""
    currency: str = UNKNOWN_CURRENCY


@dataclass(frozen=True)
class Side:
    """Count and totals per currency (nano units) of one side."""

    count: int
    totals: Mapping[str, int] = field(default_factory=dict)
    refunds: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """The result for one feed. `source` counts what its source holds, `ours` what should be there, `theirs` what is."""

    feed: str
    source: Side
    ours: Side
    theirs: Side
    differences: tuple[Difference, ...]
    kept_back: Mapping[str, int]
    """Records of the source that have no document, by the rule that says why."""
    kept_back_totals: Mapping[str, int]
    """Their value per currency, nano units."""
    in_doubt: int = 0
    came_from: str = "source"
    """The system that the feed's rows come from."""
    read_back: bool = True
    """False where the destination cannot be read and the ledger was compared instead."""

    @property
    def unexplained(self) -> tuple[Difference, ...]:
        """Differences that nothing accounts for."""
        return tuple(d for d in self.differences if d.explained_by is None)

    @property
    def explained(self) -> dict[str, int]:
        """Explained differences and records kept back, by rule or state."""
        counts = dict(self.kept_back)
        for difference in self.differences:
            if difference.explained_by is not None:
                counts[difference.explained_by] = counts.get(difference.explained_by, 0) + 1
        return dict(sorted(counts.items()))

    @property
    def unaccounted(self) -> dict[str, int]:
        """Source total less ours less what is kept back, per currency: not zero means that a builder loses money.

        Rounding to minor units may move each record by up to half a minor unit; less than that is not reported.
        """
        left: dict[str, int] = {}
        if not self.source.totals:
            return left  # the feed sums no money of its source
        for currency in {*self.source.totals, *self.ours.totals}:
            gap = (
                self.source.totals.get(currency, 0)
                - self.ours.totals.get(currency, 0)
                - self.kept_back_totals.get(currency, 0)
            )
            if abs(gap) > money.minor_unit(currency) * max(self.ours.count, 1) // 2:
                left[currency] = gap
        return left

    @property
    def agreed(self) -> bool:
        """True when every difference is explained, nothing is in doubt and all money is accounted for."""
        return not self.unexplained and not self.in_doubt and not self.unaccounted


def compare(
    ours: pd.DataFrame, theirs: pd.DataFrame, *, compared: tuple[str, ...], explanations: Mapping[str, str]
) -> list[Difference]:
    """Differences between two frames of facts (columns `key`, `value`, `refunded`, `currency`, then `compared`).

    `explanations` gives the rule or state for a key, by our natural key (column `feed_key` of `ours`, else `key`).
    Money may differ by one minor unit. Memory: both frames and their join.
    """
    own_key = ours["feed_key"] if "feed_key" in ours else ours["key"]
    left = ours.assign(explained=own_key.map(dict(explanations)).astype(object)).drop_duplicates("key", keep="last")
    both = left.merge(
        theirs.drop_duplicates("key", keep="last"), on="key", how="outer", suffixes=("", "_there"), indicator=True
    )
    found = _missing(both[both["_merge"] == "left_only"])
    found += _unexpected(both[both["_merge"] == "right_only"], explanations)
    matched = both[both["_merge"] == "both"]
    found += _money(matched, "value", Kind.VALUE) + _money(matched, "refunded", Kind.REFUNDED)
    # A side without any record has no columns of its own either.
    for column in compared if len(matched) else ():
        found += _field(matched, column)
    return found


def totals(facts: pd.DataFrame, column: str) -> dict[str, int]:
    """Sum of a money column per currency, nano units; rows without an amount count nothing."""
    known = facts[facts[column].notna()]
    currency = known["currency"].fillna(UNKNOWN_CURRENCY)
    # Partial sums of at most 10,000 rows cannot overflow int64 at one million major units each.
    amounts = known[column].astype("int64")
    blocks = pd.RangeIndex(len(known)) // 5_000
    parts = amounts.groupby([currency.to_numpy(), blocks]).sum()
    return money.totals(zip(parts.index.get_level_values(0), parts, strict=True))


def _explained(value: object) -> str | None:
    return None if value is None or pd.isna(value) else str(value)  # type: ignore[call-overload]


def _missing(rows: pd.DataFrame) -> list[Difference]:
    return [
        Difference(key, Kind.MISSING, "present", "absent", _explained(why), amount=_whole(value), currency=_code(code))
        for key, why, value, code in zip(rows["key"], rows["explained"], rows["value"], rows["currency"], strict=True)
    ]


def _unexpected(rows: pd.DataFrame, explanations: Mapping[str, str]) -> list[Difference]:
    return [
        Difference(
            key,
            Kind.UNEXPECTED,
            "absent",
            "present",
            explanations.get(key),
            amount=-_whole(value),
            currency=_code(code),
        )
        for key, value, code in zip(rows["key"], rows["value_there"], rows["currency_there"], strict=True)
    ]


def _money(rows: pd.DataFrame, column: str, kind: Kind) -> list[Difference]:
    gap = rows[column].fillna(0) - rows[f"{column}_there"].fillna(0)
    tolerance = rows["currency"].map(money.minor_unit, na_action="ignore").fillna(money.minor_unit(None))
    apart = rows[gap.abs() > tolerance]
    return [
        Difference(
            key,
            kind,
            money.text(_whole(ours)),
            money.text(_whole(theirs)),
            _explained(why),
            field=column,
            amount=_whole(ours) - _whole(theirs),
            currency=_code(code),
        )
        for key, ours, theirs, why, code in zip(
            apart["key"], apart[column], apart[f"{column}_there"], apart["explained"], apart["currency"], strict=True
        )
    ]


def _field(rows: pd.DataFrame, column: str) -> list[Difference]:
    ours = rows[column].fillna("").astype(str)
    theirs = rows[f"{column}_there"].fillna("").astype(str)
    apart = rows[ours != theirs]
    return [
        Difference(key, Kind.FIELD, ours[index], theirs[index], _explained(why), field=column)
        for index, key, why in zip(apart.index, apart["key"], apart["explained"], strict=True)
    ]


def _whole(value: object) -> int:
    return 0 if value is None or pd.isna(value) else int(value)  # type: ignore[call-overload]


def _code(value: object) -> str:
    return UNKNOWN_CURRENCY if value is None or pd.isna(value) else str(value)  # type: ignore[call-overload]
