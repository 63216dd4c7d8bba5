"""What the Core API side of the Emarsys sandbox holds: contacts with their index, lists, events, triggers.

Belongs here: keeping records, finding them by key and noting each change of a field with its time and
origin. Whether a call may write is decided in the call's own module. E-mail addresses are found without
regard to case; the contract is silent on it. Source: Emarsys API contract 1.7 and 1.8.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

import msgspec

from stokly_sync.sandbox.emarsys.fields import EMAIL, REGISTERED, SOURCE, Field, FieldTable
from stokly_sync.sandbox.emarsys.values import Value

Origin = Literal["api", "form"]
"""Where a change came from, in the words of the export (section 1.9)."""

FIRST_CONTACT = 138_600_000


class Change(msgspec.Struct, frozen=True, array_like=True):
    """The last change of one field of one contact; `at` is UTC."""

    old: Value | None
    at: datetime
    origin: Origin


class Contact(msgspec.Struct):
    """A contact: `fields` holds what is set, by field id; `writes` counts rows that named it."""

    id: int
    uid: str
    created: datetime
    fields: dict[str, Value] = msgspec.field(default_factory=dict)
    changes: dict[str, Change] = msgspec.field(default_factory=dict)
    writes: int = 0

    def shown(self, fields: list[str]) -> dict[str, Any]:
        """Id, uid and the asked fields, those not set as null."""
        return {**{field: self.fields.get(field) for field in fields}, "id": str(self.id), "uid": self.uid}


class ContactList(msgspec.Struct):
    """A contact list; `members` are contact ids in the order in which they came."""

    id: int
    name: str
    description: str
    created: datetime
    members: dict[str, bool] = msgspec.field(default_factory=dict)


class Event(msgspec.Struct):
    """An external event; `seen` are the trigger ids that count."""

    id: int
    name: str
    created: datetime
    seen: set[str] = msgspec.field(default_factory=set)


class Trigger(msgspec.Struct, frozen=True):
    """One trigger for one contact; `dropped` if its trigger id had been seen."""

    event_id: int
    contact_id: int
    external_id: str
    trigger_id: str | None
    event_time: str | None
    data: Any
    at: datetime
    dropped: bool


class State(msgspec.Struct):
    """All of it as it is saved."""

    contacts: list[Contact] = msgspec.field(default_factory=list)
    custom_fields: list[Field] = msgspec.field(default_factory=list)
    lists: list[ContactList] = msgspec.field(default_factory=list)
    events: list[Event] = msgspec.field(default_factory=list)
    triggers: list[Trigger] = msgspec.field(default_factory=list)
    rows: dict[str, int] = msgspec.field(default_factory=dict)
    last_id: int = 0


class Store:
    """The live state, with an index over e-mail and every custom field."""

    def __init__(self, state: State | None = None) -> None:
        state = state or State()
        self.fields = FieldTable()
        self.fields.load(state.custom_fields)
        self.contacts = {contact.id: contact for contact in state.contacts}
        self.lists = {found.id: found for found in state.lists}
        self.events = {event.id: event for event in state.events}
        self.triggers = state.triggers
        self.rows = state.rows
        self._last_id = state.last_id
        self._uids = {contact.uid: contact.id for contact in state.contacts}
        self._index: dict[str, dict[str, list[int]]] = {}
        for contact in state.contacts:
            for field, value in contact.fields.items():
                self._note(contact, field, value)

    def state(self) -> State:
        """What has to be saved."""
        return State(
            list(self.contacts.values()),
            self.fields.custom,
            list(self.lists.values()),
            list(self.events.values()),
            self.triggers,
            self.rows,
            self._last_id,
        )

    def next_id(self) -> int:
        """A number that nothing else here has."""
        self._last_id += 1
        return self._last_id

    def count(self, what: str, number: int = 1) -> None:
        """Count rows written, by what became of them."""
        self.rows[what] = self.rows.get(what, 0) + number

    def find(self, key: str, value: str) -> list[Contact]:
        """Every contact with that key; `key` is a field id, `id` or `uid`."""
        if key == "id":
            found = self.contacts.get(int(value)) if value.isascii() and value.isdecimal() else None
            return [found] if found is not None else []
        if key == "uid":
            number = self._uids.get(value)
            return [self.contacts[number]] if number is not None else []
        return [self.contacts[number] for number in self._index.get(key, {}).get(_indexed(key, value), ())]

    def create(self, *, at: datetime, source: str | None = None) -> Contact:
        """A new contact without values but those that the vendor sets itself."""
        number = FIRST_CONTACT + self.next_id()
        uid = hashlib.sha256(f"uid {number}".encode()).hexdigest()[:12]
        contact = self.contacts[number] = Contact(number, uid, at)
        contact.fields[REGISTERED] = at.strftime("%Y-%m-%d")
        if source is not None:
            contact.fields[SOURCE] = source
        self._uids[uid] = number
        return contact

    def write(self, contact: Contact, field: str, value: Value | None, *, at: datetime, origin: Origin = "api") -> bool:
        """Set or empty one field and say whether that changed anything."""
        old = contact.fields.get(field)
        if old == value:
            return False
        if old is not None:
            self._forget(contact, field, old)
        if value is None:
            contact.fields.pop(field, None)
        else:
            contact.fields[field] = value
            self._note(contact, field, value)
        contact.changes[field] = Change(old, at, origin)
        return True

    def remove(self, contact: Contact) -> None:
        """Delete a contact, from its lists too."""
        for field, value in contact.fields.items():
            self._forget(contact, field, value)
        del self.contacts[contact.id]
        del self._uids[contact.uid]
        for found in self.lists.values():
            found.members.pop(str(contact.id), None)

    def members(self, found: ContactList) -> Iterator[Contact]:
        """The contacts of a list."""
        return (self.contacts[int(number)] for number in found.members)

    def _is_indexed(self, field: str) -> bool:
        # Custom fields are all indexed here, so that support can "index" one later; calls ask the flag.
        return field == EMAIL or self.fields.by_id[field].custom

    def _note(self, contact: Contact, field: str, value: Value) -> None:
        if isinstance(value, str) and self._is_indexed(field):
            self._index.setdefault(field, {}).setdefault(_indexed(field, value), []).append(contact.id)

    def _forget(self, contact: Contact, field: str, value: Value) -> None:
        if isinstance(value, str) and self._is_indexed(field):
            shelf = self._index[field]
            numbers = shelf[_indexed(field, value)]
            numbers.remove(contact.id)
            if not numbers:
                del shelf[_indexed(field, value)]


def _indexed(field: str, value: str) -> str:
    return value.lower() if field == EMAIL else value
