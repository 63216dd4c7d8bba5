"""What people said of consent, kept for good, and what holds of it for each customer (X19).

Belongs here: taking statements of a destination or of the source's customers, telling a person's choice from the echo
of our own, and the rows and the audit trail that come of it. The rule by which statements are weighed stands in
`contracts.consent`. Statements are only ever added; rows depend on them and on the landed customers alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import islice
from typing import Any, Final
from uuid import uuid4

import msgspec
import pandas as pd
import sqlalchemy as sa

from stokly_sync.contracts import columns
from stokly_sync.contracts.consent import CONSENTS, Said, holding
from stokly_sync.contracts.people import CUSTOMERS
from stokly_sync.flow import Choice, Statement
from stokly_sync.landing.grid import floor, window_at
from stokly_sync.landing.statements import (
    Echoes,
    holding_now,
    named,
    names_of,
    one_at_a_time,
    parts_of,
    people_of,
    row_of,
    statements_of,
)
from stokly_sync.warehouse import windows
from stokly_sync.warehouse.bulk import Merge, among, insert, merge, read_frame
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import CONSENT_CHANGES, CONSENT_STATEMENTS, LANDED
from stokly_sync.warehouse.windows import WindowCount, WindowState

_CUSTOMERS: Final = LANDED[CUSTOMERS.name]
_CONSENTS: Final = LANDED[CONSENTS.name]
_AT_ONCE: Final = 2_000
# Clocks differ, and a row is stamped a moment before it can be seen.
_OVERLAP: Final = timedelta(minutes=10)
_NEVER: Final = Merge(when=lambda stored, new: sa.false())
_DIFFERENT: Final = Merge(when=lambda stored, new: new.content_hash != stored.content_hash, returning=True)

Stated = Callable[[pd.DataFrame], Sequence[Statement]]


@dataclass(frozen=True)
class Keeper:
    """Keeps the statements of one brand; `owners` gives the system whose opt-ins count, by channel."""

    warehouse: Warehouse
    owners: Mapping[str, str]
    windows_from: datetime
    run_id: str

    def owned(self, system: str) -> tuple[str, ...]:
        """The channels whose opt-ins are those of a system, in order."""
        return tuple(sorted(channel for channel, owner in self.owners.items() if owner == system))

    def since(self, system: str) -> datetime | None:
        """From when on a system has to be asked: its last answer, and a little before; None for ever.

        For ever also where it owns other channels than when it was asked last: its opt-ins may be old.
        """
        with self.warehouse.reading() as conn:
            mark = windows.watermark(conn, brand=self.warehouse.brand, dataset=_mark(system))
        owned = self.owned(system)
        if mark.baseline_to is None or (owned and mark.baseline_cursor != _listed(owned)):
            return None
        return mark.baseline_to - _OVERLAP

    def take(self, system: str, statements: Iterable[Statement], *, asked_at: datetime) -> tuple[int, int]:
        """Keep what a system told when it was asked at `asked_at`; gives how many were new and how many rows changed.

        Telling the same again changes nothing. A choice that is but our own, passed on, is left out.
        """
        new = changed = 0
        rest = iter(statements)
        while some := list(islice(rest, _AT_ONCE)):
            with self.warehouse.transaction() as conn:
                added, touched = self._keep(conn, system, some, asked_at)
                new, changed = new + added, changed + self._refresh(conn, touched, asked_at)
        with self.warehouse.transaction() as conn:
            windows.set_baseline(
                conn,
                brand=self.warehouse.brand,
                dataset=_mark(system),
                to=asked_at,
                cursor=_listed(self.owned(system)),
                done=True,
            )
        return new, changed

    def look_over(self, system: str, stated: Stated | None, *, now: datetime | None = None) -> int:
        """Look at customers that were landed since the last time: what they state, and whose address is known by now.

        Gives how many rows changed. Without an owner of any channel nothing is done; with other owners than before, all
        customers are looked at anew.
        """
        moment, brand, name = now or datetime.now(UTC), self.warehouse.brand, f"{CONSENTS.name} of {system}"
        if not self.owners:
            return 0
        owners = msgspec.json.encode(dict(sorted(self.owners.items()))).decode()
        with self.warehouse.reading() as conn:
            mark = windows.watermark(conn, brand=brand, dataset=name)
        since = mark.baseline_to - _OVERLAP if mark.baseline_to and mark.baseline_cursor == owners else None
        changed, after = 0, ""
        while True:
            with self.warehouse.transaction() as conn:
                rows = read_frame(conn, _landed_since(brand, since, after))
                if rows.empty:
                    windows.set_baseline(conn, brand=brand, dataset=name, to=moment, cursor=owners, done=True)
                    return changed
                after = str(rows["customer_id"].iloc[-1])
                said = stated(rows) if stated else ()
                touched = self._keep(conn, system, said, moment)[1] if said else set()
                changed += self._refresh(conn, touched | self._known(conn, rows), moment)

    def _keep(
        self, conn: sa.Connection, system: str, statements: Sequence[Statement], seen: datetime
    ) -> tuple[int, set[str]]:
        """Add statements; gives how many were new, and the customers they are about."""
        one_at_a_time(conn, self.warehouse.brand)
        theirs = named(conn, self.warehouse.brand, statements)
        about = {customer for customers in theirs for customer in customers if customer}
        last = self._last(conn, system, about)
        echoes = Echoes.of(conn, self.warehouse.brand, system, about)
        rows: dict[str, dict[str, Any]] = {}
        for one, customers in zip(statements, theirs, strict=True):
            for customer in customers:
                before = last.get((customer, one.channel))
                if (one.said_at is None and before is one.choice) or echoes.holds(one, customer):
                    continue
                row = row_of(one, customer, system, seen)
                rows[str(row["statement_id"])] = row
        if not rows:
            return 0, set()
        fixed = {"brand": self.warehouse.brand, "run_id": self.run_id}
        frame = pd.DataFrame(list(rows.values()), dtype=object)
        written = merge(conn, CONSENT_STATEMENTS, frame, fixed=fixed, condition=_NEVER).written
        return written, {str(row["customer_id"]) for row in rows.values() if row["customer_id"]}

    def _last(
        self, conn: sa.Connection, system: str, customers: Collection[str]
    ) -> dict[tuple[str | None, str], Choice]:
        """What a system said last of customers, by customer and channel."""
        c = CONSENT_STATEMENTS.c
        query = (
            sa.select(c.customer_id, c.channel, c.choice)
            .where(c.brand == self.warehouse.brand, c.system == system, among(conn, c.customer_id, customers))
            .order_by(c.said_at, c.seen_at)
        )
        return {(customer, channel): Choice(choice) for customer, channel, choice in conn.execute(query)}

    def _known(self, conn: sa.Connection, rows: pd.DataFrame) -> set[str]:
        """Those of some customers' rows of whom, or of whose address, something was said."""
        people, c = people_of(rows), CONSENT_STATEMENTS.c
        mine = c.brand == self.warehouse.brand
        by_address = sa.select(c.person).distinct().where(mine, among(conn, c.person, people))
        found = {customer for one in conn.execute(by_address).scalars() for customer in people[one]}
        customers = columns.keys(rows["customer_id"])
        by_id = sa.select(c.customer_id).distinct().where(mine, among(conn, c.customer_id, customers))
        return found | set(conn.execute(by_id).scalars())

    def _refresh(self, conn: sa.Connection, customers: Collection[str], now: datetime) -> int:
        """Weigh anew what was said of customers, and write down what changed; gives how many rows did."""
        if not (self.owners and customers):
            return 0
        brand = self.warehouse.brand
        one_at_a_time(conn, brand)
        before = holding_now(conn, brand, customers)
        rows = []
        for customer, said in statements_of(conn, brand, customers).items():
            row = _consent(customer, said, self.owners)
            if row is not None:
                rows.append({**row, "version": now, "window_start": floor(now)})
        if not rows:
            return 0
        frame = pd.DataFrame(rows, dtype=object)
        fixed = {"brand": brand, "landed_at": datetime.now(UTC)}
        written = set(
            columns.keys(merge(conn, _CONSENTS, frame, fixed=fixed, condition=_DIFFERENT).keys["customer_id"])
        )
        self._note(conn, [row for row in rows if row["customer_id"] in written], before, now)
        return len(written)

    def _note(
        self,
        conn: sa.Connection,
        rows: Sequence[Mapping[str, Any]],
        before: Mapping[tuple[str, str], tuple[Any, ...]],
        now: datetime,
    ) -> None:
        """The audit trail of changed rows, and their window as owed."""
        if not rows:
            return
        changes = []
        for row in rows:
            for channel in self.owners:
                customer = row["customer_id"]
                was, now_is = before.get((customer, channel), (None, None, None)), parts_of(row, channel)
                if now_is[0] is None or was == now_is:
                    continue
                names = ("change_id", "customer_id", "channel", "before", "after", "said_at", "system", "changed_at")
                values = (uuid4().hex, customer, channel, was[0], now_is[0], now_is[1], now_is[2], now)
                changes.append(dict(zip(names, values, strict=True)))
        fixed = {"brand": self.warehouse.brand, "run_id": self.run_id}
        if changes:
            insert(conn, CONSENT_CHANGES, pd.DataFrame(changes, dtype=object), fixed=fixed)
        count = WindowCount(window_at(floor(now), self.windows_from), read=len(rows), changed=len(rows))
        windows.note_landed(
            conn,
            brand=self.warehouse.brand,
            dataset=CONSENTS.name,
            counts=[count],
            run_id=self.run_id,
            state=WindowState.OPEN,
            more=True,
        )


def _listed(channels: Sequence[str]) -> str | None:
    return ",".join(channels) or None


def _mark(system: str) -> str:
    """Name of the mark up to which a system's choices were read, among the watermarks of datasets."""
    return f"{system}.choices"


def _landed_since(brand: str, since: datetime | None, after: str) -> sa.Select[Any]:
    c = _CUSTOMERS.c
    query = sa.select(_CUSTOMERS).where(c.brand == brand, c.customer_id > after)
    if since is not None:
        query = query.where(c.landed_at >= since)
    return query.order_by(c.customer_id).limit(_AT_ONCE)


def _consent(customer: str, said: Mapping[str, Sequence[Said]], owners: Mapping[str, str]) -> dict[str, Any] | None:
    row: dict[str, Any] = {"customer_id": customer}
    for channel, owner in owners.items():
        held = holding(said.get(channel, ()), owner)
        values = (held.choice.value, held.at, held.system) if held is not None else (None, None, None)
        row |= dict(zip(names_of(channel), values, strict=True))
    times = [row[f"{channel}_at"] for channel in owners if row[f"{channel}_at"] is not None]
    if not times:
        return None
    told = repr([str(row[name]) for channel in sorted(owners) for name in names_of(channel)])
    return row | {"changed_at": max(times), "content_hash": blake2b(told.encode(), digest_size=16).hexdigest()}
