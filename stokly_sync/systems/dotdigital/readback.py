"""What Dotdigital says it holds, and the same facts from our own documents (D8).

One function for each type reads the facts of both sides: a document and the record read back have the same members.
Events cannot be read; they are reconciled by the ledger. Source: Dotdigital API contract 6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import pandas as pd

from stokly_sync.contracts.money import nano
from stokly_sync.flow import Facts, Json
from stokly_sync.systems.dotdigital.client import DotdigitalClient
from stokly_sync.systems.dotdigital.sending import digest
from stokly_sync.systems.dotdigital.settings import DotdigitalSettings
from stokly_sync.systems.dotdigital.setup import field_name

CONTACT_FACTS: Final = ("email_digest", "ltv", "orders")
PRODUCT_FACTS: Final = ("name", "price", "status", "stock")
ORDER_FACTS: Final = ("status", "net", "lines", "units")

Read = Callable[[Json], str | None]


def contact_facts(records: Sequence[Json], settings: DotdigitalSettings) -> pd.DataFrame:
    """Facts of contacts; the address only as a digest, because differences are shown to people (X14)."""
    ltv, orders = field_name(settings, "LTV"), field_name(settings, "ORDERS")
    return _frame(
        records,
        [_plain(_inner(record, "identifiers").get(settings.identifier)) for record in records],
        {
            "email_digest": _email_digest,
            "ltv": lambda record: _plain(_inner(record, "dataFields").get(ltv)),
            "orders": lambda record: _plain(_inner(record, "dataFields").get(orders)),
        },
    )


def product_facts(records: Sequence[Json]) -> pd.DataFrame:
    """Facts of products; numbers as text."""
    return _frame(records, _keys(records), {name: _json_member(name) for name in PRODUCT_FACTS})


def order_facts(records: Sequence[Json]) -> pd.DataFrame:
    """Facts of orders: `value` is the total before refunds, `refunded` what was given back, in nano units."""
    bodies = [_inner(record, "json") for record in records]
    frame = _frame(
        records,
        _keys(records),
        {
            "status": _json_member("order_status"),
            "net": _json_member("order_total"),
            "lines": lambda record: str(len(_lines(record))),
            "units": lambda record: _plain(sum(_exact(line.get("qty")) or 0 for line in _lines(record))),
        },
    )
    frame["value"] = pd.array([_nano(body.get("order_total_gross")) for body in bodies], dtype="Int64")
    frame["refunded"] = pd.array([_nano(body.get("refund_total")) for body in bodies], dtype="Int64")
    frame["currency"] = pd.Series([_plain(body.get("currency")) for body in bodies], dtype="str")
    return frame


def read_contacts(client: DotdigitalClient) -> Iterator[Facts]:
    """Contacts that carry a Stokly customer id; others in the account are not ours."""
    settings = client.settings
    names = "|".join(field_name(settings, name) for name in ("LTV", "ORDERS"))
    for page in client.contacts(**{"data-fields": names}):
        ours = [record for record in page if _inner(record, "identifiers").get(settings.identifier)]
        yield Facts(contact_facts(ours, settings))


def read_products(client: DotdigitalClient) -> Iterator[Facts]:
    """Products of our collection."""
    for page in client.products():
        yield Facts(product_facts(page))


def read_orders(client: DotdigitalClient) -> Iterator[Facts]:
    """Orders of all contacts."""
    for page in client.orders():
        yield Facts(order_facts(page))


def _frame(records: Sequence[Json], keys: Sequence[str | None], columns: Mapping[str, Read]) -> pd.DataFrame:
    size = len(records)
    data: dict[str, Any] = {
        "key": pd.Series(keys, dtype="str"),
        "value": pd.array([None] * size, dtype="Int64"),
        "refunded": pd.array([None] * size, dtype="Int64"),
        "currency": pd.Series([None] * size, dtype="str"),
    }
    for name, read in columns.items():
        data[name] = pd.Series([read(record) for record in records], dtype="str")
    return pd.DataFrame(data)


def _keys(records: Sequence[Json]) -> list[str | None]:
    return [_plain(record.get("key")) for record in records]


def _json_member(name: str) -> Read:
    return lambda record: _plain(_inner(record, "json").get(name))


def _plain(value: Any) -> str | None:
    """A value as text that does not depend on how a number was written; None where there is none."""
    match value:
        case None:
            return None
        case int() | Decimal():
            text = format(Decimal(value), "f")
            return text.rstrip("0").rstrip(".") if "." in text else text
        case _:
            return str(value)


def _exact(value: Any) -> Decimal | int | None:
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


def _inner(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = record.get(name)
    return value if isinstance(value, Mapping) else {}


def _lines(record: Json) -> list[Mapping[str, Any]]:
    lines = _inner(record, "json").get("products")
    return [line for line in lines if isinstance(line, Mapping)] if isinstance(lines, list) else []


def _email_digest(record: Json) -> str | None:
    email = _inner(record, "identifiers").get("email")
    return digest(str(email)) if email else None
