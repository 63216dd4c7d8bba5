"""Guests as contacts: looked up like everybody, made of their e-mail address where nobody is there (E1, E3).

Sales data of people who are no contacts are booked on a nameless one for good, and events of theirs are refused. A
guest's contact carries an id of ours that says nothing; the customer that the guest becomes later takes it over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stokly_sync.flow import Json, Outcome, State
from stokly_sync.systems.emarsys.client import EmarsysClient
from stokly_sync.systems.emarsys.lookup import Found, look_up_missing
from stokly_sync.systems.emarsys.rules import DUPLICATE, REJECTED
from stokly_sync.systems.emarsys.setup import EMAIL, fields_of


def guests_known(client: EmarsysClient, bodies: Mapping[str, Json]) -> tuple[dict[str, str], dict[str, Outcome]]:
    """See to it that the guests among the buyers are contacts; others are left out.

    Gives by our key the customer id that a guest's contact carries, and rejections where nobody can tell which it is.
    """
    guests = {key: body for key, body in bodies.items() if body["guest"]}
    if not guests:
        return {}, {}
    fields = fields_of(client)
    # A guest that is known by our id is that contact, whatever else has the address: most are known after their order.
    found = look_up_missing(client, fields, {str(body["customer"]): body["email"] for body in guests.values()})
    names: dict[str, str] = {}
    refused: dict[str, Outcome] = {}
    rows: dict[str, Any] = {}
    for key, body in guests.items():
        held = _contacts_of(body, found)
        if len(held) > 1:
            reason = f"contacts {', '.join(sorted(held))} in Emarsys have the guest's address"
            refused[key] = Outcome(key, State.REJECTED, reason, rule=DUPLICATE.code)
            continue
        owner = next(iter(held.values()), "")
        names[key] = owner or body["customer"]
        if not owner:
            rows[body["email"].lower()] = {EMAIL: body["email"], fields.customer: body["customer"]}
    failed = client.put_contacts(EMAIL, list(rows.values()), create=True) if rows else {}
    addresses = {email.lower(): told for email, told in failed.items()}
    for key, body in guests.items():
        told = addresses.get(body["email"].lower())
        if told is not None and key not in refused:
            refused[key] = Outcome(key, State.REJECTED, f"{told[0]}: {told[1]}", rule=REJECTED.code)
    return names, refused


def _contacts_of(body: Json, found: Found) -> dict[str, str]:
    """The contacts that a guest may be, by internal id, and the customer ids that they carry."""
    customer = str(body["customer"])
    by_id = dict.fromkeys(found.by_customer.get(customer, []), customer)
    return by_id or dict(found.carried(body["email"]))
