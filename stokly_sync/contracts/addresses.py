"""Whose an e-mail address is: one customer is the contact of an address, whoever else has it, guests included.

Destinations that keep one contact for an address ask this of the same rows. How the others are told about is their own
matter.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.owners import reachable

_LATEST: Final = pd.Timestamp.max.tz_localize("UTC")


def owners_of_addresses(*customers: pd.DataFrame) -> dict[str, str]:
    """The customer who is the contact of each address (in lower case): the one registered first, then the lower id.

    Customers that are gone and addresses that cannot be written to do not count. Source: D2, E1.
    """
    known = pd.concat(customers, ignore_index=True).drop_duplicates("customer_id")
    alive = known[columns.flags(known["live"]) & known["merged_into"].isna().to_numpy()]
    ranked = alive.assign(_since=alive["created_at"].fillna(_LATEST)).sort_values(["_since", "customer_id"])
    owners: dict[str, str] = {}
    for customer, email in zip(columns.keys(ranked["customer_id"]), columns.texts(ranked["email"]), strict=True):
        if email and reachable(email.strip()):
            owners.setdefault(email.strip().lower(), customer)
    return owners
