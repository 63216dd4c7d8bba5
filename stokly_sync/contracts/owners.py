"""Whom a row belongs to: the customer that is left after merges, the address that can be written to, the name's parts.

Every destination that knows people asks this of the same rows. How a person is written there is its own matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final

import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.people import EMAIL_PATTERN
from stokly_sync.flow import Frames

TRADE: Final = 1
"""The type of customers that are companies."""
_EMAIL: Final = re.compile(EMAIL_PATTERN)
LONGEST_CHAIN: Final = 20
"""So many merges one after the other are followed; a ring of them has no survivor."""


def reachable(email: str | None) -> str | None:
    """The address, or None where there is none that could be delivered to."""
    return email if email and _EMAIL.fullmatch(email) else None


def person(email: str) -> str:
    """An address as text that tells nobody which, and stays when the person is erased."""
    return blake2b(email.strip().lower().encode(), digest_size=16).hexdigest()


def departed(frames: Frames) -> dict[str, str | None]:
    """Customers that are gone: the id that took over in a merge, or None for a deleted one.

    `frames` may lack `stokly.customers`; customers that are not among its rows are taken as they are.
    """
    customers = frames.get("stokly.customers")
    if customers is None or customers.empty:
        return {}
    gone = customers[~columns.flags(customers["live"]) | customers["merged_into"].notna().to_numpy()]
    return dict(zip(columns.keys(gone["customer_id"]), columns.texts(gone["merged_into"]), strict=True))


def accounts(ids: Sequence[str | None], gone: Mapping[str, str | None]) -> list[str | None]:
    """For each customer id the account that is left today; None for guests and deleted customers."""
    if not gone:
        return list(ids)
    return [_left(one, gone) if one in gone else one for one in ids]


def _left(customer_id: str | None, gone: Mapping[str, str | None]) -> str | None:
    for _ in range(LONGEST_CHAIN):
        if customer_id is None or customer_id not in gone:
            return customer_id
        customer_id = gone[customer_id]
    # A ring of merges has no survivor; the order then goes by its e-mail address.
    return None


def names(customers: pd.DataFrame) -> list[tuple[str | None, str | None]]:
    """First and last name of each row of `stokly.customers`: as Stokly gives them apart, else the whole name split."""
    return [
        (forename, surname) if forename or surname else split_name(name, trade=kind == TRADE)
        for forename, surname, name, kind in zip(
            columns.texts(customers["forename"]),
            columns.texts(customers["surname"]),
            columns.texts(customers["name"]),
            columns.wholes(customers["customer_type"]),
            strict=True,
        )
    ]


def split_name(name: str | None, *, trade: bool) -> tuple[str | None, str | None]:
    """First and last name, parted at the last space; a company's name or a single word is a last name whole."""
    whole = " ".join((name or "").split())
    if not whole:
        return None, None
    first, _, last = whole.rpartition(" ")
    return (None, whole) if trade or not first else (first, last)
