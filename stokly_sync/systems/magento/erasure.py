"""Deleting a person's account in Magento: the account and its addresses go, orders keep what is written on them (X14).

Accounts are found by address, in each website that has one, and by the ids that landed orders name. Nobody else can
make orders nameless but the shop's own people. Source: Magento API contract 16.
"""

from __future__ import annotations

from typing import Final

from stokly_sync.flow import Forgotten, Person
from stokly_sync.systems.magento.answers import Refused
from stokly_sync.systems.magento.client import MagentoClient
from stokly_sync.systems.magento.search import ENTITY, Condition, Search

ORDERS: Final = "have the orders there made nameless: they keep name, address and e-mail, and no call takes those off"
BY_HAND: Final = (
    "have the account deleted in Magento (Customers, All Customers) and its orders made nameless. The integration "
    "needs the resources Magento_Customer::customer and Magento_Customer::delete to do the first."
)
_CUSTOMERS: Final = Search("/customers/search", "id", (ENTITY,))
_MOST: Final = 100
"""Websites of one shop, each of which may have an account of the same address."""


def forget(client: MagentoClient, person: Person) -> Forgotten:
    """Delete every account of a person; one that is not there is fine."""
    found = set(person.accounts)
    for email in person.emails:
        rows = client.search(_CUSTOMERS.where(Condition("email", "eq", email)), size=_MOST).rows
        found.update(str(row["id"]) for row in rows)
    deleted = sum(_delete(client, account) for account in sorted(found))
    answer = f"{deleted} accounts deleted" if deleted else "no account is there"
    return Forgotten(done=True, answer=answer, by_hand=ORDERS)


def _delete(client: MagentoClient, account: str) -> bool:
    try:
        client.delete(f"/customers/{account}")
    except Refused as refused:
        if refused.status != 404:
            raise
        return False
    return True
