"""Deleting a person in Dotdigital: the contact goes, and with it the insight data that it owns (X14).

Contacts are found by our customer id and by address, so that one that somebody else made goes too. Source: Dotdigital
API contract 2 (contacts).
"""

from __future__ import annotations

from urllib.parse import quote

from stokly_sync.errors import PermanentError
from stokly_sync.flow import Forgotten, Person
from stokly_sync.systems.dotdigital.client import VENDOR, DotdigitalClient


def forget(client: DotdigitalClient, person: Person) -> Forgotten:
    """Delete every contact of a person; one that is not there is fine."""
    named = [(client.settings.identifier, customer) for customer in person.customers]
    named += [("email", email) for email in person.emails]
    deleted = sum(_delete(client, identifier, value) for identifier, value in named)
    return Forgotten(done=True, answer=f"{deleted} contacts deleted" if deleted else "nobody is there")


def _delete(client: DotdigitalClient, identifier: str, value: str) -> bool:
    """Delete one contact; no contact has an identifier that the account does not know."""
    path = f"/contacts/v3/{identifier}/{quote(value, safe='')}"
    answer = client.request("DELETE", path, expect=(400, 404))
    if answer.status == 400 and b":invalid" not in answer.body:
        raise PermanentError(f"{VENDOR}: DELETE /contacts/v3/{identifier} was refused; delete the contact by hand.")
    return answer.status not in (400, 404)
