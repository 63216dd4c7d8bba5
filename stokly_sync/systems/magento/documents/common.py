"""What all mappings share: ids as text, members that may be missing, and our own mark on what we make.

Belongs here: nothing that knows a dataset. Pure. Source: Magento API contract 5, 6, 7, 9.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.problems import later
from stokly_sync.flow import Json

DISPATCH: Final = "dispatch"
REFUND: Final = "refund"
_MARK: Final = re.compile(r"\[stokly:(\w+):([^\]\s]+)\]")


def identity(value: Any) -> Any:
    """An id as text where the wire has a number; anything else as it is, for the contract to name."""
    return str(value) if type(value) is int else value


def part(document: Mapping[str, Any], *path: str) -> Json:
    """An object inside another; empty where there is none."""
    found: Any = document
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, dict) else {}


def objects(value: Any) -> list[Json] | None:
    """A list of objects; empty for nothing (lists without rows come as null), None for anything else."""
    if value is None:
        return []
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        return value
    return None


def mark(kind: str, key: str) -> str:
    """Our mark in a comment, by which we know again what we made."""
    return f"[stokly:{kind}:{key}]"


def marked(comments: Any, kind: str) -> str | None:
    """The key in our mark among comments, None where there is none."""
    for comment in objects(comments) or []:
        for found in _MARK.finditer(str(comment.get("comment") or "")):
            if found[1] == kind:
                return found[2]
    return None


def joined(parts: Iterable[Any], between: str) -> str | None:
    """Texts put together, empty ones left out; None where nothing is left."""
    return between.join(p.strip() for p in parts if isinstance(p, str) and p.strip()) or None


def numbers(item: Mapping[str, Any], names: Sequence[str]) -> Json:
    """Members as they are; those that the wire leaves out when they are null are left out here too."""
    return {name: item[name] for name in names if item.get(name) is not None}


def versioned(what: str, *moments: datetime | None) -> datetime:
    """The latest of some versions; raises ValueError where there is none, because landing always sets one."""
    newest = later(*moments)
    if newest is None:
        raise ValueError(f"{what} has no version; rows come from landing, which always sets one")
    return newest


def records(rows: pd.DataFrame) -> list[Json]:
    """Rows as plain values, None where missing; times as UTC datetimes."""
    made: dict[str, list[Any]] = {}
    for name in rows.columns:
        column = rows[name]
        made[str(name)] = columns.moments(column) if hasattr(column.dtype, "tz") else columns.texts(column)
    return [dict(zip(made, values, strict=True)) for values in zip(*made.values(), strict=True)]
