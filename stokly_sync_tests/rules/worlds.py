"""Worlds: sandboxes with defects in them, run through the real pipeline once, and what is to be seen of it afterwards.

A world serves the rules of many defects, because starting sandboxes and a sync is what costs. What cannot be planted
before anything runs is *grown* after the first sync: people leave, decide, are erased, and a second sync follows. Which
rule is planted how is said in the tables; what has to be seen of each, in `test_every_rule`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import dagster as dg
import pytest
import sqlalchemy as sa

from stokly_sync.pipeline import headless
from stokly_sync.pipeline.services import Services
from stokly_sync.sandbox.kit import SandboxSystem
from stokly_sync.sandbox.registry import build_systems
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync.sandbox.stokly import StoklySandbox
from stokly_sync.warehouse.exceptions import CLOSED
from stokly_sync.warehouse.tables import EXCEPTIONS, LEDGER
from stokly_sync_tests.acceptance.harness import TODAY
from stokly_sync_tests.rules.ground import Ground, Sow, prepared

STOKLY: Final = "stokly"
# A world is mostly broken, which is what a load refuses otherwise; and nobody is to wait for anything.
_SETTINGS: Final = {"STOKLY_SYNC_REFUSE_SHARE": "1", "STOKLY_RATE_PER_MINUTE": "60000"}


@dataclass(frozen=True)
class Spec:
    """What a world consists of: systems, settings (empty for none), switches, and the seed of systems beside Stokly."""

    systems: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    switches: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    seed: str = "minimal"
    compares: bool = False
    """Whether both sides are compared, which is where matchings find what no feed sees."""
    accepts: Callable[[str], bool] = lambda failure: False
    """Failures of runs that belong to what is planted."""


@dataclass(frozen=True)
class World:
    """A world that runs."""

    ground: Ground
    services: Services
    instance: dg.DagsterInstance
    spec: Spec

    def sync(self) -> None:
        """The whole pipeline once, as `stokly-sync sync` runs it."""
        ran = headless.sync(self.services, self.instance, headless.Request(compare=self.spec.compares))
        failures = [failure for failure in ran.failures if not self.spec.accepts(failure)]
        assert not failures, "\n".join(failures)


Grow = Callable[[World], str | None]
"""Plants one defect after the first sync; gives the key of the record that must be kept back, None for any record."""


@dataclass(frozen=True)
class Plant:
    """How one rule is reached: in which world, and by what; without a function by the demo's own defect."""

    world: str
    sow: Sow | None = None
    grow: Grow | None = None


Table = Mapping[str, Plant]


@dataclass(frozen=True)
class Kept:
    """A record that a rule keeps back: in which table that stands, in which state, and what it is called."""

    listed: bool
    """Whether it is an exception; else it is in the ledger alone."""
    state: str
    subject: str
    key: str


@contextmanager
def lived(name: str, spec: Spec, table: Table, url: str) -> Iterator[tuple[World, dict[str, set[str | None]]]]:
    """A world in which everything of the table that belongs to it was planted and synced, and the keys by rule."""
    boxes = {box.name: box for box in build_systems(spec.systems)}
    for system, switches in spec.switches.items():
        boxes[system].set_switches(**switches)
    ground = prepared(boxes, today=TODAY)
    mine = {rule: plant for rule, plant in table.items() if plant.world == name}
    planted: dict[str, set[str | None]] = {rule: set() for rule in mine}
    sown = {sow: sow(ground) for sow in dict.fromkeys(p.sow for p in mine.values()) if sow is not None}
    for rule, plant in mine.items():
        planted[rule] |= {sown[plant.sow]} if plant.sow else set()
    stokly = boxes[STOKLY]
    assert isinstance(stokly, StoklySandbox)
    stokly.plant(ground.seed())
    with _running(boxes, spec, ground, url) as world:
        world.sync()
        grown = {grow: grow(world) for grow in dict.fromkeys(p.grow for p in mine.values()) if grow is not None}
        if grown:
            world.sync()
        for rule, plant in mine.items():
            planted[rule] |= {grown[plant.grow]} if plant.grow else set()
            if plant.sow is None and plant.grow is None:
                planted[rule] |= {p.key for box in boxes.values() for p in box.expected() if p.rule == rule}
        yield world, planted


@contextmanager
def _running(boxes: Mapping[str, SandboxSystem], spec: Spec, ground: Ground, url: str) -> Iterator[World]:
    with (
        pytest.MonkeyPatch.context() as patch,
        Sandbox(systems=list(boxes.values()), seed=spec.seed, limits=False) as sandbox,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        named = {**sandbox.env, **_SETTINGS, **spec.settings, **ground.settings, "STOKLY_SYNC_DATABASE_URL": url}
        for name, value in named.items():
            if value:
                patch.setenv(name, value)
        services = Services.open()
        try:
            yield World(ground, services, instance, spec)
        finally:
            services.close()


def kept_back(services: Services) -> dict[str, list[Kept]]:
    """Every record that a rule keeps back, by rule."""
    brand, e, c = services.warehouse.brand, EXCEPTIONS.c, LEDGER.c
    listed = sa.select(e.rule, e.state, e.subject, e.key).where(e.brand == brand, e.state != CLOSED)
    waiting = sa.select(c.rule, c.state, c.feed, c.key).where(c.brand == brand, c.state.in_(["parked", "excluded"]))
    found: dict[str, list[Kept]] = {}
    with services.warehouse.reading() as conn:
        for in_list, query in ((True, listed), (False, waiting)):
            for rule, *told in conn.execute(query):
                found.setdefault(rule, []).append(Kept(in_list, *told))
    return found
