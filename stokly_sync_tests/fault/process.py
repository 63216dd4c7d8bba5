"""A process of its own that does a whole sync, to be killed.

Forked from a server that has everything imported, so that a test pays for a process and not for imports. The clock is
the machine's: what a killed process had waited for nobody else can know.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from multiprocessing.context import ForkServerContext, ForkServerProcess

from stokly_sync.crashpoints import VARIABLE
from stokly_sync.pipeline import work
from stokly_sync.pipeline.services import Services
from stokly_sync_tests.acceptance.harness import SOURCE, extract, load

FINISHED = 0
CUT_SHORT = 3


def context() -> ForkServerContext:
    """Where such processes come from."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload([__name__])
    return made


def started(
    env: Mapping[str, str], system: str, *, crash_at: str | None = None, sweep: bool = False
) -> ForkServerProcess:
    """Start a sync of everything in a process of its own; it ends at `crash_at` as `kill -9` would end it."""
    process = context().Process(target=_run, args=(dict(env), system, crash_at, sweep), daemon=True)
    process.start()
    return process


def _run(env: dict[str, str], system: str, crash_at: str | None, sweep: bool) -> None:
    if crash_at is not None:
        os.environ[VARIABLE] = crash_at
    services = Services.open(env)
    if sweep:
        work.sweep(services, SOURCE, run_id="killed")
    else:
        extract(services, datetime.now(UTC))
    loaded = load(services, system)
    services.close()
    os._exit(CUT_SHORT if any(one.error for one in loaded.values()) else FINISHED)
