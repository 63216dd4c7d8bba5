"""The run with nothing changed over a stored history, beside the full run that loaded and sent it.

The history is five times the orders of the run (a million of them, for 200,000), and a quarter of that, to see whether
the cost grows with it. Both times are work inside the process: start-up belongs to neither.
"""

from __future__ import annotations

from typing import Final

from benchmarks.context import Context
from benchmarks.filled import filled
from benchmarks.harness import child
from benchmarks.results import Line, at_most

TITLE: Final = "A run with nothing changed"
HISTORY: Final = 5


def run(context: Context) -> list[Line]:
    """Share of the full run, and growth with history."""
    orders = context.rows * HISTORY
    quiet, full = _measure(context, orders)
    quiet_small, _ = _measure(context, orders // 4)
    return [
        Line(f"full run, {orders:,} orders", f"{full:.1f} s"),
        Line(f"nothing changed, {orders:,} orders", f"{quiet * 1000:.0f} ms"),
        Line(f"nothing changed, {orders // 4:,} orders", f"{quiet_small * 1000:.0f} ms"),
        at_most("share of the full run", 100 * quiet / full, 1.0, unit=" %"),
        at_most("growth with four times the history", quiet / quiet_small, 1.25, unit=" times"),
    ]


def _measure(context: Context, orders: int) -> tuple[float, float]:
    """Seconds of a quiet run and of the full run."""
    with context.wire_of(orders, keep_mb=0) as wire, filled(context, wire) as history:
        sent = history.deliver(["orders"])
        assert sent.figures["accepted"] == orders, sent.figures
        quiet = child(["benchmarks.product.nothing", *history.arguments()])
        return quiet.figures["work"], history.loading.figures["work"] + sent.figures["work"]
