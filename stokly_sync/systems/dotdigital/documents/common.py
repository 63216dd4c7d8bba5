"""What documents of every type share: optional members, money that is always a float, custom fields, a buyer's name.

Belongs here: rules of the wire that hold for each record type. Nothing of a single type. Source: Dotdigital API
contract 3 (key and schema rules).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.contracts.buyers import Buyer
from stokly_sync.contracts.mapping import PropertyField, Sources, mapped
from stokly_sync.flow import Json, Problem
from stokly_sync.systems.dotdigital.rules import FIELD_TYPE

LONGEST_TEXT: Final = 1000
"""Characters of one text; the vendor's own client cuts there. Source: Dotdigital API contract 3."""
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


def identity(buyer: Buyer, identifier: str) -> Json | None:
    """The buyer as `contactIdentity`; None where nobody can be told."""
    if buyer.customer is not None:
        return {"identifier": identifier, "value": buyer.customer}
    return {"identifier": "email", "value": buyer.email} if buyer.email else None
