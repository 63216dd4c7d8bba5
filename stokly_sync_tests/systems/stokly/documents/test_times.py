"""Times in every form that Stokly writes. Source: Stokly API contract 2.4."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stokly_sync.sandbox.stokly.times import javascript
from stokly_sync.systems.rows.times import parse_time, parse_times
from stokly_sync.systems.stokly.filters import stamp

FORMS = [
    ("2025-06-24T10:15:00.000Z", datetime(2025, 6, 24, 10, 15, tzinfo=UTC)),
    ("2025-06-24T10:15Z", datetime(2025, 6, 24, 10, 15, tzinfo=UTC)),
    ("2025-06-24T10:15:00", datetime(2025, 6, 24, 10, 15, tzinfo=UTC)),
    ("2025-06-24 10:15:00", datetime(2025, 6, 24, 10, 15, tzinfo=UTC)),
    ("2025-06-24", datetime(2025, 6, 24, tzinfo=UTC)),
    ("2025-06-24T12:15:00+02:00", datetime(2025, 6, 24, 10, 15, tzinfo=UTC)),
    (
        "Mon Oct 17 2022 11:40:06 GMT+0000 (Coordinated Universal Time)",
        datetime(2022, 10, 17, 11, 40, 6, tzinfo=UTC),
    ),
    ("Mon Oct 17 2022 12:40:06 GMT+0100 (British Summer Time)", datetime(2022, 10, 17, 11, 40, 6, tzinfo=UTC)),
]


@pytest.mark.parametrize(("text", "moment"), FORMS)
def test_a_time_is_read_as_utc(text: str, moment: datetime) -> None:
    assert parse_time(text) == moment


@pytest.mark.parametrize("text", ["", "soon", "2025-13-01", "Mon Foo 17 2022 11:40:06 GMT+0000", "17/10/2022", "20"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert parse_time(text) is None


def test_a_mixed_column_is_read_whole_and_says_where_it_cannot_be() -> None:
    texts = [text for text, _ in FORMS]
    column, bad = parse_times([*texts, None, "soon"])
    assert column.to_pylist()[:-2] == [moment for _, moment in FORMS]
    assert column.to_pylist()[-2:] == [None, None]
    assert bad == [len(texts) + 1]


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)))  # noqa: DTZ001 - the strategy wants naive bounds
def test_iso_and_javascript_text_mean_the_same_second(naive: datetime) -> None:
    moment = naive.replace(tzinfo=UTC, microsecond=0)
    assert parse_time(stamp(moment)) == moment
    assert parse_time(javascript(stamp(moment))) == moment
    assert parse_times([stamp(moment)])[0].to_pylist() == [moment]


def test_a_lower_bound_never_moves_up_when_written() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=1999)
    assert parse_time(stamp(moment)) == datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=1)
