"""How contacts, records and lists are shown, in v3 and in v2.

Belongs here: pure functions from store to JSON values. Source: Dotdigital API contract 2 (read form), 3
(records) and 6 (read-back).
"""

from collections.abc import Collection as Names
from datetime import UTC, datetime
from typing import Any, Literal

from stokly_sync.sandbox.dotdigital.store import (
    ALL_CONTACTS,
    AddressBook,
    Collection,
    Contact,
    Enrolment,
    InsightRecord,
    Record,
    Store,
)
from stokly_sync.sandbox.dotdigital.upserts import capital

PARTS = ("channelProperties", "lists", "preferences", "consentRecords")
ALL_FIELDS = "[[ALL]]"


def show_time(instant: datetime) -> str:
    """A v3 time: UTC, milliseconds, `Z`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def show_contact(store: Store, contact: Contact, *, fields: Names[str] | None, parts: Names[str] = PARTS) -> Record:
    """A contact in v3; `fields` are upper-case names (None = all), `parts` what goes beside them."""
    shown: Record = {
        "contactId": contact.contact_id,
        "status": contact.email_status or contact.sms_status,
        "created": show_time(contact.created),
        "updated": show_time(contact.updated),
        "identifiers": contact.identifiers,
    }
    wanted = {name: value for name, value in contact.fields.items() if fields is None or name.upper() in fields}
    if fields is None or fields:
        shown["dataFields"] = wanted
    if "channelProperties" in parts:
        shown["channelProperties"] = _channels(contact)
    if "lists" in parts:
        shown["lists"] = [_membership(store, contact, number) for number in contact.lists]
    if "preferences" in parts:
        shown["preferences"] = [{"id": key, "isOptedIn": value} for key, value in contact.preferences.items()]
    if "consentRecords" in parts:
        shown["consentRecords"] = contact.consents
    return shown


def _channels(contact: Contact) -> Record:
    channels: Record = {}
    if contact.email_status is not None:
        channels["email"] = {
            "emailType": contact.email_type,
            "optInType": contact.opt_in_type,
            "status": contact.email_status,
        }
    if "mobileNumber" in contact.identifiers:
        channels["sms"] = {"countryCode": "GB", "status": contact.sms_status}
        channels["whatsApp"] = {"status": contact.whatsapp_status}
    return channels


def _membership(store: Store, contact: Contact, number: int) -> Record:
    status = {"subscribed": "subscribed", "pendingOptIn": "pending"}.get(contact.email_status or "", "suppressed")
    return {"id": number, "name": store.lists[number].name, "status": status}


def show_old_contact(contact: Contact) -> Record:
    """A contact as v2 shows it, without its data fields."""
    return {
        "id": contact.contact_id,
        "email": contact.identifiers.get("email"),
        "optInType": contact.opt_in_type,
        "emailType": contact.email_type,
        "dataFields": None,
        "status": capital(contact.email_status or "noSubscription"),
    }


def show_suppression(contact: Contact, style: Literal["iso", "spaced"]) -> Record:
    """One row of `suppressed-since`; the contact must have been removed."""
    removed = contact.removed or contact.updated
    return {
        "suppressedContact": show_old_contact(contact),
        "dateRemoved": removed.isoformat(sep=" ") if style == "spaced" else show_time(removed),
        "reason": capital(contact.email_status or "noSubscription"),
    }


def list_size(store: Store, number: int) -> int:
    """How many contacts are on a list."""
    if number == ALL_CONTACTS:
        return len(store.contacts)
    return sum(number in contact.lists for contact in store.contacts.values())


def show_list(store: Store, book: AddressBook) -> Record:
    """A list with its size."""
    size = list_size(store, book.id)
    return {"id": book.id, "name": book.name, "visibility": book.visibility, "contacts": size}


def show_record(key: str, row: InsightRecord) -> Record:
    """A record of insight data; only a contact's has an owner."""
    shown: Record = {
        "key": key,
        "json": row.json,
        "created": show_time(row.created),
        "updated": show_time(row.updated),
    }
    return shown if row.owner is None else {**shown, "ownerContactId": row.owner}


def show_collection(collection: Collection, count: int) -> Record:
    """One row of `GET /insightData/v3/collections`."""
    return {
        "collectionName": collection.name,
        "collectionType": collection.type,
        "collectionScope": collection.scope,
        "recordCount": count,
    }


def show_enrolment(enrolment: Enrolment, *, finished: bool) -> Record:
    """An enrolment."""
    return {
        "id": enrolment.id,
        "programId": enrolment.program_id,
        "status": "Finished" if finished else "Processing",
        "dateCreated": show_time(enrolment.created),
        "contacts": enrolment.contacts or None,
        "addressBooks": enrolment.address_books or None,
    }


def wanted_fields(given: str | None) -> set[str] | None:
    """The names of `data-fields=A|B` in upper case; None for `[[ALL]]`, nothing if not asked."""
    if not given:
        return set()
    return None if given == ALL_FIELDS else {name.upper() for name in given.split("|")}


def count_statuses(store: Store) -> dict[str, Any]:
    """How many contacts have which status of the e-mail channel."""
    found: dict[str, int] = {}
    for contact in store.contacts.values():
        status = contact.email_status or "none"
        found[status] = found.get(status, 0) + 1
    return dict(sorted(found.items()))
