"""How the acceptance tests look into a destination and disturb it: one bench each, and the line by which it joins.

A bench speaks of records by our natural key and of feeds by name. What a destination cannot do (poison, refuse within
an answer) its bench says, and tests about it are skipped with that reason.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final, cast

import pytest

from stokly_sync.sandbox.dotdigital import DotdigitalSandbox, DotdigitalSwitches
from stokly_sync.sandbox.kit import Clock, Fault, SandboxSystem
from stokly_sync.sandbox.ometria.switches import OmetriaSwitches
from stokly_sync.sandbox.ometria.system import OmetriaSandbox

Json = dict[str, Any]


class Bench(ABC):
    """One destination as the acceptance tests see it."""

    system: ClassVar[str]
    orders: ClassVar[str]
    """Name of the feed that takes orders."""
    contacts: ClassVar[str]
    products: ClassVar[str]
    settings: ClassVar[Mapping[str, str]]
    """Environment that makes it quick."""
    small_batches: ClassVar[Mapping[str, str]]
    """Environment by which a few records make several batches."""
    write: ClassVar[Mapping[str, Any]]
    """`method` and `path` of the calls that write, as a fault matches them."""

    @abstractmethod
    def make(self, clock: Clock) -> SandboxSystem:
        """A quick sandbox, not started."""

    @abstractmethod
    def held(self, box: SandboxSystem, feed: str) -> dict[str, Json]:
        """What it holds for a feed, by our key."""

    @abstractmethod
    def taken(self, box: SandboxSystem, feed: str) -> dict[str, int]:
        """How often it took each record that a feed sent, by our key."""

    @abstractmethod
    def poison(self, box: SandboxSystem, *keys: str) -> None:
        """Refuse every batch that holds one of these, without naming it; none heals."""

    @abstractmethod
    def refuse_inside(self, box: SandboxSystem, *keys: str) -> None:
        """Refuse these by name inside an answer of success; none heals."""

    @abstractmethod
    def fail_later(self, box: SandboxSystem, *keys: str) -> None:
        """Take these, and let them fail afterwards; none heals."""

    @abstractmethod
    def revoke(self, box: SandboxSystem) -> None:
        """Accept our credentials no longer."""

    @abstractmethod
    def leave(self, box: SandboxSystem, email: str) -> None:
        """Let the person with that address opt out of e-mail there."""

    @abstractmethod
    def choice(self, box: SandboxSystem, key: str) -> str | None:
        """Whether a customer may be written to as it sees it: in, out, or nobody said."""

    def fault(self, **how: Any) -> Fault:
        """A fault that hits the calls that write."""
        return Fault(**{**self.write, **how})

    def writes(self, box: SandboxSystem) -> int:
        """Calls that write, whatever became of them."""
        return sum(
            int(row["calls"])
            for row in box.calls.rows()
            if row["method"] == self.write["method"] and str(row["template"]) == self.write["path"]
        )

    def flat(self, box: SandboxSystem) -> dict[str, dict[str, Json]]:
        """Everything that it holds, by feed."""
        return {feed: self.held(box, feed) for feed in (self.contacts, self.products, self.orders)}


class OmetriaBench(Bench):
    """Ometria: one path for all writes, an upsert by id, a queue behind it."""

    system = "ometria"
    orders = "orders"
    contacts = "contacts"
    products = "products"
    settings: ClassVar[Mapping[str, str]] = {"OMETRIA_QUEUE_DRAIN_WAIT": "0.1", "OMETRIA_RATE": "5000"}
    small_batches: ClassVar[Mapping[str, str]] = {"OMETRIA_BATCH": "5"}
    write: ClassVar[Mapping[str, Any]] = {"method": "POST", "path": "/v2/push"}

    def make(self, clock: Clock) -> SandboxSystem:
        return OmetriaSandbox(clock=clock, switches=OmetriaSwitches(queue_delay=0.01))

    def held(self, box: SandboxSystem, feed: str) -> dict[str, Json]:
        store = cast("OmetriaSandbox", box).store
        cast("OmetriaSandbox", box).settle()
        shelves: dict[str, Any] = {
            "contacts": store.contacts.get("stokly", {}),
            "products": store.products,
            "stock": {k: r for k, r in store.products.items() if "is_in_stock" in r.fields},
            "orders": store.orders,
            "dispatches": store.events,
        }
        return {key: row.fields for key, row in shelves[feed].items()}

    def taken(self, box: SandboxSystem, feed: str) -> dict[str, int]:
        prefix = {"contacts": "contact/stokly/", "orders": "order/", "dispatches": "custom_event/"}.get(
            feed, "product/"
        )
        pushed = cast("OmetriaSandbox", box).store.pushed
        return {name.removeprefix(prefix): n for name, n in pushed.items() if name.startswith(prefix)}

    def poison(self, box: SandboxSystem, *keys: str) -> None:
        box.set_switches(poison_ids=list(keys))

    def refuse_inside(self, box: SandboxSystem, *keys: str) -> None:
        box.set_switches(reject_inside_ids=list(keys))

    def fail_later(self, box: SandboxSystem, *keys: str) -> None:
        box.set_switches(failing_ids=list(keys))

    def revoke(self, box: SandboxSystem) -> None:
        box.set_switches(api_key="another-sandbox-key")

    def leave(self, box: SandboxSystem, email: str) -> None:
        cast("OmetriaSandbox", box).unsubscribe(email)

    def choice(self, box: SandboxSystem, key: str) -> str | None:
        contact = self.held(box, "contacts")[key]
        if any(row.email_address == contact["email"] for row in cast("OmetriaSandbox", box).store.unsubscribes):
            return "out"  # an explicit opt-out wins over our listing
        said = contact.get("marketing_optin")
        return {"EXPLICITLY_OPTEDIN": "in", "EXPLICITLY_OPTEDOUT": "out"}.get(str(said))

    def flat(self, box: SandboxSystem) -> dict[str, dict[str, Json]]:
        return super().flat(box) | {"dispatches": self.held(box, "dispatches")}


class DotdigitalBench(Bench):
    """Dotdigital: asynchronous imports of contacts and of insight data, each record replacing what is there."""

    system = "dotdigital"
    orders = "orders"
    contacts = "contacts"
    products = "products"
    settings: ClassVar[Mapping[str, str]] = {"DOTDIGITAL_RATE": "5000"}
    small_batches: ClassVar[Mapping[str, str]] = {"DOTDIGITAL_BATCH": "5"}
    write: ClassVar[Mapping[str, Any]] = {"method": "PUT", "path": "^/(contacts|insightData)/v3/import$"}
    imports = ("/contacts/v3/import", "/insightData/v3/import")
    collections: ClassVar[Mapping[str, str]] = {"products": "catalog_stokly", "orders": "Orders"}

    def make(self, clock: Clock) -> SandboxSystem:
        return DotdigitalSandbox(clock=clock, switches=DotdigitalSwitches(import_delay=0.01))

    def held(self, box: SandboxSystem, feed: str) -> dict[str, Json]:
        store = cast("DotdigitalSandbox", box).store
        cast("DotdigitalSandbox", box).settle()
        if feed == "dispatches":
            return {str(event["id"]): event["eventData"] for event in store.events}
        if feed == "contacts":
            ours = [c for c in store.contacts.values() if "stokly-id" in c.identifiers]
            return {c.identifiers["stokly-id"]: {**c.fields, **c.identifiers} for c in ours}
        collection = store.collections.get(self.collections[feed])
        return {key: row.json for key, row in collection.records.items()} if collection else {}

    def taken(self, box: SandboxSystem, feed: str) -> dict[str, int]:
        cast("DotdigitalSandbox", box).settle()
        name = self.collections.get(feed)
        prefix = "contact/stokly-id/" if name is None else f"insight/{name}/"
        counted = cast("DotdigitalSandbox", box).store.carried_out
        return {key.removeprefix(prefix): n for key, n in counted.items() if key.startswith(prefix)}

    def poison(self, box: SandboxSystem, *keys: str) -> None:
        box.set_switches(poison_ids=list(keys))

    def refuse_inside(self, box: SandboxSystem, *keys: str) -> None:
        del box, keys
        pytest.skip("Dotdigital answers an import before it looks at any record")

    def fail_later(self, box: SandboxSystem, *keys: str) -> None:
        box.set_switches(failing_ids=list(keys))

    def revoke(self, box: SandboxSystem) -> None:
        box.set_switches(password="another-sandbox-password")

    def leave(self, box: SandboxSystem, email: str) -> None:
        cast("DotdigitalSandbox", box).unsubscribe(email)

    def choice(self, box: SandboxSystem, key: str) -> str | None:
        cast("DotdigitalSandbox", box).settle()
        contact = cast("DotdigitalSandbox", box).store.find("stokly-id", key)
        status = contact.email_status if contact else None
        return {"subscribed": "in", "unsubscribed": "out", "suppressed": "out"}.get(str(status))

    def writes(self, box: SandboxSystem) -> int:
        return sum(
            int(row["calls"])
            for row in box.calls.rows()
            if row["method"] == "PUT" and str(row["template"]) in self.imports
        )

    def flat(self, box: SandboxSystem) -> dict[str, dict[str, Json]]:
        return super().flat(box) | {"dispatches": self.held(box, "dispatches")}


BENCHES: Final[tuple[Bench, ...]] = (OmetriaBench(), DotdigitalBench())
"""Every destination that is held to the acceptance tests."""
