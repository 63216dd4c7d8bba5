"""`erase`: one person out of our database and out of every destination, and what came of it, without naming anybody."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from stokly_sync.cli.handling import actor
from stokly_sync.errors import SettingsError
from stokly_sync.operations.erasing import Erased
from stokly_sync.pipeline.erasing import eraser
from stokly_sync.pipeline.services import Services

FROM_INPUT = "-"


def erase(customer: str | None, email: str | None, *, as_json: bool) -> int:
    """Erase and print what was done; gives 1 when it has to be repeated."""
    address = sys.stdin.readline().strip() if email == FROM_INPUT else email
    if bool(customer) == bool(address):
        raise SettingsError("Say who: a customer's id or account code, or an address with --email.")
    services = Services.open()
    try:
        done = eraser(services, actor=actor()).erase(customer=customer, email=address)
    finally:
        services.close()
    if as_json:
        sys.stdout.write(json.dumps(asdict(done) | {"complete": done.complete}, indent=2, default=str) + "\n")
    else:
        _show(done)
    return 0 if done.complete else 1


def _show(done: Erased) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=180)
    table = Table(title="Erased", title_justify="left", header_style="bold")
    for name in ("where", "what came of it"):
        table.add_column(name, no_wrap=name == "where")
    for name, count in sorted(done.rows.items()):
        table.add_row(name, f"{count:,} rows cleared")
    table.add_row("waiting to be sent", f"{done.documents:,} documents taken away")
    table.add_row("exceptions", f"{done.exceptions:,} closed or emptied")
    table.add_row("other texts", f"{done.texts:,} rows in which the address was struck out")
    for answer in done.answers:
        table.add_row(answer.system, f"{answer.state}: {answer.answer}")
    for feed in done.busy:
        table.add_row(feed, "busy: run the erasure again")
    for place in done.left:
        table.add_row(place, "the address still stands there: run the erasure again")
    console.print(table)
    console.print(f"Audited as {done.person} in run {done.run_id}.")
    if not done.complete:
        console.print("Not everything could be done. Run the same command again.")
