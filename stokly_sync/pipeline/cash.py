"""Order to cash of a channel and span, from landed rows: gathered here, computed in `reconciliation.order_to_cash`.

Nothing is asked of any system, so the report is as fresh as what is landed; and nothing is written. Only what belongs
to the span is read, so that a month costs a month.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa

from stokly_sync.contracts import money
from stokly_sync.contracts.datasets import TABLES
from stokly_sync.errors import SettingsError
from stokly_sync.flow import Frames, Json, Origin
from stokly_sync.pipeline.channels import beginning, origins
from stokly_sync.pipeline.services import Services
from stokly_sync.reconciliation.order_to_cash import Line, order_to_cash, sums
from stokly_sync.warehouse.bulk import read_frame, rows_by
from stokly_sync.warehouse.tables import LANDED

_PAPERS = ("order_lines", "invoices", "refunds", "credit_notes", "dispatches")


def cash_report(
    services: Services, channel: str, *, since: datetime | None = None, until: datetime | None = None
) -> list[Line]:
    """Orders of a channel placed in [since, until) (UTC) with what differs; raises SettingsError for no channel."""
    known = origins(services)
    if channel not in known:
        raise SettingsError(f"There is no channel {channel!r}; there are {', '.join(known)}.")
    begins = beginning(services, channel).at
    gathered = _Gathered(services.warehouse.brand, channel, services.declared.home, known[channel])
    with services.warehouse.reading() as conn:
        frames, first = gathered.frames(conn, since, until), gathered.first(conn)
    return order_to_cash(frames, channel, known[channel], begins=begins or first)


class _Gathered:
    """The rows of a span: the channel's orders, and all that the home system has of them or takes for them."""

    def __init__(self, brand: str, channel: str, home: str, origin: Origin) -> None:
        self._brand, self._channel, self._home, self._origin = brand, channel, home, origin

    def frames(self, conn: sa.Connection, since: datetime | None, until: datetime | None) -> Frames:
        """Frames by table name, without personal columns."""
        own, there = f"{self._channel}.orders", f"{self._home}.orders"
        orders = self._read(conn, own, _within(LANDED[own].c.placed_at, since, until))
        twins = self._of(conn, there, "channel_reference", orders["number"])
        others = self._strangers(conn, twins, since, until)
        both = pd.concat([twins, others], ignore_index=True).drop_duplicates("order_id", ignore_index=True)
        return {
            own: orders,
            f"{self._channel}.refunds": self._of(conn, f"{self._channel}.refunds", "order_id", orders["order_id"]),
            there: both,
            **{
                f"{self._home}.{name}": self._of(conn, f"{self._home}.{name}", "order_id", both["order_id"])
                for name in _PAPERS
            },
        }

    def first(self, conn: sa.Connection) -> datetime | None:
        """When the channel's first order was placed that is known."""
        c = LANDED[f"{self._channel}.orders"].c
        found: datetime | None = conn.execute(
            sa.select(sa.func.min(c.placed_at)).where(c.brand == self._brand)
        ).scalar()
        return found

    def _strangers(
        self, conn: sa.Connection, twins: pd.DataFrame, since: datetime | None, until: datetime | None
    ) -> pd.DataFrame:
        """Orders of the span that say they are of the channel and that the channel has not, in no span."""
        name = f"{self._home}.orders"
        c, origin = LANDED[name].c, self._origin
        mine = c.source_type == origin.source_type if origin.channel_id is None else c.channel_id == origin.channel_id
        there = self._read(conn, name, [*_within(c.created_at, since, until), mine, c.channel_reference.is_not(None)])
        there = there[~there["order_id"].isin(twins["order_id"])]
        known = self._of(conn, f"{self._channel}.orders", "number", there["channel_reference"])
        return there[~there["channel_reference"].isin(known["number"])]

    def _read(self, conn: sa.Connection, name: str, conditions: Iterable[sa.ColumnElement[bool]]) -> pd.DataFrame:
        table, kinds = LANDED[name], {c.name: c.kind for c in TABLES[name].all_columns if not c.personal}
        query = sa.select(*(table.c[column] for column in kinds)).where(table.c.brand == self._brand, *conditions)
        return read_frame(conn, query, kinds)

    def _of(self, conn: sa.Connection, name: str, column: str, values: Iterable[Any]) -> pd.DataFrame:
        names = [c.name for c in TABLES[name].all_columns if not c.personal]
        return rows_by(conn, TABLES[name], brand=self._brand, column=column, values=values, names=names)


def _within(
    column: sa.ColumnElement[datetime], since: datetime | None, until: datetime | None
) -> list[sa.ColumnElement[bool]]:
    return [*([column >= since] if since else ()), *([column < until] if until else ())]


def as_json(channel: str, lines: list[Line]) -> Json:
    """Sums by period and currency, and the orders that differ; amounts are text with two places."""
    return {
        "channel": channel,
        "periods": [
            {
                "period": period,
                "currency": currency,
                "orders": one.orders,
                "invoiced": one.invoiced,
                "differing": one.differing,
                **{name: money.text(amount) for name, amount in one.amounts.items()},
            }
            for (period, currency), one in sums(lines).items()
        ],
        "differing": [
            {"number": line.number, "period": line.period, "state": line.state, "differs": list(line.differs)}
            for line in lines
            if line.differs
        ],
    }
