"""A first load of Dotdigital and of Emarsys, and an opt-out while their orders are being sent under the real rates.

Against the sandboxes, which run in the process that measures, so that the product's processor time is its own. One
order in ten is a guest's. The sandboxes take far longer to answer than a vendor's servers, on the same two cores:
seconds on the wall are theirs as much as ours. For the opt-out batches are small, so that the rate of the account, and
not the number of orders, makes the load long.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks import surroundings
from benchmarks.context import Context
from benchmarks.harness import Sample, child
from benchmarks.results import Line, at_most
from stokly_sync.pipeline import gaps, work
from stokly_sync.pipeline.services import Services
from stokly_sync.sandbox.registry import build_systems
from stokly_sync.sandbox.serve import Sandbox

TITLE: Final = "Dotdigital and Emarsys: a first load, and an opt-out under one"
GUESTS: Final = 10
SECONDS: Final = 120.0
FEEDS: Final[Mapping[str, tuple[str, str]]] = {
    "dotdigital": ("products,contacts,guests", "orders,dispatches"),
    "emarsys": ("products,contacts,guests", "orders,refunds,credits,dispatches"),
}
"""Feeds up to the contacts, and those after them."""
FAST: Final = {
    "DOTDIGITAL_RATE": "5000",
    "DOTDIGITAL_POLL_SECONDS": "0.5",
    "EMARSYS_RATE_PER_MINUTE": "1000",
    "EMARSYS_DISPATCH_DAYS": "100000",
}
REAL: Final = {
    "DOTDIGITAL_RATE": "2",
    "DOTDIGITAL_BATCH": "100",
    "DOTDIGITAL_POLL_SECONDS": "5",
    "EMARSYS_RATE_PER_MINUTE": "200",
    "EMARSYS_SALES_BATCH": "25",
}
"""The rates that are set by default, with batches so small that a load lasts for minutes."""
_SOURCE: Final = {
    "STOKLY_ACCOUNT_KEY": "bench",
    "STOKLY_CLIENT_ID": "bench",
    "STOKLY_CLIENT_SECRET": "no-secret",
    "STOKLY_RATE_PER_MINUTE": "600000",
}


def run(context: Context) -> list[Line]:
    """Seconds on the wall and of the processor for each destination, and until an opt-out was taken."""
    found: list[Line] = []
    with _shop(context) as env:
        for system, (before, after) in FEEDS.items():
            first = _child(system, before, {**env, **FAST})
            heard = _child(system, "orders", {**env, **REAL}, more=("--opt-out",))
            assert heard.figures["accepted"] == 1, heard.figures
            assert heard.figures["left"], "the load was over, so this proves nothing"
            rest = _child(system, after, {**env, **FAST})
            found += _lines(system, context.rows, first, rest, heard)
    return found


def _lines(system: str, orders: int, first: Sample, rest: Sample, heard: Sample) -> list[Line]:
    told = heard.figures
    return [
        Line(f"{system}: products, contacts and guests", _figure(first)),
        Line(f"{system}: orders and what follows them, {orders:,} orders less those of the line below", _figure(rest)),
        at_most(
            f"{system}: seconds until an opt-out was accepted, {told['left']:,} of {told['load']:,} orders still to go",
            float(told["work"]),
            SECONDS,
            unit=" s",
        ),
    ]


def _figure(sample: Sample) -> str:
    told = sample.figures
    rate = told["accepted"] / max(told["cpu"], 0.001)
    parts = f"plan {told['planning']:.1f}, send {told['sending']:.1f}"
    return (
        f"{told['accepted']:,} records in {told['work']:.1f} s ({parts}), {told['cpu']:.1f} s of processor, "
        f"{rate:,.0f} records a second of it, {told['calls']} calls"
    )


def _child(system: str, feeds: str, env: Mapping[str, str], *, more: tuple[str, ...] = ()) -> Sample:
    return child(["benchmarks.product.destination", f"--system={system}", f"--feeds={feeds}", *more], env=env)


@contextmanager
def _shop(context: Context) -> Iterator[dict[str, str]]:
    """The environment of a brand whose history is landed, with both sandboxes beside it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        surroundings.database(context.postgresql) as url,
        surroundings.wire(orders=context.rows, end=context.end, more=["--papers", f"--guests={GUESTS}"]) as wire,
    ):
        systems = build_systems(tuple(FEEDS))
        for system in systems:
            system.keep_files_in(Path(folder))
        with Sandbox(systems=systems, limits=False) as box:
            places = {
                "STOKLY_BASE_URL": wire.url,
                "STOKLY_SYNC_DATABASE_URL": url,
                "STOKLY_SYNC_WINDOWS_FROM": context.end.isoformat(),
            }
            env = {**_SOURCE, **box.env, **places}
            services = Services.open(env)
            try:
                while not gaps.history_complete(services, "stokly"):
                    work.land_history(services, "stokly", run_id="bench", seconds=600)
            finally:
                services.close()
            yield env
