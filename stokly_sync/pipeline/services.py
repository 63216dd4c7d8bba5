"""Everything that a step needs, opened from the settings: warehouse, clients, declarations, rules.

Dagster-free, so that sensors, the command line and tests use it as the assets do. Secrets stay in the settings models
and in the clients; nothing here shows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Any

from stokly_sync import settings as settings_module
from stokly_sync.contracts.rules import Catalogue
from stokly_sync.delivery.budget import budget_for
from stokly_sync.errors import SettingsError
from stokly_sync.flow import Extract, Feed, Lane, Mode, System, Team
from stokly_sync.landing.derived import Basis
from stokly_sync.landing.run import Reader
from stokly_sync.pipeline import progress
from stokly_sync.pipeline.declared import Declared, all_rules, declare
from stokly_sync.settings import Settings
from stokly_sync.systems import SYSTEMS
from stokly_sync.warehouse.memory import Remembered
from stokly_sync.warehouse.store import Warehouse


@dataclass(frozen=True)
class Services:
    """Settings, declarations, rules and the open warehouse of one brand."""

    settings: Settings
    declared: Declared
    catalogue: Catalogue
    warehouse: Warehouse
    shared: Warehouse | None = None
    """Where rate budgets are kept, when it is not the warehouse itself."""

    @classmethod
    def open(cls, environ: Mapping[str, str] | None = None) -> Services:
        """Read the settings and open the warehouse, migrating it where needed.

        Raises SettingsError when a setting is wrong or missing, or the database cannot be used.
        """
        settings = settings_module.load(environ)
        return cls.of(settings)

    @classmethod
    def of(cls, settings: Settings) -> Services:
        """Open the warehouse that these settings name."""
        warehouse = Warehouse.open(settings.core.database_url, brand=settings.core.brand)
        return cls(settings, declare(settings, SYSTEMS), all_rules(SYSTEMS), warehouse)

    @classmethod
    def standing(cls, settings: Settings) -> Services:
        """The same over a warehouse that stays open as long as the process, for who asks often and little: ticks.

        Never close it.
        """
        core = settings.core
        return cls(settings, declare(settings, SYSTEMS), all_rules(SYSTEMS), _standing(core.database_url, core.brand))

    def close(self) -> None:
        """Give back the database connections."""
        self.warehouse.close()

    def system(self, name: str) -> System:
        """A system whose credentials are set; raises SettingsError naming the missing variables."""
        require(self.settings, self.declared.systems[name])
        return self.declared.systems[name]

    def client(self, system: str, lane: Lane) -> Any:
        """A client of a system; its calls count against the lane's share of the key's budget (X17).

        Raises SettingsError when credentials are missing.
        """
        chosen, model = self.system(system), self.settings.systems[system]
        client = chosen.connect(model, budget_for((self.shared or self.warehouse).engine, system, model), lane)
        if chosen.remember is not None:
            chosen.remember(client, self.memory(system))
        return client

    def memory(self, system: str) -> Remembered:
        """What the set-up of a system has found lately under its present settings; secrets do not count as such."""
        shown = self.settings.systems[system].model_dump_json()
        return Remembered(self.warehouse, system, blake2b(shown.encode(), digest_size=16).hexdigest())

    def calls(self, system: str, client: Any) -> int:
        """Requests that a client has made so far."""
        return self.declared.systems[system].calls(client)

    def extract(self, dataset: str) -> Extract:
        """The extract of a dataset."""
        return self.declared.extracts[dataset]

    def feed(self, feed_id: str) -> Feed:
        """The feed of an id such as `ometria/orders`."""
        return self.declared.feeds[feed_id]

    def owner_of(self, feed_id: str) -> Team:
        """The team that a feed belongs to; operations for one that is not declared any more."""
        feed = self.declared.feeds.get(feed_id)
        return feed.owner if feed else Team.OPERATIONS

    def mode(self, feed: Feed) -> Mode:
        """Whether a feed writes, observes or is off."""
        return self.declared.modes[feed.id]

    def reader(self, run_id: str) -> Reader:
        """What every landing run needs."""
        core = self.settings.core
        return Reader(
            warehouse=self.warehouse,
            catalogue=self.catalogue,
            run_id=run_id,
            windows_from=core.windows_from,
            share=core.refuse_share,
            progress=progress.report,
            basis=Basis(currency=core.currency),
        )


@cache
def _standing(url: str, brand: str) -> Warehouse:
    return Warehouse.open(url, brand=brand)


def require(settings: Settings, system: System) -> None:
    """Raise SettingsError naming the variables without which a system is off."""
    if system.name in settings.enabled:
        return
    missing = getattr(settings.systems[system.name], "missing", ())
    names = ", ".join(f"{system.name.upper()}_{field.upper()}" for field in missing) or "its credentials"
    raise SettingsError(f"{system.title} is not set up: set {names} in the environment. See docs/settings.md.")
