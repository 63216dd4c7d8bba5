"""Who is there already: contacts are looked up by Stokly's customer id and by e-mail address before any is made (E1).

Belongs here: which contact of the account a customer is, or why nobody can tell. An account has no unique key of its
own, so every doubt is a person's to settle: two contacts are never guessed to be one. Source: Emarsys API contract 1.7.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from stokly_sync.systems.emarsys.client import EmarsysClient
from stokly_sync.systems.emarsys.documents.common import GUEST
from stokly_sync.systems.emarsys.rules import DUPLICATE, EMAIL_TAKEN
from stokly_sync.systems.emarsys.setup import EMAIL, Fields


@dataclass(frozen=True)
class Reason:
    """Why nobody can tell which contact somebody is: a rule, and the detail in words."""

    rule: str
    text: str


@dataclass(frozen=True)
class Found:
    """What the account holds of some people: internal ids by customer id and by address (in lower case).

    `owners` says which customer id the contacts carry that were found by their address.
    """

    by_customer: Mapping[str, list[str]]
    by_email: Mapping[str, list[str]]
    owners: Mapping[str, str]

    def carried(self, email: str) -> list[tuple[str, str]]:
        """Contacts with an address: internal id, and the customer id that it carries (empty where none)."""
        return [(number, self.owners.get(number, "")) for number in self.by_email.get(email.lower(), [])]


def look_up(client: EmarsysClient, fields: Fields, customers: Collection[str], emails: Iterable[str]) -> Found:
    """Ask by customer id, then by address, then whose the contacts are that have one of the addresses."""
    by_customer = client.ids_of(fields.customer, list(customers)) if client.settings.id_field_indexed else {}
    wanted = list(dict.fromkeys(email.lower() for email in emails))
    by_email = {email.lower(): ids for email, ids in client.ids_of(EMAIL, wanted).items()}
    known = {ids[0]: customer for customer, ids in by_customer.items() if len(ids) == 1}
    unknown = [number for ids in by_email.values() for number in ids if number not in known]
    carried = {
        str(row.get("id")): str(row.get(fields.customer) or "")
        for page in client.contacts([fields.customer], unknown)
        for row in page
    }
    return Found(by_customer, by_email, {**known, **carried})


def place(customer: str, email: str, found: Found, merged: Collection[str]) -> str | Reason | None:
    """The internal id of a customer's contact; None where there is none yet; a reason where nobody can tell.

    `merged` are customers that went up in this one, or that are gone: what belongs to them belongs to it.
    """
    mine = found.by_customer.get(customer) or [n for n, owner in found.carried(email) if owner == customer]
    if len(mine) > 1:
        return _duplicate(mine)
    same = [(number, owner) for number, owner in found.carried(email) if number not in mine]
    if mine:
        strangers = [number for number, owner in same if owner not in merged]
        return _duplicate([*mine, *strangers]) if strangers else mine[0]
    if len(same) > 1:
        return _duplicate([number for number, _ in same])
    if not same:
        return None
    ((number, owner),) = same
    if not owner or owner.startswith(GUEST) or owner in merged:
        return number
    return Reason(EMAIL_TAKEN.code, f"contact {number} in Emarsys has the address and belongs to customer {owner}")


def _duplicate(ids: Collection[str]) -> Reason:
    return Reason(DUPLICATE.code, f"contacts {', '.join(sorted(ids))} in Emarsys are the same customer")
