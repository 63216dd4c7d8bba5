"""Writing one contact: checking its values, merging them, and what happens to its consent.

Belongs here: the rules on one contact, for single calls and imports alike. Source: Dotdigital API
contract 2 (contacts, data fields, lists, subscription).
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from stokly_sync.sandbox.dotdigital import identifiers
from stokly_sync.sandbox.dotdigital.bodies import consents_are_good
from stokly_sync.sandbox.dotdigital.store import ALL_CONTACTS, TEST_LIST, Contact, Record, Store
from stokly_sync.sandbox.dotdigital.switches import DotdigitalSwitches

LONGEST_TEXT = 1000
EMPTY = (None, "")
GONE = ("unsubscribed", "suppressed")
"""Statuses of the e-mail channel that `suppressed-since` lists."""

Failure = dict[str, str]


def failure(code: str, description: str) -> Failure:
    """One entry of a contact's `failures`."""
    return {"failureCode": code, "description": description}


class Upserts:
    """Checks and writes of contacts in one account."""

    def __init__(self, *, store: Store, switches: DotdigitalSwitches) -> None:
        self.store = store
        self._switches = switches

    def identifier_failure(self, given: Mapping[str, Any]) -> Failure | None:
        """Why the identifiers cannot be stored, whoever has them; null is no value here."""
        for name, value in given.items():
            if not identifiers.is_known(self.store, name) or not identifiers.is_possible(name, value):
                return failure(identifiers.failure_code(name), f"Invalid value for '{name}'")
        return None

    def taken(self, given: Mapping[str, Any], owner: Contact | None) -> str | None:
        """The first identifier that belongs to somebody other than `owner`."""
        for name, value in given.items():
            holder = self.store.find(name, value)
            if holder is not None and holder is not owner:
                return name
        return None

    def field_failure(self, body: Record) -> Failure | None:
        """The first data field whose value cannot be stored; codes are not documented."""
        for name, value in (body.get("dataFields") or {}).items():
            field = self.store.find_field(name, exact=self._switches.exact_field_names)
            if field is None:
                if self._switches.unknown_field != "ignore":
                    return failure("dataFieldNotFound", f"The data field '{name}' does not exist")
            elif isinstance(value, str) and field.type == "String" and len(value) > LONGEST_TEXT:
                return failure("dataFieldValueOverflow", f"The value of '{name}' is too long")
            elif value not in EMPTY and not is_of_type(field.type, value):
                return failure("invalidDataField", f"Invalid value for '{name}'")
        return None

    def list_failure(self, body: Record) -> Failure | None:
        """The first list that does not exist or cannot be written to; the code is not documented."""
        for number in body.get("lists") or []:
            if number not in self.store.lists or number in (TEST_LIST, ALL_CONTACTS):
                return failure("listNotFound", f"The list '{number}' does not exist or cannot be written to")
        return None

    def create(self, body: Record, given: Mapping[str, Any], *, now: datetime) -> Contact:
        """A new contact; the e-mail channel is subscribed unless the body says otherwise."""
        contact = Contact(self.store.next_number(), {}, now, now)
        self.store.contacts[contact.contact_id] = contact
        self._write(contact, body, given, merge="overwrite", now=now)
        return contact

    def update(self, contact: Contact, body: Record, given: Mapping[str, Any], *, merge: str, now: datetime) -> None:
        """Merge a body into a contact; what it does not name stays."""
        contact.updated = now
        self._write(contact, body, given, merge=merge, now=now)

    def replace(self, contact: Contact, body: Record, given: Mapping[str, Any], *, now: datetime) -> None:
        """Put the body in place of the contact: data fields, lists and preferences not named are lost."""
        contact.fields, contact.lists, contact.preferences, contact.consents = {}, [], {}, []
        self.update(contact, body, given, merge="overwrite", now=now)

    def _write(self, contact: Contact, body: Record, given: Mapping[str, Any], *, merge: str, now: datetime) -> None:
        self.store.identify(contact, {name: value for name, value in given.items() if name != "contactId"})
        self._write_fields(contact, body.get("dataFields") or {}, merge)
        for number in body.get("lists") or []:
            if number not in contact.lists and self.list_failure({"lists": [number]}) is None:
                contact.lists.append(number)
        for preference in body.get("preferences") or []:
            contact.preferences[preference["id"]] = preference["isOptedIn"]
        if consents_are_good(body.get("consentRecords") or []):
            contact.consents += [{**record, "dateTimeCreated": now.isoformat()} for record in body["consentRecords"]]
        self._write_channels(contact, body.get("channelProperties") or {}, now=now)

    def _write_fields(self, contact: Contact, values: Record, merge: str) -> None:
        for name, value in values.items():
            field = self.store.find_field(name, exact=self._switches.exact_field_names)
            if field is None or (value not in EMPTY and not is_of_type(field.type, value)):
                continue
            if merge == "not-empty" and value in EMPTY:
                continue
            if merge == "empty" and contact.fields.get(field.name) not in EMPTY:
                continue
            if value is None:
                contact.fields.pop(field.name, None)
            else:
                contact.fields[field.name] = value

    def _write_channels(self, contact: Contact, channels: Record, *, now: datetime) -> None:
        email = channels.get("email") or {}
        if "emailType" in email:
            contact.email_type = capital(email["emailType"])
        if "optInType" in email:
            contact.opt_in_type = capital(email["optInType"])
        if "email" in contact.identifiers:
            set_status(contact, self._next_status(contact, email), now=now)
        contact.sms_status = (channels.get("sms") or {}).get("status", contact.sms_status)
        contact.whatsapp_status = (channels.get("whatsApp") or {}).get("status", contact.whatsapp_status)

    def _next_status(self, contact: Contact, email: Record) -> str:
        before, asked = contact.email_status, email.get("status")
        if before == "suppressed":
            return before
        if before is None and asked in (None, "subscribed"):
            double = self._switches.enforce_double or email.get("optInType") == "verifiedDouble"
            return "pendingOptIn" if double else "subscribed"
        if before == "unsubscribed" and asked == "subscribed":
            options = email.get("resubscribeOptions") or {}
            return "subscribed" if options.get("resubscribeWithNoChallenge", True) else "pendingOptIn"
        return asked or before or "subscribed"


def set_status(contact: Contact, status: str, *, now: datetime) -> None:
    """Set the status of the e-mail channel, and since when the contact is gone if it is."""
    if status != contact.email_status:
        contact.removed = now if status in GONE else None
    contact.email_status = status


def capital(word: str) -> str:
    """A word as answers spell it: `html` is asked for, `Html` is answered."""
    return word[0].upper() + word[1:]


def is_of_type(kind: str, value: Any) -> bool:
    """Whether a data field of that type takes the value; texts are not turned into numbers or dates."""
    match kind:
        case "Numeric":
            return isinstance(value, int | Decimal) and not isinstance(value, bool)
        case "Boolean":
            return isinstance(value, bool)
        case "Date":
            return isinstance(value, str) and _is_time(value)
        case _:
            return isinstance(value, str)


def _is_time(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
