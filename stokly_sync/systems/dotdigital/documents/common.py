"""What documents of every type share: optional members, money that is always a float, and whose an address is.

Belongs here: rules of the wire that hold for each record type. Nothing of a single type. Source: Dotdigital API
contract 3 (key and schema rules).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.addresses import owners_of_addresses
from stokly_sync.contracts.mapping import PropertyField, Sources, mapped
from stokly_sync.contracts.owners import accounts, departed, reachable
from stokly_sync.flow import Frames, Json, Problem
from stokly_sync.systems.dotdigital.rules import FIELD_TYPE

LONGEST_TEXT: Final = 1000
"""Characters of one text; the vendor's own client cuts there. Source: Dotdigital API contract 3."""
_LATEST: Final = pd.Timestamp.max.tz_localize("UTC")
_PENNIES: Final = 2


def with_optional(body: Json, **members: object) -> Json:
    """Add the members that have a value (not None, not empty) to the body, and give it back; texts are cut."""
    for name, value in members.items():
        if value:
            body[name] = value[:LONGEST_TEXT] if isinstance(value, str) else value
    return body


def floats(nanos: npt.NDArray[np.int64], places: npt.NDArray[np.int64]) -> list[Decimal]:
    """Amounts rounded once to the minor unit (`places` a row, see `columns.digits`), with two places at least.

    A whole number would fix the field's type as whole, and every later amount with pennies would be refused.
    """
    made = [value for value in columns.decimals(nanos, places) if value is not None]
    return [amount(value) for value in made] if (places < _PENNIES).any() else made


def amount(value: Decimal) -> Decimal:
    """A number with two places at least."""
    exponent = value.as_tuple().exponent
    return value.quantize(Decimal("0.01")) if isinstance(exponent, int) and exponent > -_PENNIES else value


def custom_fields(
    rows: pd.DataFrame, keys: Sequence[str], mapping: Mapping[str, PropertyField], sources: Sources
) -> tuple[list[Json], list[Problem]]:
    """Custom fields of each row, and a problem for each row that has a value of another type (X22).

    Numbers are written with two places at least, so that their type never drifts; texts are cut.
    """
    found = mapped(rows, mapping, sources)
    for fields in found.properties:
        for name, value in fields.items():
            if mapping[name].type == "number":
                fields[name] = amount(Decimal(value))
            elif isinstance(value, str):
                fields[name] = value[:LONGEST_TEXT]
    return found.properties, [Problem(keys[i], FIELD_TYPE.code, detail) for i, detail in found.misfits.items()]


@dataclass(frozen=True)
class Buyer:
    """Whom an order belongs to: the contact's customer id, or a guest's address; neither where nobody can be told."""

    customer: str | None
    email: str | None
    guest: bool

    def identity(self, identifier: str) -> Json | None:
        """The buyer as `contactIdentity`."""
        if self.customer is not None:
            return {"identifier": identifier, "value": self.customer}
        return {"identifier": "email", "value": self.email} if self.email else None


def buyers(frames: Frames) -> dict[str, Buyer]:
    """The buyer of each order of `stokly.orders`, by order id.

    A customer that was merged away is the one that took over, and one whose address belongs to an earlier customer is
    that one; a guest whose address a customer has is that customer. `frames` holds those customers.
    """
    orders, customers = frames["stokly.orders"], frames["stokly.customers"]
    owners = owners_of_addresses(customers)
    emails = dict(zip(columns.keys(customers["customer_id"]), columns.texts(customers["email"]), strict=True))
    found = {}
    for key, named, account, email in zip(
        columns.keys(orders["order_id"]),
        columns.texts(orders["customer_id"]),
        accounts(columns.texts(orders["customer_id"]), departed(frames)),
        columns.texts(orders["customer_email"]),
        strict=True,
    ):
        if account is not None:
            own = (emails.get(account) or "").strip().lower()
            found[key] = Buyer(owners.get(own, account), None, guest=False)
            continue
        reached = reachable((email or "").strip())
        found[key] = Buyer(owners.get((reached or "").lower()), reached, guest=named is None)
    return found
