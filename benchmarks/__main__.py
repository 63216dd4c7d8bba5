"""`python -m benchmarks [NAME ..] [--rows N] [--rounds N] [--markdown FILE]`: run, print, and perhaps write a table."""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from benchmarks.context import Context
from benchmarks.harness import SideFailed
from benchmarks.results import Report
from benchmarks.surroundings import Unavailable

NAMES = (
    "first_load",
    "delivery",
    "latency",
    "consent",
    "unchanged",
    "calls",
    "channel_calls",
    "destinations",
    "burst",
    "memory",
    "contracts",
    "upsert",
    "cycle",
    "money",
)
BEGIN = "<!-- results: begin -->"
END = "<!-- results: end -->"
_PACKAGES = ("pandas", "pandera", "pyarrow", "numpy", "msgspec", "sqlalchemy", "requests", "dagster")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join(NAMES)} (default: all)")
    parser.add_argument("--rows", type=int, default=200_000, help="orders; the targets speak of 200,000")
    parser.add_argument("--rounds", type=int, default=3, help="rounds that count")
    parser.add_argument("--markdown", type=Path, help="put the results as tables between the marks of this page")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in NAMES]
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(NAMES)}")
    names = arguments.names or NAMES
    # All at once, so that nobody's editing meanwhile breaks a run of an hour.
    modules = {name: importlib.import_module(f"benchmarks.{name}") for name in names}
    reports = []
    with ExitStack() as stack:
        context = Context(rows=arguments.rows, rounds=arguments.rounds, stack=stack)
        for name, module in modules.items():
            reports += _one(name, module, context)
    print(f"\n{surroundings_line(arguments.rows, arguments.rounds)}")
    if arguments.markdown:
        text = [surroundings_line(arguments.rows, arguments.rounds), *(report.markdown() for report in reports)]
        _write(arguments.markdown, "\n\n".join(text))
    return 0 if all(line.met is not False for report in reports for line in report.lines) else 1


def _one(name: str, module: ModuleType, context: Context) -> list[Report]:
    print(f"\n{name} ...", file=sys.stderr, flush=True)
    try:
        report = Report(name, module.TITLE, module.run(context))
    except (Unavailable, SideFailed) as error:
        print(f"{name}: left out: {error}", flush=True)
        return []
    print(f"\n{report.text()}", flush=True)
    return [report]


def _write(file: Path, results: str) -> None:
    """Put the results between the marks of a page, or make a page of them alone."""
    page = file.read_text() if file.exists() else f"{BEGIN}\n{END}\n"
    before, _, rest = page.partition(BEGIN)
    file.write_text(f"{before}{BEGIN}\n\n{results}\n\n{END}{rest.partition(END)[2]}")


def surroundings_line(rows: int, rounds: int) -> str:
    """One line on date, machine, versions and size of the run."""
    cpu = next((x for x in _lines("/proc/cpuinfo") if x.startswith("model name")), platform.machine()).split(": ")[-1]
    memory = next((x.split()[1] for x in _lines("/proc/meminfo") if x.startswith("MemTotal")), "0")
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    cores = sum(x.startswith("processor") for x in _lines("/proc/cpuinfo"))
    return (
        f"{datetime.now(UTC):%d %B %Y}, {cores} cores ({cpu}), {int(memory) / 2**20:.0f} GiB, Python "
        f"{platform.python_version()}, {packages}; {rows:,} orders, medians of {rounds} rounds."
    )


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


if __name__ == "__main__":
    sys.exit(main())
