"""First load of orders with lines into PostgreSQL, beside the hand-written bound and dlt; whole processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Final

from benchmarks import surroundings
from benchmarks.context import Context
from benchmarks.harness import Sample, child, ratio, rounds, seconds
from benchmarks.results import Line, at_least

TITLE: Final = "First load: extract, contract, store"
PEERS: Final = {
    "bound, parse only": ("bound_load", "--parse"),
    "hand-written bound": ("bound_load",),
    "dlt tuned": ("dlt_load", "--tuned"),
    "dlt default": ("dlt_load",),
}
TARGETS: Final = {"hand-written bound": (0.5, 0.65), "dlt tuned": (2.5, None), "dlt default": (7.0, None)}


def run(context: Context) -> list[Line]:
    """Seconds, rates and memory of each side, and the ratios with their targets."""
    wire, server = context.wire, context.postgresql
    python = surroundings.peers_python()

    def peer(module: str, *options: str) -> Sample:
        with surroundings.database(server) as url:
            arguments = [f"--url={wire.url}", f"--orders={wire.orders}", f"--database={url}"]
            return child([f"benchmarks.peers.{module}", *arguments, *options], python=python)

    def ours() -> Sample:
        with surroundings.database(server) as url:
            arguments = [f"--url={wire.url}", f"--database={url}", f"--until={context.end.isoformat()}"]
            sample = child(["benchmarks.product.load", *arguments])
        assert sample.figures["landed"] == wire.orders, sample.figures
        return replace(sample, seconds=sample.seconds - sample.figures["derived"])

    sides = {"ours": ours} | {name: lambda chosen=chosen: peer(*chosen) for name, chosen in PEERS.items()}
    samples = rounds(sides, count=context.rounds)
    lines = [_line(name, found, wire.orders) for name, found in samples.items()]
    lines.append(_derived(samples["ours"]))
    return [*lines, *_ratios(samples)]


def _derived(samples: Sequence[Sample]) -> Line:
    more = median(sample.figures["derived"] for sample in samples)
    return Line("customer metrics", f"{more:.1f} s more, derived behind the load; not in the figures above or below")


def _ratios(samples: dict[str, list[Sample]]) -> list[Line]:
    found = []
    for name, (target, wanted) in TARGETS.items():
        if name in samples:
            what = f"times as fast as {name}" if target > 1 else f"share of {name}"
            found.append(at_least(what, ratio(samples, of="ours", to=name), target, wanted=wanted))
        else:
            found.append(Line(name, "left out, see above"))
    return found


def _line(name: str, samples: Sequence[Sample], orders: int) -> Line:
    wall = seconds(samples)
    peak = max(sample.peak_mb for sample in samples)
    return Line(name, f"{wall:.1f} s, {orders / wall:,.0f} orders a second, peak {peak:.0f} MB")
