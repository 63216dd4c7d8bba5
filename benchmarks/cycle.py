"""Dagster's share of a quarter of an hour in which nothing happens: the ticks, and all runs that they ask for.

Each run is a process of its own, as the run launcher makes it; what our own code did inside is taken off. Ticks are
asked in a process that stands, as the code server does. Instance storage and warehouse are in one PostgreSQL database,
as in production.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks import surroundings
from benchmarks.context import Context
from benchmarks.harness import ROOT, child, rounds
from benchmarks.results import Line, at_most

TITLE: Final = "Dagster's share of a quarter of an hour with nothing to do"
ORDERS: Final = 2_000
# Until nothing is owed: the history, and all that has a clock of minutes.
BEFORE: Final = (
    *("stokly_baseline", "ometria_backlog"),
    *("stokly_windows", "stokly_snapshots", "ometria_interval", "ometria_fast"),
)


def run(context: Context) -> list[Line]:
    """Seconds by job, and in all."""
    with (
        context.wire_of(ORDERS) as wire,
        surroundings.database(context.postgresql) as url,
        tempfile.TemporaryDirectory(prefix="stokly-sync-bench-") as home,
    ):
        env = _environment(wire.url, url, Path(home))
        for job in BEFORE:
            child(["benchmarks.product.cycle", job], env=env)
        asked = child(["benchmarks.product.ticks"], env=env).figures
        runs: Mapping[str, int] = asked["runs"]
        sides = {job: lambda job=job: child(["benchmarks.product.cycle", job], env=env) for job in runs}
        samples = rounds(sides, count=context.rounds, warm=False)
    lines, wall, processor = [], asked["schedules"] + asked["sensors"], 0.0
    for job, found in samples.items():
        share = runs[job] * median([one.seconds - float(one.figures["work"]) for one in found])
        lines.append(Line(f"runs of {job}: {runs[job]}", f"{share:.1f} s"))
        wall += share
        processor += runs[job] * median([one.cpu - float(one.figures["work_cpu"]) for one in found])
    lines += [Line(f"ticks of {kind}", f"{asked[kind]:.1f} s") for kind in ("schedules", "sensors")]
    # What other work on the machine does not move much.
    lines.append(Line("processor time of the runs", f"{processor:.1f} s"))
    return [*lines, at_most("in all", wall, 15.0, unit=" s")]


def _environment(wire: str, database: str, home: Path) -> Mapping[str, str]:
    text = (ROOT / "dagster.yaml").read_text().replace("base_dir: data/local/dagster", f"base_dir: {home / 'dagster'}")
    (home / "dagster.yaml").write_text(text)
    return {
        **{name: "" for name in os.environ if name.startswith(("STOKLY_", "OMETRIA_"))},
        "DAGSTER_HOME": str(home),
        "STOKLY_SYNC_DATABASE_URL": database,
        "STOKLY_BASE_URL": wire,
        "STOKLY_ACCOUNT_KEY": "bench",
        "STOKLY_CLIENT_ID": "bench",
        "STOKLY_CLIENT_SECRET": "no-secret",
        "STOKLY_RATE_PER_MINUTE": "6000",
        "OMETRIA_BASE_URL": f"{wire}/v2",
        "OMETRIA_API_KEY": "no-key",
        "OMETRIA_RATE": "100000",
        "OMETRIA_QUEUE_DRAIN_WAIT": "0",
    }
