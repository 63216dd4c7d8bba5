"""The ledger of windows: what was read, how far without a gap, and which feed still owes what.

A window's `revision` grows in every transaction that changed a row seen in it. A feed remembers up to which revision
it has planned, so late rows and replays are owed again by themselves, without clocks or cursors that could race.
Which windows there are to read is decided in `landing`; what a feed does with them in `delivery`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from stokly_sync.flow import Window
from stokly_sync.warehouse.bulk import Expression, Merge, among
from stokly_sync.warehouse.few import merge_few
from stokly_sync.warehouse.tables import FEED_WINDOWS, WATERMARKS, WINDOWS


class WindowKind(StrEnum):
    """Who noted a window: only `INTERVAL` counts for the watermark."""

    INTERVAL = "interval"
    BASELINE = "baseline"
    SWEEP = "sweep"


class WindowState(StrEnum):
    """Whether a window can be relied on: `OPEN` was read before it was over, or only in passing."""

    OPEN = "open"
    LANDED = "landed"
    REFUSED = "refused"


@dataclass(frozen=True)
class WindowCount:
    """One window and how many root rows of it a landing transaction read, changed, quarantined and excluded."""

    window: Window
    read: int = 0
    changed: int = 0
    quarantined: int = 0
    excluded: int = 0


@dataclass(frozen=True)
class OwedWindow:
    """A window that a feed has not planned at this revision."""

    dataset: str
    window: Window
    revision: int


@dataclass(frozen=True)
class Watermark:
    """How far a dataset is known: without a gap up to `watermark`, history up to `baseline_to` once `baseline_done`.

    `baseline_cursor` is the place where an unfinished baseline goes on.
    """

    watermark: datetime | None = None
    baseline_to: datetime | None = None
    baseline_cursor: str | None = None
    baseline_done: bool = False


def note_landed(
    conn: sa.Connection,
    *,
    brand: str,
    dataset: str,
    counts: Sequence[WindowCount],
    run_id: str | None,
    state: WindowState = WindowState.LANDED,
    kind: WindowKind = WindowKind.INTERVAL,
    more: bool = False,
) -> None:
    """Note windows as read, in the transaction that writes their rows; each window once.

    The revision grows by one where rows were changed or quarantined. `more` adds to the stored counts (a further chunk
    of the same read) instead of replacing them. `OPEN` never takes back `LANDED`, and a baseline or sweep that meets a
    row of a known window leaves its kind and state alone, so that it cannot close a gap in what was read.
    """
    rows = [_row(count, kind=kind, state=state) for count in counts]
    fixed = {"brand": brand, "dataset": dataset, "run_id": run_id, "updated_at": datetime.now(UTC), "reason": None}
    merge_few(conn, WINDOWS, rows, fixed=fixed, condition=_NOTED_MORE if more else _NOTED)


def note_refused(
    conn: sa.Connection, *, brand: str, dataset: str, spans: Iterable[Window], reason: str, run_id: str | None
) -> None:
    """Note windows whose rows broke the contract as a whole: nothing was stored, the revision stays."""
    rows = [_row(WindowCount(w), kind=WindowKind.INTERVAL, state=WindowState.REFUSED) for w in spans]
    fixed = {"brand": brand, "dataset": dataset, "run_id": run_id, "updated_at": datetime.now(UTC), "reason": reason}
    merge_few(conn, WINDOWS, rows, fixed=fixed, condition=_NOTED)


def watermark(conn: sa.Connection, *, brand: str, dataset: str) -> Watermark:
    """How far a dataset is known; all empty before its first baseline."""
    c = WATERMARKS.c
    row = conn.execute(
        sa.select(c.watermark, c.baseline_to, c.baseline_cursor, c.baseline_done).where(
            c.brand == brand, c.dataset == dataset
        )
    ).first()
    return Watermark(*row) if row else Watermark()


def set_baseline(
    conn: sa.Connection, *, brand: str, dataset: str, to: datetime, cursor: str | None, done: bool
) -> None:
    """Note how far the baseline up to `to` has come; the watermark itself is left alone."""
    row = {"dataset": dataset, "baseline_to": to, "baseline_cursor": cursor, "baseline_done": done}
    merge_few(conn, WATERMARKS, [row], fixed={"brand": brand})


def advance(conn: sa.Connection, *, brand: str, dataset: str) -> datetime | None:
    """Move the watermark over the landed windows that follow it without a gap, and give it.

    It starts at `baseline_to`; None while that is not known. It never moves back.
    """
    known = watermark(conn, brand=brand, dataset=dataset)
    reached = known.watermark or known.baseline_to
    if reached is None:
        return None
    c = WINDOWS.c
    landed = (
        sa.select(c.window_start, c.window_end)
        .where(c.brand == brand, c.dataset == dataset, c.state == WindowState.LANDED.value)
        .where(c.kind == WindowKind.INTERVAL.value, c.window_end > reached)
        .order_by(c.window_start)
    )
    for start, end in conn.execute(landed):
        if start > reached:
            break
        reached = max(reached, end)
    if reached != known.watermark:
        mine = (WATERMARKS.c.brand == brand, WATERMARKS.c.dataset == dataset)
        conn.execute(sa.update(WATERMARKS).where(*mine).values(watermark=reached))
    return reached


def missing(conn: sa.Connection, *, brand: str, dataset: str, grid: Iterable[Window]) -> list[Window]:
    """Those windows of a grid that were never landed, or were refused, in the order of the grid."""
    wanted = list(grid)
    c = WINDOWS.c
    landed = sa.select(c.window_start, c.window_end).where(
        c.brand == brand,
        c.dataset == dataset,
        c.kind == WindowKind.INTERVAL.value,
        c.state == WindowState.LANDED.value,
        among(conn, c.window_start, [w.start for w in wanted]),
    )
    ends = {row.window_start: row.window_end for row in conn.execute(landed)}
    return [w for w in wanted if w.start not in ends or ends[w.start] < w.end]


def owed(conn: sa.Connection, *, brand: str, feed: str, datasets: Iterable[str]) -> list[OwedWindow]:
    """The windows that a feed has not planned at their current revision, oldest first.

    `datasets` are the feed's own and those of its triggers. A window in which nothing was ever seen is not owed, so
    reading an old, quiet span again makes no work.
    """
    w = WINDOWS.c
    query = _owed(sa.select(w.dataset, w.window_start, w.window_end, w.revision), brand, feed, datasets)
    rows = conn.execute(query.order_by(w.window_start, w.dataset))
    return [OwedWindow(d, Window(start, end), revision) for d, start, end, revision in rows]


def owed_since(conn: sa.Connection, *, brand: str, feed: str, datasets: Iterable[str]) -> datetime | None:
    """When the oldest of the changes that a feed owes was noted (UTC); None when it owes none."""
    oldest = _owed(sa.select(sa.func.min(WINDOWS.c.updated_at)), brand, feed, datasets)
    found: datetime | None = conn.execute(oldest).scalar_one()
    return found


def _owed(query: sa.Select[Any], brand: str, feed: str, datasets: Iterable[str]) -> sa.Select[Any]:
    """A query over windows, narrowed to those whose revision a feed has not planned."""
    w, f = WINDOWS.c, FEED_WINDOWS.c
    planned = WINDOWS.outerjoin(
        FEED_WINDOWS,
        sa.and_(f.brand == w.brand, f.feed == feed, f.dataset == w.dataset, f.window_start == w.window_start),
    )
    return query.select_from(planned).where(
        w.brand == brand, w.dataset.in_(list(datasets)), w.revision > sa.func.coalesce(f.revision, 0)
    )


def mark_planned(
    conn: sa.Connection, *, brand: str, feed: str, windows: Sequence[OwedWindow], run_id: str | None
) -> None:
    """Remember that a feed has planned windows at the revisions that it read before it began; never lowers one."""
    rows = [{"dataset": o.dataset, "window_start": o.window.start, "revision": o.revision} for o in windows]
    fixed = {"brand": brand, "feed": feed, "run_id": run_id, "planned_at": datetime.now(UTC)}
    merge_few(conn, FEED_WINDOWS, rows, fixed=fixed, condition=_NOT_LOWER)


_NOT_LOWER: Final = Merge(when=lambda old, new: new.revision >= old.revision)


def _row(count: WindowCount, *, kind: WindowKind, state: WindowState) -> dict[str, Any]:
    return {
        "window_start": count.window.start,
        "window_end": count.window.end,
        "kind": kind.value,
        "state": state.value,
        "revision": int(count.changed + count.quarantined > 0),
        "read": count.read,
        "changed": count.changed,
        "quarantined": count.quarantined,
        "excluded": count.excluded,
    }


def _state(old: Any, new: Any) -> sa.ColumnElement[Any]:
    return sa.case(
        (sa.and_(new.kind != WindowKind.INTERVAL.value, old.kind == WindowKind.INTERVAL.value), old.state),
        (sa.and_(new.state == WindowState.OPEN.value, old.state == WindowState.LANDED.value), old.state),
        else_=new.state,
    )


def _kind(old: Any, new: Any) -> sa.ColumnElement[Any]:
    return sa.case((old.kind == WindowKind.INTERVAL.value, old.kind), else_=new.kind)


def _sum_of(name: str) -> Expression:
    return lambda old, new: old[name] + new[name]


_NOTED: Final = Merge(compute={"state": _state, "kind": _kind, "revision": _sum_of("revision")})
_COUNTS: Final = ("read", "changed", "quarantined", "excluded")
_NOTED_MORE: Final = Merge(compute={**_NOTED.compute, **{name: _sum_of(name) for name in _COUNTS}})
