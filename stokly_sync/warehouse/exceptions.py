"""Records that a rule keeps back: opened when a rule is broken, closed by themselves once the record passes (X2).

The subject is a dataset's name (its contract is broken) or a feed's id (a plan or a destination refuses). What a
person decided (an owner, a note, "ignore") outlives re-reading the same document. Which rule was broken is found
elsewhere; the page that shows exceptions stands in `dashboard`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa

from stokly_sync.contracts.rules import Catalogue, Effect
from stokly_sync.flow import Problem
from stokly_sync.warehouse.bulk import Merge, among, merge, read_frame, update
from stokly_sync.warehouse.tables import EXCEPTIONS

OPEN: Final = "open"
CLOSED: Final = "closed"
IGNORED: Final = "ignored"
EXCLUDED: Final = "excluded"

AtStake = tuple[int | None, str | None]
"""What a record is worth: nano units, and their currency."""

# States that end by themselves when the record passes. An excluded record is none of anybody's work, but it must not
# be named in a reconciliation any more once it is not excluded.
_ENDING: Final = (OPEN, IGNORED, EXCLUDED)


def open_exceptions(
    conn: sa.Connection,
    frame: pd.DataFrame,
    *,
    brand: str,
    subject: str,
    run_id: str | None,
    at: datetime | None = None,
) -> int:
    """Open or refresh exceptions; gives the number of rows.

    Columns: `key`, `rule`, `state` (open or excluded), and any of `owner`, `severity`, `detail`, `payload` (JSON text),
    `value` (nano units), `currency`, `window_start` (UTC), `document_hash`. Each key and rule once. A known exception
    keeps `first_seen` while it lasts, and note and person always; an ignored one stays ignored, and any keeps its
    `window_start`, as long as its `document_hash` is the same; a closed one begins anew.
    """
    now = at or datetime.now(UTC)
    fixed = {
        "brand": brand,
        "subject": subject,
        "run_id": run_id,
        "first_seen": now,
        "last_seen": now,
        "closed_at": None,
    }
    return merge(conn, EXCEPTIONS, frame, fixed=fixed, condition=Merge(compute=_REFRESH)).written


def open_for(
    conn: sa.Connection,
    *,
    brand: str,
    subject: str,
    problems: Iterable[Problem],
    catalogue: Catalogue,
    run_id: str | None,
    payloads: Mapping[str, str] | None = None,
    window_starts: Mapping[str, datetime] | None = None,
    hashes: Mapping[str, str] | None = None,
    values: Mapping[str, AtStake] | None = None,
) -> int:
    """`open_exceptions` from problems, with owner, severity and state as the catalogue says; gives the number of rows.

    `payloads` (JSON text), `window_starts` (UTC), `hashes` and `values` are by key and may be partial. Where a key
    breaks a rule twice the first detail counts. Raises KeyError for a rule that the catalogue does not know.
    """
    first = {(p.key, p.rule): p for p in reversed(list(problems))}
    found = list(first.values())[::-1]
    rules = [catalogue[p.rule] for p in found]
    keys = [p.key for p in found]
    columns: dict[str, list[Any]] = {
        "key": keys,
        "rule": [p.rule for p in found],
        "state": [EXCLUDED if r.effect is Effect.EXCLUDE else OPEN for r in rules],
        "owner": [r.owner.value for r in rules],
        "severity": [r.severity.value for r in rules],
        "detail": [p.detail for p in found],
        "payload": [(payloads or {}).get(k) for k in keys],
        "window_start": [(window_starts or {}).get(k) for k in keys],
        "document_hash": [(hashes or {}).get(k) for k in keys],
        "value": [(values or {}).get(k, (None, None))[0] for k in keys],
        "currency": [(values or {}).get(k, (None, None))[1] for k in keys],
    }
    return open_exceptions(conn, pd.DataFrame(columns, dtype=object), brand=brand, subject=subject, run_id=run_id)


def close_absent(
    conn: sa.Connection,
    *,
    brand: str,
    subject: str,
    keys: Iterable[str],
    found: Iterable[tuple[str, str]],
    run_id: str | None,
    rules: Sequence[str] | None = None,
    at: datetime | None = None,
) -> int:
    """Close what is not wrong any more: exceptions of `keys` whose (key, rule) is not in `found`; gives their number.

    `rules` narrows it to some rules: a plan must not close what a destination has refused.
    """
    e = EXCEPTIONS.c
    known = sa.select(e.key, e.rule).where(
        e.brand == brand, e.subject == subject, e.state.in_(_ENDING), among(conn, e.key, keys)
    )
    if rules is not None:
        known = known.where(e.rule.in_(rules))
    still = set(found)
    frame = read_frame(conn, known)
    gone = frame[[pair not in still for pair in zip(frame["key"], frame["rule"], strict=True)]]
    return update(
        conn,
        EXCEPTIONS,
        gone,
        key=("key", "rule"),
        fixed={"brand": brand, "subject": subject},
        set_fixed={"state": CLOSED, "closed_at": at or datetime.now(UTC), "run_id": run_id, "payload": None},
    )


def close_passed(conn: sa.Connection, *, brand: str, subject: str, keys: Iterable[str], run_id: str | None) -> int:
    """Close every exception of records that pass now; gives the number of records that were open or ignored."""
    e = EXCEPTIONS.c
    wanted = list(keys)
    held = conn.execute(
        sa.select(sa.func.count(e.key.distinct())).where(
            e.brand == brand, e.subject == subject, e.state.in_((OPEN, IGNORED)), among(conn, e.key, wanted)
        )
    ).scalar_one()
    close_absent(conn, brand=brand, subject=subject, keys=wanted, found=(), run_id=run_id)
    return held


def counts_by_rule(conn: sa.Connection, *, brand: str, subject: str, state: str = OPEN) -> dict[str, int]:
    """Exceptions of a subject in a state, counted by rule, rules sorted."""
    e = EXCEPTIONS.c
    query = (
        sa.select(e.rule, sa.func.count())
        .where(e.brand == brand, e.subject == subject, e.state == state)
        .group_by(e.rule)
        .order_by(e.rule)
    )
    return {row[0]: row[1] for row in conn.execute(query)}


def _same_document(old: Any, new: Any) -> sa.ColumnElement[Any]:
    return sa.func.coalesce(old.document_hash, "") == sa.func.coalesce(new.document_hash, "")


def _state(old: Any, new: Any) -> sa.ColumnElement[Any]:
    ignored = sa.and_(old.state == IGNORED, new.state == OPEN, _same_document(old, new))
    return sa.case((ignored, old.state), else_=new.state)


def _window_start(old: Any, new: Any) -> sa.ColumnElement[Any]:
    lasting = sa.and_(old.state != CLOSED, _same_document(old, new), old.window_start.is_not(None))
    return sa.case((lasting, old.window_start), else_=new.window_start)


def _first_seen(old: Any, new: Any) -> sa.ColumnElement[Any]:
    return sa.case((old.state == CLOSED, new.first_seen), else_=old.first_seen)


_REFRESH: Final = {"state": _state, "first_seen": _first_seen, "window_start": _window_start}


def known_documents(conn: sa.Connection, *, brand: str, subject: str, keys: Iterable[str]) -> set[tuple[str, str, str]]:
    """(key, rule, document hash) of the lasting exceptions among `keys`."""
    e = EXCEPTIONS.c
    query = sa.select(e.key, e.rule, sa.func.coalesce(e.document_hash, "")).where(
        e.brand == brand, e.subject == subject, e.state.in_(_ENDING), among(conn, e.key, keys)
    )
    return {(row[0], row[1], row[2]) for row in conn.execute(query)}


def payloads_of(
    conn: sa.Connection, *, brand: str, subject: str, rules: Iterable[str]
) -> list[tuple[str, str, datetime]]:
    """(key, payload, last seen) of the open exceptions of some rules, in key order; those without payload left out."""
    e = EXCEPTIONS.c
    query = (
        sa.select(e.key, sa.func.max(e.payload), sa.func.max(e.last_seen, type_=e.last_seen.type))
        .where(e.brand == brand, e.subject == subject, e.state == OPEN, e.rule.in_(list(rules)))
        .where(e.payload.is_not(None))
        .group_by(e.key)
        .order_by(e.key)
    )
    return [(row[0], row[1], row[2]) for row in conn.execute(query)]
