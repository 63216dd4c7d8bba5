"""What happens to a record when the queue comes to it: it is checked, merged and stored, or it fails.

Belongs here: the order of those steps and the rules that need the store (merging, unknown products, the
number of custom fields). Source: Ometria API contract 1 (custom fields), 2 (update semantics), 3 (order,
custom_event) and 6.2 (unknown products).
"""

from collections.abc import Callable
from typing import Any

from stokly_sync.sandbox.kit import Clock
from stokly_sync.sandbox.ometria.push import is_named
from stokly_sync.sandbox.ometria.queue import ErrorRing, PushQueue
from stokly_sync.sandbox.ometria.store import Record, Store, UnknownLine, Unsubscribe, bump, record_key
from stokly_sync.sandbox.ometria.switches import OmetriaSwitches
from stokly_sync.sandbox.ometria.validation import (
    EVENT_TYPE_LIMIT,
    FIELDS,
    Problem,
    find_missing,
    find_problem,
)

CUSTOM_FIELD_LIMIT = 100


class Intake:
    """The way from the queue into the store."""

    def __init__(
        self,
        *,
        store: Store,
        queue: PushQueue,
        errors: ErrorRing,
        switches: OmetriaSwitches,
        clock: Clock,
        touch: Callable[[], None],
    ) -> None:
        self.store = store
        self._queue = queue
        self._errors = errors
        self._switches = switches
        self._clock = clock
        self._touch = touch

    def work(self) -> None:
        """Process every record that is due."""
        due = self._queue.due(delay=self._switches.queue_delay, per_second=self._switches.drain_per_second)
        for waiting in due:
            self._touch()
            problem = self._process(waiting.record)
            if problem is not None:
                self._errors.add(waiting, problem, now=self._clock.now())

    def check(self, record: Record) -> Problem | None:
        """What would be wrong with the record if it were processed now; changes nothing."""
        problem = find_problem(record)
        if problem is not None:
            return problem
        kind = record["@type"]
        return find_missing(kind, self._merged(kind, record)) or self._too_many_fields(kind, record)

    def _process(self, record: Record) -> Problem | None:
        if is_named(record, self._switches.lost_ids):
            return None
        if is_named(record, self._switches.failing_ids):
            return Problem.at()
        problem = self.check(record)
        if problem is not None:
            return problem
        kind: str = record["@type"]
        whole = self._known_members(kind, self._merged(kind, record))
        if kind == "order":
            problem = self._settle_lines(whole)
            if problem is not None:
                return problem
        if kind == "custom_event":
            whole["event_type"] = whole["event_type"][:EVENT_TYPE_LIMIT]
        self.store.custom_fields.setdefault(kind, set()).update(record.get("properties") or {})
        self._keep(kind, whole)
        return None

    def _merged(self, kind: str, record: Record) -> Record:
        """The record, on top of the stored one if it asks for `@merge`; a null member counts as unset."""
        given = {name: value for name, value in record.items() if value is not None}
        stored = self.store.find(kind, record) if record.get("@merge") else None
        return {**stored.fields, **given} if stored is not None else given

    def _too_many_fields(self, kind: str, record: Record) -> Problem | None:
        known = self.store.custom_fields.get(kind, set())
        names = set(record.get("properties") or {})
        return Problem.at("properties") if len(known | names) > CUSTOM_FIELD_LIMIT else None

    def _known_members(self, kind: str, whole: Record) -> Record:
        kept: Record = {}
        for name, value in whole.items():
            if name in FIELDS[kind] or name in ("@type", "properties"):
                kept[name] = value
            else:
                bump(self.store.ignored, f"{kind}.{name}")
        return kept

    def _settle_lines(self, order: Record) -> Problem | None:
        """Note lines with unknown products, and store, drop or refuse them as the switch says."""
        kept: list[dict[str, Any]] = []
        refused: int | None = None
        for position, line in enumerate(order.get("lineitems") or []):
            self._make_variant(line)
            variant = line.get("variant_id")
            unknown = line["product_id"] not in self.store.products
            if unknown or (variant is not None and variant not in self.store.products):
                done = self._switches.unknown_product if unknown else "store"
                self.store.unknown_lines.append(UnknownLine(order["id"], position, line["product_id"], variant, done))
                if done == "drop":
                    continue
                if done == "reject" and refused is None:
                    refused = position
            kept.append(line)
        if refused is not None:
            return Problem.at("lineitems", str(refused), "product_id")
        if "lineitems" in order:
            order["lineitems"] = kept
        return None

    def _make_variant(self, line: dict[str, Any]) -> None:
        """A variant first seen on an order with its options becomes a product of its own (section 3)."""
        variant = line.get("variant_id")
        if variant is None or variant in self.store.products or not line.get("variant_options"):
            return
        made = {"id": variant, "is_variant": True, "attributes": line["variant_options"]}
        self.store.put("product", made, now=self._clock.now())

    def _keep(self, kind: str, whole: Record) -> None:
        now = self._clock.now()
        before = self.store.find(kind, whole)
        was_out = before is not None and before.fields.get("marketing_optin") == "EXPLICITLY_OPTEDOUT"
        stored = self.store.put(kind, whole, now=now)
        if kind != "contact":
            return
        email = whole["email"]
        stored.profile_id = self.store.profile_for(customer_id=whole.get("customer_id"), email=email)
        if whole.get("marketing_optin") == "EXPLICITLY_OPTEDOUT" and not was_out:
            self.store.unsubscribes.append(Unsubscribe(stored.profile_id, email, "email", now, "api"))


def count_pushed(store: Store, records: list[Record]) -> None:
    """Count the records of a push that was let in, by key."""
    for record in records:
        bump(store.pushed, record_key(record["@type"], record))
