"""Charts: every point lies within its box, the scale fits, and one point is enough."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stokly_sync.dashboard.charts import HEIGHT, WIDTH, Chart, drift, latency
from stokly_sync.operations.agreement import Drift
from stokly_sync.operations.trust import Point
from stokly_sync_tests.delivery.kit import T0


def within(chart: Chart) -> bool:
    return all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for line in chart.lines for x, y in line.points)


@pytest.mark.parametrize("most", [0, 1, 3, 7, 19, 100, 12345])
@pytest.mark.parametrize("count", [1, 2, 60])
def test_drift_fits_its_box_and_its_scale_reaches_the_top(most: int, count: int) -> None:
    chart = drift([Drift(T0 + timedelta(days=n), most if n == 0 else 0, 1, 0) for n in range(count)])
    assert chart is not None
    assert within(chart)
    assert int(chart.marks[-1][1].replace(",", "")) >= most
    assert len(chart.times) <= 5


@pytest.mark.parametrize(("p50", "p95"), [(0.0, 0.0), (0.3, 0.3), (1.0, 59.0), (60.0, 86400.0), (10**7, 10**9)])
def test_latency_fits_its_box_whatever_it_is(p50: float, p95: float) -> None:
    chart = latency([Point(T0, p50, p95), Point(T0 + timedelta(hours=1), p50, p95)])
    assert chart is not None
    assert within(chart)


def test_the_larger_latency_lies_higher() -> None:
    chart = latency([Point(T0, 5.0, 500.0)])
    assert chart is not None
    slow, fast = chart.lines
    assert slow.points[0][1] < fast.points[0][1]


def test_without_anything_there_is_no_chart() -> None:
    assert drift([]) is None
    assert latency([]) is None
