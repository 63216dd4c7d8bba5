"""What all root tables have in common: key, version, content hash, members that we do not know, and bad rows.

Belongs here: the frame around a dataset's own columns. The content hash is taken over the canonical document (members
sorted) less those that say nothing, so that an order whose update time alone moved is not sent again. Unknown members
are kept beside the columns, less what looks like a secret or like personal data: those live in known columns only, so
that erasure finds them (X14).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import numpy as np
import pandas as pd

from stokly_sync.contracts.tables import UTC_TIME, Dataset, Table
from stokly_sync.flow import Frames, Json, Problem, Rows
from stokly_sync.systems.stokly.documents.cells import Cells, constant, frame_of, texts
from stokly_sync.systems.stokly.documents.times import parse_time
from stokly_sync.systems.transport import encode, looks_secret

_CANONICAL: Final = msgspec.json.Encoder(decimal_format="number", order="deterministic")
_UPDATE_TIMES: Final = frozenset({"updatedAt", "timeUpdated"})
_PERSONAL = re.compile(
    r"address|phone|mobile|e-?mail|forename|surname|firstname|lastname|birth|gender|postcode|zip", re.IGNORECASE
)


@dataclass(frozen=True)
class Shape:
    """What a dataset's documents look like: the members of key and update time, and how to treat the others.

    `known` members are understood (as columns, or on purpose not kept); `silent` ones do not count for the content.
    """

    dataset: Dataset
    key_member: str
    update_member: str | None
    known: Collection[str]
    silent: Collection[str] = field(default=frozenset())


@dataclass(frozen=True)
class Sheet:
    """Documents of a dataset, keys once each, ready for conversion; `cells` are those of the root table."""

    shape: Shape
    cells: Cells
    requested_at: datetime

    @property
    def documents(self) -> Sequence[Json]:
        """The documents, each key once."""
        return self.cells.documents

    @property
    def keys(self) -> Sequence[str]:
        """Their keys, in the same order."""
        return self.cells.owners

    def children(self, documents: Sequence[Json], owners: Sequence[str], *, prefix: str) -> Cells:
        """Cells of sub-documents; their problems count for the root row."""
        return Cells(self.shape.dataset, documents, owners, prefix, self.cells.problems)


def sheet(shape: Shape, documents: Sequence[Json], requested_at: datetime) -> Sheet:
    """Documents with their keys; one that repeats a key counts once, the newest wins (the last among equals)."""
    raw = [d.get(shape.key_member) for d in documents]
    keys = [k if type(k) is str and k else _unidentified(k, d) for k, d in zip(raw, documents, strict=True)]
    if len(set(keys)) < len(keys):
        chosen = _newest(keys, documents, shape.update_member)
        documents, keys = [documents[i] for i in chosen], [keys[i] for i in chosen]
    made = Sheet(shape, Cells(shape.dataset, documents, keys), requested_at)
    for i, document in enumerate(documents):
        key = document.get(shape.key_member)
        if type(key) is not str or not key:
            made.cells.problem(i, shape.dataset.type_rule, shape.key_member, "is missing, or no text")
    return made


def finish(
    made: Sheet,
    columns: Mapping[str, Any],
    children: Mapping[str, Callable[[Table], pd.DataFrame]],
    *,
    dropped: Collection[str],
) -> Rows:
    """Rows from the root's own columns and makers of child frames; rows with a problem are left out of all frames."""
    dataset = made.shape.dataset
    whole = {**columns, dataset.key: texts(made.keys), **_meta(made, columns, dropped)}
    root = frame_of([(c.name, c.kind) for c in dataset.root.all_columns], whole)
    frames: Frames = {dataset.name: root}
    for table in dataset.children:
        frames[table.name] = children[table.name](table)
    if made.cells.problems:
        bad = {p.key for p in made.cells.problems}
        for table in dataset.tables:
            owners = frames[table.name][table.parent_key or dataset.key]
            frames[table.name] = frames[table.name][~owners.isin(bad)].reset_index(drop=True)
    return Rows(frames, _once(made.cells.problems))


def child_frame(table: Table, columns: Mapping[str, Any]) -> pd.DataFrame:
    """A child frame with the table's columns, in order."""
    return frame_of([(c.name, c.kind) for c in table.all_columns], dict(columns))


def live_unless(values: Sequence[Any], dead: Collection[Any]) -> pd.Series:
    """True where a status is not among the dead ones; missing counts as live."""
    return pd.Series([v not in dead for v in values], dtype="boolean") if values else constant(value=True, length=0)


@dataclass(frozen=True)
class SubDocuments:
    """Sub-documents of all documents: each with its root's key, its root's row, and its place under it, from 0."""

    documents: list[Json]
    owners: list[str]
    roots: np.ndarray[Any, np.dtype[np.int64]]
    places: np.ndarray[Any, np.dtype[np.int64]]

    def only(self, chosen: list[int]) -> SubDocuments:
        """Those at the chosen places; their places under their roots stay as they were."""
        if len(chosen) == len(self.documents):
            return self
        documents, owners = [self.documents[i] for i in chosen], [self.owners[i] for i in chosen]
        return SubDocuments(documents, owners, self.roots[chosen], self.places[chosen])


def sub_documents(made: Sheet, member: str) -> SubDocuments:
    """Sub-documents under a member of all documents; one that is no list of objects is a problem of its root."""
    found: list[Json] = []
    owners: list[str] = []
    roots: list[int] = []
    places: list[int] = []
    for i, (document, key) in enumerate(zip(made.documents, made.keys, strict=True)):
        inner = document.get(member)
        if inner is None:
            continue
        if type(inner) is not list or not all(type(x) is dict for x in inner):
            made.cells.problem(i, made.shape.dataset.type_rule, member, "is no list of objects")
            continue
        found += inner
        owners += [key] * len(inner)
        roots += [i] * len(inner)
        places += range(len(inner))
    return SubDocuments(found, owners, np.asarray(roots, dtype="int64"), np.asarray(places, dtype="int64"))


def _meta(made: Sheet, columns: Mapping[str, Any], dropped: Collection[str]) -> dict[str, Any]:
    requested = pd.Timestamp(made.requested_at.astimezone(UTC)).as_unit("us")
    updated = columns.get("updated_at")
    if updated is None:
        member = made.shape.update_member
        updated = made.cells.time(member) if member else pd.Series([pd.NaT] * len(made.keys), dtype=UTC_TIME)
    return {
        "content_hash": texts(_hashes(made)),
        "version": updated.astype(UTC_TIME).fillna(requested),
        "extra": texts(_extras(made, frozenset(dropped))),
    }


def _hashes(made: Sheet) -> list[str]:
    silent = frozenset(made.shape.silent) | _UPDATE_TIMES
    blake2b, canonical = hashlib.blake2b, _CANONICAL.encode
    hashes = []
    for document in made.documents:
        # Copying and taking out is several times faster than building anew what stays.
        content = document.copy()
        for name in silent:
            content.pop(name, None)
        hashes.append(blake2b(canonical(content), digest_size=16).hexdigest())
    return hashes


def _extras(made: Sheet, dropped: frozenset[str]) -> list[str | None]:
    known = frozenset(made.shape.known) | dropped
    return [None if d.keys() <= known else _extra(d, known) for d in made.documents]


def _extra(document: Json, known: frozenset[str]) -> str | None:
    kept = {k: _without_secrets(v) for k, v in document.items() if k not in known and not _hidden(k)}
    return encode(kept).decode() if kept else None


def _hidden(name: str) -> bool:
    return looks_secret(name) or _PERSONAL.search(name) is not None


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_secrets(v) for k, v in value.items() if not _hidden(k)}
    return [_without_secrets(v) for v in value] if isinstance(value, list) else value


def _unidentified(key: object, document: Json) -> str:
    """A stand-in for a key that is no text, stable from reading to reading."""
    digest = hashlib.blake2b(_CANONICAL.encode(document), digest_size=8).hexdigest()
    return str(key) if isinstance(key, int) else f"unidentified-{digest}"


def _newest(keys: Sequence[str], documents: Sequence[Json], update_member: str | None) -> list[int]:
    best: dict[str, tuple[datetime, int]] = {}
    for i, (key, document) in enumerate(zip(keys, documents, strict=True)):
        text = document.get(update_member) if update_member else None
        moment = parse_time(text) if isinstance(text, str) else None
        rank = (moment or datetime.min.replace(tzinfo=UTC), i)
        if key not in best or rank > best[key]:
            best[key] = rank
    return sorted(i for _, i in best.values())


def _once(problems: Sequence[Problem]) -> list[Problem]:
    return list({(p.key, p.rule): p for p in reversed(problems)}.values())[::-1]
