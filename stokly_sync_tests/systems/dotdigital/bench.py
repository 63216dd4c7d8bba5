"""A client of the Dotdigital sandbox that shares its hand-moved clock, and the words that its tests are written in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from stokly_sync.contracts.guests import Guest
from stokly_sync.contracts.owners import person
from stokly_sync.flow import Feed, Lane, Outcome, Record, State
from stokly_sync.sandbox.dotdigital import DotdigitalSandbox, DotdigitalSwitches
from stokly_sync.sandbox.kit import ManualClock, decode, encode
from stokly_sync.systems.dotdigital import DotdigitalClient, DotdigitalSettings
from stokly_sync.systems.dotdigital.documents import guest_contact
from stokly_sync.systems.transport import Clock, Unlimited
from stokly_sync.systems.transport import encode as encode_document


@dataclass
class Bench:
    """The sandbox, its clock, and how a client gets there."""

    system: DotdigitalSandbox
    clock: ManualClock
    url: str
    slept: list[float]

    def client(self, lane: Lane = Lane.BULK, **settings: Any) -> DotdigitalClient:
        """A client of the sandbox whose waiting moves the clock."""
        switches = self.system.switches
        given = {"base_url": self.url, "username": switches.username, "password": switches.password, **settings}
        clock = Clock(now=self.clock.now, monotonic=self.clock.monotonic, sleep=self._sleep)
        return DotdigitalClient(DotdigitalSettings.model_validate(given), Unlimited(), lane, clock=clock)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(seconds)

    def calls(self, method: str, path: str) -> int:
        """Requests that the sandbox has seen for a route."""
        return self.system.calls.count(method=method, template=path)

    def email_status(self, email: str) -> str | None:
        """What the person with that address has chosen."""
        contact = self.system.store.find("email", email)
        assert contact is not None
        return contact.email_status

    def reset(self) -> None:
        """Bring the sandbox back to how it was made."""
        self.system.load(decode(encode(DotdigitalSandbox().dump())))
        self.system.set_switches(**msgspec.to_builtins(DotdigitalSwitches()))
        self.system.set_limits(False)
        self.system.limits.clear()
        self.system.faults.clear()
        self.system.calls.reset()
        self.clock.advance(3600)
        self.slept.clear()


def record(key: str, document: dict[str, Any]) -> Record:
    """A planned record of that document."""
    return Record(key, encode_document(document), "hash")


def contact(key: str = "C1", email: str | None = None, **fields: Any) -> Record:
    identifiers = {"email": email or f"{key.lower()}@example.com", "stokly-id": key}
    return record(key, {"identifiers": identifiers, "dataFields": fields} if fields else {"identifiers": identifiers})


def guest(email: str) -> Record:
    return record(person(email), guest_contact(Guest(person(email), email)))


def order(key: str = "O1", customer: str = "C1", *, email: str | None = None, **json: Any) -> Record:
    identity = {"identifier": "email", "value": email} if email else {"identifier": "stokly-id", "value": customer}
    return record(key, {"key": key, "contactIdentity": identity, "json": {"id": key, **json}})


def states(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """State by key."""
    return {outcome.key: str(outcome.state) for outcome in outcomes}


def carried(feed: Feed, client: DotdigitalClient, *records: Record) -> dict[str, Outcome]:
    """Outcome by key of records that were sent and followed to their end."""
    sent = feed.send(client, records)
    assert feed.settle is not None
    settled = feed.settle(client, [outcome for outcome in sent if outcome.state is State.SUBMITTED])
    return {outcome.key: outcome for outcome in [*(o for o in sent if o.state is not State.SUBMITTED), *settled]}


def accepted(outcomes: dict[str, Outcome]) -> list[str]:
    return sorted(key for key, outcome in outcomes.items() if outcome.state is State.ACCEPTED)
