"""One chunk of documents becomes landed rows, in one transaction of the caller.

A root row moves only when its content differs and its version is not older (DESIGN, windows and versions); its
children are replaced with it. What breaks a rule opens an exception with the document as it came; what passes closes
its exceptions again. Of people who were erased nothing personal is written (see `erased`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from hashlib import blake2b

import msgspec
import pandas as pd
import sqlalchemy as sa

from stokly_sync.contracts import columns
from stokly_sync.contracts.rules import Catalogue
from stokly_sync.contracts.schema import refuse_if_most_fail, validate, without
from stokly_sync.contracts.tables import UTC_TIME, Dataset
from stokly_sync.flow import Extract, Frames, Json, Problem, Received, Rows, Window
from stokly_sync.landing import derived, erased
from stokly_sync.landing.derived import Basis, Deriving
from stokly_sync.landing.figures import Counts, LandingFigures
from stokly_sync.landing.grid import window_at, window_starts
from stokly_sync.landing.relations import relation_problems
from stokly_sync.warehouse import exceptions, windows
from stokly_sync.warehouse.bulk import Merge, among, delete_by, insert, merge, read_frame
from stokly_sync.warehouse.exceptions import AtStake
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import LANDED
from stokly_sync.warehouse.windows import WindowCount, WindowKind, WindowState

NEWER = Merge(
    when=lambda stored, new: sa.and_(new.version >= stored.version, new.content_hash != stored.content_hash),
    returning=True,
)

# Numbers stay numbers: a payload is read again as if it had come from the source.
_ENCODER = msgspec.json.Encoder(order="sorted", decimal_format="number")


@dataclass(frozen=True)
class Landing:
    """What stays the same for all chunks of one landing run."""

    warehouse: Warehouse
    extract: Extract
    dataset: Dataset
    catalogue: Catalogue
    run_id: str
    span: Window
    windows_from: datetime
    share: float
    basis: Basis = field(default_factory=Basis)

    @property
    def deriving(self) -> Deriving:
        """The same, as far as it matters to derived rows."""
        return Deriving(self.warehouse.brand, self.run_id, self.windows_from, self.basis)


@dataclass(frozen=True)
class Chunk:
    """Documents of some pages; `requested_at` is the oldest of theirs, so that a version is never too new."""

    documents: Sequence[Received]
    requested_at: datetime
    total: int | None = None


@dataclass(frozen=True)
class Checked:
    """A chunk after the contract, before the database: valid rows, and problems with the documents they are about."""

    rows: Rows
    read: int
    payloads: Mapping[str, Json]


def check(landing: Landing, chunk: Chunk) -> Checked:
    """Turn documents into rows and hold them against the contract; pure but for the clock.

    Raises ContractBroken when most rows fail: then nothing of the chunk may be stored.
    """
    rows = validate(landing.dataset, landing.extract.rows(chunk.documents, chunk.requested_at))
    keys = {*columns.keys(rows.frames[landing.dataset.name][landing.dataset.key]), *(p.key for p in rows.problems)}
    refuse_if_most_fail(landing.dataset.name, read=len(keys), problems=rows.problems, share=landing.share)
    bad = {p.key for p in rows.problems}
    member = landing.extract.key_member
    payloads = {str(d.get(member)): dict(d) for d in chunk.documents if str(d.get(member)) in bad} if bad else {}
    return Checked(rows, len(keys), payloads)


@dataclass(frozen=True)
class Stored:
    """What one chunk did: its counts, and how many rows changed or were newly held back in each window."""

    figures: LandingFigures
    windows: tuple[WindowCount, ...]

    def with_windows(self, more: Sequence[WindowCount]) -> Stored:
        """The same with rows that did not come from the source counted in the windows, and nowhere else."""
        counts = Counts()
        counts.add([*self.windows, *more])
        return Stored(self.figures, tuple(counts.all()))


def store(
    conn: sa.Connection, landing: Landing, checked: Checked, *, documents: Sequence[Received], derive: bool = True
) -> Stored:
    """Write a checked chunk: roots, children, exceptions, and what is derived from them.

    The windows of the dataset are noted by the caller, those of derived rows here. Without `derive` the caller has to
    see to the derived rows.
    """
    dataset, brand = landing.dataset, landing.warehouse.brand
    whole = erased.cleared(conn, brand, dataset, checked.rows.frames, run_id=landing.run_id)
    related = relation_problems(dataset, whole, partial(_landed, conn, brand))
    frames = without(dataset, whole, {p.key for p in related})
    problems = [*checked.rows.problems, *related]
    payloads = dict(checked.payloads) | _payloads(landing, documents, {p.key for p in related})
    root = frames[dataset.name]
    root = root.assign(window_start=window_starts(_source_time(dataset, root), landing.span, landing.windows_from))
    before = derived.causes(conn, brand, dataset.name, root[dataset.key] if derive else [])
    changed = _merge_rows(conn, landing, frames, root)
    held = _quarantine(conn, landing, problems, erased.without_theirs(conn, brand, dataset, payloads))
    released = exceptions.close_passed(
        conn, brand=brand, subject=dataset.name, keys=root[dataset.key].tolist(), run_id=landing.run_id
    )
    first = {p.key: p.rule for p in reversed(problems)}
    figures = LandingFigures(
        dataset.name,
        read=checked.read,
        changed=len(changed),
        unchanged=len(root) - len(changed),
        quarantined=Counter(first.values()),
        released=released,
    )
    moved = root if len(changed) == len(root) else root[root[dataset.key].isin(changed)]
    if derive:
        derived.refresh(conn, landing.deriving, dataset.name, derived.caused(dataset.name, dataset.key, moved, before))
    return Stored(figures, _window_counts(landing, root["window_start"], moved["window_start"], held))


def touch(
    conn: sa.Connection, landing: Landing, counts: Sequence[WindowCount], *, kind: WindowKind = WindowKind.INTERVAL
) -> None:
    """Note what changed in windows without calling them landed: their revision grows, so feeds owe them."""
    if counts:
        windows.note_landed(
            conn,
            brand=landing.warehouse.brand,
            dataset=landing.dataset.name,
            counts=counts,
            run_id=landing.run_id,
            state=WindowState.OPEN,
            kind=kind,
            more=True,
        )


def _merge_rows(conn: sa.Connection, landing: Landing, frames: Frames, root: pd.DataFrame) -> set[str]:
    """Upsert roots and replace the children of those that changed; gives the changed keys."""
    dataset, brand = landing.dataset, landing.warehouse.brand
    now = {"brand": brand, "landed_at": datetime.now(UTC)}
    result = merge(conn, LANDED[dataset.name], root, fixed=now, condition=NEWER)
    changed = set(columns.keys(result.keys[dataset.key]))
    for child in dataset.children:
        owner = str(child.parent_key)
        frame = frames[child.name]
        if len(changed) < len(root):
            frame = frame[frame[owner].isin(changed)]
        delete_by(conn, LANDED[child.name], brand=brand, column=owner, values=changed)
        insert(conn, LANDED[child.name], frame, fixed={"brand": brand})
    return changed


def _quarantine(
    conn: sa.Connection, landing: Landing, problems: Sequence[Problem], payloads: Mapping[str, Json]
) -> pd.Series:
    """Open an exception for each problem; gives the window starts of the keys that were not held back before."""
    if not problems:
        return pd.Series(dtype=UTC_TIME)
    brand, subject = landing.warehouse.brand, landing.dataset.name
    keys = list(dict.fromkeys(p.key for p in problems))
    texts = {k: _ENCODER.encode(d) for k, d in payloads.items()}
    hashes = {k: blake2b(t, digest_size=16).hexdigest() for k, t in texts.items()}
    known = exceptions.known_documents(conn, brand=brand, subject=subject, keys=keys)
    read = _read_again(landing, [payloads.get(k, {}) for k in keys])
    starts = window_starts(read.times, landing.span, landing.windows_from)
    exceptions.open_for(
        conn,
        brand=brand,
        subject=subject,
        problems=problems,
        catalogue=landing.catalogue,
        payloads={k: t.decode() for k, t in texts.items()},
        window_starts={k: start.to_pydatetime() for k, start in zip(keys, starts, strict=True)},
        hashes=hashes,
        values=dict(zip(keys, read.values, strict=True)),
        run_id=landing.run_id,
    )
    found = [(p.key, p.rule) for p in problems]
    exceptions.close_absent(conn, brand=brand, subject=subject, keys=keys, found=found, run_id=landing.run_id)
    new = {p.key for p in problems if (p.key, p.rule, hashes.get(p.key, "")) not in known}
    return starts[[k in new for k in keys]]


@dataclass(frozen=True)
class _ReadAgain:
    """What can be read of documents that broke the contract, one entry each: source time, and value at stake."""

    times: pd.Series
    values: Sequence[AtStake]


def _read_again(landing: Landing, documents: Sequence[Received]) -> _ReadAgain:
    readable = [d for d in documents if d]
    if not readable:
        return _ReadAgain(pd.Series([pd.NaT] * len(documents), dtype=UTC_TIME), [(None, None)] * len(documents))
    dataset, member = landing.dataset, landing.extract.key_member
    root = landing.extract.rows(readable, landing.span.end).frames[dataset.name]
    times = dict(zip(root[dataset.key], _source_time(dataset, root), strict=True))
    found = [times.get(str(d.get(member)), pd.NaT) for d in documents]
    values: dict[str, AtStake] = {}
    if dataset.value is not None:
        # What an import put in the place of the currency may be anything, a name too.
        codes = root["currency"].where(root["currency"].str.fullmatch("[A-Z]{3}").fillna(value=False).astype(bool))
        amounts, currencies = columns.wholes(root[dataset.value]), columns.texts(codes)
        values = dict(zip(root[dataset.key], zip(amounts, currencies, strict=True), strict=True))
    at_stake = [values.get(str(d.get(member)), (None, None)) for d in documents]
    return _ReadAgain(pd.Series(found, dtype=UTC_TIME), at_stake)


def _window_counts(landing: Landing, read: pd.Series, changed: pd.Series, held: pd.Series) -> tuple[WindowCount, ...]:
    by_read, by_changed, by_held = (_by_start(series) for series in (read, changed, held))
    return tuple(
        WindowCount(
            window_at(start, landing.windows_from),
            read=by_read.get(start, 0) + by_held.get(start, 0),
            changed=by_changed.get(start, 0),
            quarantined=by_held.get(start, 0),
        )
        for start in sorted({*by_read, *by_changed, *by_held})
    )


def _by_start(starts: pd.Series) -> dict[datetime, int]:
    counts = starts.value_counts()
    return dict(zip(pd.DatetimeIndex(counts.index).to_pydatetime(), counts.tolist(), strict=True))


def _landed(conn: sa.Connection, brand: str, table: str, column: str, values: Sequence[str]) -> pd.DataFrame:
    """Landed rows whose column (or `lower(column)`) is among the values."""
    landed = LANDED[table]
    folded = column.startswith("lower(")
    wanted = sa.func.lower(landed.c[column[6:-1]], type_=sa.Text()) if folded else landed.c[column]
    return read_frame(conn, sa.select(landed).where(landed.c.brand == brand, among(conn, wanted, values)))


def _payloads(landing: Landing, documents: Sequence[Received], keys: set[str]) -> dict[str, Json]:
    if not keys:
        return {}
    member = landing.extract.key_member
    return {str(d.get(member)): dict(d) for d in documents if str(d.get(member)) in keys}


def _source_time(dataset: Dataset, root: pd.DataFrame) -> pd.Series:
    """Update time, else the time of the event; missing where a row has neither."""
    known = [c for c in ("updated_at", dataset.event_at) if c and c in root]
    times = pd.Series(pd.NaT, index=root.index, dtype=UTC_TIME)
    for column in known:
        times = times.fillna(root[column])
    return times
