"""What Emarsys says it holds, and the same facts from our own documents (E9).

Contacts are read from the account. The catalogue is read from the file that we published, because Emarsys tells of no
import. Sales data and events cannot be read at all; they are reconciled by what the API confirmed. Source: Emarsys API
contract 4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from typing import Any, Final

import pandas as pd

from stokly_sync.flow import Facts, Json
from stokly_sync.systems.emarsys.catalogue import rows_of
from stokly_sync.systems.emarsys.client import MANY, EmarsysClient
from stokly_sync.systems.emarsys.documents.common import GUEST
from stokly_sync.systems.emarsys.setup import EMAIL, known_fields

METRICS: Final = ("lifetime_value", "order_count")
CONTACT_FACTS: Final = ("email_digest", *METRICS)
PRODUCT_FACTS: Final = ("title", "price", "available")
_CHUNK: Final = 10_000


def contact_facts(records: Sequence[Json]) -> pd.DataFrame:
    """Facts of contacts; the address only as a digest, because differences are shown to people (X14)."""
    rows = [
        {
            "key": record["customer"],
            "email_digest": _digest(record.get("email")),
            **{name: _number(record["fields"].get(name)) for name in METRICS},
        }
        for record in records
    ]
    return _frame(rows, CONTACT_FACTS)


def product_facts(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Facts of products; the price as text."""
    rows = [
        {
            "key": record["item"],
            "title": record["title"],
            "price": _number(record["price"]),
            "available": record["available"],
        }
        for record in records
    ]
    return _frame(rows, PRODUCT_FACTS)


def read_contacts(client: EmarsysClient) -> Iterator[Facts]:
    """Contacts that carry a Stokly customer id; guests and others in the account are not customers."""
    fields = known_fields(client)
    customer = fields.get("customer")
    if customer is None:
        return
    wanted: dict[str, str] = {ours: fields[ours] for ours in METRICS if ours in fields}
    for page in client.all_with(customer):
        ids = [str(row["id"]) for row in page if not str(row.get(customer) or GUEST).startswith(GUEST)]
        for start in range(0, len(ids), MANY):
            for rows in client.contacts([EMAIL, customer, *wanted.values()], ids[start : start + MANY]):
                yield Facts(contact_facts([_told(row, customer, wanted) for row in rows]))


def read_products(client: EmarsysClient) -> Iterator[Facts]:
    """Products of the published file."""
    rows = rows_of(client)
    for start in range(0, len(rows), _CHUNK):
        yield Facts(product_facts(rows[start : start + _CHUNK]))


def _told(row: Json, customer: str, wanted: Mapping[str, str]) -> Json:
    """A contact as read, in the form of our documents."""
    fields = {ours: row.get(field) for ours, field in wanted.items()}
    return {"customer": str(row.get(customer)), "email": row.get(EMAIL), "fields": fields}


def _frame(rows: Sequence[Mapping[str, str | None]], names: Sequence[str]) -> pd.DataFrame:
    size = len(rows)
    data: dict[str, Any] = {
        "key": pd.Series([row["key"] for row in rows], dtype="str"),
        "value": pd.array([None] * size, dtype="Int64"),
        "refunded": pd.array([None] * size, dtype="Int64"),
        "currency": pd.Series([None] * size, dtype="str"),
    }
    for name in names:
        data[name] = pd.Series([row[name] for row in rows], dtype="str")
    return pd.DataFrame(data)


def _number(value: Any) -> str | None:
    """A number as text that does not depend on how it was written; None for what is none."""
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _digest(email: Any) -> str | None:
    return blake2b(str(email).strip().lower().encode(), digest_size=6).hexdigest() if email else None
