"""How a figure is taken: whole child processes or functions, in turn, round after round, medians.

All sides of a comparison run in each round, so that drift of the machine hits all alike; a ratio is taken round by
round and then its median. The first round of processes only warms caches and is not counted. Peak memory is the
larger of the kernel's peak for the process and the sampled sum over its children.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Sample:
    """One run of one side: seconds on the wall and of processor, peak in MB, and what the side itself printed."""

    seconds: float
    cpu: float = 0.0
    peak_mb: float = 0.0
    figures: Mapping[str, Any] = field(default_factory=dict)


Side = Callable[[], Sample]


class SideFailed(Exception):
    """A child process ended with an error; the message holds the end of what it wrote."""


def child(arguments: Sequence[str], *, python: str = sys.executable, env: Mapping[str, str] | None = None) -> Sample:
    """Run `python -m MODULE ...` to its end, start-up included; its last line must be a JSON object.

    Raises SideFailed.
    """
    started, before = time.perf_counter(), _children_cpu()
    process = subprocess.Popen(
        [python, "-m", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    peak = _Peak(process.pid)
    out, err = process.communicate()
    seconds = time.perf_counter() - started
    peak.stop()
    lines = out.decode(errors="replace").strip().splitlines()
    if process.returncode != 0 or not lines:
        raise SideFailed(f"{' '.join(arguments)}: exit {process.returncode}\n{err.decode(errors='replace')[-3000:]}")
    figures = json.loads(lines[-1])
    return Sample(seconds, _children_cpu() - before, max(peak.mb, figures.get("peak_mb", 0.0)), figures)


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _Peak:
    """Samples the memory of a session's processes; what they share is counted once."""

    def __init__(self, session: int) -> None:
        self.mb = 0.0
        self._session, self._stop = session, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.1):
            self.mb = max(self.mb, sum(_pss(pid) for pid in _members(self._session)) / 1024)


def _members(session: int) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[3]) == session:
                    found.append(entry.name)
    return found


def _pss(pid: str) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def timed(work: Callable[[], Any]) -> Sample:
    """One call of a function in this process; what it returns is forgotten."""
    gc.collect()
    started, cpu = time.perf_counter(), time.process_time()
    work()
    return Sample(time.perf_counter() - started, time.process_time() - cpu)


def rounds(sides: Mapping[str, Side], *, count: int, warm: bool = True) -> dict[str, list[Sample]]:
    """Run all sides in turn, `count` rounds that count; a side that fails is left out with a line that says so."""
    samples: dict[str, list[Sample]] = {name: [] for name in sides}
    for number in range(0 if warm else 1, count + 1):
        for name in list(samples):
            try:
                sample = sides[name]()
            except SideFailed as error:
                print(f"  left out: {name}: {error}", file=sys.stderr, flush=True)
                del samples[name]
                continue
            print(f"  round {number} {name}: {sample.seconds:.2f} s", file=sys.stderr, flush=True)
            if number:
                samples[name].append(sample)
    return samples


def seconds(samples: Sequence[Sample]) -> float:
    """Median of the wall clock."""
    return statistics.median(sample.seconds for sample in samples)


def cpu_seconds(samples: Sequence[Sample]) -> float:
    """Median of the processor's time."""
    return statistics.median(sample.cpu for sample in samples)


def ratio(samples: Mapping[str, Sequence[Sample]], *, of: str, to: str) -> float:
    """How many times faster `of` is than `to`: median of the rounds' ratios."""
    return statistics.median(b.seconds / a.seconds for a, b in zip(samples[of], samples[to], strict=True))


def median(samples: Sequence[Sample], figure: str) -> float:
    """Median of a figure that the side printed."""
    return statistics.median(float(sample.figures[figure]) for sample in samples)
