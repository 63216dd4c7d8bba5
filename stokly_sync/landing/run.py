"""Reading one dataset and landing it: a window, the whole history, or a sweep.

Pages stream in, chunks of some thousand documents are checked and stored, so memory stays flat. The chunk that
ends a read also notes the windows as landed and moves the watermark, in the same transaction: there is no moment in
which the watermark is ahead of the rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from stokly_sync.contracts.rules import Catalogue
from stokly_sync.contracts.sales import ORDERS
from stokly_sync.contracts.schema import dataset_of
from stokly_sync.crashpoints import crashpoint
from stokly_sync.errors import ContractBroken, NotOffered
from stokly_sync.flow import Extract, Scope, Window
from stokly_sync.landing import derived, grid
from stokly_sync.landing.chunks import Part, ahead, chunks
from stokly_sync.landing.derived import Basis
from stokly_sync.landing.families import land_totals
from stokly_sync.landing.figures import Counts, LandingFigures
from stokly_sync.landing.relations import relation_rules
from stokly_sync.landing.store import Checked, Chunk, Landing, Stored, check, store, touch
from stokly_sync.landing.sweep import Seen, missed, remove_absent
from stokly_sync.steady import steady
from stokly_sync.warehouse import exceptions, windows
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.windows import WindowKind, WindowState

# Validating and merging have a fixed cost a call, so never a page; with their lines these are some sixteen thousand
# rows, whose documents take 10 MB as text, four times that when each has to be looked at.
CHUNK_ROWS: Final = 4_000
LOCK_WAIT_S: Final = 600.0
BASELINE_SECONDS: Final = 50 * 60.0

decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode

Progress = Callable[[str, int, int | None], None]
"""`progress(dataset, rows so far, total or None)`."""


@dataclass(frozen=True)
class Reader:
    """What every landing run needs beside the extract: where to, under which rules, and who asks."""

    warehouse: Warehouse
    catalogue: Catalogue
    run_id: str
    windows_from: datetime
    share: float = 0.2
    progress: Progress | None = None
    basis: Basis = field(default_factory=Basis)
    """Which orders count for what is derived from them, and in which base currency."""

    def of(self, extract: Extract, span: Window) -> Landing:
        """The fixed part of one run."""
        dataset = dataset_of(extract.dataset)
        fixed = (self.run_id, span, self.windows_from, self.share, self.basis)
        return Landing(self.warehouse, extract, dataset, self.catalogue, *fixed)


def land_window(reader: Reader, extract: Extract, client: Any, window: Window) -> LandingFigures:
    """Land what changed in `window`; windows that are over count as landed, the running one as open.

    May be repeated at any time, over any range, with the same end state. A snapshot extract reads its full list; rows
    that are absent from it are removed. Raises ContractBroken when most rows fail (the windows are noted as refused and
    nothing is stored), Busy when another process lands the same dataset for ten minutes, and what the client raises.
    """
    landing = reader.of(extract, window)
    with reader.warehouse.exclusive(f"land:{extract.dataset}", purpose=f"landing {window.start}", wait=LOCK_WAIT_S):
        try:
            return _land(reader, landing, client, Scope(window))
        except NotOffered:
            with reader.warehouse.transaction() as conn:
                _close(conn, landing, Counts())
            return LandingFigures(extract.dataset, offered=False)
        except ContractBroken as error:
            with reader.warehouse.transaction() as conn:
                windows.note_refused(
                    conn,
                    brand=reader.warehouse.brand,
                    dataset=extract.dataset,
                    spans=list(grid.windows_of(window)),
                    reason=str(error),
                    run_id=reader.run_id,
                )
            raise


def land_baseline(
    reader: Reader, extract: Extract, client: Any, until: datetime, *, seconds: float = BASELINE_SECONDS
) -> LandingFigures:
    """Land the whole history up to a fixed moment, going on where an earlier run stopped.

    The moment is `until`, floored to a window, when the baseline begins, and stays that. Interval windows take over
    there: the watermark is set to it at the end. A run stops after `seconds` between two chunks; `windows.watermark`
    says whether it is done. Raises as `land_window` does.
    """
    warehouse, name = reader.warehouse, extract.dataset
    with warehouse.exclusive(f"land:{name}", purpose="baseline", wait=LOCK_WAIT_S):
        with warehouse.reading() as conn:
            begun = windows.watermark(conn, brand=warehouse.brand, dataset=name)
        if begun.baseline_done:
            return LandingFigures(name)
        landing = reader.of(extract, Window(grid.EARLIEST, begun.baseline_to or grid.floor(until)))
        if begun.baseline_to is None:
            with warehouse.transaction() as conn:
                windows.set_baseline(
                    conn, brand=warehouse.brand, dataset=name, to=landing.span.end, cursor=None, done=False
                )
        scope = Scope(landing.span, baseline=True, cursor=begun.baseline_cursor)
        try:
            return _land(reader, landing, client, scope, deadline=time.monotonic() + seconds)
        except NotOffered:
            with warehouse.transaction() as conn:
                windows.set_baseline(
                    conn, brand=warehouse.brand, dataset=name, to=landing.span.end, cursor=None, done=True
                )
                windows.advance(conn, brand=warehouse.brand, dataset=name)
            return LandingFigures(name, offered=False)


def sweep(reader: Reader, extract: Extract, client: Any, *, now: datetime | None = None) -> LandingFigures:
    """Read every live id of the source and put right what windows cannot see: deletions, merges, missed rows (X1).

    Rows that the source no longer lists are marked not live; rows that it lists and we lack are fetched in full.
    Changes belong to the running window. The watermark stays. Behind orders all that is derived from them is made anew.
    """
    moment = grid.floor(now or datetime.now(UTC))
    landing = reader.of(extract, Window(moment, moment + grid.STEP))
    with reader.warehouse.exclusive(f"land:{extract.dataset}", purpose="sweep", wait=LOCK_WAIT_S):
        try:
            figures = _sweep(reader, landing, client)
        except NotOffered:
            return LandingFigures(extract.dataset, offered=False)
        if landing.dataset.name == ORDERS.name:
            derived.recompute(reader.warehouse, landing.deriving, moment)
        return figures


def _land(
    reader: Reader, landing: Landing, client: Any, scope: Scope, *, deadline: float | None = None
) -> LandingFigures:
    """Read pages of `scope` and store them chunk by chunk; the last transaction also closes the read.

    The next pages are read and the next chunk is checked while a chunk is stored; chunks are stored in their order.
    """
    run = _Run(reader, landing, scope, _retry_held(reader, landing))
    looked_at_again = bool(relation_rules(landing.dataset))
    pages = ahead(landing.extract.read(client, scope))
    with steady(), closing(pages), ThreadPoolExecutor(1, "store") as writer:
        storing: Future[None] | None = None
        for part in chunks(pages, CHUNK_ROWS):
            checked = check(landing, part.chunk)
            if storing is not None:
                storing.result()
            storing = writer.submit(run.store, part if looked_at_again else part.bare(), checked)
            # Nothing may hold the documents while the next ones are gathered.
            del part, checked
            if deadline is not None and time.monotonic() > deadline:
                break
        if storing is not None:
            storing.result()
    run.figures.check()
    return run.figures


@dataclass
class _Run:
    """One read being stored; `figures` and the other sums grow with each chunk."""

    reader: Reader
    landing: Landing
    scope: Scope
    figures: LandingFigures
    counts: Counts = field(default_factory=Counts)
    seen: Seen = field(default_factory=Seen)
    rows: int = 0

    def store(self, part: Part, checked: Checked) -> None:
        """Store a checked chunk in one transaction; orders' history is closed by another, behind what they derive."""
        landing, chunk = self.landing, part.chunk
        later = self.scope.baseline and landing.dataset.name == ORDERS.name
        crashpoint("extract:before-commit")
        with self.reader.warehouse.transaction() as conn:
            stored = store(conn, landing, checked, documents=chunk.documents, derive=not later)
            self.counts.add(stored.windows)
            if landing.extract.snapshot:
                self.seen.add(checked, landing.dataset.key)
                if part.last:
                    self.figures.removed += remove_absent(conn, landing, self.seen, chunk.requested_at)
                    made = land_totals(conn, landing, chunk.requested_at)
                    self.counts.add(made)
                    stored = stored.with_windows(made)
            ends = part.last and not later
            _note(conn, landing, self.scope, stored, self.counts, cursor=part.cursor, last=ends)
        crashpoint("extract:after-commit")
        if part.last and later:
            derived.recompute(self.reader.warehouse, landing.deriving)
            stored = Stored(stored.figures, ())
            with self.reader.warehouse.transaction() as conn:
                _note(conn, landing, self.scope, stored, self.counts, cursor=part.cursor, last=True)
        self.figures.add(stored.figures)
        self.rows += checked.read
        if self.reader.progress:
            self.reader.progress(landing.dataset.name, self.rows, chunk.total)


def _retry_held(reader: Reader, landing: Landing) -> LandingFigures:
    """Look again at rows that broke a rule about other rows: those others may have changed meanwhile (X2)."""
    figures = LandingFigures(landing.dataset.name)
    rules = relation_rules(landing.dataset)
    if not rules:
        return figures
    with reader.warehouse.transaction() as conn:
        held = exceptions.payloads_of(conn, brand=reader.warehouse.brand, subject=landing.dataset.name, rules=rules)
        for _, payload, last_seen in held:
            # Its version must not be newer than when it was read: a later read of the same row has to win.
            chunk = Chunk([decode(payload)], last_seen)
            stored = store(conn, landing, check(landing, chunk), documents=chunk.documents)
            touch(conn, landing, stored.windows)
            figures.add(stored.figures)
    return figures


def _note(
    conn: sa.Connection,
    landing: Landing,
    scope: Scope,
    stored: Stored,
    counts: Counts,
    *,
    cursor: str | None,
    last: bool,
) -> None:
    """Note what this transaction did to windows; the last one of a read closes it and moves the watermark."""
    brand, dataset = landing.warehouse.brand, landing.dataset.name
    if scope.baseline:
        touch(conn, landing, stored.windows, kind=WindowKind.BASELINE)
        windows.set_baseline(conn, brand=brand, dataset=dataset, to=landing.span.end, cursor=cursor, done=last)
        if last:
            windows.advance(conn, brand=brand, dataset=dataset)
    elif not last:
        touch(conn, landing, stored.windows)
    else:
        _close(conn, landing, counts)


def _close(conn: sa.Connection, landing: Landing, counts: Counts) -> None:
    """Note every window of the span as landed, or as open while it is still running, and move the watermark."""
    brand, dataset = landing.warehouse.brand, landing.dataset.name
    spans = list(grid.windows_of(landing.span))
    # A window counts as landed only if the read reached its end, and the end is past.
    over = min(landing.span.end, datetime.now(UTC))
    for state, some in (
        (WindowState.LANDED, [s for s in spans if s.end <= over]),
        (WindowState.OPEN, [s for s in spans if s.end > over]),
    ):
        if some:
            windows.note_landed(
                conn, brand=brand, dataset=dataset, counts=counts.of(some), run_id=landing.run_id, state=state
            )
    windows.advance(conn, brand=brand, dataset=dataset)


def _sweep(reader: Reader, landing: Landing, client: Any) -> LandingFigures:
    """Pages of a sweep are landed where they are whole, and where they are not, those rows that are new or newer."""
    seen, figures = Seen(), LandingFigures(landing.dataset.name)
    requested_at: datetime | None = None
    complete = landing.extract.complete
    for part in chunks(landing.extract.read(client, Scope(landing.span, sweep=True)), CHUNK_ROWS):
        chunk = part.chunk
        requested_at = requested_at or chunk.requested_at
        seen.add_documents(chunk.documents, landing.extract.key_member)
        if complete is not None:
            with reader.warehouse.reading() as conn:
                worth_it = missed(conn, landing, chunk)
            chunk = Chunk(complete(client, worth_it) if worth_it else [], chunk.requested_at)
        checked = check(landing, chunk)
        crashpoint("sweep:before-commit")
        with reader.warehouse.transaction() as conn:
            stored = store(conn, landing, checked, documents=chunk.documents)
            touch(conn, landing, stored.windows, kind=WindowKind.SWEEP)
            if part.last:
                figures.removed = remove_absent(conn, landing, seen, requested_at)
                touch(conn, landing, land_totals(conn, landing, chunk.requested_at), kind=WindowKind.SWEEP)
        figures.add(stored.figures)
    figures.check()
    return figures
