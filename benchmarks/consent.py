"""How soon a destination has taken an opt-out while a whole history is being loaded under its real rate limit."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from benchmarks.context import Context
from benchmarks.filled import Filled, filled
from benchmarks.harness import child, median
from benchmarks.results import Line, at_most

TITLE: Final = "An opt-out under a running load"
SECONDS: Final = 120.0


def run(context: Context) -> list[Line]:
    """Seconds from hearing of an opt-out to its acceptance, the destination's own 30 seconds included."""
    with filled(context, context.wire) as history:
        samples = []
        for customer in _customers(history, context.rounds):
            with history.copy() as url:
                arguments = [*history.arguments(url), f"--customer={customer}"]
                samples.append(child(["benchmarks.product.consent", *arguments]))
    assert all(sample.figures["accepted"] == 1 for sample in samples), samples
    loaded = int(samples[0].figures["load"])
    return [
        at_most(f"seconds until accepted, {loaded:,} orders on their way", median(samples, "work"), SECONDS, unit=" s"),
        Line("calls that it took", f"{samples[0].figures['calls']:.0f}"),
    ]


def _customers(history: Filled, count: int) -> list[str]:
    engine = sa.create_engine(history.url)
    try:
        query = sa.text("SELECT customer_id FROM stokly_sync.stokly_customers ORDER BY customer_id LIMIT :count")
        with engine.connect() as connection:
            return list(connection.execute(query, {"count": count}).scalars())
    finally:
        engine.dispose()
