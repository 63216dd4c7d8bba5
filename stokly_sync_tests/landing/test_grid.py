"""In which window a row was seen to change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from stokly_sync.contracts.tables import UTC_TIME
from stokly_sync.flow import Window
from stokly_sync.landing.grid import floor, window_at, window_starts, windows_of

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SPAN = Window(NOON, NOON + timedelta(hours=1))
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def starts(*times: datetime | None, windows_from: datetime = LONG_AGO, span: Window = SPAN) -> list[datetime]:
    return window_starts(pd.Series(times, dtype=UTC_TIME), span, windows_from).to_list()


def test_a_row_lies_in_the_window_of_its_source_time() -> None:
    assert starts(NOON + timedelta(minutes=31)) == [NOON + timedelta(minutes=30)]


def test_rows_of_the_overlap_fall_into_the_first_window() -> None:
    assert starts(NOON - timedelta(days=3)) == [NOON]


def test_a_row_of_the_future_or_without_a_time_falls_into_the_last_window() -> None:
    last = NOON + timedelta(minutes=45)
    assert starts(NOON + timedelta(days=1), None) == [last, last]


def test_before_the_first_window_whole_days_are_enough() -> None:
    span = Window(LONG_AGO, NOON)
    assert starts(NOON - timedelta(days=40), windows_from=NOON - timedelta(days=30), span=span) == [
        datetime(2026, 1, 20, tzinfo=UTC)
    ]
    assert window_at(LONG_AGO, NOON).end - LONG_AGO == timedelta(days=1)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_window_holds_the_moments_that_floor_to_it(moment: datetime) -> None:
    assert floor(moment) <= moment < floor(moment) + timedelta(minutes=15)


def test_a_day_has_ninety_six_windows_without_gap() -> None:
    windows = list(windows_of(Window(LONG_AGO, LONG_AGO + timedelta(days=1))))
    assert len(windows) == 96
    assert all(a.end == b.start for a, b in pairwise(windows))
