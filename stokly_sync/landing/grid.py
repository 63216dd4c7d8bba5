"""In which window a landed row was seen to change.

Windows are 15 minutes on the UTC clock. A row belongs to the window of its source time, clipped to the range that was
read: what the overlap brings falls into the first window. Before `windows_from` nothing can be re-run by window, so
that rows of the baseline lie in whole days there, which keeps the ledger of windows small.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pandas as pd

from stokly_sync.contracts.tables import UTC_TIME
from stokly_sync.flow import Window

STEP: Final = timedelta(minutes=15)
DAY: Final = timedelta(days=1)
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)


def floor(moment: datetime) -> datetime:
    """Start of the 15-minute window that holds `moment`."""
    moment = moment.astimezone(UTC)
    return moment.replace(minute=moment.minute - moment.minute % 15, second=0, microsecond=0)


def closed_before(moment: datetime) -> datetime:
    """End of the newest window that is over at `moment`."""
    return floor(moment)


def window_at(start: datetime, windows_from: datetime) -> Window:
    """The window that starts at `start`: 15 minutes, or a day before `windows_from`."""
    return Window(start, start + (STEP if start >= floor(windows_from) else DAY))


def windows_of(span: Window) -> Iterator[Window]:
    """The 15-minute windows that make up a span on the grid; the last one may reach beyond the span's end."""
    start = floor(span.start)
    while start < span.end:
        yield Window(start, start + STEP)
        start += STEP


def window_starts(source_time: pd.Series, span: Window, windows_from: datetime) -> pd.Series:
    """Window start of each row: `source_time` (UTC; missing = now unknown, the span's end) clipped to `span`."""
    last = pd.Timestamp(span.end) - pd.Timedelta(microseconds=1)
    known: Any = source_time.fillna(last)
    clipped = known.clip(lower=pd.Timestamp(span.start), upper=last)
    fine: pd.Series = clipped.dt.floor("15min")
    coarse = clipped.dt.floor("D")
    return fine.where(clipped >= pd.Timestamp(floor(windows_from)), coarse).astype(UTC_TIME)
