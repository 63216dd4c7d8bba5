"""The marketing systems on the bench: customers and orders of Stokly become contacts and orders there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, cast

from stokly_sync.sandbox.dotdigital import DotdigitalSandbox, DotdigitalSwitches
from stokly_sync.sandbox.emarsys import EmarsysSandbox, EmarsysSwitches
from stokly_sync.sandbox.emarsys.catalogue import poll_catalogue
from stokly_sync.sandbox.kit import Clock, SandboxSystem
from stokly_sync.sandbox.ometria.switches import OmetriaSwitches
from stokly_sync.sandbox.ometria.system import OmetriaSandbox
from stokly_sync.sandbox.seeds.words import stamp
from stokly_sync.sandbox.stokly import Put
from stokly_sync_tests.acceptance.account import add_customers, add_order, order_ids
from stokly_sync_tests.acceptance.bench import PLACES, SETTLING, Bench, Json, Way
from stokly_sync_tests.acceptance.harness import Rig

# Collection of Stokly, its key, the member that tests change, and the member with the time of the last change.
_SOURCES: Mapping[str, tuple[str, str, str, str]] = {
    "contacts": ("customers", "customerId", "name", "updatedAt"),
    "orders": ("saleorders", "saleOrderId", "shippingAddressCity", "updatedAt"),
}


class Marketing(Bench):
    """What the marketing systems have in common."""

    main = "contacts"
    follows = "orders"
    changes: ClassVar[str] = "orders"
    beside: ClassVar[tuple[str, ...]] = ("dispatches",)
    """Feeds that are looked at too when everything is looked at."""
    places: ClassVar[tuple[str, ...]] = (*PLACES, *SETTLING)

    def add(self, rig: Rig, feed: str, numbers: Iterable[int], *, created: datetime | None = None) -> list[str]:
        if feed == self.main:
            return add_customers(rig.stokly, numbers, created=created)
        return [add_order(rig.stokly, number, created=created) for number in numbers]

    def change(self, rig: Rig, feed: str, key: str, word: str, *, at: datetime | None = None) -> None:
        collection, name, member, time = _SOURCES[feed]
        told = {} if at is None else {time: stamp(at)}
        rig.stokly.mutate(Put(collection=collection, row={name: key, member: word, **told}))

    def keep(self, rig: Rig, feed: str, key: str) -> Callable[[], None]:
        collection, *_ = _SOURCES[feed]
        old = dict(rig.stokly.store.get(collection, key))
        return lambda: rig.stokly.mutate(Put(collection=collection, row=old, touch=False))

    def spoil(self, rig: Rig, number: int, *, created: datetime) -> None:
        add_order(rig.stokly, number, created=created, currency="POUNDS")

    def wanted(self, rig: Rig) -> dict[str, list[str]]:
        return {
            "contacts": [row["customerId"] for row in rig.stokly.store.rows("customers")],
            "products": [row["sku"] for row in rig.stokly.store.rows("items")],
            "orders": order_ids(rig.stokly),
        }

    def flat(self, rig: Rig) -> dict[str, dict[str, Json]]:
        return super().flat(rig) | {feed: self.held(rig, feed) for feed in self.beside}

    def leave(self, rig: Rig, email: str) -> None:
        cast("Any", rig.there).unsubscribe(email)

    def join(self, rig: Rig, email: str) -> None:
        cast("Any", rig.there).subscribe(email)


class OmetriaBench(Marketing):
    """Ometria: one path for all writes, an upsert by id, a queue behind it."""

    system = "ometria"
    settings: ClassVar[Mapping[str, str]] = {"OMETRIA_QUEUE_DRAIN_WAIT": "0.1", "OMETRIA_RATE": "5000"}
    small_batches: ClassVar[Mapping[str, str]] = {"OMETRIA_BATCH": "5"}
    write: ClassVar[Mapping[str, Any]] = {"method": "POST", "path": "/v2/push"}
    switch: ClassVar[Mapping[Way, str]] = {
        "whole": "poison_ids",
        "inside": "reject_inside_ids",
        "later": "failing_ids",
    }

    def make(self, clock: Clock) -> SandboxSystem:
        return OmetriaSandbox(clock=clock, switches=OmetriaSwitches(queue_delay=0.01))

    def held(self, rig: Rig, feed: str) -> dict[str, Json]:
        there = cast("OmetriaSandbox", rig.there)
        there.settle()
        store = there.store
        shelves: dict[str, Any] = {
            "contacts": store.contacts.get("stokly", {}),
            "products": store.products,
            "stock": {k: r for k, r in store.products.items() if "is_in_stock" in r.fields},
            "orders": store.orders,
            "dispatches": store.events,
        }
        return {key: row.fields for key, row in shelves[feed].items()}

    def taken(self, rig: Rig, feed: str) -> dict[str, int]:
        prefix = {"contacts": "contact/stokly/", "orders": "order/", "dispatches": "custom_event/"}.get(
            feed, "product/"
        )
        pushed = cast("OmetriaSandbox", rig.there).store.pushed
        return {name.removeprefix(prefix): n for name, n in pushed.items() if name.startswith(prefix)}

    def refuse(self, rig: Rig, way: Way, *keys: str) -> None:
        rig.there.set_switches(**{self.switch[way]: list(keys)})

    def revoke(self, rig: Rig) -> None:
        rig.there.set_switches(api_key="another-sandbox-key")

    def choice(self, rig: Rig, key: str) -> str | None:
        contact = self.held(rig, "contacts")[key]
        unsubscribes = cast("OmetriaSandbox", rig.there).store.unsubscribes
        if any(row.email_address == contact["email"] for row in unsubscribes):
            return "out"  # an explicit opt-out wins over our listing
        said = contact.get("marketing_optin")
        return {"EXPLICITLY_OPTEDIN": "in", "EXPLICITLY_OPTEDOUT": "out"}.get(str(said))


class DotdigitalBench(Marketing):
    """Dotdigital: asynchronous imports of contacts and of insight data, each record replacing what is there."""

    system = "dotdigital"
    lacks: ClassVar[Mapping[str, str]] = {"inside": "Dotdigital answers an import before it looks at any record"}
    engines = ("postgresql",)
    settings: ClassVar[Mapping[str, str]] = {"DOTDIGITAL_RATE": "5000"}
    small_batches: ClassVar[Mapping[str, str]] = {"DOTDIGITAL_BATCH": "5"}
    write: ClassVar[Mapping[str, Any]] = {"method": "PUT", "path": "^/(contacts|insightData)/v3/import$"}
    switch: ClassVar[Mapping[Way, str]] = {"whole": "poison_ids", "later": "failing_ids"}
    imports = ("/contacts/v3/import", "/insightData/v3/import")
    collections: ClassVar[Mapping[str, str]] = {"products": "catalog_stokly", "orders": "Orders"}

    def make(self, clock: Clock) -> SandboxSystem:
        return DotdigitalSandbox(clock=clock, switches=DotdigitalSwitches(import_delay=0.01))

    def held(self, rig: Rig, feed: str) -> dict[str, Json]:
        there = cast("DotdigitalSandbox", rig.there)
        there.settle()
        store = there.store
        if feed == "dispatches":
            return {str(event["id"]): event["eventData"] for event in store.events}
        if feed == "contacts":
            ours = [c for c in store.contacts.values() if "stokly-id" in c.identifiers]
            return {c.identifiers["stokly-id"]: {**c.fields, **c.identifiers} for c in ours}
        collection = store.collections.get(self.collections[feed])
        return {key: row.json for key, row in collection.records.items()} if collection else {}

    def taken(self, rig: Rig, feed: str) -> dict[str, int]:
        there = cast("DotdigitalSandbox", rig.there)
        there.settle()
        name = self.collections.get(feed)
        prefix = "contact/stokly-id/" if name is None else f"insight/{name}/"
        counted = there.store.carried_out
        return {key.removeprefix(prefix): n for key, n in counted.items() if key.startswith(prefix)}

    def refuse(self, rig: Rig, way: Way, *keys: str) -> None:
        rig.there.set_switches(**{self.switch[way]: list(keys)})

    def revoke(self, rig: Rig) -> None:
        rig.there.set_switches(password="another-sandbox-password")

    def choice(self, rig: Rig, key: str) -> str | None:
        there = cast("DotdigitalSandbox", rig.there)
        there.settle()
        contact = there.store.find("stokly-id", key)
        status = contact.email_status if contact else None
        return {"subscribed": "in", "unsubscribed": "out", "suppressed": "out"}.get(str(status))

    def writes(self, box: SandboxSystem) -> int:
        return sum(
            int(row["calls"])
            for row in box.calls.rows()
            if row["method"] == "PUT" and str(row["template"]) in self.imports
        )


class EmarsysBench(Marketing):
    """Emarsys: contacts by row, sales data that can only be added to, and a catalogue file that is fetched whole."""

    system = "emarsys"
    changes = "contacts"
    once: ClassVar[frozenset[str]] = frozenset({"orders"})
    lacks: ClassVar[Mapping[str, str]] = {
        "later": "Emarsys says at once what becomes of a contact, and of a catalogue nothing"
    }
    beside = ("refunds", "dispatches")
    places = PLACES
    engines = ("postgresql",)
    settings: ClassVar[Mapping[str, str]] = {"EMARSYS_RATE_PER_MINUTE": "1000", "EMARSYS_DISPATCH_DAYS": "100000"}
    small_batches: ClassVar[Mapping[str, str]] = {"EMARSYS_BATCH": "5", "EMARSYS_SALES_BATCH": "3"}
    write: ClassVar[Mapping[str, Any]] = {"method": "PUT", "path": "^/api/v3/contact/?$"}
    key: ClassVar[str] = "stokly_customer_id"

    def make(self, clock: Clock) -> SandboxSystem:
        return EmarsysSandbox(clock=clock, switches=EmarsysSwitches())

    def held(self, rig: Rig, feed: str) -> dict[str, Json]:
        there = cast("EmarsysSandbox", rig.there)
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

    def taken(self, rig: Rig, feed: str) -> dict[str, int]:
        there = cast("EmarsysSandbox", rig.there)
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

    def refuse(self, rig: Rig, way: Way, *keys: str) -> None:
        if way == "inside":
            rig.there.set_switches(refused=list(keys))
            return
        rig.there.faults.clear()
        for key in keys:
            told = '{"replyCode":1,"replyText":"The request cannot be processed","data":""}'
            rig.there.faults.add(self.fault(body=key, status=400, text=told, times=None))

    def revoke(self, rig: Rig) -> None:
        rig.there.set_switches(refuse_tokens=True)

    def choice(self, rig: Rig, key: str) -> str | None:
        return {"1": "in", "2": "out"}.get(str(self.held(rig, "contacts")[key].get("31")))

    def writes(self, box: SandboxSystem) -> int:
        return sum(
            int(row["calls"])
            for row in box.calls.rows()
            if row["method"] == "PUT" or "/hapi/" in str(row["template"]) or str(row["template"]).endswith("/trigger")
        )
