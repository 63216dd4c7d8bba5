"""What the Dotdigital sandbox holds: contacts and their identifiers, lists, fields, collections, programmes.

Belongs here: keeping and finding, and the counters by which tests tell a needed import from a needless
one. What may come in is decided in `upserts` and `insight`; how it is shown, in `reading`.
Source: Dotdigital API contract 2 (contacts, fields, lists), 3 (collections) and 4 (programmes, events).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from stokly_sync.sandbox.dotdigital.schema import Field

Record = dict[str, Any]

TEST_LIST, ALL_CONTACTS = 1, 2
"""The two lists of every account; no call may write to them."""

BUILT_IN_FIELDS = ("FIRSTNAME", "LASTNAME", "FULLNAME", "GENDER", "POSTCODE", "LASTSUBSCRIBED")


class Contact(msgspec.Struct):
    """A contact; `identifiers` are as given, `email_status` is None without an address, times are UTC."""

    contact_id: int
    identifiers: dict[str, str]
    created: datetime
    updated: datetime
    fields: Record = msgspec.field(default_factory=dict)
    email_type: str = "Html"
    opt_in_type: str = "Unknown"
    email_status: str | None = None
    sms_status: str = "noSubscription"
    whatsapp_status: str = "noSubscription"
    lists: list[int] = msgspec.field(default_factory=list)
    preferences: dict[int, bool] = msgspec.field(default_factory=dict)
    consents: list[Record] = msgspec.field(default_factory=list)
    removed: datetime | None = None


class DataField(msgspec.Struct):
    """A data field, as `GET /v2/data-fields` shows it."""

    name: str
    type: str
    visibility: str = "Private"
    defaultValue: Any = None  # noqa: N815 - the vendor's spelling


class AddressBook(msgspec.Struct):
    """A list without its size, which is counted when asked for."""

    id: int
    name: str
    visibility: str = "Private"


class InsightRecord(msgspec.Struct):
    """A record of a collection; `owner` is a contact id, None in an account collection."""

    number: int
    json: Record
    created: datetime
    updated: datetime
    owner: int | None = None


class Collection(msgspec.Struct):
    """A collection with the types that its first values fixed."""

    name: str
    scope: str
    type: str
    records: dict[str, InsightRecord] = msgspec.field(default_factory=dict)
    schema: dict[str, Field] = msgspec.field(default_factory=dict)


class Programme(msgspec.Struct):
    """An automation programme, as `GET /v2/programs` shows it, and who is in it."""

    id: int
    name: str
    status: str
    enrolled: set[int] = msgspec.field(default_factory=set)


class Enrolment(msgspec.Struct):
    """One call that enrolled people, and when it is over."""

    id: str
    program_id: int
    contacts: list[int]
    address_books: list[int]
    created: datetime
    over: datetime
    faults: list[str] = msgspec.field(default_factory=list)


def _lists() -> dict[int, AddressBook]:
    first = (AddressBook(TEST_LIST, "Test"), AddressBook(ALL_CONTACTS, "All Contacts"))
    return {book.id: book for book in first}


def _fields() -> dict[str, DataField]:
    typed = {name: DataField(name, "String", "Public") for name in BUILT_IN_FIELDS}
    typed["LASTSUBSCRIBED"].type = "Date"
    return typed


def _programmes() -> dict[int, Programme]:
    return {1: Programme(1, "Dispatch", "Active"), 2: Programme(2, "Draft", "Draft")}


class Store(msgspec.Struct):
    """All state but the jobs; every mapping keeps the order in which its keys first came.

    `imported` counts what imports brought, `carried_out` what was in those that did not fail as a whole.
    """

    contacts: dict[int, Contact] = msgspec.field(default_factory=dict)
    index: dict[str, int] = msgspec.field(default_factory=dict)
    fields: dict[str, DataField] = msgspec.field(default_factory=_fields)
    custom_identifiers: dict[str, datetime] = msgspec.field(default_factory=dict)
    lists: dict[int, AddressBook] = msgspec.field(default_factory=_lists)
    collections: dict[str, Collection] = msgspec.field(default_factory=dict)
    programmes: dict[int, Programme] = msgspec.field(default_factory=_programmes)
    enrolments: dict[str, Enrolment] = msgspec.field(default_factory=dict)
    events: list[Record] = msgspec.field(default_factory=list)
    lost_events: int = 0
    imported: dict[str, int] = msgspec.field(default_factory=dict)
    carried_out: dict[str, int] = msgspec.field(default_factory=dict)
    unchanged: dict[str, int] = msgspec.field(default_factory=dict)
    last_number: int = 1000

    def next_number(self) -> int:
        """A number that was not given out before."""
        self.last_number += 1
        return self.last_number

    def find(self, identifier: str, value: Any) -> Contact | None:
        """The contact with that identifier, if somebody has it."""
        if identifier == "contactId":
            return self.contacts.get(int(value))
        number = self.index.get(index_key(identifier, value))
        return None if number is None else self.contacts[number]

    def identify(self, contact: Contact, identifiers: dict[str, str]) -> None:
        """Give a contact further or other identifiers, which nobody else may have."""
        for name, value in identifiers.items():
            before = contact.identifiers.get(name)
            if before is not None:
                self.index.pop(index_key(name, before), None)
            contact.identifiers[name] = value
            self.index[index_key(name, value)] = contact.contact_id

    def remove(self, contacts: Sequence[Contact]) -> None:
        """Delete contacts and the records that they own."""
        gone = {contact.contact_id for contact in contacts}
        for contact in contacts:
            for name, value in contact.identifiers.items():
                self.index.pop(index_key(name, value), None)
            self.contacts.pop(contact.contact_id, None)
        for collection in self.collections.values():
            for key in [key for key, row in collection.records.items() if row.owner in gone]:
                del collection.records[key]

    def find_field(self, name: str, *, exact: bool) -> DataField | None:
        """The data field of that name; names are compared without regard to case unless `exact`."""
        if name in self.fields or exact:
            return self.fields.get(name)
        folded = name.upper()
        return next((field for known, field in self.fields.items() if known.upper() == folded), None)


def index_key(identifier: str, value: str) -> str:
    """How an identifier is kept in the index; addresses are compared without regard to case."""
    return f"{identifier}\n{value.lower() if identifier == 'email' else value}"


def bump(counter: dict[str, int], key: str) -> None:
    """Count one more."""
    counter[key] = counter.get(key, 0) + 1
