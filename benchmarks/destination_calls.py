"""API calls that Dotdigital and Emarsys get, beside the least that batch limits allow.

Counted by the sandboxes. Every feed is planned and sent as in production, from a SQLite warehouse that was filled
through the wire server. The least is counted per record: full imports of 2,000 and one question for each (Dotdigital),
1,000 contacts or events a call and 500 orders an upload (Emarsys; our own limit, as an upload without an answer is
parked whole), nothing for the catalogue file. Needed beside them: Dotdigital's contacts are listed once a load, as a
status may go with new ones only; Emarsys' contacts are asked for by customer id and by address, a thousand a call,
before they are made. Imports end here before the first look at them; how long a real one takes is the vendor's.

Guests are contacts before their orders leave, by a feed of their own: they take full batches like customers do, and
Dotdigital's contacts are listed once more for them, those of customers being there by then.

Set-up stands apart: what an account must have is made once in its life, and looked at once a day; signing in to
Emarsys costs each load of a feed that has something to send one call more. Neither grows with the records.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from benchmarks import surroundings
from benchmarks.context import Context
from benchmarks.results import Line, at_most
from stokly_sync.delivery.figures import PlanScope
from stokly_sync.flow import State
from stokly_sync.pipeline import gaps, work
from stokly_sync.pipeline.services import Services
from stokly_sync.sandbox.registry import build_systems
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync.warehouse.tables import LEDGER

SYSTEMS: Final = ("dotdigital", "emarsys")
ORDERS: Final = 4_000
GUESTS: Final = 10
"""One order in so many is a guest's in the load with guests."""
MOST: Final = 1.05
RUN: Final = "bench"
SET_UP: Final = frozenset(
    {
        "GET /v2/account-info",
        "POST /configuration/v3/customIdentifiers",
        "GET /v2/data-fields",
        "POST /v2/data-fields",
        "GET /v2/address-books",
        "POST /v2/address-books",
        "POST /insightData/v3/collections/{collection}",
        "POST /oauth2/token",
        "GET /api/v3/field",
        "POST /api/v3/field",
        "GET /api/v3/field/{id}/choice/translate/{language}",
        "GET /api/v3/event/",
        "POST /api/v3/event",
    }
)
_SETTINGS: Final = {
    "STOKLY_ACCOUNT_KEY": "bench",
    "STOKLY_CLIENT_ID": "bench",
    "STOKLY_CLIENT_SECRET": "no-secret",
    "STOKLY_RATE_PER_MINUTE": "6000",
    "DOTDIGITAL_RATE": "5000",
    "EMARSYS_RATE_PER_MINUTE": "1000",
    "EMARSYS_DISPATCH_DAYS": "100000",
}


@dataclass(frozen=True)
class Load:
    """What one load of all feeds of a destination did."""

    calls: Mapping[str, int]
    sent: Mapping[str, int] = field(default_factory=dict)
    """Records by feed."""

    @property
    def records(self) -> int:
        return sum(self.sent.values())

    @property
    def made(self) -> dict[str, int]:
        """Calls without set-up."""
        return {path: n for path, n in self.calls.items() if path not in SET_UP}

    @property
    def set_up(self) -> int:
        return sum(n for path, n in self.calls.items() if path in SET_UP)

    def beside(self, least: Mapping[str, int]) -> float:
        """Calls made to calls needed."""
        return sum(self.made.values()) / sum(least.values())


def lines(context: Context) -> list[Line]:
    """What both destinations get for a first load, for a run with nothing changed, and where guests buy."""
    found: list[Line] = []
    with _shop(context) as shop:
        loads = {system: (shop.load(system), shop.load(system), shop.load_one_each(system)) for system in SYSTEMS}
    with _shop(context, guests=GUESTS) as shop:
        busy = {system: shop.load(system) for system in SYSTEMS}
    for system, (first, second, later) in loads.items():
        guests = busy[system]
        found += [
            Line(f"{system}, first load of {first.records:,} records: calls", json.dumps(first.made)),
            at_most(f"{system}, first load: calls, times the least", first.beside(LEAST[system](first.sent)), MOST),
            Line(f"{system}, first load: calls for set-up beside them", str(first.set_up)),
            Line(f"{system}, later that day, {later.records} records of as many feeds: calls", json.dumps(later.made)),
            Line(f"{system}, later that day: calls for set-up and signing in beside them", str(later.set_up)),
            at_most(f"{system}, nothing changed: calls, where the least is none", sum(second.calls.values()), 0),
            Line(
                f"{system}, one order in {GUESTS} a guest's, {guests.records:,} records: calls", json.dumps(guests.made)
            ),
            at_most(
                f"{system}, one order in {GUESTS} a guest's: calls, times the least",
                guests.beside(LEAST[system](guests.sent)),
                MOST,
            ),
            Line(f"{system}, one order in {GUESTS} a guest's: the least", json.dumps(LEAST[system](guests.sent))),
        ]
    return found


Least = Callable[[Mapping[str, int]], dict[str, int]]
"""The least calls by path for records sent by feed."""


def _least_dotdigital(sent: Mapping[str, int]) -> dict[str, int]:
    contacts = ceil(sent["contacts"] / 2_000) + ceil(sent["guests"] / 2_000)
    insight = ceil(sent["products"] / 2_000) + ceil(sent["orders"] / 2_000)
    return {
        # An empty account has one page; guests are looked for among the contacts that were sent before.
        "GET /contacts/v3": 1 + (ceil(sent["contacts"] / 5_000) if sent["guests"] else 0),
        "PUT /contacts/v3/import": contacts,
        "GET /contacts/v3/import/{id}": contacts,
        "PUT /insightData/v3/import": insight,
        "GET /insightData/v3/import/{id}": insight,
        "POST /events/v3/import": ceil(sent["dispatches"] / 2_000),
    }


def _least_emarsys(sent: Mapping[str, int]) -> dict[str, int]:
    contacts = ceil(sent["contacts"] / 1_000) + ceil(sent["guests"] / 1_000)
    return {
        "POST /api/v3/contact/checkids": 2 * contacts,
        "PUT /api/v3/contact/": contacts,
        "POST /hapi/merchant/{merchant}/sales-data/api": ceil(sent["orders"] / 500) + ceil(sent["refunds"] / 500),
        "POST /api/v3/event/{id}/trigger": ceil(sent["dispatches"] / 1_000),
    }


LEAST: Final[Mapping[str, Least]] = {"dotdigital": _least_dotdigital, "emarsys": _least_emarsys}


@dataclass(frozen=True)
class _Shop:
    """A filled warehouse and the sandboxes."""

    services: Services
    box: Sandbox

    def load(self, system: str) -> Load:
        """Plan and send every feed of a destination, and count."""
        return self._load(system)

    def load_one_each(self, system: str) -> Load:
        """The same where one record of each feed has to be sent again; what is only added to has nothing to send."""
        c = LEDGER.c
        with self.services.warehouse.transaction() as connection:
            for feed in self.services.declared.feeds_of(system):
                mine = sa.and_(c.feed == feed.id, c.state == State.ACCEPTED.value)
                first = sa.select(sa.func.min(c.key)).where(mine).scalar_subquery()
                connection.execute(sa.update(LEDGER).where(mine, c.key == first).values(stale=True))
        return self._load(system)

    def _load(self, system: str) -> Load:
        calls = self.box.systems[system].calls
        calls.reset()
        sent = {}
        for feed in self.services.declared.feeds_of(system):
            plan = work.plan_feed(self.services, feed, PlanScope(), run_id=RUN)
            done = work.deliver_feed(self.services, feed, run_id=RUN)
            assert done.accepted == plan.to_send, f"{feed.id}: {done.accepted} of {plan.to_send} were accepted"
            sent[feed.name] = done.accepted
        counted: Counter[str] = Counter()
        for row in calls.rows():
            counted[f"{row['method']} {row['template']}"] += int(row["calls"])
        return Load(dict(sorted(counted.items())), sent)


@contextmanager
def _shop(context: Context, *, guests: int = 0) -> Iterator[_Shop]:
    """The history landed, nothing sent."""
    with (
        tempfile.TemporaryDirectory() as folder,
        surroundings.wire(orders=ORDERS, end=context.end, keep_mb=100, more=["--papers", f"--guests={guests}"]) as wire,
    ):
        systems = build_systems(SYSTEMS)
        for system in systems:
            system.keep_files_in(Path(folder))
        with Sandbox(systems=systems, limits=False) as box:
            places = {
                "STOKLY_BASE_URL": wire.url,
                "STOKLY_SYNC_DATABASE_URL": f"sqlite:///{folder}/warehouse.db",
                "STOKLY_SYNC_WINDOWS_FROM": context.end.isoformat(),
            }
            services = Services.open({**_SETTINGS, **box.env, **places, "DOTDIGITAL_POLL_SECONDS": "0.5"})
            try:
                while not gaps.history_complete(services, "stokly"):
                    work.land_history(services, "stokly", run_id=RUN, seconds=600)
                yield _Shop(services, box)
            finally:
                services.close()
