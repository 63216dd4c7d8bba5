"""What a sync is asked for: which feeds that means, which sources they need, and which span is replayed.

Pure questions to settings and declarations; `headless` runs what comes of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from stokly_sync.errors import SettingsError
from stokly_sync.flow import Feed, Mode, System, Window
from stokly_sync.landing.grid import STEP, floor
from stokly_sync.pipeline.services import Services, require


@dataclass(frozen=True)
class Request:
    """What a sync is asked for: a destination or a source alone, a span to replay, everything again, or a plan."""

    only: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    force: bool = False
    plan_id: str | None = None

    @property
    def replay(self) -> bool:
        """Whether a span is asked for instead of what is due."""
        return self.since is not None or self.until is not None


def feeds_asked(services: Services, request: Request) -> list[Feed]:
    """Feeds that a request is about and that are not off, in the order in which they are loaded.

    What is loaded into the home system comes first: the others are made of its rows. Raises SettingsError when a system
    that is needed is not set up.
    """
    declared = services.declared
    if request.only is not None:
        if request.only not in declared.systems:
            raise SettingsError(f"There is no system {request.only!r}; there are {', '.join(declared.systems)}.")
        require(services.settings, declared.systems[request.only])
    require(services.settings, declared.systems[declared.home])
    feeds = [
        f
        for f in declared.feeds.values()
        if f.system in declared.enabled
        and services.mode(f) is not Mode.OFF
        and (request.only is None or declared.about(f, request.only))
    ]
    return sorted(feeds, key=lambda feed: feed.system != declared.home)


def destinations_of(services: Services, feeds: Sequence[Feed]) -> list[System]:
    """The systems that some feeds are loaded into, in their order."""
    return [services.declared.systems[name] for name in dict.fromkeys(feed.system for feed in feeds)]


def needed_sources(services: Services, request: Request) -> list[System]:
    """Sources that are set up and whose rows are needed: all of them, unless one system alone is asked for."""
    declared = services.declared
    needed = {name for feed in feeds_asked(services, request) for name in declared.sources_of(feed)}
    asked = {s.name for s in declared.sources} if request.only is None else {request.only}
    return [s for s in declared.sources if s.name in declared.enabled & (needed | asked)]


def span_of_replay(services: Services, request: Request) -> Window:
    """The span of a replay on the grid; raises SettingsError when it ends before the first window."""
    now = datetime.now(UTC)
    since = request.since or services.settings.core.windows_from
    until = min(request.until or now, now)
    first = services.settings.core.windows_from
    if since >= until:
        raise SettingsError(f"--from {since:%F %R} is not before --to {until:%F %R} (UTC).")
    if until <= first:
        raise SettingsError(
            f"--to {until:%F %R} is not after the first window, {first:%F %R} UTC. Set STOKLY_SYNC_WINDOWS_FROM to an "
            "earlier time to replay what lies before it."
        )
    return Window(floor(since), floor(until - timedelta(microseconds=1)) + STEP)
