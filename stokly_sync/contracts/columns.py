"""Columns of valid rows as plain Python values, a whole column at a time.

Builders of documents walk over lists, because that is many times faster than walking over rows; these functions make
the lists. Belongs here: NA to None, times to UTC, and the one rounding of money that documents may do. Text of JSON
stands in `written`; what a document looks like belongs to the systems.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from stokly_sync.contracts.money import PLACES, minor_digits

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_Value = TypeVar("_Value")


def _objects(column: pd.Series) -> list[Any]:
    # The stubs do not know that None may stand for missing.
    values: list[Any] = column.to_numpy(dtype=object, na_value=None).tolist()  # type: ignore[call-overload]
    return values


def texts(column: pd.Series) -> list[str | None]:
    """Text, None where missing."""
    return _objects(column)


def keys(column: pd.Series) -> list[str]:
    """Text of a column that is never missing."""
    return _objects(column)


def wholes(column: pd.Series) -> list[int | None]:
    """Whole numbers, None where missing."""
    return _objects(column)


def counts(column: pd.Series) -> npt.NDArray[np.int64]:
    """Whole numbers or nano units, 0 where missing."""
    return column.to_numpy(dtype=np.int64, na_value=0)


def flags(column: pd.Series, *, missing: bool = False) -> npt.NDArray[np.bool_]:
    """True or false, `missing` where there is none."""
    return column.to_numpy(dtype=np.bool_, na_value=missing)


def stamps(column: pd.Series) -> list[str | None]:
    """UTC times as ISO 8601 text to the second with `Z`, None where missing."""
    instants = column.to_numpy(dtype="datetime64[s]")
    written: list[str | None] = np.datetime_as_string(instants, timezone="UTC").tolist()
    return _without(written, np.isnat(instants))


def moments(column: pd.Series) -> list[datetime | None]:
    """Timezone-aware datetimes in UTC, None where missing."""
    # Adding to the epoch is several times faster than giving each naive time its zone.
    since = column.to_numpy(dtype="datetime64[us]").view("timedelta64[us]").tolist()
    return [None if delta is None else _EPOCH + delta for delta in since]


def amounts(column: pd.Series, currency: pd.Series) -> list[Decimal | None]:
    """Nano units as Decimals of the currency's minor unit, rounded once, half-even; None where missing.

    Each amount always has the same number of places, so that equal amounts make equal documents.
    """
    return _without(decimals(counts(column), digits(currency)), column.isna().to_numpy())


def digits(currency: pd.Series) -> npt.NDArray[np.int64]:
    """Decimals of the minor unit, a row; two where the currency is missing."""
    codes, uniques = pd.factorize(currency)
    known = [minor_digits(str(code)) for code in uniques]
    # A missing currency has code -1 and so finds the last element.
    return np.array([*known, minor_digits(None)], dtype=np.int64)[codes]


def minor_units(currency: pd.Series) -> npt.NDArray[np.int64]:
    """One minor unit in nano units, a row; see `money.minor_unit`."""
    units: npt.NDArray[np.int64] = 10 ** (PLACES - digits(currency))
    return units


def decimals(nanos: npt.NDArray[np.int64], places: npt.NDArray[np.int64]) -> list[Decimal | None]:
    """Nano units to Decimals with `places` decimals a row, rounded half-even."""
    minor = half_even(nanos, 10 ** (PLACES - places))
    kinds = np.unique(places).tolist()
    if len(kinds) == 1:
        return [*_scaled(minor, kinds[0])]
    result = np.empty(len(minor), dtype=object)
    for count in kinds:
        rows = places == count
        result[rows] = _scaled(minor[rows], count)
    mixed: list[Decimal | None] = result.tolist()
    return mixed


def _scaled(minor: npt.NDArray[np.int64], places: int) -> list[Decimal]:
    """Whole numbers of minor units as Decimals with `places` decimals; the product is exact, and fast."""
    unit = Decimal(1).scaleb(-places)
    return [Decimal(value) * unit for value in minor.tolist()]


def half_even(values: npt.NDArray[np.int64], step: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """`values / step` as whole numbers, halves to the even neighbour; exact, without floats."""
    floor = values // step
    twice = 2 * (values - floor * step)
    up = (twice > step) | ((twice == step) & (floor % 2 != 0))
    whole: npt.NDArray[np.int64] = floor + up
    return whole


def _without(values: list[_Value | None], missing: npt.NDArray[np.bool_]) -> list[_Value | None]:
    for index in np.flatnonzero(missing).tolist():
        values[index] = None
    return values
