"""Sending to a destination that answers after 20 ms: how much of batch x concurrency / latency is reached.

Only the sending counts, with its ledger; the plan was made before. Beside it the hand-written sender with as many
threads, whose time includes reading and mapping the rows.
"""

from __future__ import annotations

from typing import Final

from benchmarks import surroundings
from benchmarks.context import Context
from benchmarks.filled import Filled, filled
from benchmarks.harness import Sample, child, median, rounds
from benchmarks.results import Line, at_least

TITLE: Final = "Delivery with 20 ms answer time"
DELAY_MS: Final = 20
BATCH: Final = 100
CONCURRENCY: Final = (2, 4, 8)


def run(context: Context) -> list[Line]:
    """Share of what arithmetic allows, for each concurrency."""
    lines = []
    with filled(context, context.wire) as history:
        history.wire.told(delay_ms=DELAY_MS)
        for concurrency in CONCURRENCY:
            lines += _lines(history, concurrency)
        history.wire.told(delay_ms=0)
    return lines


def _lines(history: Filled, concurrency: int) -> list[Line]:
    python = surroundings.peers_python()
    orders = history.wire.orders

    def ours() -> Sample:
        with history.copy() as url:
            return history.deliver(["orders"], concurrency=concurrency, database=url)

    def bound() -> Sample:
        arguments = [f"--url={history.wire.url}", f"--orders={orders}", f"--database={history.url}"]
        return child(["benchmarks.peers.bound_deliver", *arguments, f"--threads={concurrency}"], python=python)

    samples = rounds({"ours": ours, "bound": bound}, count=max(1, history.context.rounds - 1), warm=False)
    possible = BATCH * concurrency / (DELAY_MS / 1000)
    mine = orders / median(samples["ours"], "sending") / possible
    other = orders / median(samples["bound"], "work") / possible
    return [
        at_least(f"{concurrency} in flight: share of {possible:,.0f} records a second", 100 * mine, 85.0, unit=" %"),
        Line(f"{concurrency} in flight: hand-written sender", f"{100 * other:.2f} %"),
    ]
