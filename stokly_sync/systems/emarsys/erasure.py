"""Deleting a person in Emarsys: the contact goes for good; lines of sales data do not (X14).

Contacts are looked up by our customer id and by address and deleted by their internal id, because a key that two
contacts share is skipped. Source: Emarsys API contract 1.7 (delete), 2.1.
"""

from __future__ import annotations

from typing import Final

from stokly_sync.errors import BatchRefused, PermanentError
from stokly_sync.flow import Forgotten, Person
from stokly_sync.systems.emarsys.client import MANY, EmarsysClient, ReplyError
from stokly_sync.systems.emarsys.setup import EMAIL, known_fields

GONE: Final = "2008"
SALES: Final = (
    "lines of sales data cannot be deleted by any call; have the vendor's support remove those of this customer id"
)


def forget(client: EmarsysClient, person: Person) -> Forgotten:
    """Delete every contact of a person; one that is not there is fine."""
    found: set[str] = set()
    held = known_fields(client)
    if person.customers and client.settings.id_field_indexed and "customer" in held:
        found.update(*client.ids_of(held["customer"], person.customers).values())
    if person.emails:
        found.update(*client.ids_of(EMAIL, person.emails).values())
    ids = sorted(found)
    for start in range(0, len(ids), MANY):
        _delete(client, ids[start : start + MANY])
    by_hand = SALES if client.settings.sales_token is not None else ""
    return Forgotten(done=True, answer=f"{len(ids)} contacts deleted" if ids else "nobody is there", by_hand=by_hand)


def _delete(client: EmarsysClient, ids: list[str]) -> None:
    try:
        client.ask("POST", "/contact/delete", {"key_id": "id", "id": ids})
    except ReplyError as error:
        if error.code != GONE:
            raise
    except BatchRefused as refused:
        if GONE not in str(refused):
            raise PermanentError(str(refused)) from refused
