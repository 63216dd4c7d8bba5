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
from stokly_sync.sandbox.emarsys import EmarsysSandbox, EmarsysSwitches
from stokly_sync.sandbox.emarsys.catalogue import poll_catalogue
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
    appends: ClassVar[bool] = False
    """Whether orders are only ever added to: then nothing that is held is sent again, and no order is sent whole."""
    settles: ClassVar[bool] = True
    """Whether it takes records first and tells their fate later."""
    elsewhere: ClassVar[frozenset[str]] = frozenset()
    """Feeds that are published in a place of our own instead of sent by calls."""
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

    def join(self, box: SandboxSystem, email: str) -> None:
        """Let the person with that address opt in to e-mail there."""
        cast("Any", box).subscribe(email)

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


class EmarsysBench(Bench):
    """Emarsys: contacts by row, sales data that can only be added to, and a catalogue file that is fetched whole."""

    system = "emarsys"
    orders = "orders"
    contacts = "contacts"
    products = "products"
    settings: ClassVar[Mapping[str, str]] = {"EMARSYS_RATE_PER_MINUTE": "1000", "EMARSYS_DISPATCH_DAYS": "100000"}
    small_batches: ClassVar[Mapping[str, str]] = {"EMARSYS_BATCH": "5", "EMARSYS_SALES_BATCH": "3"}
    appends = True
    settles = False
    elsewhere: ClassVar[frozenset[str]] = frozenset({"products"})
    write: ClassVar[Mapping[str, Any]] = {"method": "PUT", "path": "^/api/v3/contact/?$"}
    key: ClassVar[str] = "stokly_customer_id"

    def make(self, clock: Clock) -> SandboxSystem:
        return EmarsysSandbox(clock=clock, switches=EmarsysSwitches())

    def held(self, box: SandboxSystem, feed: str) -> dict[str, Json]:
        there = cast("EmarsysSandbox", box)
        if feed == "products":
            if (there.catalogue_folder / "catalogue.csv").exists():
                assert poll_catalogue(there).done
            return dict(there.catalogue.products)
        if feed == "dispatches":
            counted = [trigger for trigger in there.store.triggers if not trigger.dropped]
            return {str(t.trigger_id).removeprefix("stokly-dispatch-"): t.data for t in counted}
        if feed == "contacts":
            return {key: contact.fields for key, contact in self._contacts(there).items()}
        held: dict[str, Json] = {}
        for line in there.sales.shown():
            if (float(line["quantity"]) < 0 or float(line["price"]) < 0) == (feed == "refunds"):
                held.setdefault(line["order"], {})[line["item"]] = line
        return held

    def taken(self, box: SandboxSystem, feed: str) -> dict[str, int]:
        there = cast("EmarsysSandbox", box)
        if feed == "contacts":
            return {key: contact.writes for key, contact in self._contacts(there).items()}
        lines = [(line["order"], line["item"]) for line in there.sales.shown() if float(line["quantity"]) > 0]
        return {order: max(lines.count(line) for line in lines if line[0] == order) for order, _ in lines}

    def _contacts(self, there: EmarsysSandbox) -> dict[str, Any]:
        field = there.store.fields.named(self.key)
        if field is None:
            return {}
        carried = ((contact.fields.get(field.id), contact) for contact in there.store.contacts.values())
        return {key: contact for key, contact in carried if isinstance(key, str) and not key.startswith("guest:")}

    def poison(self, box: SandboxSystem, *keys: str) -> None:
        box.faults.clear()
        for key in keys:
            told = '{"replyCode":1,"replyText":"The request cannot be processed","data":""}'
            box.faults.add(self.fault(body=key, status=400, text=told, times=None))

    def refuse_inside(self, box: SandboxSystem, *keys: str) -> None:
        box.set_switches(refused=list(keys))

    def fail_later(self, box: SandboxSystem, *keys: str) -> None:
        del box
        if keys:
            pytest.skip("Emarsys says at once what becomes of a contact, and of a catalogue nothing")

    def revoke(self, box: SandboxSystem) -> None:
        box.set_switches(refuse_tokens=True)

    def leave(self, box: SandboxSystem, email: str) -> None:
        cast("EmarsysSandbox", box).unsubscribe(email)

    def choice(self, box: SandboxSystem, key: str) -> str | None:
        return {"1": "in", "2": "out"}.get(str(self.held(box, "contacts")[key].get("31")))

    def writes(self, box: SandboxSystem) -> int:
        return sum(
            int(row["calls"])
            for row in box.calls.rows()
            if row["method"] == "PUT" or "/hapi/" in str(row["template"]) or str(row["template"]).endswith("/trigger")
        )

    def flat(self, box: SandboxSystem) -> dict[str, dict[str, Json]]:
        return super().flat(box) | {name: self.held(box, name) for name in ("refunds", "dispatches")}


BENCHES: Final[tuple[Bench, ...]] = (OmetriaBench(), DotdigitalBench(), EmarsysBench())
"""Every destination that is held to the acceptance tests."""
