"""How a dataset is read from its source: windows, what is asked for, pages, and the extract that names them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from stokly_sync.flow.words import Received, Rows, Team


@dataclass(frozen=True, order=True)
class Window:
    """A half-open span of time `[start, end)` in UTC in which something was seen to change."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs times with a zone")
        if self.start >= self.end:
            raise ValueError(f"a window must end after it starts: {self.start} .. {self.end}")

    def widened(self, overlap: timedelta) -> Window:
        """The same window, starting `overlap` earlier, so that late updates are seen (X1)."""
        return Window(self.start - overlap, self.end)


@dataclass(frozen=True)
class Scope:
    """What an extract is asked to read.

    Exactly one of: a `window` (what changed in it), a `baseline` (the whole history up to `window.end`, going on
    after `cursor`), or a `sweep` (every live record as cheaply as it comes, to find deletions, merges and missed rows).
    """

    window: Window
    baseline: bool = False
    sweep: bool = False
    cursor: str | None = None


@dataclass(frozen=True)
class Page:
    """Some documents as the source gave them, with their sub-documents already fetched.

    `requested_at` (UTC) is when the request started: the version of documents that carry no update time.
    `cursor` names the place after this page, for resuming a baseline; None where the source has no such place.
    `total` is the number of records that the source says match, where it says so.
    """

    documents: Sequence[Received]
    requested_at: datetime
    cursor: str | None = None
    total: int | None = None


@dataclass(frozen=True)
class Extract:
    """How one dataset is read from its source; declared once in `systems/<name>/extracts.py`."""

    dataset: str
    owner: Team
    description: str
    read: Callable[[Any, Scope], Iterator[Page]]
    """`read(client, scope)`: pages as they come, never the whole history at once."""
    rows: Callable[[Sequence[Received], datetime], Rows]
    """`rows(documents, requested_at)`: pure; one frame for the dataset's table (with `contracts.tables.META` columns)
    and one for each child table. Documents that repeat a key count once, the newest wins."""
    key_member: str
    """The vendor's member that holds the natural key, to find the document of a problem."""
    snapshot: bool = False
    """True where the source has no way to ask for changes: each read is the full list, what is absent is gone."""
    after: tuple[str, ...] = ()
    """Datasets that must be landed before this one, because its rules look at their rows."""
    complete: Callable[[Any, Sequence[Received]], Sequence[Received]] | None = None
    """`complete(client, documents)`: documents of a sweep with the sub-documents that a sweep leaves out, for those
    few that are worth it. None where the documents of a sweep are whole. A document that is gone by now is left out."""
    fetch: Callable[[Any, Sequence[str]], Iterator[Page]] | None = None
    """`fetch(client, keys)`: pages of the records of some keys, whole, for a person who wants one looked at again now.
    A key that the source does not have is left out. None where single records cannot be asked for."""
