"""What is declared: every extract and feed of every system, in the order in which they may run.

The asset graph, the jobs and the command line are made from this one value. It holds for systems without credentials
too, with default settings, so that the graph can be loaded and looked at before anything is set. No Dagster, no
database and no connection in here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from stokly_sync.contracts import consent, guests
from stokly_sync.contracts.products import ITEMS
from stokly_sync.contracts.rules import Catalogue, catalogue
from stokly_sync.delivery.rules import RULES
from stokly_sync.errors import SettingsError
from stokly_sync.flow import Extract, Feed, Mode, System
from stokly_sync.settings import Settings

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Declared:
    """All declarations of one brand.

    `extracts` by dataset and `feeds` by id are in running order: what others wait for stands first.
    """

    brand: str
    systems: Mapping[str, System]
    extracts: Mapping[str, Extract]
    feeds: Mapping[str, Feed]
    modes: Mapping[str, Mode]
    enabled: frozenset[str]
    """Names of the systems whose credentials are set."""

    @property
    def sources(self) -> tuple[System, ...]:
        """Systems that something is read from."""
        return tuple(s for s in self.systems.values() if any(source_of(d) == s.name for d in self.extracts))

    @property
    def home(self) -> str:
        """Name of the system that is master of most: the first source; rows that are derived come from its rows."""
        return self.sources[0].name

    @property
    def destinations(self) -> tuple[System, ...]:
        """Systems that something is loaded into."""
        return tuple(s for s in self.systems.values() if any(f.system == s.name for f in self.feeds.values()))

    def extracts_of(self, system: str) -> tuple[Extract, ...]:
        """The extracts of a system, in running order."""
        return tuple(e for e in self.extracts.values() if source_of(e.dataset) == system)

    def feeds_of(self, system: str) -> tuple[Feed, ...]:
        """The feeds of a system, in gate order."""
        return tuple(f for f in self.feeds.values() if f.system == system)

    def sources_of(self, feed: Feed) -> frozenset[str]:
        """Names of the systems whose rows a feed is made of."""
        tables = (*feed.datasets, *(need.table for need in feed.needs))
        known = {source.name for source in self.sources}
        return frozenset(name if (name := source_of(table)) in known else self.home for table in tables)

    def about(self, feed: Feed, system: str) -> bool:
        """Whether a feed belongs to what a person means by a system: loaded into it, or from it into another source.

        Of what comes from the home system only that which is loaded into the asked one.
        """
        came_from = source_of(feed.dataset)
        return feed.system == system or (came_from == system != self.home and feed.system != system)

    def by_window(self, feed: Feed) -> bool:
        """Whether a feed is run by window; one that takes a snapshot, or has a pool of its own, is not."""
        extract = self.extracts.get(feed.dataset)
        return feed.pool is None and (extract is None or not extract.snapshot)

    def is_catalogue(self, feed: Feed) -> bool:
        """Whether a feed is part of the daily catalogue snapshot (X3)."""
        return feed.dataset == ITEMS.name


def declare(settings: Settings, systems: Iterable[System]) -> Declared:
    """Collect what the systems declare under these settings."""
    chosen = {s.name: s for s in systems}
    extracts = [e for s in chosen.values() if s.extracts for e in s.extracts(_model(settings, s))]
    feeds = [f for s in chosen.values() if s.feeds for f in s.feeds(_model(settings, s))]
    return Declared(
        brand=settings.core.brand,
        systems=chosen,
        extracts=_in_order({e.dataset: e for e in extracts}, {e.dataset: e.after for e in extracts}),
        feeds=_in_order({f.id: f for f in feeds}, {f.id: f.gate_ids for f in feeds}),
        modes={f.id: _mode(settings, chosen, f) for f in feeds},
        enabled=frozenset(settings.enabled),
    )


def all_rules(systems: Iterable[System]) -> Catalogue:
    """The rule catalogue: the rules of delivery, of consent, of guests and of every system (X2)."""
    return catalogue([*RULES, *consent.RULES, *guests.RULES, *(rule for system in systems for rule in system.rules)])


def source_of(dataset: str) -> str:
    """The system that a dataset is read from: the part of its name before the dot."""
    return dataset.partition(".")[0]


def _mode(settings: Settings, systems: Mapping[str, System], feed: Feed) -> Mode:
    """The mode that the settings say; off as long as the channel that its rows come from is not set up.

    Without the home system nothing runs at all, and that is said elsewhere.
    """
    source, home = source_of(feed.dataset), next((s.name for s in systems.values() if s.extracts), None)
    if source in systems and source != home and source not in settings.enabled:
        return Mode.OFF
    return settings.mode(feed.system, feed.name)


def _model(settings: Settings, system: System) -> Any:
    return settings.systems[system.name]


def _in_order(items: Mapping[str, _Item], waits: Mapping[str, tuple[str, ...]]) -> dict[str, _Item]:
    """Items with what they wait for first; otherwise as declared."""
    done: dict[str, _Item] = {}
    left = dict(items)
    while left:
        ready = [name for name in left if not any(other in left for other in waits[name] if other != name)]
        if not ready:
            raise SettingsError(
                f"These wait for each other in a circle: {', '.join(left)}. Correct their declarations."
            )
        done[ready[0]] = left.pop(ready[0])
    return done
