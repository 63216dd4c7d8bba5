"""Peak memory above the idle process, for N and for four times N orders: it must not depend on N."""

from __future__ import annotations

from typing import Final

from benchmarks.context import Context
from benchmarks.filled import filled
from benchmarks.harness import Sample
from benchmarks.results import Line, at_most

TITLE: Final = "Peak memory above the idle process"


def run(context: Context) -> list[Line]:
    """MB for loading and for delivery, at both sizes, and the growth."""
    small, large = _measure(context, context.rows), _measure(context, context.rows * 4)
    lines = []
    for what in small:
        lines.append(at_most(f"{what}, {context.rows:,} orders", small[what], 150.0, unit=" MB"))
        lines.append(at_most(f"{what}, {context.rows * 4:,} orders", large[what], 150.0, unit=" MB"))
        lines.append(Line(f"{what}: growth", f"{large[what] - small[what]:+.0f} MB"))
    return lines


def _measure(context: Context, orders: int) -> dict[str, float]:
    with context.wire_of(orders, keep_mb=0) as wire, filled(context, wire) as history:
        sent = history.deliver(["orders"])
        return {"first load": _above(history.loading), "delivery": _above(sent)}


def _above(sample: Sample) -> float:
    return float(sample.figures["peak_mb"]) - float(sample.figures["idle_mb"])
