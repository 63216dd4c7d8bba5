"""What documents of every type share: whom an order belongs to, plain texts, and times as the vendor writes them.

Belongs here: rules of the wire that hold for each record type. Nothing of a single type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

import pandas as pd

from stokly_sync.contracts.buyers import Buyer
from stokly_sync.contracts.mapping import PropertyField, Sources, mapped
from stokly_sync.contracts.problems import later
from stokly_sync.flow import Json, Problem
from stokly_sync.systems.emarsys import rules

GUEST: Final = "guest:"
"""Start of the ids that guests' contacts have in the place of a customer id."""
LONG: Final = 255
"""Characters of a long text. Source: Emarsys API contract 1.7 (value rules)."""
_BREAKS: Final = re.compile(r"[\x00-\x1f\x7f]+")


def guest_id(email: str) -> str:
    """The id of a guest's contact: the same for each order of the address, and nothing can be read from it."""
    return GUEST + blake2b(email.strip().lower().encode(), digest_size=12).hexdigest()


def contact_of(buyer: Buyer) -> str | None:
    """The id that the buyer's contact carries: the customer's, or that of a guest; None where nobody can be told."""
    return buyer.customer or (guest_id(buyer.email) if buyer.email else None)


def told_of(buyer: Buyer) -> Json:
    """The members by which documents name their buyer."""
    return {"customer": contact_of(buyer), "email": buyer.email}


def plain(text: str | None, longest: int) -> str:
    """The text on one line, without spaces at its ends, cut at what a field holds; empty where there is none."""
    return _BREAKS.sub(" ", text or "").strip()[:longest].rstrip()


def broken(sku: str) -> bool:
    """Whether a SKU holds what no line of a file can carry, and what must not be changed either."""
    return _BREAKS.search(sku) is not None


def custom_fields(
    rows: pd.DataFrame, keys: Sequence[str], mapping: Mapping[str, PropertyField], sources: Sources
) -> tuple[list[dict[str, str]], list[Problem]]:
    """Custom fields of each row as the vendor's texts, and a problem for each value of another type (X22)."""
    found = mapped(rows, mapping, sources)
    made = [{name: _told(value) for name, value in fields.items()} for fields in found.properties]
    return made, [Problem(keys[i], rules.FIELD_TYPE.code, detail) for i, detail in found.misfits.items()]


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value.normalize(), "f") if isinstance(value, Decimal) else plain(str(value), LONG)


def versioned(what: str, *moments: datetime | None) -> datetime:
    """The latest of some versions; raises ValueError where there is none, because landing always sets one."""
    newest = later(*moments)
    if newest is None:
        raise ValueError(f"{what} has no version; rows come from landing, which always sets one")
    return newest
