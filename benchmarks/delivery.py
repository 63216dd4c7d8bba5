"""Plan, ledger and sending of orders in batches of 100, beside the hand-written bound and dlt; whole processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from benchmarks import surroundings
from benchmarks.context import Context
from benchmarks.filled import Filled, filled
from benchmarks.harness import Sample, Side, child, ratio, rounds, seconds
from benchmarks.results import Line, at_least

TITLE: Final = "Delivery: plan, ledger, send"
PEERS: Final = {"hand-written bound": "bound_deliver", "dlt destination": "dlt_deliver"}
TARGETS: Final = {"hand-written bound": (0.4, 0.5), "dlt destination": (2.5, None)}


def run(context: Context) -> list[Line]:
    """Seconds and rates of each side, and the ratios with their targets."""
    with filled(context, context.wire) as history:
        samples = rounds(_sides(history), count=context.rounds)
    lines = [_line(name, found, context.rows) for name, found in samples.items()]
    for name, (target, wanted) in TARGETS.items():
        what = f"times as fast as {name}" if target > 1 else f"share of {name}"
        if name in samples:
            lines.append(at_least(what, ratio(samples, of="ours", to=name), target, wanted=wanted))
        else:
            lines.append(Line(name, "left out, see above"))
    return lines


def _sides(history: Filled) -> dict[str, Side]:
    python = surroundings.peers_python()
    orders = history.wire.orders

    def ours() -> Sample:
        with history.copy() as url:
            sample = history.deliver(["orders"], database=url)
        assert sample.figures["accepted"] == orders, sample.figures
        return sample

    def peer(module: str) -> Sample:
        arguments = [f"--url={history.wire.url}", f"--orders={orders}", f"--database={history.url}"]
        history.wire.told()
        sample = child([f"benchmarks.peers.{module}", *arguments], python=python)
        assert history.wire.told()["records"] == orders
        return sample

    return {"ours": ours} | {name: lambda module=module: peer(module) for name, module in PEERS.items()}


def _line(name: str, samples: Sequence[Sample], orders: int) -> Line:
    wall = seconds(samples)
    peak = max(sample.peak_mb for sample in samples)
    return Line(name, f"{wall:.1f} s, {orders / wall:,.0f} records a second, peak {peak:.0f} MB")
