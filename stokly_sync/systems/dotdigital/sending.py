"""Planned records onto the wire: contacts with a status for new ones only, orders after their guests, events once.

Belongs here: one function for each feed's `send`, and the collections of insight data. Following what was started is
in `settling`. Source: Dotdigital API contract 2, 3, 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from stokly_sync.errors import TransientError
from stokly_sync.flow import Json, Outcome, Record, State
from stokly_sync.systems.dotdigital.client import VENDOR, DotdigitalClient
from stokly_sync.systems.dotdigital.directory import Person, Standing, directory
from stokly_sync.systems.dotdigital.imports import CONTACTS, imports, start_insight
from stokly_sync.systems.dotdigital.reports import contact_failures
from stokly_sync.systems.dotdigital.rules import EMAIL_TAKEN, REJECTED
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
    """Import contacts; the receipt is the import's id and a digest of the address."""
    bodies = {record.key: decode(record.document) for record in batch}
    ready, taken = addressed(client, list(bodies.values()))
    name = client.settings.identifier
    outcomes = [Outcome(key, State.REJECTED, TAKEN, rule=EMAIL_TAKEN.code) for key in taken]
    if ready:
        import_id = imports(client, CONTACTS).start(contact_body(ready))
        outcomes += [
            Outcome(
                contact["identifiers"][name],
                State.SUBMITTED,
                receipt=f"{import_id}#{digest(contact['identifiers'][EMAIL])}",
            )
            for contact in ready
        ]
    return outcomes


def contact_body(contacts: Sequence[Json]) -> Json:
    """The body of an import of contacts."""
    return {"mergeOption": "overwrite", "contacts": list(contacts)}


def addressed(client: DotdigitalClient, bodies: Sequence[Json]) -> tuple[list[Json], list[str]]:
    """Contacts as an import takes them, and the customer ids whose address belongs to somebody else there.

    Each is matched by what Dotdigital knows it by. A status goes with those that are new, and with no other: an update
    must not overwrite a choice, and a new contact without one would be subscribed. Source: contract 2, 7.1; X19.
    """
    settings, lists = client.settings, contacts_ready(client)
    people = [_person(body, settings) for body in bodies]
    known = directory(client)
    standings = known.standings(people)
    ready, taken = [], []
    for body, person, standing in zip(bodies, people, standings, strict=True):
        if person.customer is not None and standing.email_owner not in (None, person.customer):
            taken.append(person.customer)
            continue
        ready.append(_matched(body, person, standing, lists, settings))
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
    """Import orders, after contacts for those of guests that Dotdigital does not know: orders never make contacts."""
    records = [decode(record.document) for record in batch]
    guests = {r["contactIdentity"]["value"] for r in records if r["contactIdentity"]["identifier"] == EMAIL}
    refused = _see_to_guests(client, sorted(guests)) if guests else {}
    kept = [r for r in records if r["contactIdentity"]["value"].lower() not in refused]
    outcomes = [
        Outcome(r["key"], State.REJECTED, refused[r["contactIdentity"]["value"].lower()], rule=REJECTED.code)
        for r in records
        if r["contactIdentity"]["value"].lower() in refused
    ]
    return outcomes + (_send_insight(client, orders_of(client.settings), kept) if kept else [])


def _see_to_guests(client: DotdigitalClient, emails: Sequence[str]) -> dict[str, str]:
    """Contacts for addresses that have none, waited for; gives the reason for each address that was refused."""
    distinct = list({email.lower(): email for email in emails}.values())
    standings = directory(client).standings([Person(None, email) for email in distinct])
    new = [{"identifiers": {EMAIL: e}} for e, standing in zip(distinct, standings, strict=True) if not standing.known]
    if not new:
        return {}
    ready, _ = addressed(client, new)
    report = imports(client, CONTACTS).wait(imports(client, CONTACTS).start(contact_body(ready)))
    if not report.done:
        raise TransientError(f"{VENDOR}: the import of {len(ready)} guests ended as {report.status}; try again later.")
    failures = contact_failures(report.failures, client.settings.identifier)
    by_digest = {digest(email): email.lower() for email in distinct}
    refused = {by_digest[key]: reason for key, reason in failures.by_email.items() if key in by_digest}
    if not report.suppressed:
        # Of those who are suppressed nobody tells who they are, nor whether there is a contact.
        made = (contact["identifiers"][EMAIL].lower() for contact in ready)
        directory(client).note_made(email for email in made if email not in refused)
    return refused


def _send_insight(client: DotdigitalClient, collection: Json, records: Sequence[Json]) -> list[Outcome]:
    collection_ready(client, collection)
    import_id = start_insight(client, collection, records)
    return [Outcome(record["key"], State.SUBMITTED, receipt=import_id) for record in records]


def send_events(client: DotdigitalClient, batch: Sequence[Record]) -> list[Outcome]:
    """Send events; the vendor never tells what became of them, so taken is all there is to know."""
    client.send_events([record.document for record in batch])
    return [Outcome(record.key, State.ACCEPTED, "taken; Dotdigital does not report on events") for record in batch]
