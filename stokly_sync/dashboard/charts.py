"""Charts as pictures, drawn on the server: drift of a reconciliation, latency of deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import pygal
from pygal.style import Style

from stokly_sync.operations.agreement import Drift
from stokly_sync.operations.trust import Point

_FONT: Final = "system-ui, sans-serif"
_STYLE: Final = Style(
    background="transparent",
    plot_background="transparent",
    font_family=_FONT,
    foreground="#5b6472",
    foreground_strong="#1d2530",
    foreground_subtle="#d7dce3",
    colors=("#c2410c", "#64748b", "#2563eb"),
    opacity=".7",
    guide_stroke_color="#e2e6eb",
    major_guide_stroke_color="#e2e6eb",
    guide_stroke_dasharray="",
    major_guide_stroke_dasharray="",
    label_font_size=12,
    legend_font_size=13,
    major_label_font_size=12,
    title_font_size=14,
    no_data_font_size=16,
)
_MOST_LABELS: Final = 6


def drift(points: Sequence[Drift]) -> bytes:
    """Records that differ over time, with and without a reason, as SVG."""
    chart = _chart([point.at for point in points], pygal.Line)
    chart.add("unexplained", [point.unexplained for point in points])
    chart.add("explained", [point.explained for point in points])
    return _drawn(chart)


def latency(points: Sequence[Point]) -> bytes:
    """Event to acceptance over time in minutes, median and 95th percentile, on a logarithmic scale, as SVG."""
    chart = _chart([point.at for point in points], pygal.Line)
    chart.logarithmic = True
    chart.value_formatter = _span
    # A logarithmic scale has no nought.
    chart.add("95 of 100 within", [max(point.p95, 0.1) for point in points])
    chart.add("half within", [max(point.p50, 0.1) for point in points])
    return _drawn(chart)


def _chart(times: Sequence[datetime], kind: Any) -> Any:
    chart = kind(
        style=_STYLE,
        js=[],
        height=240,
        width=640,
        legend_at_bottom=True,
        legend_at_bottom_columns=2,
        legend_box_size=11,
        margin=8,
        show_minor_x_labels=False,
        dots_size=2.5,
        no_data_text="nothing yet",
        show_y_guides=True,
        truncate_legend=-1,
        min_scale=3,
        max_scale=6,
    )
    labels = [f"{at:%d %b %H:%M}" for at in times]
    chart.x_labels = labels
    step = max(1, -(-len(labels) // _MOST_LABELS))
    chart.x_labels_major = labels[::step]
    return chart


def _drawn(chart: Any) -> bytes:
    drawn: bytes = chart.render()
    return drawn


def _span(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.1f} s"
