"""Contracts as pandera schemas, and the validation of a batch of rows against them.

`validate` splits rows into those that keep every rule and problems that say which rule the others break. A child row
that breaks a rule takes its parent with it: an order is whole or it waits. A frame that lacks a column or has another
dtype is not a row's fault; that raises `ContractBroken`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import Final

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.contracts.tables import DTYPES, Dataset, RowRule, Table
from stokly_sync.errors import ContractBroken
from stokly_sync.flow import Frames, Problem, Rows

# Below this many rows a share says nothing: three bad rows of four are a bad morning, not another contract.
SMALLEST_SHARE_BASE = 50
_REQUIRED: Final = "required"


@cache
def schema_of(table: Table) -> pa.DataFrameSchema:
    """The pandera schema of a table: one check that nothing required is missing, and one named check a rule.

    Which columns there are, and of what dtype, is compared in `_refuse_other_shape`. pandera takes up to half a
    millisecond a declared column, in every call, so that none is declared.
    """
    checks = [pa.Check(partial(_complete, _required(table)), name=_REQUIRED, ignore_na=False)]
    checks += [pa.Check(rule.holds, name=f"{i}:{rule.code}", ignore_na=False) for i, rule in enumerate(table.rules)]
    return pa.DataFrameSchema(checks=checks, name=table.name)


def _required(table: Table) -> list[str]:
    return [c.name for c in table.all_columns if c.required]


def _complete(required: Sequence[str], frame: pd.DataFrame) -> pd.Series:
    """True where none of the columns is missing."""
    there = [frame[name].notna().to_numpy() for name in required]
    return pd.Series(np.logical_and.reduce(there) if there else np.ones(len(frame), dtype=np.bool_), index=frame.index)


def validate(dataset: Dataset, rows: Rows) -> Rows:
    """Keep the rows that hold every rule; the rest become problems, one for each key and rule.

    A row that could not even be read is not judged further: its holes would break rules that it may well keep.
    Frames in and out have the columns and dtypes of `dataset.tables`. Raises ContractBroken when a frame as a whole
    does not fit (a missing column, another dtype).
    """
    problems = list(rows.problems)
    frames = without(dataset, rows.frames, {p.key for p in problems})
    for table in dataset.tables:
        problems += _problems(dataset, table, frames[table.name])
    return Rows(without(dataset, frames, {p.key for p in problems}), _once(problems))


def without(dataset: Dataset, frames: Frames, keys: set[str]) -> Frames:
    """The frames less the roots of those keys and their children, with a fresh index."""
    kept: Frames = {}
    for table in dataset.tables:
        frame = frames[table.name]
        if keys:
            frame = frame[~frame[table.parent_key or dataset.key].isin(keys)]
        kept[table.name] = frame.reset_index(drop=True)
    return kept


def refuse_if_most_fail(dataset: str, *, read: int, problems: Sequence[Problem], share: float) -> None:
    """Raise ContractBroken when more than `share` of the rows fail: then the source changed, not the rows (X2)."""
    failing = len({p.key for p in problems})
    if read < SMALLEST_SHARE_BASE or failing <= share * read:
        return
    counts = pd.Series([f"{p.rule}: {p.detail}" for p in problems]).value_counts().head(3)
    what = "; ".join(f"{text} ({n} rows)" for text, n in counts.items())
    raise ContractBroken(
        f"{failing} of {read} rows of {dataset} break the contract, more than {share:.0%}: {what}. Nothing was stored. "
        f"Look for a changed member in Stokly, adapt the mapping, then run the window again."
    )


def _problems(dataset: Dataset, table: Table, frame: pd.DataFrame) -> list[Problem]:
    if frame.empty:
        return []
    _refuse_other_shape(table, frame)
    try:
        # In place, because a schema that converts nothing changes nothing, and a copy costs as much as a rule.
        schema_of(table).validate(frame, lazy=True, inplace=True)
    except SchemaErrors as errors:
        return _explain(dataset, table, frame, errors.failure_cases)
    return []


def _refuse_other_shape(table: Table, frame: pd.DataFrame) -> None:
    expected = {c.name: DTYPES[c.kind] for c in table.all_columns}
    found = dict(frame.dtypes)
    odd = [str(name) for name in {**expected, **found} if name not in expected or name not in found]
    odd += [f"{name} as {found[name]}" for name in expected if name in found and found[name] != expected[name]]
    if odd:
        raise ContractBroken(f"{table.name} as a whole breaks its contract, see its columns {', '.join(odd)}")


def _explain(dataset: Dataset, table: Table, frame: pd.DataFrame, cases: pd.DataFrame) -> list[Problem]:
    broken = cases[cases["index"].isna()]
    if len(broken):
        first = broken.iloc[0]
        raise ContractBroken(f"{table.name} as a whole breaks its contract: {first['column']} {first['check']}")
    owner = frame[table.parent_key or dataset.key]
    found: list[Problem] = []
    # A row has a case for each of its columns.
    for check, index in dict.fromkeys(zip(cases["check"].astype(str), cases["index"].astype(int), strict=True)):
        key, row = str(owner.iloc[index]), frame.iloc[index]
        if check == _REQUIRED:
            gone = [name for name in _required(table) if pd.isna(row[name])]
            found += [Problem(key, dataset.type_rule, f"{table.name.split('.')[1]}.{name} is missing") for name in gone]
        else:
            rule = _rule(table, check)
            found.append(Problem(key, rule.code, rule.detail(row)))
    return found


def _rule(table: Table, check: str) -> RowRule:
    return table.rules[int(check.split(":", 1)[0])]


def _once(problems: Sequence[Problem]) -> list[Problem]:
    """One problem for each key and rule, the first detail kept."""
    return list({(p.key, p.rule): p for p in reversed(problems)}.values())[::-1]


def dataset_of(name: str) -> Dataset:
    """The dataset of that name; raises KeyError with the known names."""
    try:
        return DATASETS[name]
    except KeyError:
        raise KeyError(f"no dataset {name!r}; there are {', '.join(DATASETS)}") from None
