"""Asking Ometria to forget a person: a request that it works off within 14 days (X14).

It is asked by address; one that we do not know any more is looked up by customer id. Six requests a minute are let in.
Source: Ometria API contract 3 (deletion).
"""

from __future__ import annotations

from typing import Final

from stokly_sync.flow import Forgotten, Person
from stokly_sync.systems.ometria.client import OmetriaClient

APART_S: Final = 10.5
"""Seconds between two requests."""


def forget(client: OmetriaClient, person: Person) -> Forgotten:
    """Ask for the deletion of all addresses of a person, or how an earlier request stands."""
    if person.receipt:
        return _progress(client, person.receipt)
    emails = {email.lower() for email in person.emails}
    for customer in person.customers:
        contact = client.one(client.contacts_path, customer)
        if contact and contact.get("email"):
            emails.add(str(contact["email"]).lower())
    receipts: list[str] = []
    for email in sorted(emails):
        if receipts:
            client.clock.sleep(APART_S)
        receipts.append(client.ask_deletion(email))
    if not receipts:
        return Forgotten(done=True, answer="nobody is there")
    told = " ".join(receipts)
    return Forgotten(done=False, answer=f"asked for, as {told}; it is done within 14 days", receipt=told)


def _progress(client: OmetriaClient, receipt: str) -> Forgotten:
    requests = [client.one("/data-deletion-requests", number) for number in receipt.split()]
    if all(one is not None and one.get("timestamp_completed") for one in requests):
        return Forgotten(done=True, answer=f"done, as {receipt}", receipt=receipt)
    return Forgotten(done=False, answer=f"asked for before, as {receipt}; not done yet", receipt=receipt)
