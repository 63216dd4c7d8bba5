"""Customers: Stokly's rows to ours. A deleted or merged customer stays as a row that is not live.

No consent is read: Stokly's member for it is not known, and consent is never invented (X19). Source: Stokly API
contract 3.1 and 5 (3).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

import pandas as pd

from stokly_sync.contracts.people import CUSTOMERS
from stokly_sync.flow import Received, Rows
from stokly_sync.systems.rows.roots import Sheet, finish, live_unless, rows_of
from stokly_sync.systems.rows.shapes import Shape, members
from stokly_sync.systems.stokly.settings import StoklySettings

_ADDRESS_PARTS = ("Line1", "Line2", "City", "Region", "Postcode", "Country")
SHAPE: Final = Shape(
    CUSTOMERS,
    key_member="customerId",
    update_member="updatedAt",
    known=members(
        text=(
            *("customerId", "barcode", "name", "fullName", "forename", "surname", "email", "phone", "mergedIntoId"),
            *("createdAt", "updatedAt", "timeCreated", "timeUpdated", "accountkey"),
            *(f"{kind}Address{part}" for kind in ("billing", "shipping") for part in _ADDRESS_PARTS),
        ),
        whole=("type",),
        texts=("tags",),
        other=("status", "niceId", "accountBalance"),
    ),
)


def customer_rows(documents: Sequence[Received], requested_at: datetime, *, settings: StoklySettings) -> Rows:
    """Customers as rows of `stokly.customers`; see `contracts.people` for columns.

    Members that cannot be converted are problems under ST-MEMBER-TYPE or ST-TIME. Pure.
    """
    return rows_of(SHAPE, documents, requested_at, partial(_customers, settings=settings))


def _customers(made: Sheet, *, settings: StoklySettings) -> Rows:
    c = made.cells
    live = live_unless([v == settings.live_customer_status for v in _statuses(c.values("status"), settings)], {False})
    merged = c.text("mergedIntoId")
    columns = {
        "account_code": c.text("barcode", numbers=True),
        "name": c.text("name", "fullName", strip=True),
        "forename": c.text("forename", strip=True),
        "surname": c.text("surname", strip=True),
        "email": c.text("email", strip=True),
        "phone": c.text("phone", strip=True),
        "customer_type": c.whole("type"),
        "country": c.text("billingAddressCountry", strip=True),
        "city": c.text("billingAddressCity", strip=True),
        "postcode": c.text("billingAddressPostcode", strip=True),
        "tags": c.json("tags", of=list),
        "live": live & pd.Series(pd.isna(merged), dtype="boolean"),
        "merged_into": merged,
        "created_at": c.time("createdAt", "timeCreated"),
        "updated_at": c.time("updatedAt", "timeUpdated"),
    }
    return finish(made, columns, {}, dropped=settings.dropped_members)


def _statuses(values: list[object], settings: StoklySettings) -> list[object]:
    """Statuses with the live one where there is none: a row that Stokly lists is live unless it says otherwise."""
    return [settings.live_customer_status if v is None else v for v in values]
