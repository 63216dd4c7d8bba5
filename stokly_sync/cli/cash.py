"""`order-to-cash`: orders, invoices, payments, refunds, fees and VAT of a channel, and what differs, by order."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from stokly_sync.cli.syncing import time_of
from stokly_sync.contracts import money
from stokly_sync.pipeline.cash import as_json, cash_report
from stokly_sync.pipeline.services import Services
from stokly_sync.reconciliation.order_to_cash import AMOUNTS, Line, as_frame, sums

_MOST = 50


def report(channel: str, since: str | None, until: str | None, *, as_json_: bool, file: Path | None) -> int:
    """Print the report, or write every order as CSV; gives 0 when nothing differs, else 1."""
    services = Services.open()
    try:
        lines = cash_report(services, channel, since=time_of("--from", since), until=time_of("--to", until))
    finally:
        services.close()
    if file is not None:
        as_frame(lines).to_csv(file, index=False)
        sys.stdout.write(f"{len(lines)} orders stand in {file}.\n")
    elif as_json_:
        sys.stdout.write(json.dumps(as_json(channel, lines), indent=2) + "\n")
    else:
        _show(channel, lines)
    return 1 if any(line.differs for line in lines) else 0


def _show(channel: str, lines: list[Line]) -> None:
    console = Console(highlight=False)
    table = Table(title=f"Order to cash of {channel.title()}", title_justify="left", header_style="bold")
    for column in ("period", "currency", "orders", "invoiced", "differing", *AMOUNTS):
        table.add_column(column.replace("_", " "), justify="left" if column in ("period", "currency") else "right")
    for (period, currency), one in sums(lines).items():
        amounts = [money.text(one.amounts[name]) for name in AMOUNTS]
        table.add_row(period, currency, f"{one.orders:,}", f"{one.invoiced:,}", f"{one.differing:,}", *amounts)
    console.print(table)
    apart = [line for line in lines if line.differs]
    if not apart:
        console.print("Nothing differs.")
        return
    differing = Table(title=f"Orders that differ ({len(apart):,})", title_justify="left", header_style="bold")
    for column in ("number", "placed", "state", "what differs"):
        differing.add_column(column)
    for line in apart[:_MOST]:
        differing.add_row(line.number, f"{line.placed_at:%Y-%m-%d}", line.state, "; ".join(line.differs))
    console.print(differing)
