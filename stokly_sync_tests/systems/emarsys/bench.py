"""A client of the Emarsys sandbox that shares its hand-moved clock, and the words that its tests are written in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from stokly_sync.flow import Lane, Outcome, Record
from stokly_sync.sandbox.emarsys import EmarsysSandbox, EmarsysSwitches
from stokly_sync.sandbox.emarsys.store import Contact
from stokly_sync.sandbox.kit import ManualClock, decode, encode
from stokly_sync.systems.emarsys import EmarsysClient, EmarsysSettings
from stokly_sync.systems.transport import Clock, Unlimited
from stokly_sync.systems.transport import encode as encode_document

ID_FIELD = "stokly_customer_id"


@dataclass
class Bench:
    """The sandbox, its clock, and how a client gets there."""

    system: EmarsysSandbox
    clock: ManualClock
    url: str
    slept: list[float]

    def client(self, lane: Lane = Lane.BULK, **settings: Any) -> EmarsysClient:
        """A client of the sandbox whose waiting moves the clock."""
        env = {k.removeprefix("EMARSYS_").lower(): v for k, v in self.system.settings_env(self.url).items()}
        clock = Clock(now=self.clock.now, monotonic=self.clock.monotonic, sleep=self._sleep)
        return EmarsysClient(EmarsysSettings.model_validate({**env, **settings}), Unlimited(), lane, clock=clock)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(seconds)

    def calls(self, path: str) -> int:
        """Requests that the sandbox has seen for paths that end so."""
        return sum(int(row["calls"]) for row in self.system.calls.rows() if str(row["template"]).endswith(path))

    def contact(self, customer: str) -> Contact:
        """The one contact that carries a customer id."""
        field = self.system.store.fields.named(ID_FIELD)
        assert field is not None
        (found,) = self.system.store.find(field.id, customer)
        return found

    def value(self, customer: str, name: str) -> Any:
        """A custom field of a contact, by its name."""
        field = self.system.store.fields.named(name)
        assert field is not None
        return self.contact(customer).fields.get(field.id)

    def make(self, email: str, customer: str | None = None, **fields: str) -> Contact:
        """A contact that somebody else has made; `fields` by number, such as `f31="2"`."""
        store, now = self.system.store, self.clock.now()
        made = store.create(at=now)
        store.write(made, "3", email, at=now)
        for name, value in fields.items():
            store.write(made, name.removeprefix("f"), value, at=now)
        if customer is not None:
            field = store.fields.named(ID_FIELD) or store.fields.add(ID_FIELD, "shorttext")
            store.write(made, field.id, customer, at=now)
        return made

    def reset(self) -> None:
        """Bring the sandbox back to how it was made."""
        self.system.load(decode(encode(EmarsysSandbox().dump())))
        self.system.set_switches(**msgspec.to_builtins(EmarsysSwitches()))
        self.system.set_limits(False)
        self.system.faults.clear()
        self.system.calls.reset()
        for left in self.system.catalogue_folder.iterdir():
            left.unlink()
        self.clock.advance(3600)
        self.slept.clear()


def record(key: str, document: dict[str, Any]) -> Record:
    """A planned record of that document."""
    return Record(key, encode_document(document), "hash")


def contact(key: str = "C1", email: str | None = None, *, merged: Sequence[str] = (), **fields: str) -> Record:
    body: dict[str, Any] = {"customer": key, "email": email or f"{key.lower()}@example.com", "fields": fields}
    return record(key, {**body, "merged": list(merged)} if merged else body)


def sale(key: str = "O1", customer: str = "C1", *, email: str = "c1@example.com", **more: Any) -> Record:
    lines = [{"item": "SKU-1", "quantity": 2, "price": Decimal("24.00")}]
    body: dict[str, Any] = {"order": key, "customer": customer, "email": email}
    body |= {"at": "2026-03-01T09:30:00Z", "ordered_at": "2026-03-01T09:30:00Z", "currency": "GBP", "channel": "Web"}
    return record(key, {**body, "lines": lines, **more})


def dispatch(key: str = "D1", customer: str = "C1", **told: str) -> Record:
    body = {"customer": customer, "email": "c1@example.com"}
    return record(key, {**body, "at": "2026-03-01T09:30:00Z", "told": {"orderId": "O1", **told}})


def states(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """State by key."""
    return {outcome.key: str(outcome.state) for outcome in outcomes}


def rules(outcomes: Sequence[Outcome]) -> dict[str, str | None]:
    """Rule by key of what was rejected."""
    return {outcome.key: outcome.rule for outcome in outcomes if outcome.rule is not None}
