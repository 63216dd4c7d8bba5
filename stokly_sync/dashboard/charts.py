"""Charts over time, worked out here and drawn by a template: lines in a box of 640 by 200, no scripts, no pictures.

Drawn by our own template because libraries that make SVG on the server bring styles of their own into the page, which
its policy forbids, or hook into Python's import system; two kinds of lines do not need that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stokly_sync.dashboard.words import lasting, number
from stokly_sync.operations.agreement import Drift
from stokly_sync.operations.trust import Point

WIDTH: Final = 640
HEIGHT: Final = 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 8, 8, 24
_MOST_TIMES: Final = 5
_TEXT: Final = 90
"""So wide is a time, so that the next one stands apart from it."""
_SPANS: Final = (0.1, 1, 10, 60, 600, 3600, 6 * 3600, 86400, 7 * 86400, 30 * 86400, 365 * 86400, 3650 * 86400)


@dataclass(frozen=True)
class Line:
    """One line: its name, its place among the lines, and its points as SVG takes them."""

    name: str
    place: int
    points: tuple[tuple[float, float], ...]

    @property
    def path(self) -> str:
        """The points of a polyline."""
        return " ".join(f"{x},{y}" for x, y in self.points)


@dataclass(frozen=True)
class Chart:
    """Lines with the marks of both axes: places and their texts."""

    lines: tuple[Line, ...]
    times: tuple[tuple[float, str], ...]
    marks: tuple[tuple[float, str], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT


def drift(points: Sequence[Drift]) -> Chart | None:
    """Records that differ over time, with and without a reason; None without any comparison."""
    series = {"unexplained": [p.unexplained for p in points], "explained": [p.explained for p in points]}
    top = _nice(max([1, *(value for values in series.values() for value in values)]))
    marks = [top * part / 4 for part in range(5)] if top >= 4 else list(range(round(top) + 1))
    return _chart([p.at for p in points], series, marks, lambda v: v / top, lambda v: number(round(v)))


def latency(points: Sequence[Point]) -> Chart | None:
    """Event to acceptance over time in seconds, on a logarithmic scale; None without any delivery."""
    series = {"95 of 100 within": [p.p95 for p in points], "half within": [p.p50 for p in points]}
    found = [max(value, _SPANS[0]) for values in series.values() for value in values]
    if not found:
        return None
    low = max(span for span in _SPANS if span <= min(found))
    high = min([span for span in _SPANS if span >= max(found) and span > low] or [max(found)])
    reach = math.log(high / low)
    marks = [span for span in _SPANS if low <= span <= high]
    times = [p.at for p in points]
    return _chart(times, series, marks, lambda v: math.log(max(v, low) / low) / reach, lasting)


def _chart(
    times: Sequence[datetime],
    series: Mapping[str, Sequence[float]],
    marks: Sequence[float],
    rise: Callable[[float], float],
    text: Callable[[float], str],
) -> Chart | None:
    if not times:
        return None
    first, span = times[0], (times[-1] - times[0]).total_seconds()

    def across(at: datetime) -> float:
        share = (at - first).total_seconds() / span if span else 0.5
        return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)

    def up(value: float) -> float:
        return round(HEIGHT - _BOTTOM - rise(value) * (HEIGHT - _TOP - _BOTTOM), 1)

    lines = tuple(
        Line(name, place, tuple((across(at), up(value)) for at, value in zip(times, values, strict=True)))
        for place, (name, values) in enumerate(series.items())
    )
    step = max(1, -(-len(times) // _MOST_TIMES))
    shown: list[tuple[float, str]] = []
    for at in times[::step]:
        if not shown or across(at) - shown[-1][0] >= _TEXT:
            shown.append((across(at), f"{at:%d %b %H:%M}"))
    return Chart(lines, tuple(shown), tuple((up(mark), text(mark)) for mark in marks))


def _nice(value: float) -> float:
    """The next number upwards that divides well by four."""
    unit = 10 ** math.floor(math.log10(value))
    return next((unit * step for step in (1, 2, 4, 8, 10) if unit * step >= value), value)
