"""Order to cash of a channel and span, from landed rows: gathered here, computed in `reconciliation.order_to_cash`.

Nothing is asked of any system, so the report is as fresh as what is landed; and nothing is written.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from stokly_sync.contracts import money
from stokly_sync.contracts.datasets import TABLES
from stokly_sync.errors import SettingsError
from stokly_sync.flow import Frames, Json, Origin
from stokly_sync.pipeline.services import Services
from stokly_sync.reconciliation.order_to_cash import Line, order_to_cash, sums
from stokly_sync.warehouse.bulk import read_frame
from stokly_sync.warehouse.tables import LANDED

_HOME = ("orders", "order_lines", "invoices", "refunds", "credit_notes", "dispatches")


def cash_report(
    services: Services, channel: str, *, since: datetime | None = None, until: datetime | None = None
) -> list[Line]:
    """Orders of a channel placed in [since, until) (UTC) with what differs; raises SettingsError for no channel."""
    origin = origins(services).get(channel)
    if origin is None:
        raise SettingsError(f"There is no channel {channel!r}; there are {', '.join(origins(services))}.")
    home = services.declared.home
    names = [*(f"{home}.{name}" for name in _HOME), f"{channel}.orders", f"{channel}.refunds"]
    with services.warehouse.reading() as conn:
        frames: Frames = {name: _all(conn, services.warehouse.brand, name) for name in names}
    lines = order_to_cash(frames, channel, origin)
    return [line for line in lines if (not since or line.placed_at >= since) and (not until or line.placed_at < until)]


def origins(services: Services) -> dict[str, Origin]:
    """Channels whose orders some system holds, by name."""
    found: dict[str, Origin] = {}
    for system in services.declared.systems.values():
        if system.origins is not None:
            found |= system.origins(services.settings.systems[system.name])
    return found


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


def _all(conn: sa.Connection, brand: str, name: str) -> Any:
    table, contract = LANDED[name], TABLES[name]
    chosen = [c for c in contract.all_columns if not c.personal]
    query = sa.select(*(table.c[c.name] for c in chosen)).where(table.c.brand == brand)
    return read_frame(conn, query, {c.name: c.kind for c in chosen})
