"""What the Ometria sandbox holds: contacts by collection, products, orders, events, profiles.

Belongs here: keeping records, merging them, and the counters by which tests tell a needed push from a
needless one. Whether a record may come in is decided in `intake`; how it is shown, in `reading`.
Source: Ometria API contract 2 (update semantics), 3 (profiles) and 4 (read-back members).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

Record = dict[str, Any]

DEFAULT_COLLECTION = "default"
"""Where a contact without `@collection` goes; the contract does not say."""

COMMANDS = frozenset({"@type", "@merge", "@force_optin", "@add_to_lists", "@remove_from_lists"})
"""Members that tell the vendor what to do and are no part of the record."""


class Stored(msgspec.Struct):
    """A record as held: `number` is the internal id by which lists are ordered; times are UTC."""

    number: int
    fields: Record
    created: datetime
    updated: datetime
    version: int = 1
    profile_id: str | None = None


class UnknownLine(msgspec.Struct, frozen=True):
    """An order line whose product or variant was not known when the order was processed."""

    order_id: str
    line: int
    product_id: str
    variant_id: str | None
    done: str


class Unsubscribe(msgspec.Struct, frozen=True):
    """One row of `GET /unsubscribes`."""

    profile_id: str | None
    email_address: str
    type: str
    timestamp: datetime
    reason: str


class Store(msgspec.Struct):
    """All state but the queue; every mapping keeps the order in which its keys first came."""

    contacts: dict[str, dict[str, Stored]] = msgspec.field(default_factory=dict)
    products: dict[str, Stored] = msgspec.field(default_factory=dict)
    orders: dict[str, Stored] = msgspec.field(default_factory=dict)
    events: dict[str, Stored] = msgspec.field(default_factory=dict)
    unsubscribes: list[Unsubscribe] = msgspec.field(default_factory=list)
    custom_fields: dict[str, set[str]] = msgspec.field(default_factory=dict)
    unknown_lines: list[UnknownLine] = msgspec.field(default_factory=list)
    profiles: dict[str, str] = msgspec.field(default_factory=dict)
    pushed: dict[str, int] = msgspec.field(default_factory=dict)
    unchanged: dict[str, int] = msgspec.field(default_factory=dict)
    ignored: dict[str, int] = msgspec.field(default_factory=dict)
    last_number: int = 0

    def find(self, kind: str, record: Record) -> Stored | None:
        """The stored record with the same type, id, and for contacts collection."""
        return self._shelf(kind, record).get(record["id"])

    def all_contacts(self) -> Iterator[Stored]:
        """Every contact of every collection."""
        for collection in self.contacts.values():
            yield from collection.values()

    def put(self, kind: str, record: Record, *, now: datetime) -> Stored:
        """Hold the record under its key: a new one, or the known one with new fields and a later version."""
        shelf = self._shelf(kind, record)
        known = shelf.get(record["id"])
        fields = {name: value for name, value in record.items() if name not in COMMANDS and value is not None}
        if known is None:
            self.last_number += 1
            known = shelf[record["id"]] = Stored(self.last_number, fields, now, now)
        else:
            if known.fields == fields:
                bump(self.unchanged, record_key(kind, record))
            known.fields, known.updated, known.version = fields, now, known.version + 1
        return known

    def profile_for(self, *, customer_id: str | None, email: str | None) -> str | None:
        """The profile of a person, found by customer id, then by e-mail, else made (section 3)."""
        keys = [f"customer {customer_id}"] if customer_id else []
        keys += [f"email {email.lower()}"] if email else []
        if not keys:
            return None
        profile = next((self.profiles[key] for key in keys if key in self.profiles), None)
        if profile is None:
            self.last_number += 1
            profile = f"profile-{self.last_number}"
        for key in keys:
            self.profiles.setdefault(key, profile)
        return profile

    def forget_profile(self, email: str) -> None:
        """Loosen the tie between an e-mail address and its profile."""
        self.profiles.pop(f"email {email.lower()}", None)

    def _shelf(self, kind: str, record: Record) -> dict[str, Stored]:
        match kind:
            case "contact":
                return self.contacts.setdefault(record.get("@collection") or DEFAULT_COLLECTION, {})
            case "product":
                return self.products
            case "order":
                return self.orders
            case _:
                return self.events


def record_key(kind: str, record: Record) -> str:
    """How a record is named in the counters: `type/id`, for contacts `contact/collection/id`."""
    if kind == "contact":
        return f"contact/{record.get('@collection') or DEFAULT_COLLECTION}/{record.get('id')}"
    return f"{kind}/{record.get('id')}"


def bump(counter: dict[str, int], key: str) -> None:
    """Count one more."""
    counter[key] = counter.get(key, 0) + 1
