"""Vocabulary and shape of a system, versioned, and what changed in it (X22).

Small lists: channels, tax classes, words and members seen in rows. What holds now has no end; a change ends the old row
and begins a new one. Lists that come from a sample of rows tell of what is new or different, not of what is gone: a
rare word is not gone because nobody used it today.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from stokly_sync.contracts.rules import Severity
from stokly_sync.flow import Json, Team
from stokly_sync.warehouse import findings
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import REFERENCE

KIND: Final = "drift"
SAMPLED: Final = frozenset({"words", "members"})
"""Kinds that a system makes from a sample of its rows."""
MOST_NAMED: Final = 20

_ENCODER: Final = msgspec.json.Encoder(order="deterministic", decimal_format="number")


@dataclass(frozen=True)
class Change:
    """One entry of a system's reference data that is `new`, `gone` or `changed` (with what it was and is)."""

    kind: str
    key: str
    what: str


@dataclass(frozen=True)
class _Entry:
    kind: str
    key: str
    hash: str
    body: str


def refresh(
    warehouse: Warehouse,
    system: str,
    found: Mapping[str, Sequence[Json]],
    *,
    run_id: str,
    now: datetime | None = None,
) -> list[Change]:
    """Store what a system's reference data is now, and give what changed since the last time (nothing at first).

    `found` is what `flow.System.reference` gives. Changes open one finding for the system; a later look without changes
    clears it.
    """
    moment = now or datetime.now(UTC)
    entries = {(e.kind, e.key): e for e in _entries(found)}
    with warehouse.transaction() as conn:
        known = _current(conn, warehouse.brand, system)
        changes, ended, begun = _differences(known, entries)
        _end(conn, warehouse.brand, system, ended, moment)
        _begin(conn, warehouse.brand, system, begun, moment, run_id)
        told = changes if known else []
        _tell(conn, warehouse.brand, system, told, run_id)
    return told


def _entries(found: Mapping[str, Sequence[Json]]) -> list[_Entry]:
    made = []
    for kind, rows in found.items():
        for row in rows:
            body = _ENCODER.encode(row).decode()
            made.append(_Entry(kind, identity(row), blake2b(body.encode(), digest_size=16).hexdigest(), body))
    return made


def identity(row: Mapping[str, Any]) -> str:
    """What a row is known by: its first id, else its texts in order."""
    for name, value in row.items():
        if name.endswith("Id"):
            return str(value)
    return "/".join(str(value) for value in row.values() if isinstance(value, str))


def _current(conn: sa.Connection, brand: str, system: str) -> dict[tuple[str, str], _Entry]:
    c = REFERENCE.c
    query = sa.select(c.kind, c.key, c.hash, c.body).where(c.brand == brand, c.system == system, c.valid_to.is_(None))
    return {(kind, key): _Entry(kind, key, digest, body) for kind, key, digest, body in conn.execute(query)}


def _differences(
    known: Mapping[tuple[str, str], _Entry], entries: Mapping[tuple[str, str], _Entry]
) -> tuple[list[Change], list[_Entry], list[_Entry]]:
    """Changes to tell, rows that end, rows that begin."""
    changes: list[Change] = []
    ended: list[_Entry] = []
    begun: list[_Entry] = []
    for place, entry in entries.items():
        before = known.get(place)
        if before is None:
            changes.append(Change(entry.kind, _named(entry), "new"))
            begun.append(entry)
        elif before.hash != entry.hash:
            changes.append(Change(entry.kind, _named(entry), f"changed: {_changed_members(before, entry)}"))
            ended.append(before)
            begun.append(entry)
    for place, before in known.items():
        if place not in entries and before.kind not in SAMPLED:
            changes.append(Change(before.kind, _named(before), "gone"))
            ended.append(before)
    return changes, ended, begun


def _named(entry: _Entry) -> str:
    """The entry's name where it has one, else its key."""
    body = msgspec.json.decode(entry.body)
    return str(body.get("name") or entry.key)


def _changed_members(before: _Entry, after: _Entry) -> str:
    old, new = msgspec.json.decode(before.body), msgspec.json.decode(after.body)
    names = sorted(n for n in {*old, *new} if old.get(n) != new.get(n))
    return ", ".join(f"{n} was {_short(old.get(n))}, is {_short(new.get(n))}" for n in names)


def _short(value: Any) -> str:
    text = "absent" if value is None else _ENCODER.encode(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."


def _end(conn: sa.Connection, brand: str, system: str, ended: Sequence[_Entry], now: datetime) -> None:
    c = REFERENCE.c
    for entry in ended:
        mine = (c.brand == brand, c.system == system, c.kind == entry.kind, c.key == entry.key, c.valid_to.is_(None))
        conn.execute(sa.update(REFERENCE).where(*mine).values(valid_to=now))


def _begin(conn: sa.Connection, brand: str, system: str, begun: Sequence[_Entry], now: datetime, run_id: str) -> None:
    rows = [
        {
            "brand": brand,
            "system": system,
            "kind": e.kind,
            "key": e.key,
            "valid_from": now,
            "hash": e.hash,
            "body": e.body,
            "run_id": run_id,
        }
        for e in begun
    ]
    if rows:
        conn.execute(sa.insert(REFERENCE), rows)


def _tell(conn: sa.Connection, brand: str, system: str, changes: Sequence[Change], run_id: str) -> None:
    if not changes:
        findings.clear_finding(conn, brand=brand, kind=KIND, subject=system, problem_key="reference")
        return
    named = "; ".join(f"{c.kind} {c.key} {c.what}" for c in changes[:MOST_NAMED])
    findings.raise_finding(
        conn,
        brand=brand,
        kind=KIND,
        subject=system,
        problem_key="reference",
        title=f"{len(changes)} changes in the vocabulary or shape of {system}",
        body={"changes": len(changes), "named": named, "advice": "Look whether a mapping or a setting must follow."},
        severity=Severity.MEDIUM,
        owner=Team.OPERATIONS,
        run_id=run_id,
    )
