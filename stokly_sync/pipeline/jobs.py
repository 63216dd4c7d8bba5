"""One job for each system and cadence, with the cron it runs on.

Sources and destinations have jobs of their own: the source is read once, a refused dataset stops nobody who does not
need it, and a dead destination stops nobody at all. Local times stay clear of the hour that a change of clocks skips or
repeats. Which window a tick asks for is said in `schedules`, what closes gaps in `sensors`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import dagster as dg

from stokly_sync.contracts.consent import POOL
from stokly_sync.flow import Feed, Lane, System
from stokly_sync.pipeline.declared import Declared
from stokly_sync.pipeline.feed_assets import CHOICES
from stokly_sync.pipeline.names import DESTINATION_TAG, dataset_key, lane_name, load_key, plan_key, system_key


class Cadence(StrEnum):
    """What one run of a job is about."""

    WINDOW = "window"
    """The newest closed window, a partition."""
    DAY = "day"
    """Today, a partition."""
    NOW = "now"
    """The moment; no partitions."""
    ASKED = "asked"
    """Started by a sensor or a person, by no clock."""


@dataclass(frozen=True)
class Plan:
    """A job before it is one: which assets, in which lane, and when. `cron` is in UTC for windows, else local."""

    name: str
    system: str | None
    """None where it goes through all destinations that are set up, to spare a process for each."""
    keys: tuple[dg.AssetKey, ...]
    lane: Lane
    cadence: Cadence
    description: str
    cron: str | None = None
    loads: bool = False
    """True where the job writes to the system."""
    feeds: tuple[Feed, ...] = ()
    """Feeds without work for which the clock starts no run; empty where every tick is one."""
    pool: str | None = None
    """The pool of its own that keeps the job apart from its lane."""

    def tag(self, brand: str) -> str:
        """What keeps a second run of the same kind waiting."""
        if self.system is None:
            return f"{brand}_{self.pool or self.lane.value}"
        if self.pool:
            return f"{brand}_{self.system}_{self.pool}"
        return lane_name(brand, self.system, self.lane, loads=self.loads)


def plans(declared: Declared) -> tuple[Plan, ...]:
    """Every job, sources first."""
    return tuple(
        plan
        for part in (
            *(_source(declared, s) for s in declared.sources),
            *(_destination(declared, s) for s in declared.destinations),
            _choices(declared),
        )
        for plan in part
        if plan.keys
    )


def jobs(declared: Declared) -> list[dg.UnresolvedAssetJobDefinition]:
    """The jobs themselves; the tag keeps a second run of the same brand, system and lane waiting in the queue."""
    return [
        dg.define_asset_job(
            plan.name,
            selection=dg.AssetSelection.assets(*plan.keys),
            description=plan.description,
            tags={DESTINATION_TAG: plan.tag(declared.brand)},
        )
        for plan in plans(declared)
    ]


def _source(declared: Declared, source: System) -> Iterator[Plan]:
    name, extracts = source.name, declared.extracts_of(source.name)
    windowed = tuple(dataset_key(e.dataset) for e in extracts if not e.snapshot)
    snapshots = tuple(dataset_key(e.dataset) for e in extracts if e.snapshot)
    yield Plan(
        *(f"{name}_windows", name, (*windowed, *snapshots) if windowed else (), Lane.INTERVAL, Cadence.WINDOW),
        description=f"What changed in {source.title} in a window, landed and validated, and its lists first.",
        cron="5,20,35,50 * * * *",
    )
    yield Plan(
        *(f"{name}_snapshots", name, snapshots, Lane.FAST, Cadence.NOW),
        description=f"Lists of {source.title} that cannot be asked for changes, read whole, between two windows.",
        # Every five minutes; in the others the run of the window reads them as well, and saves a process.
        cron="0,10,15,25,30,40,45,55 * * * *",
    )
    yield Plan(
        *(f"{name}_baseline", name, (system_key(name, "baseline"),), Lane.BULK, Cadence.ASKED),
        description=f"The history of {source.title}; a sensor starts the next run until it is complete.",
    )
    yield Plan(
        *(f"{name}_sweep", name, (system_key(name, "sweep"),), Lane.BULK, Cadence.NOW),
        description=f"Nightly comparison of every live record of {source.title} with what is landed.",
        cron="40 2 * * *",
    )
    if source.reference is not None:
        yield Plan(
            *(f"{name}_reference", name, (system_key(name, "reference"),), Lane.BULK, Cadence.NOW),
            description=f"Vocabulary and shape of {source.title}, compared with the day before.",
            cron="15 2 * * *",
        )


def _destination(declared: Declared, system: System) -> Iterator[Plan]:
    name, feeds = system.name, declared.feeds_of(system.name)
    windowed = tuple(f for f in feeds if declared.by_window(f))
    snapshots = tuple(f for f in feeds if not declared.by_window(f) and not f.pool)
    yield Plan(
        *(f"{name}_interval", name, _keys(windowed), Lane.INTERVAL, Cadence.WINDOW),
        description=f"What changed in a window, planned and sent to {system.title}.",
        cron="9,24,39,54 * * * *",
        loads=True,
        feeds=windowed,
    )
    yield Plan(
        *(f"{name}_fast", name, _keys(snapshots), Lane.FAST, Cadence.NOW),
        description=f"Stock and the like for {system.title}, a few minutes after they were read.",
        cron="2-59/5 * * * *",
        loads=True,
        feeds=snapshots,
    )
    yield Plan(
        *(f"{name}_{POOL}", name, _choice_keys(declared, system), Lane.FAST, Cadence.ASKED),
        description=f"Choices of consent, read back from {system.title} and sent there beside all other loads.",
        loads=True,
        pool=POOL,
    )
    yield Plan(
        *(f"{name}_backlog", name, (system_key(name, "backlog"),), Lane.BULK, Cadence.ASKED),
        description=f"Everything that {system.title} is owed; started when that is more than windows can carry.",
        loads=True,
    )
    if any(declared.is_catalogue(f) for f in feeds):
        yield Plan(
            *(f"{name}_catalogue", name, (system_key(name, "catalogue"),), Lane.BULK, Cadence.DAY),
            description=f"The day's snapshot of all products for {system.title}.",
            cron="0 4 * * *",
            loads=True,
        )
    yield Plan(
        *(f"{name}_reconciliation", name, (system_key(name, "reconciliation"),), Lane.BULK, Cadence.NOW),
        description=f"What {system.title} holds against what it should hold.",
        cron="30 5 * * *",
    )


def _choices(declared: Declared) -> Iterator[Plan]:
    """Choices of all destinations by the clock; one that is owed some does not wait for it (see `sensors`)."""
    yield Plan(
        *(POOL, None, tuple(k for s in declared.destinations for k in _choice_keys(declared, s))),
        *(Lane.FAST, Cadence.NOW),
        description="Choices of consent, read back from every destination and sent to the others.",
        cron="13,28,43,58 * * * *",
        loads=True,
        pool=POOL,
    )


def _choice_keys(declared: Declared, system: System) -> tuple[dg.AssetKey, ...]:
    read_back = (system_key(system.name, CHOICES),) if system.choices is not None else ()
    return (*read_back, *_keys(tuple(f for f in declared.feeds_of(system.name) if f.pool == POOL)))


def _keys(feeds: tuple[Feed, ...]) -> tuple[dg.AssetKey, ...]:
    return tuple(key for feed in feeds for key in (plan_key(feed), load_key(feed)))
