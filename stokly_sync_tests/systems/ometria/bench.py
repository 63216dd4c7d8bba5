"""A client of the Ometria sandbox that shares its hand-moved clock, and the words that its tests are written in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from stokly_sync.flow import Lane, Outcome, Record
from stokly_sync.sandbox.kit import ManualClock, decode, encode
from stokly_sync.sandbox.ometria import OmetriaSandbox, OmetriaSwitches
from stokly_sync.systems.ometria import OmetriaClient, OmetriaSettings
from stokly_sync.systems.ometria.client import RETRY
from stokly_sync.systems.transport import Clock, Unlimited
from stokly_sync.systems.transport import encode as encode_document


@dataclass
class Bench:
    """The sandbox, its clock, and how a client gets there."""

    system: OmetriaSandbox
    clock: ManualClock
    url: str
    slept: list[float]

    def client(self, lane: Lane = Lane.BULK, **settings: Any) -> OmetriaClient:
        """A client of the sandbox whose waiting moves the clock."""
        given = {"base_url": f"{self.url}/v2", "api_key": self.system.switches.api_key, **settings}
        clock = Clock(now=self.clock.now, monotonic=self.clock.monotonic, sleep=self._sleep)
        return OmetriaClient(OmetriaSettings.model_validate(given), Unlimited(), lane, retry=RETRY, clock=clock)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(seconds)

    def calls(self, method: str, path: str) -> int:
        """Requests that the sandbox has seen for a route below `/v2`."""
        return self.system.calls.count(method=method, template=f"/v2{path}")

    def reset(self) -> None:
        """Bring the sandbox back to how it was made."""
        self.system.load(decode(encode(OmetriaSandbox().dump())))
        self.system.set_switches(**msgspec.to_builtins(OmetriaSwitches()))
        self.system.set_limits(False)
        self.system.faults.clear()
        self.system.calls.reset()
        self.clock.advance(3600)
        self.slept.clear()


def record(document: dict[str, Any]) -> Record:
    """A planned record of that document; its key is the document's id, as in every feed of Ometria."""
    return Record(document["id"], encode_document(document), "hash")


def contact(key: str = "C1", **more: Any) -> Record:
    given = {
        "@type": "contact",
        "@collection": "stokly",
        "@merge": True,
        "id": key,
        "email": f"{key.lower()}@example.com",
    }
    return record({**given, **more})


def states(outcomes: Any) -> dict[str, str]:
    """State by key."""
    found: list[Outcome] = list(outcomes)
    return {outcome.key: str(outcome.state) for outcome in found}
