"""Journals kept: made of landed payouts, corrected by further entries, and noted as exported (P5).

What was exported is never changed: a payout that became another one since gets an entry with the difference, one that
is gone gets the opposite. So exporting again, replaying a window or landing a payout twice comes to nothing. What the
lines of a journal are stands in `contracts.journals`, what a file looks like with the accounting packages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa

from stokly_sync.contracts import columns
from stokly_sync.contracts.journals import Journal, Line, Role, amounts, missing
from stokly_sync.contracts.remittances import REMITTANCES
from stokly_sync.flow import Json
from stokly_sync.warehouse.bulk import insert, read_frame, rows_by
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import JOURNAL_LINES, LANDED


def keep_journals(warehouse: Warehouse, channel: str, *, now: datetime) -> int:
    """Bring the journals of a channel up to what is landed; gives the number of new entries.

    May be repeated at any time. Entries that nobody has exported are made anew, the others stand. Raises ValueError
    for a payout that does not balance, which landing lets through to nobody.
    """
    brand = warehouse.brand
    with warehouse.exclusive(f"journals:{channel}", purpose="journals"), warehouse.transaction() as connection:
        j = JOURNAL_LINES.c
        mine = sa.and_(j.brand == brand, j.channel == channel)
        connection.execute(sa.delete(JOURNAL_LINES).where(mine, j.exported_at.is_(None)))
        journalled, last = _journalled(connection, brand, channel)
        rows = [
            row
            for remittance in _remittances(connection, brand, channel)
            for row in _rows(remittance, journalled[remittance["remittance_id"]], last[remittance["remittance_id"]])
        ]
        if rows:
            fixed = {"brand": brand, "channel": channel, "made_at": now}
            insert(connection, JOURNAL_LINES, pd.DataFrame(rows, dtype=object), fixed=fixed)
    return len({(row["remittance_id"], row["entry"]) for row in rows})


def journals(warehouse: Warehouse, channel: str, *, exported: bool = False) -> list[Journal]:
    """Journals that were not exported yet, or all of them, oldest first."""
    j = JOURNAL_LINES.c
    query = sa.select(j.remittance_id, j.entry, j.number, j.at, j.currency, j.role, j.amount).where(
        j.brand == warehouse.brand, j.channel == channel
    )
    if not exported:
        query = query.where(j.exported_at.is_(None))
    found: dict[tuple[Any, ...], list[Line]] = defaultdict(list)
    with warehouse.reading() as connection:
        for remittance, entry, number, at, currency, role, amount in connection.execute(query):
            found[at, number, entry, remittance, currency].append(Line(Role(role), int(amount)))
    order = list(Role)
    return [
        Journal(
            channel, remittance, entry, number, at, currency, tuple(sorted(lines, key=lambda n: order.index(n.role)))
        )
        for (at, number, entry, remittance, currency), lines in sorted(found.items())
    ]


def note_exported(
    connection: sa.Connection, made: Sequence[Journal], *, brand: str, package: str, now: datetime
) -> None:
    """Note that these journals stand in a file for a package; the caller puts the file in place before it commits."""
    j = JOURNAL_LINES.c
    for journal in made:
        connection.execute(
            sa.update(JOURNAL_LINES)
            .where(
                j.brand == brand,
                j.channel == journal.channel,
                j.remittance_id == journal.remittance,
                j.entry == journal.entry,
            )
            .values(exported_at=now, exported_as=package)
        )


def _journalled(
    connection: sa.Connection, brand: str, channel: str
) -> tuple[Mapping[str, dict[Role, int]], Mapping[str, int]]:
    """Amounts by remittance and role, and the last entry of each remittance."""
    j = JOURNAL_LINES.c
    query = (
        sa.select(j.remittance_id, j.role, sa.func.sum(j.amount), sa.func.max(j.entry))
        .where(j.brand == brand, j.channel == channel)
        .group_by(j.remittance_id, j.role)
    )
    sums: dict[str, dict[Role, int]] = defaultdict(dict)
    last: dict[str, int] = defaultdict(int)
    for remittance, role, amount, entry in connection.execute(query):
        sums[remittance][Role(role)] = int(amount)
        last[remittance] = max(last[remittance], int(entry))
    return sums, last


def _remittances(connection: sa.Connection, brand: str, channel: str) -> list[Json]:
    dataset = REMITTANCES[channel]
    root = LANDED[dataset.name]
    frame = read_frame(connection, sa.select(root).where(root.c.brand == brand))
    if frame.empty:
        return []
    ids = columns.keys(frame["remittance_id"])
    lines = rows_by(connection, dataset.children[0], brand=brand, column="remittance_id", values=ids)
    by_id: dict[str, list[Json]] = defaultdict(list)
    for line in _plain(lines):
        by_id[line["remittance_id"]].append(line)
    return [{**row, "lines": by_id[row["remittance_id"]] if row["live"] else []} for row in _plain(frame)]


def _rows(remittance: Json, journalled: Mapping[Role, int], last: int) -> list[Json]:
    number = remittance["number"] or remittance["remittance_id"]
    shared = {
        "remittance_id": remittance["remittance_id"],
        "entry": last + 1,
        "number": number,
        "at": remittance["paid_at"] or remittance["created_at"],
        "currency": remittance["currency"],
    }
    lines = missing(amounts(remittance["lines"]), journalled)
    return [{**shared, "role": line.role.value, "amount": line.amount} for line in lines]


def _plain(frame: pd.DataFrame) -> list[Json]:
    """Rows as plain values, None where missing."""
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in frame.astype(object).to_dict("records")
    ]
