"""The demo: every sandbox that exists, the whole pipeline once, and whether what was planted is what was reported.

It lives in a folder of its own (`data/local/demo`): database, Dagster home, settings and the sandboxes' state. Settings
of the person's own environment are put aside, so that no demo can ever reach a real account. `dev` opens the interface
on the same folder. How the result is printed is the command line's business.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import dagster as dg
import sqlalchemy as sa
from filelock import FileLock, Timeout

from stokly_sync.contracts.rules import Effect
from stokly_sync.delivery.budget import limits_of
from stokly_sync.delivery.rules import LEFT_OUT, WAITS
from stokly_sync.demo.circle import Circle, Stop
from stokly_sync.demo.settings import written
from stokly_sync.errors import SettingsError
from stokly_sync.flow import Lane, State
from stokly_sync.pipeline import headless, home, progress
from stokly_sync.pipeline.services import Services
from stokly_sync.pipeline.summary import Exit, Summary, summarise
from stokly_sync.sandbox.registry import MODULES
from stokly_sync.sandbox.seeds import Planted, RowReport
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync.systems import SYSTEMS
from stokly_sync.warehouse.tables import EXCEPTIONS, LEDGER

FOLDER: Final = home.STATE / "demo"
CHANNELS: Final = ("magento", "marketplacer")
_MARK: Final = "made-by-stokly-sync-demo"


@dataclass(frozen=True)
class Defect:
    """A record that a rule keeps back: planted and not reported, or reported and not planted."""

    rule: str
    subject: str
    key: str
    note: str = ""
    policy: bool = False
    """True for a rule that leaves sound records out or lets them wait for others."""


@dataclass(frozen=True)
class Result:
    """What the demo did: the first sync, the way round the circle, and planted defects against reported ones."""

    summary: Summary
    """The first sync, with the reconciliations of the last one and the failures of all."""
    last: Summary
    circle: tuple[Stop, ...]
    """Empty for a transactions file, which tells of no channel's side."""
    planted: tuple[Planted, ...]
    missing: tuple[Defect, ...]
    unexpected: tuple[Defect, ...]
    report: RowReport | None
    """Where the rows of a transactions file went; None without one."""
    limits: bool
    folder: Path

    @property
    def exit(self) -> Exit:
        """Agreed only when the systems agree, the circle is closed, and exactly what was planted was reported."""
        open_ends = not all(stop.reached for stop in self.circle)
        found = max(self.summary.exit, self.last.exit)
        return Exit.DIFFERS if found is Exit.AGREED and (self.missing or self.unexpected or open_ends) else found


def run_demo(*, seed_file: Path | None = None, limits: bool = False, folder: Path = FOLDER) -> Result:
    """Run everything once on fresh state and compare what was reported with what was planted.

    Raises SettingsError when the folder is in use or not ours, ValueError when the seed file cannot be read.
    """
    seed = str(seed_file.resolve()) if seed_file else "demo"
    with holding(folder):
        _make_fresh(folder)
        _remember(folder, Origin(seed, limits))
        with surroundings(folder, seed=seed, limits=limits) as sandbox, dg.DagsterInstance.get() as instance:
            services = Services.open()
            try:
                turns, circle = Turns(services, instance), Circle(sandbox) if seed_file is None else None
                if limits:
                    progress.announce(_patience(services, sandbox))
                if circle is not None:
                    circle.plant()
                turns.sync(headless.Request())
                stops = circle.walk(turns.on) if circle is not None else ()
                reported = _reported(services)
            finally:
                services.close()
            planted = tuple(defect for system in sandbox.systems.values() for defect in system.expected())
            report = getattr(sandbox.systems["stokly"], "seeded").report  # noqa: B009 - the kit's shape has no seed
    # Real transactions have defects of their own, which nobody planted and which are no fault of ours.
    missing, unexpected = compared(planted, reported) if seed_file is None else ((), ())
    return Result(turns.first, turns.last, stops, planted, missing, unexpected, report, limits, folder)


def _patience(services: Services, sandbox: Sandbox) -> str:
    """How long it takes to read Stokly under its limits: lines are lists of their own, a call for each record."""
    store = getattr(sandbox.systems["stokly"], "store")  # noqa: B009 - the kit's shape has no store
    calls = sum(len(store.rows(name)) for name in ("saleorders", "dispatches", "refunds"))
    seconds = limits_of(services.settings.systems["stokly"]).duration(calls, Lane.BULK)
    return f"With the vendors' limits the history of Stokly takes about {seconds / 60:.0f} minutes, {calls:,} calls"


class Turns:
    """One sync after the other in the same surroundings, and what the first and the last of them did."""

    def __init__(self, services: Services, instance: dg.DagsterInstance) -> None:
        self._services, self._instance = services, instance
        self._done: list[Summary] = []

    def sync(self, request: headless.Request) -> None:
        """Run a sync and keep what it did."""
        self._done.append(summarise(self._services, headless.sync(self._services, self._instance, request)))

    def on(self, subject: str, last: bool) -> None:
        """Sync on the way round; both sides are compared once all is round."""
        progress.announce(f"Round the circle: {subject}")
        self.sync(headless.Request(compare=last))

    @property
    def first(self) -> Summary:
        """The first sync, with how both sides compare in the end and what failed in any of them."""
        failures = tuple(failure for done in self._done for failure in done.failures)
        return replace(self._done[0], reconciliations=self.last.reconciliations, failures=failures)

    @property
    def last(self) -> Summary:
        """The last sync."""
        return self._done[-1]


def compared(planted: Sequence[Planted], reported: Sequence[Defect]) -> tuple[tuple[Defect, ...], tuple[Defect, ...]]:
    """Planted defects that were not reported, and reported ones that nobody planted; compared by rule and key.

    A record that is left out or waits by policy, with nothing wrong with it, counts only under rules that were planted.
    """
    there = {(d.rule, d.key) for d in reported}
    wanted = {(p.rule, p.key) for p in planted}
    rules = {p.rule for p in planted}
    missing = tuple(Defect(p.rule, p.dataset, p.key, p.note) for p in planted if (p.rule, p.key) not in there)
    besides = (d for d in reported if (d.rule, d.key) not in wanted)
    return missing, tuple(d for d in besides if not d.policy or d.rule in rules)


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Keep other demos and `dev` out of the folder; raises SettingsError when one is in it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{folder}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise SettingsError(f"{folder} is in use by another `stokly-sync demo` or `dev`. End that one first.") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def surroundings(folder: Path, *, seed: str, limits: bool) -> Iterator[Sandbox]:
    """The sandboxes, running, and this process's environment pointing at them; put back at the end."""
    before = dict(os.environ)
    prefixes = ("STOKLY_SYNC_", *(f"{system.name.upper()}_" for system in SYSTEMS))
    try:
        for name in [n for n in os.environ if n.startswith(prefixes)]:
            del os.environ[name]
        # A transactions file tells of no channel's side, so there are no channels then.
        systems = [name for name in MODULES if seed == "demo" or name not in CHANNELS]
        with Sandbox(systems=systems, seed=seed, limits=limits, state_dir=folder / "sandbox") as sandbox:
            os.environ.update(sandbox.env)
            os.environ["STOKLY_SYNC_DATABASE_URL"] = f"sqlite:///{folder.resolve() / 'stokly_sync.db'}"
            os.environ["STOKLY_SYNC_CONFIG"] = str(_settings_file(folder, limits=limits))
            home.use_home(folder.resolve(), template=home.apart(folder.resolve()))
            yield sandbox
    finally:
        os.environ.clear()
        os.environ.update(before)


@dataclass(frozen=True)
class Origin:
    """What the folder's state grew from."""

    seed: str
    limits: bool


def origin(folder: Path = FOLDER) -> Origin | None:
    """What the last demo in a folder began with, or None when there was none."""
    mark = folder / _MARK
    if not mark.is_file():
        return None
    seed, limits = mark.read_text("utf-8").splitlines()
    return Origin(seed, limits == "limits")


def _remember(folder: Path, begun: Origin) -> None:
    (folder / _MARK).write_text(f"{begun.seed}\n{'limits' if begun.limits else 'no limits'}\n", "utf-8")


def _make_fresh(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARK).is_file():
            raise SettingsError(f"{folder} was not made by the demo and is not deleted for it. Move it away first.")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)


def _settings_file(folder: Path, *, limits: bool) -> Path:
    file = folder.resolve() / "stokly_sync.toml"
    file.write_text(written(limits=limits), "utf-8")
    return file


def _reported(services: Services) -> list[Defect]:
    """Every record that a rule keeps back, for repair, for good, or for a while."""
    brand, kept, ledger = services.warehouse.brand, EXCEPTIONS.c, LEDGER.c
    held = sa.select(kept.rule, kept.subject, kept.key).where(kept.brand == brand, kept.state.in_(["open", "excluded"]))
    waits = sa.or_(
        ledger.state == State.PARKED.value, sa.and_(ledger.state == State.EXCLUDED.value, ledger.rule == LEFT_OUT)
    )
    parked = sa.select(ledger.rule, ledger.feed, ledger.key).where(ledger.brand == brand, waits)
    with services.warehouse.reading() as conn:
        rows = [*conn.execute(held), *conn.execute(parked)]
    return [Defect(rule, subject, key, policy=_is_policy(services, rule)) for rule, subject, key in rows]


def _is_policy(services: Services, rule: str) -> bool:
    known = services.catalogue.get(rule)
    return rule == WAITS or (known is not None and known.effect in (Effect.EXCLUDE, Effect.PARK))
