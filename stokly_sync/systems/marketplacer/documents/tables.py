"""Rows as plain values made into frames, with the columns that every root table has.

Belongs here: dtypes, the content hash, one row a key, and bad rows apart. Documents of GraphQL hold what we asked for
and nothing else, so that there are no unknown members to keep. Which member means what stands beside this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

import msgspec
import pandas as pd

from stokly_sync.contracts.money import nano
from stokly_sync.contracts.tables import DTYPES, Dataset, Table
from stokly_sync.flow import Json, Problem, Rows
from stokly_sync.systems.marketplacer.documents.amounts import Unreadable

_CANONICAL: Final = msgspec.json.Encoder(order="deterministic")
_APART: Final = ("version", "updated_at")


@dataclass(frozen=True)
class Made:
    """One document as rows: the root's values by column, and those of its children by table, in order.

    Amounts are nano units, times are in UTC. `problems` keep the row out: pairs of a rule's code and its detail.
    """

    root: Json
    children: Mapping[str, Sequence[Json]] = field(default_factory=dict)
    problems: Sequence[tuple[str, str]] = ()


def moment(text: Any, member: str) -> datetime | None:
    """A time as the server writes it, in UTC; raises Unreadable for what is none. Without a zone it is UTC."""
    if text is None or text == "":
        return None
    try:
        read = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise Unreadable(f"{member} is no readable time", time=True) from error
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)


def nanos(pence: int | None) -> int | None:
    """Minor units of a currency with two decimals as nano units."""
    return None if pence is None else pence * 10**7


def major(amount: Any, member: str) -> int | None:
    """A decimal text in major units as nano units; raises Unreadable for what is none."""
    if amount is None or amount == "":
        return None
    try:
        return nano(str(amount))
    except ValueError as error:
        raise Unreadable(f"{member} is no amount", money=True) from error


def rows_of(dataset: Dataset, made: Sequence[Made], requested_at: datetime, lost: Sequence[Problem] = ()) -> Rows:
    """Frames of a dataset's tables; of documents with one key the last counts, those with problems are left out."""
    by_key = {str(one.root[dataset.key]): one for one in made}
    problems = [Problem(key, rule, text) for key, one in by_key.items() for rule, text in one.problems]
    good = [one for one in by_key.values() if not one.problems]
    roots = [{**one.root, **_meta(one, requested_at)} for one in good]
    frames = {dataset.name: _frame(dataset.root, roots)}
    for table in dataset.children:
        frames[table.name] = _frame(table, [row for one in good for row in one.children.get(table.name, ())])
    return Rows(frames, [*lost, *problems])


def _meta(one: Made, requested_at: datetime) -> Json:
    content = [{k: v for k, v in one.root.items() if k not in _APART}, *(list(c) for c in one.children.values())]
    digest = blake2b(_CANONICAL.encode(content), digest_size=16).hexdigest()
    return {
        "content_hash": digest,
        "version": one.root.get("updated_at") or requested_at.astimezone(UTC),
        "extra": None,
    }


def _frame(table: Table, rows: Sequence[Json]) -> pd.DataFrame:
    return pd.DataFrame(
        {c.name: pd.Series([row.get(c.name) for row in rows], dtype=DTYPES[c.kind]) for c in table.all_columns}  # type: ignore[call-overload]
    )
