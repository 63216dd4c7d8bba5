"""Planned records onto the wire: contacts with a status for new ones only, orders, events once.

Belongs here: one function for each feed's `send`, and the collections of insight data. Following what was started is
in `settling`. Source: Dotdigital API contract 2, 3, 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final

from stokly_sync.flow import Json, Outcome, Record, State
from stokly_sync.systems.dotdigital.client import DotdigitalClient
from stokly_sync.systems.dotdigital.directory import Person, Standing, directory
from stokly_sync.systems.dotdigital.imports import CONTACTS, imports, start_insight
from stokly_sync.systems.dotdigital.rules import EMAIL_TAKEN
from stokly_sync.systems.dotdigital.settings import DotdigitalSettings
from stokly_sync.systems.dotdigital.setup import collection_ready, contacts_ready
from stokly_sync.systems.transport import decode

EMAIL: Final = "email"
TAKEN: Final = "the e-mail address belongs to the contact of another Stokly customer"


def orders_of(settings: DotdigitalSettings) -> Json:
    """The collection of orders in the vendor's members."""
    return {
        "collectionName": settings.orders_collection,
        "collectionScope": "contact",
        "collectionType": "orders",
    }


def catalogue_of(settings: DotdigitalSettings) -> Json:
    """The collection of products in the vendor's members."""
    return {
        "collectionName": settings.catalogue_collection,
        "collectionScope": "account",
        "collectionType": "catalog",
    }


def digest(email: str) -> str:
    """An address as text that tells nobody which, to find it again in a report."""
    return blake2b(email.strip().lower().encode(), digest_size=6).hexdigest()


def send_contacts(client: DotdigitalClient, batch: Sequence[Record]) -> list[Outcome]:
    """Import contacts, guests too; the receipt is the import's id and a digest of the address."""
    ready, taken = addressed(client, {record.key: decode(record.document) for record in batch})
    outcomes = [Outcome(key, State.REJECTED, TAKEN, rule=EMAIL_TAKEN.code) for key in taken]
    if ready:
        import_id = imports(client, CONTACTS).start(contact_body(list(ready.values())))
        outcomes += [submitted(key, contact, import_id) for key, contact in ready.items()]
    return outcomes


def submitted(key: str, contact: Json, import_id: str = "") -> Outcome:
    """What is known of a contact that is being imported."""
    return Outcome(key, State.SUBMITTED, receipt=f"{import_id}#{digest(contact['identifiers'][EMAIL])}")


def contact_body(contacts: Sequence[Json]) -> Json:
    """The body of an import of contacts."""
    return {"mergeOption": "overwrite", "contacts": list(contacts)}


def addressed(client: DotdigitalClient, bodies: Mapping[str, Json]) -> tuple[dict[str, Json], list[str]]:
    """Contacts by our key as an import takes them, and the keys of those whose address belongs to somebody else there.

    Each is matched by what Dotdigital knows it by. A status goes with those that are new, and with no other: an update
    must not overwrite a choice, and a new contact without one would be subscribed. Source: contract 2, 7.1; X19.
    """
    settings, lists = client.settings, contacts_ready(client)
    people = [_person(body, settings) for body in bodies.values()]
    known = directory(client)
    standings = known.standings(people)
    ready, taken = {}, []
    for (key, body), person, standing in zip(bodies.items(), people, standings, strict=True):
        if person.customer is not None and standing.email_owner not in (None, person.customer):
            taken.append(key)
            continue
        ready[key] = _matched(body, person, standing, lists, settings)
    known.note_sent(people)
    return ready, taken


def _person(body: Json, settings: DotdigitalSettings) -> Person:
    identifiers = body["identifiers"]
    return Person(identifiers.get(settings.identifier), identifiers[EMAIL])


def _matched(body: Json, person: Person, standing: Standing, lists: list[int], settings: DotdigitalSettings) -> Json:
    by_customer = person.customer is not None and (standing.by_customer or not standing.by_email)
    contact = {"matchIdentifier": settings.identifier if by_customer else EMAIL, "identifiers": body["identifiers"]}
    if body.get("dataFields"):
        contact["dataFields"] = body["dataFields"]
    if lists:
        contact["lists"] = lists
    if not standing.known:
        contact["channelProperties"] = {"email": {"status": body.get("status", settings.new_contact_status)}}
    return contact


def send_products(client: DotdigitalClient, batch: Sequence[Record]) -> list[Outcome]:
    """Import products."""
    return _send_insight(client, catalogue_of(client.settings), [decode(record.document) for record in batch])


def send_orders(client: DotdigitalClient, batch: Sequence[Record]) -> list[Outcome]:
    """Import orders. Orders never make contacts: gates see to it that those of customers and guests are there."""
    return _send_insight(client, orders_of(client.settings), [decode(record.document) for record in batch])


def _send_insight(client: DotdigitalClient, collection: Json, records: Sequence[Json]) -> list[Outcome]:
    collection_ready(client, collection)
    import_id = start_insight(client, collection, records)
    return [Outcome(record["key"], State.SUBMITTED, receipt=import_id) for record in records]


def send_events(client: DotdigitalClient, batch: Sequence[Record]) -> list[Outcome]:
    """Send events; the vendor never tells what became of them, so taken is all there is to know."""
    client.send_events([record.document for record in batch])
    return [Outcome(record.key, State.ACCEPTED, "taken; Dotdigital does not report on events") for record in batch]
