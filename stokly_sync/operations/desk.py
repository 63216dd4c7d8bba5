"""The desk that people sit at: one brand's database with what is declared about it, and hands that reach outwards."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from stokly_sync.contracts.rules import Catalogue
from stokly_sync.flow import Extract, Feed
from stokly_sync.warehouse.store import Warehouse

# What we do by hand has a run id without hyphens; only Dagster's own has a page to link to.
_DAGSTER_RUN: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Hands(Protocol):
    """What is done at once for a person who waits; both raise StoklySyncError."""

    def read_again(self, dataset: str, keys: Sequence[str], *, run_id: str) -> None:
        """Read some records of a dataset from their source now, and land them."""

    def load(self, feed: str, *, run_id: str) -> None:
        """Plan what a feed carries or holds as stale, and send what is planned, if the feed may write."""


@dataclass(frozen=True)
class Desk:
    """One brand's warehouse, rules and declarations. `titles` are the systems' names for people, by name."""

    warehouse: Warehouse
    catalogue: Catalogue
    feeds: Mapping[str, Feed]
    extracts: Mapping[str, Extract]
    titles: Mapping[str, str]
    dagster_url: str
    hands: Hands

    @property
    def brand(self) -> str:
        """The brand whose rows are meant; first in every condition."""
        return self.warehouse.brand

    @property
    def destinations(self) -> list[str]:
        """Systems that something is loaded into, in the order of their declaration."""
        return list(dict.fromkeys(feed.system for feed in self.feeds.values()))

    def title(self, system: str) -> str:
        """A system's name for people."""
        return self.titles.get(system, system)

    def run_link(self, run_id: str | None) -> str | None:
        """The page of a run in Dagster; None for what was done by hand."""
        if run_id is None or not _DAGSTER_RUN.fullmatch(run_id):
            return None
        return f"{self.dagster_url.rstrip('/')}/runs/{run_id}"


def system_of(subject: str) -> str:
    """The system of a dataset's name or a feed's id: what stands before the dot or the slash."""
    return re.split(r"[./]", subject, maxsplit=1)[0]
