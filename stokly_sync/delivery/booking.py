"""What an append-only destination holds of each record: booked when it was accepted.

The sum over a record's entries is what the destination holds, because it never forgets and never replaces. Booked in
the transaction that stores the outcome, so that ledger and books cannot disagree. Where history begins is in `history`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
import pandas as pd
import sqlalchemy as sa

from stokly_sync.delivery.items import Item
from stokly_sync.flow import Feed, Json, Outcome, Part, State
from stokly_sync.warehouse.bulk import among, insert
from stokly_sync.warehouse.tables import BOOKED

_DECODER: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


def body_of(item: Item) -> Json:
    """The document of a record on its way."""
    return _DECODER.decode(item.record.document)


@dataclass(frozen=True)
class Books:
    """The books of one feed of one brand; empty for feeds that are not append-only."""

    brand: str
    feed: Feed

    def held(self, connection: sa.Connection, keys: Collection[str]) -> dict[str, dict[str, Part]]:
        """What is held of `keys`, by key and part; keys of which nothing was accepted are absent."""
        if self.feed.append is None:
            return {}
        c = BOOKED.c
        query = (
            sa.select(c.key, c.part, sa.func.sum(c.quantity), sa.func.sum(c.value))
            .where(c.brand == self.brand, c.feed == self.feed.id, among(connection, c.key, keys))
            .group_by(c.key, c.part)
        )
        found: dict[str, dict[str, Part]] = {}
        for key, part, quantity, value in connection.execute(query):
            found.setdefault(key, {})[part] = Part(int(quantity), int(value))
        return found

    def add(
        self, connection: sa.Connection, outcomes: Sequence[Outcome], items: Mapping[str, Item], *, now: datetime
    ) -> None:
        """Book what was accepted of `items`, as a further entry of each record."""
        append = self.feed.append
        accepted = [o for o in outcomes if o.state is State.ACCEPTED]
        if append is None or not accepted:
            return
        last = self._last_entries(connection, [o.key for o in accepted])
        rows: list[dict[str, Any]] = []
        for outcome in accepted:
            body = body_of(items[outcome.key])
            shared = {"key": outcome.key, "entry": last.get(outcome.key, 0) + 1, "receipt": outcome.receipt}
            shared["currency"] = body.get("currency")
            for name, part in append.parts(body).items():
                rows.append({**shared, "part": name, "quantity": part.quantity, "value": part.value})
        if rows:
            fixed = {"brand": self.brand, "feed": self.feed.id, "at": now}
            insert(connection, BOOKED, pd.DataFrame(rows, dtype=object), fixed=fixed)

    def _last_entries(self, connection: sa.Connection, keys: Sequence[str]) -> dict[str, int]:
        c = BOOKED.c
        query = (
            sa.select(c.key, sa.func.max(c.entry))
            .where(c.brand == self.brand, c.feed == self.feed.id, among(connection, c.key, keys))
            .group_by(c.key)
        )
        return {key: int(entry) for key, entry in connection.execute(query)}
