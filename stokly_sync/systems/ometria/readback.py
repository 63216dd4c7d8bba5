"""What Ometria says it holds, and the same facts from our own documents (O8).

One function for each type reads the facts of both sides, because a document and the record read back have the same
members. Events cannot be read; they are reconciled by the ledger. Source: Ometria API contract 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from typing import Any, Final

import pandas as pd

from stokly_sync.contracts.money import nano
from stokly_sync.flow import Facts, Json
from stokly_sync.systems.ometria.client import OmetriaClient

CONTACT_FACTS: Final = ("customer_id", "email_digest")
PRODUCT_FACTS: Final = ("title", "price", "is_active", "is_variant")
STOCK_FACTS: Final = ("is_in_stock",)
ORDER_FACTS: Final = ("status", "is_valid", "customer", "lines", "units")


def contact_facts(records: Sequence[Json]) -> pd.DataFrame:
    """Facts of contacts; the address only as a digest, because differences are shown to people (X14)."""
    return _frame(records, {"customer_id": _member("customer_id"), "email_digest": _email_digest})


def product_facts(records: Sequence[Json]) -> pd.DataFrame:
    """Facts of products; the price as text."""
    return _frame(records, {name: _member(name) for name in PRODUCT_FACTS})


def stock_facts(records: Sequence[Json]) -> pd.DataFrame:
    """Whether products are in stock."""
    return _frame(records, {"is_in_stock": _member("is_in_stock")})


def order_facts(records: Sequence[Json]) -> pd.DataFrame:
    """Facts of orders: `value` is the grand total, `refunded` what the lines say, both nano units of `currency`."""
    frame = _frame(
        records,
        {
            "status": _member("status"),
            "is_valid": _member("is_valid"),
            "customer": lambda record: _plain(_inner(record, "customer").get("id")),
            "lines": lambda record: str(len(_lines(record))),
            "units": lambda record: _plain(sum(_exact(line.get("quantity")) or 0 for line in _lines(record))),
        },
    )
    frame["value"] = pd.array([_nano(record.get("grand_total")) for record in records], dtype="Int64")
    frame["refunded"] = pd.array(
        [_nano(sum(_exact(line.get("refunded")) or 0 for line in _lines(record))) for record in records], dtype="Int64"
    )
    frame["currency"] = pd.Series([_plain(record.get("currency")) for record in records], dtype="str")
    return frame


def read_contacts(client: OmetriaClient) -> Iterator[Facts]:
    """Contacts of our collection; nothing where the collection does not exist yet."""
    if client.settings.collection in client.collections():
        yield from _facts(client.contacts(), contact_facts)


def read_products(client: OmetriaClient) -> Iterator[Facts]:
    """Products and variants."""
    yield from _facts(client.products(), product_facts)


def read_stock(client: OmetriaClient) -> Iterator[Facts]:
    """Stock of the products of which Ometria knows any."""
    for page in client.products():
        known = [record for record in page if record.get("is_in_stock") is not None]
        yield Facts(stock_facts(known))


def read_orders(client: OmetriaClient) -> Iterator[Facts]:
    """Orders, valid or not."""
    yield from _facts(client.orders(), order_facts)


def _facts(pages: Iterator[list[Json]], facts: Callable[[Sequence[Json]], pd.DataFrame]) -> Iterator[Facts]:
    for page in pages:
        yield Facts(facts(page))


def _frame(records: Sequence[Json], columns: Mapping[str, Callable[[Json], str | None]]) -> pd.DataFrame:
    size = len(records)
    data: dict[str, Any] = {
        "key": pd.Series([_plain(record.get("id")) for record in records], dtype="str"),
        "value": pd.array([None] * size, dtype="Int64"),
        "refunded": pd.array([None] * size, dtype="Int64"),
        "currency": pd.Series([None] * size, dtype="str"),
    }
    for name, read in columns.items():
        data[name] = pd.Series([read(record) for record in records], dtype="str")
    return pd.DataFrame(data)


def _member(name: str) -> Callable[[Json], str | None]:
    return lambda record: _plain(record.get(name))


def _plain(value: Any) -> str | None:
    """A value as text that does not depend on how a number was written; None where there is none."""
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            text = format(Decimal(value), "f")
            return text.rstrip("0").rstrip(".") if "." in text else text
        case _:
            return str(value)


def _exact(value: Any) -> Decimal | int | None:
    """A number, also where the vendor wrote it in quotes; None for what is none."""
    if value is None or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _nano(value: Any) -> int | None:
    number = _exact(value)
    if number is None:
        return None
    try:
        return nano(number)
    except ValueError:
        return None


def _inner(record: Json, name: str) -> Mapping[str, Any]:
    value = record.get(name)
    return value if isinstance(value, Mapping) else {}


def _lines(record: Json) -> list[Mapping[str, Any]]:
    lines = record.get("lineitems")
    return [line for line in lines if isinstance(line, Mapping)] if isinstance(lines, list) else []


def _email_digest(record: Json) -> str | None:
    email = record.get("email")
    return blake2b(str(email).strip().lower().encode(), digest_size=6).hexdigest() if email else None
