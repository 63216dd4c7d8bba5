"""Runs the product's own steps in the order of the lineage, against sandboxes, on one database.

The steps are those of the assets (`pipeline.work`); what the harness adds is their order and what a test wants to know
afterwards. It knows no destination: that is the bench's part. Used by tests and by the processes that tests kill.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, cast
from uuid import uuid4

import pytest
import sqlalchemy as sa

from stokly_sync.contracts import guests
from stokly_sync.delivery.figures import DeliveryFigures, PlanFigures, PlanScope
from stokly_sync.errors import StoklySyncError
from stokly_sync.flow import Feed, Lane, Mode, Window
from stokly_sync.landing.figures import LandingFigures
from stokly_sync.landing.grid import STEP, floor
from stokly_sync.pipeline import gaps, work
from stokly_sync.pipeline.services import Services
from stokly_sync.reconciliation.compare import Comparison
from stokly_sync.sandbox.kit import SandboxSystem, decode, encode
from stokly_sync.sandbox.seeds import load_seed
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync.sandbox.stokly import StoklySandbox, StoklySwitches
from stokly_sync.warehouse import windows
from stokly_sync.warehouse.tables import LANDED, LEDGER
from stokly_sync_tests.acceptance.bench import Bench
from stokly_sync_tests.acceptance.books import exceptions, ledger
from stokly_sync_tests.acceptance.clock import JumpingClock, let_nobody_wait

SOURCE: Final = "stokly"
"""The system that is master of most."""
# One day for the whole run: a test that is under way at midnight must not change its account.
TODAY: Final = datetime.now(UTC).date()
# Limits are not what these tests are about; the budget has tests of its own.
QUICK: Final = {"STOKLY_RATE_PER_MINUTE": "6000"}


@dataclass
class Loaded:
    """What became of one feed in one load; `error` where it was cut short."""

    plan: PlanFigures | None = None
    sent: DeliveryFigures | None = None
    error: StoklySyncError | None = None

    @property
    def to_send(self) -> int:
        assert self.plan is not None, self.error
        return self.plan.to_send


@dataclass
class Synced:
    """What one sync did: landing by dataset, loading by feed."""

    landed: dict[str, LandingFigures] = field(default_factory=dict)
    loaded: dict[str, Loaded] = field(default_factory=dict)

    @property
    def sent(self) -> dict[str, int]:
        """Records to send by feed, where there were any; guests come with their orders and are not told."""
        told = {name: one for name, one in self.loaded.items() if name != guests.FEED and one.plan}
        return {name: one.to_send for name, one in told.items() if one.to_send}

    @property
    def errors(self) -> dict[str, StoklySyncError]:
        """Why feeds were cut short."""
        return {name: one.error for name, one in self.loaded.items() if one.error is not None}

    def fine(self) -> Synced:
        """This, after a look that nothing was cut short."""
        assert not self.errors, self.errors
        return self


def sources(services: Services) -> list[str]:
    """What is read: the home system, and a destination that is also a source."""
    return [source.name for source in services.declared.sources if source.name in services.declared.enabled]


def extract(services: Services, now: datetime) -> dict[str, LandingFigures]:
    """Land what is due: the history where it is not complete, then windows and snapshots; raises as landing does."""
    run_id, found = uuid4().hex, {}
    for source in sources(services):
        while not gaps.history_complete(services, source):
            work.land_history(services, source, run_id=run_id, seconds=60)
        span = due(services, source, now)
        for one in services.declared.extracts_of(source):
            found[one.dataset] = work.land(services, one.dataset, span, run_id=run_id)
    return found


def due(services: Services, source: str, now: datetime) -> Window:
    """From the oldest watermark of a source to the end of the running window."""
    with services.warehouse.reading() as connection:
        marks = [
            windows.watermark(connection, brand=services.warehouse.brand, dataset=e.dataset).watermark
            for e in services.declared.extracts_of(source)
            if not e.snapshot
        ]
    return Window(min([floor(m) for m in marks if m] + [floor(now)]), floor(now) + STEP)


def load(services: Services, system: str, *, scope: PlanScope | None = None, force: bool = False) -> dict[str, Loaded]:
    """Plan and deliver every feed of a destination that is not off; one that is cut short does not stop the others."""
    feeds = [feed for feed in services.declared.feeds_of(system) if services.mode(feed) is not Mode.OFF]
    return {feed.name: load_feed(services, feed, scope=scope, force=force) for feed in feeds}


def load_feed(services: Services, feed: Feed, *, scope: PlanScope | None = None, force: bool = False) -> Loaded:
    """Plan and deliver one feed."""
    run_id, one = uuid4().hex, Loaded()
    try:
        one.plan = work.plan_feed(services, feed, scope or PlanScope(), run_id=run_id, force=force)
        one.plan.check()
        one.sent = work.deliver_feed(services, feed, run_id=run_id)
        one.sent.check()
    except StoklySyncError as error:
        one.error = error
        one.sent = getattr(error, "figures", one.sent)
    return one


# When a row was seen, not what it says; and the version of rows that have none of their own.
_OF_THE_RUN: Final = frozenset({"window_start", "landed_at", "version"})


def landed(services: Services, *, but: str = "") -> dict[str, list[tuple[Any, ...]]]:
    """Every landed table as sorted rows, without what only tells when a row was read.

    Those of one system are left out, and with those of the master what was derived of them.
    """
    found, left_out = {}, {but, "derived"} if but == SOURCE else {but}
    with services.warehouse.reading() as connection:
        for name, table in ((n, t) for n, t in LANDED.items() if n.partition(".")[0] not in left_out):
            columns = [c for c in table.c if c.name not in _OF_THE_RUN]
            rows = [tuple(row) for row in connection.execute(sa.select(*columns))]
            found[name] = sorted(rows, key=repr)
    return found


@dataclass
class Rig:
    """A served Stokly and destination, and the product on one database."""

    bench: Bench
    clock: JumpingClock
    box: Sandbox
    env: Mapping[str, str]
    services: Services

    @property
    def stokly(self) -> StoklySandbox:
        return cast("StoklySandbox", self.box.systems[SOURCE])

    @property
    def there(self) -> SandboxSystem:
        """The destination's sandbox."""
        return self.box.systems[self.bench.system]

    @property
    def writes(self) -> int:
        """Calls to the destination that write."""
        return self.bench.writes(self.there)

    def extract(self) -> dict[str, LandingFigures]:
        return extract(self.services, self.clock.now())

    def consent(self) -> Synced:
        """What the consent job does: read back who left, then plan and send choices."""
        work.read_choices(self.services, self.bench.system, run_id=uuid4().hex)
        return Synced({}, {"consents": load_feed(self.services, self.services.feed(self.feed_id("consents")))})

    def load(self, *, scope: PlanScope | None = None, force: bool = False) -> Synced:
        return Synced({}, load(self.services, self.bench.system, scope=scope, force=force))

    def sync(self) -> Synced:
        """Extract and load; what it could not load is in `errors`."""
        return Synced(self.extract(), load(self.services, self.bench.system))

    def come_to_rest(self) -> None:
        """Where the destination is read too, sync until nothing follows any more from what it was sent."""
        if self.bench.system not in sources(self.services):
            return
        for _ in range(3):
            self.clock.sleep(60)
            if not self.sync().fine().sent:
                return
        raise AssertionError("with every sync there is something left to send")

    def replay(self, *, force: bool = False, days: int = 200) -> Synced:
        """Load again whatever was seen in the last days."""
        now = self.clock.now()
        span = Window(floor(now) - timedelta(days=days), floor(now) + STEP)
        return self.load(scope=PlanScope(windows=(span,)), force=force)

    def retry(self, feed: str, key: str) -> None:
        """What a person's "send again" comes to: the record is due whatever was said of it before."""
        c = LEDGER.c
        mine = sa.update(LEDGER).where(c.feed == self.feed_id(feed), c.key == key)
        with self.services.warehouse.transaction() as connection:
            assert connection.execute(mine.values(stale=True)).rowcount == 1

    def reconcile(self) -> list[Comparison]:
        self.bench.settle(self)
        return work.reconcile_system(self.services, self.bench.system, run_id=uuid4().hex)

    def agrees(self) -> None:
        """Both systems agree."""
        found = {c.feed: (c.unexplained, c.in_doubt, c.unaccounted) for c in self.reconcile() if not c.agreed}
        assert not found

    def ledger(self) -> dict[tuple[str, str], dict[str, Any]]:
        return ledger(self.services, self.bench.system)

    def state(self, feed: str, key: str) -> str:
        """State of one record in the ledger."""
        return str(self.ledger()[feed, key]["state"])

    def states(self, feed: str) -> dict[str, str]:
        """States of a feed's records by key."""
        return {key: str(row["state"]) for (name, key), row in self.ledger().items() if name == feed}

    def held(self, feed: str) -> dict[str, dict[str, Any]]:
        return self.bench.held(self, feed)

    def taken(self, feed: str) -> dict[str, int]:
        return self.bench.taken(self, feed)

    def exceptions(self, *, state: str = "open") -> set[tuple[str, str, str]]:
        return exceptions(self.services, state=state)

    def feed_id(self, feed: str) -> str:
        return f"{self.bench.system}/{feed}"

    @property
    def windowed(self) -> list[str]:
        """Datasets that are read by window."""
        read = sources(self.services)
        extracts = (extract for source in read for extract in self.services.declared.extracts_of(source))
        return [extract.dataset for extract in extracts if not extract.snapshot]

    def watermarks(self) -> dict[str, datetime | None]:
        brand = self.services.warehouse.brand
        with self.services.warehouse.reading() as connection:
            return {name: windows.watermark(connection, brand=brand, dataset=name).watermark for name in self.windowed}

    def client(self) -> Any:
        """A client of Stokly."""
        return self.services.client(SOURCE, Lane.BULK)


@contextmanager
def opened(
    bench: Bench,
    url: str,
    *,
    clock: JumpingClock | None = None,
    seed: str = "minimal",
    today: date = TODAY,
    environ: Mapping[str, str] | None = None,
    switches: Mapping[str, Any] | None = None,
    state: Mapping[str, bytes] | None = None,
) -> Iterator[Rig]:
    """Serve the sandboxes and open the product on a database, with a clock by which nobody waits.

    `state` is what `saved` gave: the sandboxes go on from there.
    """
    time = clock or JumpingClock()
    stokly = StoklySandbox(clock=time, switches=StoklySwitches(**(switches or {})))
    there = bench.make(time)
    both: list[SandboxSystem] = [stokly, there]
    if state is None:
        stokly.plant(load_seed(seed, today=today))
    else:
        for system in both:
            system.load(decode(state[system.name]))
    with pytest.MonkeyPatch.context() as patch:
        let_nobody_wait(patch, time)
        with Sandbox(systems=both, seed=seed, limits=False) as box:
            env = {**QUICK, **bench.settings, **box.env, "STOKLY_SYNC_DATABASE_URL": url, **(environ or {})}
            services = Services.open(env)
            made = Rig(bench, time, box, env, services)
            try:
                if state is None:
                    bench.furnish(made)
                yield made
            finally:
                services.close()


def saved(rig: Rig) -> dict[str, bytes]:
    """The state of both sandboxes, to open another rig with."""
    return {name: encode(system.dump()) for name, system in rig.box.systems.items()}
