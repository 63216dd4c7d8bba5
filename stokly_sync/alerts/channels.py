"""Who hears of what: the log always, and the addresses that are set for everybody or for one team.

Addresses are Apprise URLs (mail, Slack, Teams, PagerDuty, webhooks and a hundred others); they hold passwords and count
as secrets. Apprise writes addresses into its log when it cannot use them, so its log is closed here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import apprise

from stokly_sync.alerts.wording import Message
from stokly_sync.errors import SettingsError, TransientError
from stokly_sync.flow import Team

_log = logging.getLogger(__name__)
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)

_KINDS: Final = {"high": apprise.NotifyType.FAILURE, "medium": apprise.NotifyType.WARNING}

Channel = Callable[[Message], None]
"""Takes one message or raises TransientError when it may be offered again."""


@dataclass(frozen=True)
class Channels:
    """Where messages go: `everybody` gets all of them, a team those that it owns."""

    everybody: Sequence[Channel]
    teams: Mapping[Team, Sequence[Channel]] = field(default_factory=dict)
    half_told: dict[Message, set[int]] = field(default_factory=dict)
    """Places of the channels that took a message which others did not."""

    def tell(self, message: Message) -> None:
        """Give a message to each channel that should have it; raises what the last of the failing ones raised.

        One channel that is down keeps no other from being told, and does not make the others hear it again while this
        object lives.
        """
        failed: TransientError | None = None
        own = self.teams.get(message.owner, ()) if message.owner else ()
        taken = self.half_told.pop(message, set())
        for place, channel in enumerate((*self.everybody, *own)):
            if place in taken:
                continue
            try:
                channel(message)
                taken.add(place)
            except TransientError as error:
                failed = error
        if failed is not None:
            self.half_told[message] = taken
            raise failed


def channels(everybody: str, teams: Mapping[Team, str]) -> Channels:
    """Channels of the addresses that are set, blanks between them; the log is always one.

    Raises SettingsError naming the variable, never the address, that Apprise cannot use.
    """
    return Channels(
        [log_channel, *addresses(everybody, "STOKLY_SYNC_ALERTS")],
        {team: addresses(urls, f"STOKLY_SYNC_ALERTS_{team.name}") for team, urls in teams.items() if urls},
    )


def addresses(urls: str, variable: str) -> list[Channel]:
    """One channel an address."""
    made: list[Channel] = []
    for place, url in enumerate(urls.split(), start=1):
        service = apprise.Apprise.instantiate(url)
        if not isinstance(service, apprise.NotifyBase):
            raise SettingsError(
                f"Address {place} of {variable} is none that Apprise knows. See docs/operations/alerts.md for examples."
            )
        made.append(_through(service, f"address {place} of {variable} ({service.service_name})"))
    return made


def _through(service: apprise.NotifyBase, name: str) -> Channel:
    def tell(message: Message) -> None:
        kind = apprise.NotifyType.SUCCESS if message.over else _KINDS.get(message.severity, apprise.NotifyType.INFO)
        owner = f" [{message.owner.value}]" if message.owner else ""
        form = apprise.NotifyFormat.MARKDOWN if message.markdown else apprise.NotifyFormat.TEXT
        told = apprise.Apprise([service])
        if not told.notify(title=f"{message.title}{owner}", body=message.text, notify_type=kind, body_format=form):
            raise TransientError(f"A message could not be given to {name}; it is offered again. Check that address.")

    return tell


def log_channel(message: Message) -> None:
    """Write a message to the log, as a warning while the problem lasts."""
    level = logging.INFO if message.over else logging.WARNING
    owner = message.owner.value if message.owner else "unowned"
    _log.log(level, "%s [%s] %s", message.title, owner, message.text.replace("\n", " "))
