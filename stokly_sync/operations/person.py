"""Where a person stands in our database: customers, addresses, and every record that leads to them (X14).

Found through the contracts, as rows lead to each other: a customer, the orders of that customer or of a guest with the
address, what names those orders. Nothing is changed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from stokly_sync.contracts import erasure
from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.contracts.people import CUSTOMERS
from stokly_sync.contracts.tables import Dataset
from stokly_sync.errors import StoklySyncError
from stokly_sync.warehouse import erasures
from stokly_sync.warehouse.bulk import among
from stokly_sync.warehouse.tables import EXCEPTIONS, LANDED

_C: Final = LANDED[CUSTOMERS.name].c
_ACCOUNT: Final = "customer_key"
"""Column of a sales channel's own id of its customer."""


class NobodyMeant(StoklySyncError):
    """Nobody, or more than one person, is meant."""


@dataclass
class Traces:
    """What is known of one person. `emails` in lower case; `records` are keys by dataset."""

    customers: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set, repr=False)
    records: dict[str, set[str]] = field(default_factory=dict)

    @property
    def digests(self) -> dict[str, set[str]]:
        """What the person is known by once erased: addresses, and the keys of the person's own records."""
        own = {name: keys for name, keys in self.records.items() if erasure.registered(DATASETS[name])}
        known = {**own, erasure.EMAIL: self.emails}
        return {kind: {erasure.digest(kind, value) for value in values} for kind, values in known.items() if values}

    @property
    def handles(self) -> list[str]:
        """Digests by which what was done is found again: of customers first, then of addresses."""
        customers = sorted(erasure.digest(CUSTOMERS.name, key) for key in self.customers)
        return customers + sorted(erasure.digest(erasure.EMAIL, email) for email in self.emails)


def traces_of(conn: sa.Connection, brand: str, *, customer: str | None, email: str | None) -> Traces:
    """Everything that leads to a customer (id or account code) or to whoever has an address.

    An address on an order that a customer has nowhere else may be a shop's or a friend's, so it leads no further.
    Raises NobodyMeant where nobody is known by that, or where the address of a customer is also another's.
    """
    traces = Traces()
    if email is not None:
        traces.emails.add(email.strip().lower())
        traces.customers |= _ids(conn, brand, _lower(_C.email), traces.emails)
    if customer is not None:
        traces.customers |= _customers(conn, brand, customer)
    _follow_merges(conn, brand, traces.customers)
    query = sa.select(_C.email).where(_C.brand == brand, among(conn, _C.customer_id, traces.customers))
    traces.emails |= {text.strip().lower() for text in conn.execute(query).scalars() if text and text.strip()}
    if email is None:
        _refuse_shared(conn, brand, traces)
    traces.records[CUSTOMERS.name] = set(traces.customers)
    _gather(conn, brand, traces)
    _gather_documents(conn, brand, traces)
    _gather(conn, brand, traces)
    traces.customers |= traces.records[CUSTOMERS.name]
    if email is not None and not (traces.customers or any(traces.records.values())):
        _refuse_unknown(conn, brand, erasure.EMAIL, traces.emails)
    return traces


def accounts_of(conn: sa.Connection, brand: str, system: str, traces: Traces) -> tuple[str, ...]:
    """The ids of a person's accounts in a sales channel, as its landed orders tell; guests have none."""
    found: set[str] = set()
    for name, keys in traces.records.items():
        c = LANDED[name].c
        if name.partition(".")[0] == system and _ACCOUNT in c and keys:
            mine = (c.brand == brand, among(conn, c[DATASETS[name].key], keys), c[_ACCOUNT].is_not(None))
            found.update(conn.execute(sa.select(c[_ACCOUNT]).where(*mine).distinct()).scalars())
    return tuple(sorted(found))


def _lower(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.func.lower(sa.func.trim(column), type_=sa.Text())


def _ids(conn: sa.Connection, brand: str, column: sa.ColumnElement[Any], values: set[str]) -> set[str]:
    query = sa.select(_C.customer_id).where(_C.brand == brand, among(conn, column, values))
    return set(conn.execute(query).scalars())


def _customers(conn: sa.Connection, brand: str, words: str) -> set[str]:
    text = words.strip()
    by_id = _ids(conn, brand, _C.customer_id, {text})
    found = by_id or _ids(conn, brand, _C.account_code, {text})
    if len(found) > 1:
        raise NobodyMeant(f"Several customers have the account code: {', '.join(sorted(found))}. Give an id of these.")
    if not found:
        orders = LANDED["stokly.orders"].c
        query = sa.select(orders.order_id).where(orders.brand == brand, orders.customer_id == text).limit(1)
        if conn.execute(query).first() is None:
            _refuse_unknown(conn, brand, CUSTOMERS.name, {text})
        found = {text}
    return found


def _refuse_unknown(conn: sa.Connection, brand: str, kind: str, values: set[str]) -> None:
    """Who was erased before is still known, by digest."""
    if not erasures.known(conn, brand, {kind: {erasure.digest(kind, value) for value in values}}):
        raise NobodyMeant(
            "Nobody is known by that: give a customer's id, the account code, or an address with --email."
        )


def _follow_merges(conn: sa.Connection, brand: str, customers: set[str]) -> None:
    """Add those who were merged into customers, and those whom they were merged into."""
    before = -1
    while len(customers) != before:
        before = len(customers)
        customers |= _ids(conn, brand, _C.merged_into, customers)
        into = sa.select(_C.merged_into).where(_C.brand == brand, among(conn, _C.customer_id, customers))
        customers |= {one for one in conn.execute(into).scalars() if one}


def _refuse_shared(conn: sa.Connection, brand: str, traces: Traces) -> None:
    same = _ids(conn, brand, _lower(_C.email), traces.emails) - traces.customers
    query = sa.select(_C.customer_id).where(_C.brand == brand, _C.live, among(conn, _C.customer_id, same))
    others = sorted(conn.execute(query).scalars())
    if others:
        raise NobodyMeant(
            f"The address of the customer is also that of {', '.join(others)}, and a destination knows people by it. "
            "Give the address with --email to erase all of them, or correct it in Stokly first."
        )
    traces.customers |= same


def _gather(conn: sa.Connection, brand: str, traces: Traces) -> None:
    """Follow the rows until nothing new is found: an order leads to its refunds, a channel's account to its orders."""
    before = -1
    while (count := sum(map(len, traces.records.values()))) != before:
        before = count
        for dataset in DATASETS.values():
            for keys in _leading(conn, brand, dataset, traces):
                traces.records.setdefault(dataset.name, set()).update(keys)


def _leading(conn: sa.Connection, brand: str, dataset: Dataset, traces: Traces) -> Iterator[set[str]]:
    c = LANDED[dataset.name].c
    key = c[dataset.key]
    for column, kind in erasure.leads(dataset):
        values = traces.emails if kind == erasure.EMAIL else traces.records.get(kind, set())
        if values and (column, kind) != (dataset.key, dataset.name):
            wanted = _lower(c[column]) if kind == erasure.EMAIL else c[column]
            yield set(conn.execute(sa.select(key).where(c.brand == brand, among(conn, wanted, values))).scalars())
    mine = traces.records.get(dataset.name)
    if mine and _ACCOUNT in c:
        accounts = sa.select(c[_ACCOUNT]).where(c.brand == brand, among(conn, key, mine), c[_ACCOUNT].is_not(None))
        named = set(conn.execute(accounts).scalars())
        yield set(conn.execute(sa.select(key).where(c.brand == brand, among(conn, c[_ACCOUNT], named))).scalars())


def _gather_documents(conn: sa.Connection, brand: str, traces: Traces) -> None:
    """Add records that never landed because a rule keeps their document back."""
    for subject, key in documents_naming(conn, brand, traces):
        if subject in DATASETS:
            traces.records.setdefault(subject, set()).add(key)


def documents_naming(conn: sa.Connection, brand: str, traces: Traces) -> set[tuple[str, str]]:
    """Subject and key of exceptions whose document names the person, by address or by customer id."""
    e = EXCEPTIONS.c
    words = [*traces.emails, *traces.customers]
    if not words:
        return set()
    text = sa.func.lower(e.payload)
    query = sa.select(e.subject, e.key, e.payload).where(
        e.brand == brand, e.payload.is_not(None), sa.or_(*(text.contains(w.lower(), autoescape=True) for w in words))
    )
    return {(subject, key) for subject, key, payload in conn.execute(query) if _names(payload, traces)}


def _names(payload: str, traces: Traces) -> bool:
    """Whether a document holds an address of the person, or a customer id under a name that says so."""
    waiting: list[tuple[str, Any]] = [("", msgspec.json.decode(payload))]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(name, one) for one in value]
        elif value is not None and (
            ("customer" in name.lower() and str(value) in traces.customers)
            or any(email in str(value).lower() for email in traces.emails)
        ):
            return True
    return False
