"""Statements of consent and what holds, as the warehouse has them: reading, naming, and telling echoes apart (X19).

Belongs here: queries and the form of a row. When statements are taken and weighed is said in `consent`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa

from stokly_sync.contracts import columns
from stokly_sync.contracts.consent import CONSENTS, FEED, Said
from stokly_sync.contracts.owners import person
from stokly_sync.contracts.people import CUSTOMERS
from stokly_sync.flow import Choice, Statement
from stokly_sync.warehouse.bulk import among, read_frame
from stokly_sync.warehouse.tables import CONSENT_STATEMENTS, LANDED, LEDGER

_CUSTOMERS: Final = LANDED[CUSTOMERS.name]
_CONSENTS: Final = LANDED[CONSENTS.name]
_ECHO: Final = timedelta(minutes=2)


@dataclass(frozen=True)
class Echoes:
    """When a destination took opt-outs that hold and were made elsewhere, by customer and channel."""

    spans: Mapping[tuple[str | None, str], tuple[datetime, datetime]]

    @classmethod
    def of(cls, conn: sa.Connection, brand: str, system: str, customers: Collection[str]) -> Echoes:
        """The opt-outs that `system` was told of customers."""
        c = LEDGER.c
        query = sa.select(c.key, c.sent_at, c.accepted_at).where(
            c.brand == brand, c.feed == f"{system}/{FEED}", c.sent_at.is_not(None), among(conn, c.key, customers)
        )
        sent = {key: (begun - _ECHO, max(begun, done or begun) + _ECHO) for key, begun, done in conn.execute(query)}
        now = holding_now(conn, brand, sent)
        passed = {pair for pair, (choice, _, source) in now.items() if choice == Choice.OUT and source != system}
        return cls({pair: sent[pair[0]] for pair in passed})

    def holds(self, one: Statement, customer: str | None) -> bool:
        """Whether a statement is the echo of what we wrote."""
        span = self.spans.get((customer, one.channel))
        return (
            span is not None
            and one.choice is Choice.OUT
            and one.said_at is not None
            and span[0] <= one.said_at <= span[1]
        )


def one_at_a_time(conn: sa.Connection, brand: str) -> None:
    """Wait for others who weigh statements of the brand, until the end of the transaction. SQLite has one writer."""
    if conn.dialect.name == "postgresql":
        name = f"{CONSENTS.name} of {brand}"
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))))


def named(conn: sa.Connection, brand: str, statements: Sequence[Statement]) -> list[list[str | None]]:
    """The customers of each statement: the one it names, else those who have the address, else nobody yet."""
    c = _CUSTOMERS.c
    lower = sa.func.lower(c.email, type_=sa.Text())
    wanted = {one.email.strip().lower() for one in statements if one.customer is None and one.email}
    found: dict[str, list[str | None]] = defaultdict(list)
    if wanted:
        query = sa.select(lower, c.customer_id).where(c.brand == brand, among(conn, lower, sorted(wanted)))
        for email, customer in conn.execute(query.order_by(c.customer_id)):
            found[email].append(customer)
    return [
        [one.customer] if one.customer else found.get((one.email or "").strip().lower(), [None]) for one in statements
    ]


def row_of(one: Statement, customer: str | None, system: str, seen: datetime) -> dict[str, Any]:
    """A statement as it is kept: the same one always has the same id, and the address stands there as a digest."""
    who = person(one.email) if one.email else None
    said = one.said_at or seen
    identity = repr((one.channel, who, customer, system, one.choice.value, said.astimezone(UTC).isoformat()))
    return {
        "statement_id": blake2b(identity.encode(), digest_size=16).hexdigest(),
        "channel": one.channel,
        "person": who,
        "customer_id": customer,
        "system": system,
        "choice": one.choice.value,
        "said_at": said,
        "seen_at": seen,
        "reason": one.reason,
    }


def people_of(rows: pd.DataFrame) -> dict[str, list[str]]:
    """Customers by the digest of their address."""
    found: dict[str, list[str]] = defaultdict(list)
    for customer, email in zip(columns.keys(rows["customer_id"]), columns.texts(rows["email"]), strict=True):
        if email:
            found[person(email)].append(customer)
    return found


def statements_of(conn: sa.Connection, brand: str, customers: Collection[str]) -> dict[str, dict[str, list[Said]]]:
    """What was said of each customer or of the address that is theirs now, by customer and channel."""
    k, c = _CUSTOMERS.c, CONSENT_STATEMENTS.c
    query = sa.select(k.customer_id, k.email).where(k.brand == brand, among(conn, k.customer_id, customers))
    people = people_of(read_frame(conn, query))
    wanted = (c.person, c.customer_id, c.channel, c.choice, c.said_at, c.system)
    found: dict[str, dict[str, list[Said]]] = {}
    for column, values in ((c.person, list(people)), (c.customer_id, list(customers))):
        said = sa.select(*wanted).where(c.brand == brand, among(conn, column, values))
        for who, customer, channel, choice, at, system in conn.execute(said):
            for one in people.get(who, ()) if column is c.person else (customer,):
                found.setdefault(one, defaultdict(list))[channel].append(Said(Choice(choice), at, system))
    return found


def names_of(channel: str) -> tuple[str, str, str]:
    """Columns of what holds for a channel: choice, time, source."""
    return f"{channel}_choice", f"{channel}_at", f"{channel}_source"


def parts_of(row: Mapping[str, Any], channel: str) -> tuple[Any, ...]:
    """What holds for a channel: choice, time, source."""
    return tuple(row[name] for name in names_of(channel))


def holding_now(conn: sa.Connection, brand: str, customers: Collection[str]) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Choice, time and source that are stored, by customer and channel."""
    query = sa.select(_CONSENTS).where(_CONSENTS.c.brand == brand, among(conn, _CONSENTS.c.customer_id, customers))
    rows = conn.execute(query).mappings().all()
    channels = [c.name.removesuffix("_choice") for c in _CONSENTS.c if c.name.endswith("_choice")]
    return {(str(row["customer_id"]), channel): parts_of(dict(row), channel) for row in rows for channel in channels}
