"""How stored records are shown: list paging, and the members that only the read side has.

Belongs here: pure functions from store to JSON values. Source: Ometria API contract 4 (read-back), and 3
for the refund sums of an order.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any

from stokly_sync.sandbox.ometria.store import Record, Store, Stored

DEFAULT_LIMIT = 10
MAX_LIMIT = 250


class BadQueryError(ValueError):
    """A query parameter that cannot be read."""


def whole_number(query: Mapping[str, str], name: str, default: int) -> int:
    """A query parameter that must be a whole number, zero or more.

    Raises:
        BadQueryError: naming the parameter.
    """
    given = query.get(name, "")
    if given == "":
        return default
    if not given.isdecimal():
        raise BadQueryError(f"{name} must be a whole number.")
    return int(given)


def page(rows: Iterable[Stored], query: Mapping[str, str]) -> list[Stored]:
    """One page: `limit` (default 10; more than 250 is cut to 250), `offset`, `orderby=timestamp_update`.

    Raises:
        BadQueryError: for a parameter that is no whole number, an `orderby` not known, or `limit=0`.
    """
    limit = min(whole_number(query, "limit", DEFAULT_LIMIT), MAX_LIMIT)
    offset = whole_number(query, "offset", 0)
    if limit == 0:
        raise BadQueryError("limit must be at least 1.")
    order = query.get("orderby", "")
    if order == "timestamp_update":
        rows = sorted(rows, key=lambda row: (row.updated, row.number))
    elif order:
        raise BadQueryError("orderby can only be timestamp_update.")
    return list(islice(rows, offset, offset + limit))


def switched(query: Mapping[str, str], name: str) -> bool | None:
    """A query parameter that is `true`, `false` or absent.

    Raises:
        BadQueryError: for anything else.
    """
    match query.get(name, "").lower():
        case "":
            return None
        case "true":
            return True
        case "false":
            return False
        case _:
            raise BadQueryError(f"{name} must be true or false.")


def select_products(store: Store, query: Mapping[str, str]) -> Iterable[Stored]:
    """Products in the order of their internal ids: parents only unless `includeVariants=true`."""
    variants = switched(query, "includeVariants") or False
    active = switched(query, "active")
    for row in store.products.values():
        if row.fields.get("is_variant") and not variants:
            continue
        if active is None or row.fields.get("is_active", True) == active:
            yield row


def show_product(row: Stored) -> Record:
    """A product as read."""
    return {"@type": "product", **row.fields}


def show_event(row: Stored) -> Record:
    """A custom event as kept (read only on the test-only route)."""
    return {"@type": "custom_event", **row.fields}


def show_order(row: Stored) -> Record:
    """An order as read: with its refund sums, computed from its lines."""
    lines = row.fields.get("lineitems") or []
    return {
        "@type": "order",
        **row.fields,
        "total_refunded": total(lines, "refunded"),
        "total_unit_quantity": total(lines, "quantity"),
        "total_unit_quantity_refunded": total(lines, "quantity_refunded"),
    }


def show_contact(row: Stored, collection: str) -> Record:
    """A contact as read: with its profile and its history."""
    return {
        "@type": "contact",
        "@collection": collection,
        **row.fields,
        "profile_id": row.profile_id,
        "source": collection,
        "dt_object_created": row.created,
        "dt_object_updated": row.updated,
        "dt_object_observed": row.updated,
        "dt_observed": row.updated,
        "object_version": row.version,
    }


def total(rows: Iterable[Mapping[str, Any]], name: str) -> Decimal | int:
    """The exact sum of one member over rows that may lack it."""
    return sum((row.get(name) or 0 for row in rows), start=0)
