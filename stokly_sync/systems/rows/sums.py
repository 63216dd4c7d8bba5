"""Arithmetic on columns of nano units that says when it would overflow instead of wrapping round in silence."""

from __future__ import annotations

import pandas as pd

from stokly_sync.systems.rows.cells import LARGEST, Cells


def product(amount: pd.Series, quantity: pd.Series, cells: Cells, member: str) -> pd.Series:
    """`amount` x `quantity` as Int64 nano units; a product out of range is a problem of its row and missing."""
    size = amount.astype("Float64") * quantity.astype("Float64")
    large = (size.abs() >= float(LARGEST)).fillna(value=False)
    if large.any():
        for i in large[large].index:
            cells.problem(int(i), cells.dataset.money_rule, member, "times its quantity is out of range")
        amount = amount.mask(large)
    return amount * quantity


def quotient(amount: pd.Series, quantity: pd.Series) -> pd.Series:
    """`amount` / `quantity` in nano units, rounded half-even; missing where the quantity is 0 or missing."""
    units = quantity.where(quantity != 0)
    whole, rest = amount // units, amount % units
    double = rest.abs() * 2
    up = (double > units.abs()) | ((double == units.abs()) & (whole % 2 != 0))
    return (whole + up.astype("Int64")).astype("Int64")
