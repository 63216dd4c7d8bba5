"""A source for the tests of landing: documents whose members are the columns of the contract."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import pandas as pd

from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.contracts.tables import DTYPES, Dataset, Kind, Table
from stokly_sync.flow import Extract, Json, Page, Problem, Received, Rows, Scope, Team


@dataclass
class Source:
    """Documents by key; `reads` remembers what was asked for, `page` bounds a page."""

    dataset: str
    documents: dict[str, Json] = field(default_factory=dict)
    page: int = 2
    snapshot: bool = False
    reads: list[Scope] = field(default_factory=list)
    stop_after: int | None = None
    lines_apart: bool = False
    """Whether a sweep gives documents without their lines, which are fetched for those worth it."""
    completed: list[str] = field(default_factory=list)

    def put(self, **document: Any) -> None:
        """Add or change a document; its key member is the dataset's key column."""
        self.documents[document[DATASETS[self.dataset].key]] = document

    def extract(self) -> Extract:
        """The declaration that landing reads through."""
        dataset = DATASETS[self.dataset]
        return Extract(
            dataset=self.dataset,
            owner=Team.OPERATIONS,
            description="",
            read=lambda _client, scope: self._read(scope),
            rows=lambda documents, requested_at: _rows(dataset, documents, requested_at),
            key_member=dataset.key,
            snapshot=self.snapshot,
            complete=(lambda _client, documents: self._complete(documents)) if self.lines_apart else None,
            fetch=None if self.snapshot else lambda _client, keys: self._fetch(keys),
        )

    def _fetch(self, keys: Sequence[str]) -> Iterator[Page]:
        yield Page([self.documents[k] for k in keys if k in self.documents], datetime.now(UTC))

    def _complete(self, documents: Sequence[Received]) -> list[Json]:
        keys = [d[DATASETS[self.dataset].key] for d in documents]
        self.completed += keys
        return [self.documents[k] for k in keys]

    def _read(self, scope: Scope) -> Iterator[Page]:
        self.reads.append(scope)
        keys = sorted(self.documents)
        if scope.baseline and scope.cursor:
            keys = [k for k in keys if k > scope.cursor]
        elif not (scope.baseline or scope.sweep or self.snapshot):
            keys = [k for k in keys if _time(self.documents[k]) >= scope.window.start]
        for n, start in enumerate(range(0, len(keys), self.page)):
            if self.stop_after is not None and n >= self.stop_after:
                raise ConnectionError("the source went away")
            some = keys[start : start + self.page]
            bare = scope.sweep and self.lines_apart
            documents = [{m: v for m, v in self.documents[k].items() if not (bare and m == "lines")} for k in some]
            yield Page(documents, datetime.now(UTC), cursor=some[-1], total=len(keys))


def _time(document: Json) -> datetime:
    found = document.get("updated_at") or document.get("created_at")
    assert isinstance(found, datetime)
    return found


def _rows(dataset: Dataset, documents: Sequence[Received], requested_at: datetime) -> Rows:
    documents = list({d[dataset.key]: d for d in documents}.values())
    problems = [Problem(d[dataset.key], "ST-MONEY", "total is no amount") for d in documents if d.get("total") == "x"]
    good = [{**d, "total": None if d.get("total") == "x" else d.get("total")} for d in documents]
    roots = [
        {
            **d,
            "content_hash": hashlib.md5(msgspec.json.encode(d, order="sorted"), usedforsecurity=False).hexdigest(),
            "version": d.get("updated_at") or requested_at,
        }
        for d in good
    ]
    frames = {dataset.name: _frame(dataset.root, roots)}
    for child in dataset.children:
        lines = [{**line, child.parent_key: d[dataset.key]} for d in good for line in d.get("lines", [])]
        frames[child.name] = _frame(child, lines)
    return Rows(frames, problems)


def _frame(table: Table, rows: list[Json]) -> pd.DataFrame:
    def value(row: Json, name: str, kind: Kind) -> Any:
        found = row.get(name)
        return msgspec.json.encode(found).decode() if kind is Kind.JSON and found is not None else found

    return pd.DataFrame(
        {
            c.name: pd.Series([value(r, c.name, c.kind) for r in rows], dtype=DTYPES[c.kind])  # type: ignore[call-overload]
            for c in table.all_columns
        }
    )
