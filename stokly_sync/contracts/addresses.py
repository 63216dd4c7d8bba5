"""Whose an e-mail address is: one customer is the contact of an address, whoever else has it, guests included.

Destinations that keep one contact for an address ask this of the same rows. By which rules the others are told about is
their own matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.owners import reachable
from stokly_sync.contracts.problems import problems_where
from stokly_sync.flow import Problem

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


@dataclass(frozen=True)
class ContactRules:
    """Codes of the rules by which a destination keeps customers back: gone, without an address, or not the first."""

    deleted: str
    no_email: str
    shared: str


def reachable_customers(
    customers: pd.DataFrame, same_address: pd.DataFrame, rules: ContactRules
) -> tuple[list[str | None], list[Problem]]:
    """The address of each row of `stokly.customers`, and a problem for each customer who is no contact.

    `same_address` holds whoever else has one of the addresses. Source: D2, D3, E1.
    """
    keys = columns.keys(customers["customer_id"])
    merged = customers["merged_into"].notna().to_numpy()
    gone = ~columns.flags(customers["live"]) | merged
    emails = [reachable((email or "").strip()) for email in columns.texts(customers["email"])]
    owners = owners_of_addresses(customers, same_address)
    kept = problems_where(keys, gone & ~merged, rules.deleted, "deleted in Stokly")
    kept += problems_where(keys, merged, rules.deleted, "merged into another customer in Stokly")
    for key, email, out in zip(keys, emails, gone.tolist(), strict=True):
        if out:
            continue
        if email is None:
            kept.append(Problem(key, rules.no_email, "the customer has no e-mail address"))
        elif (owner := owners.get(email.lower(), key)) != key:
            kept.append(Problem(key, rules.shared, f"customer {owner} has the address and registered first"))
    return emails, kept
