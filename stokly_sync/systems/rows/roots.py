"""What all root tables have in common: key, version, content hash, members that we do not know, and bad rows.

Belongs here: the frame around a dataset's own columns. The content hash is taken over the row and its children as they
are stored, less the update time, so that an order whose update time alone moved is not sent again. Unknown members are
kept beside the columns, less what looks like a secret or like personal data: those live in known columns only, so that
erasure finds them (X14).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

import msgspec
import numpy as np
import pandas as pd

from stokly_sync.contracts.tables import UTC_TIME, Table
from stokly_sync.flow import Frames, Json, Problem, Received, Rows
from stokly_sync.systems.rows.cells import Cells, constant, frame_of, texts
from stokly_sync.systems.rows.hashing import content_hashes
from stokly_sync.systems.rows.pages import Columns, Places, Unusual, columns_of
from stokly_sync.systems.rows.shapes import Shape
from stokly_sync.systems.rows.times import parse_time
from stokly_sync.systems.transport import Unread, looks_secret, whole

_CANONICAL: Final = msgspec.json.Encoder(decimal_format="number", order="deterministic")
_PERSONAL = re.compile(
    r"address|phone|mobile|e-?mail|forename|surname|firstname|lastname|birth|gender|postcode|zip", re.IGNORECASE
)


@dataclass(frozen=True)
class Sheet:
    """Documents of a dataset, keys once each, ready for conversion; `cells` are those of the root table."""

    shape: Shape
    cells: Cells
    records: Sequence[Received]
    """The documents as they came, in the order of the cells."""
    requested_at: datetime

    @property
    def keys(self) -> Sequence[str]:
        """Their keys, in the same order."""
        return self.cells.owners

    def children(self, documents: Sequence[Json] | Columns, owners: Sequence[str], *, prefix: str) -> Cells:
        """Cells of sub-documents; their problems count for the root row."""
        return Cells(self.shape.dataset, documents, owners, prefix, self.cells.problems)


def rows_of(shape: Shape, records: Sequence[Received], requested_at: datetime, make: Callable[[Sheet], Rows]) -> Rows:
    """What `make` makes of the documents: all columns at once where all are usual, else document by document."""
    if records and all(type(record) is Unread for record in records):
        try:
            columns, keys = columns_of(shape, records)  # type: ignore[arg-type]  # each is looked at above
            return make(Sheet(shape, Cells(shape.dataset, columns, keys), records, requested_at))
        except Unusual:
            pass
    return make(sheet(shape, [whole(record) for record in records], requested_at))


def sheet(shape: Shape, documents: Sequence[Json], requested_at: datetime) -> Sheet:
    """Documents with their keys; one that repeats a key counts once, the newest wins (the last among equals)."""
    raw = [d.get(shape.key_member) for d in documents]
    keys = [k if type(k) is str and k else _unidentified(k, d) for k, d in zip(raw, documents, strict=True)]
    if len(set(keys)) < len(keys):
        chosen = _newest(keys, documents, shape.update_member)
        documents, keys = [documents[i] for i in chosen], [keys[i] for i in chosen]
    made = Sheet(shape, Cells(shape.dataset, documents, keys), documents, requested_at)
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
    hashed_later = texts([None] * len(made.keys))
    whole = {**columns, dataset.key: texts(made.keys), "content_hash": hashed_later, **_meta(made, columns, dropped)}
    root = frame_of([(c.name, c.kind) for c in dataset.root.all_columns], whole)
    frames: Frames = {dataset.name: root}
    for table in dataset.children:
        frames[table.name] = children[table.name](table)
    if made.cells.problems:
        bad = {p.key for p in made.cells.problems}
        for table in dataset.tables:
            owners = frames[table.name][table.parent_key or dataset.key]
            frames[table.name] = frames[table.name][~owners.isin(bad)].reset_index(drop=True)
    frames[dataset.name]["content_hash"] = texts(content_hashes(dataset, frames))
    return Rows(frames, _once(made.cells.problems))


def child_frame(table: Table, columns: Mapping[str, Any]) -> pd.DataFrame:
    """A child frame with the table's columns, in order."""
    return frame_of([(c.name, c.kind) for c in table.all_columns], dict(columns))


def live_unless(values: Sequence[Any], dead: Collection[Any]) -> pd.Series:
    """True where a status is not among the dead ones; missing counts as live, and so does what is no status at all."""
    if not values:
        return constant(value=True, length=0)
    return pd.Series([isinstance(v, list | dict) or v not in dead for v in values], dtype="boolean")


@dataclass(frozen=True)
class SubDocuments:
    """Sub-documents of all documents: each with its root's key, its root's row, and its place under it, from 0."""

    documents: Sequence[Json] | Columns
    owners: list[str]
    roots: Places
    places: Places

    def only(self, chosen: list[int]) -> SubDocuments:
        """Those at the chosen places; their places under their roots stay as they were."""
        if len(chosen) == len(self.documents):
            return self
        some = self.documents
        documents = some.take(chosen) if isinstance(some, Columns) else [some[i] for i in chosen]
        return SubDocuments(documents, [self.owners[i] for i in chosen], self.roots[chosen], self.places[chosen])


def sub_documents(made: Sheet, member: str) -> SubDocuments:
    """Sub-documents under a member of all documents; one that is no list of objects is a problem of its root."""
    inner: Sequence[Json] | Columns
    if isinstance(made.cells.documents, Columns):
        inner, roots = made.cells.documents.children(member)
    else:
        inner, roots = _inner(made, made.cells.documents, member)
    counts = np.bincount(roots, minlength=len(made.keys))
    places = np.arange(len(roots)) - np.repeat(np.cumsum(counts) - counts, counts)
    return SubDocuments(inner, [made.keys[i] for i in roots.tolist()], roots, places)


def _inner(made: Sheet, documents: Sequence[Json], member: str) -> tuple[list[Json], Places]:
    found: list[Json] = []
    roots: list[int] = []
    for i, document in enumerate(documents):
        inner = document.get(member)
        if inner is None:
            continue
        if type(inner) is not list or not all(type(x) is dict for x in inner):
            made.cells.problem(i, made.shape.dataset.type_rule, member, "is no list of objects")
            continue
        found += inner
        roots += [i] * len(inner)
    return found, np.asarray(roots, dtype="int64")


def _meta(made: Sheet, columns: Mapping[str, Any], dropped: Collection[str]) -> dict[str, Any]:
    requested = pd.Timestamp(made.requested_at.astimezone(UTC)).as_unit("us")
    updated = columns.get("updated_at")
    if updated is None:
        member = made.shape.update_member
        updated = made.cells.time(member) if member else pd.Series([pd.NaT] * len(made.keys), dtype=UTC_TIME)
    return {
        "version": updated.astype(UTC_TIME).fillna(requested),
        "extra": texts(_extras(made, dropped)),
    }


def _extras(made: Sheet, dropped: Collection[str]) -> list[str | None]:
    known = frozenset(made.shape.known) | frozenset(dropped)
    documents = made.cells.documents
    if isinstance(documents, Columns) and documents.names <= known:
        return [None] * len(documents)
    return [None if d.keys() <= known else _extra(d, known) for d in made.records]


def _extra(document: Received, known: frozenset[str]) -> str | None:
    kept = {k: _without_secrets(v) for k, v in document.items() if k not in known and not _hidden(k)}
    return _CANONICAL.encode(kept).decode() if kept else None


def _hidden(name: str) -> bool:
    return looks_secret(name) or _PERSONAL.search(name) is not None


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_secrets(v) for k, v in value.items() if not _hidden(k)}
    return [_without_secrets(v) for v in value] if isinstance(value, list) else value


def _unidentified(key: object, document: Json) -> str:
    """A stand-in for a key that is no text, stable from reading to reading."""
    digest = blake2b(_CANONICAL.encode(document), digest_size=8).hexdigest()
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
