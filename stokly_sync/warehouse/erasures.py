"""Who was erased, by digest, and what every system answered when it was asked to forget them (X14).

Whoever lands rows asks here in the transaction that writes them; an erasure waits for those transactions and they wait
for it, so that no row can slip in between. How rows lead to digests stands in `contracts.erasure`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
import sqlalchemy as sa

from stokly_sync.warehouse.bulk import among, merge
from stokly_sync.warehouse.tables import ERASURE_ANSWERS, ERASURES


def anybody(conn: sa.Connection, brand: str) -> bool:
    """Whether anybody was ever erased: mostly nobody, and then nothing else need be asked."""
    return conn.execute(sa.select(ERASURES.c.digest).where(ERASURES.c.brand == brand).limit(1)).first() is not None


def beside_others(conn: sa.Connection, brand: str) -> None:
    """Let no erasure happen until the end of the transaction. SQLite has one writer anyway."""
    _lock(conn, brand, sa.func.pg_advisory_xact_lock_shared)


def alone(conn: sa.Connection, brand: str) -> None:
    """Wait for transactions that land rows, and let none begin until the end of this one."""
    _lock(conn, brand, sa.func.pg_advisory_xact_lock)


def _lock(conn: sa.Connection, brand: str, how: sa.sql.functions._FunctionGenerator) -> None:
    if conn.dialect.name == "postgresql":
        conn.execute(sa.select(how(sa.func.hashtextextended(f"erasures of {brand}", 0))))


def known(conn: sa.Connection, brand: str, wanted: Mapping[str, Collection[str]]) -> dict[str, dict[str, datetime]]:
    """When those among some digests were erased (UTC), by kind and digest."""
    c = ERASURES.c
    found: dict[str, dict[str, datetime]] = {}
    for kind, digests in wanted.items():
        query = sa.select(c.digest, c.erased_at).where(c.brand == brand, c.kind == kind, among(conn, c.digest, digests))
        rows = {row.digest: row.erased_at for row in conn.execute(query)}
        if rows:
            found[kind] = rows
    return found


def note(
    conn: sa.Connection, brand: str, erased: Mapping[str, Iterable[str]], *, at: datetime, run_id: str | None
) -> None:
    """Keep digests as erased; those that are known take the later time."""
    pairs = [(kind, digest) for kind, digests in erased.items() for digest in sorted(set(digests))]
    if pairs:
        frame = pd.DataFrame(pairs, columns=["kind", "digest"], dtype=object)
        merge(conn, ERASURES, frame, fixed={"brand": brand, "erased_at": at, "run_id": run_id})


@dataclass(frozen=True)
class Answer:
    """What a system answered: state done, asked, failed or by hand; `receipt` is what it can be asked by again."""

    system: str
    state: str
    answer: str
    receipt: str | None = None


def answers(conn: sa.Connection, brand: str, people: Collection[str]) -> dict[str, Answer]:
    """The newest answer of each system about any of some digests."""
    c = ERASURE_ANSWERS.c
    query = sa.select(c.system, c.state, c.answer, c.receipt).where(c.brand == brand, among(conn, c.person, people))
    return {row.system: Answer(*row) for row in conn.execute(query.order_by(c.at))}


def note_answer(
    conn: sa.Connection, brand: str, people: Collection[str], answer: Answer, *, at: datetime, run_id: str
) -> None:
    """Keep what a system answered about a person, under each of the person's digests."""
    frame = pd.DataFrame({"person": sorted(people)}, dtype=object)
    told = {"system": answer.system, "state": answer.state, "answer": answer.answer, "receipt": answer.receipt}
    merge(conn, ERASURE_ANSWERS, frame, fixed={"brand": brand, **told, "at": at, "run_id": run_id})
