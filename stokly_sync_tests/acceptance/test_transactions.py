"""The main job on real input: what `sync --json` says equals what the file says, to the penny.

Without STOKLY_SYNC_TRANSACTIONS a small file with every case of the mapping is taken; the variable may name a real one.
Each runs through the command as a person would start it, in a process of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

import pytest
import sqlalchemy as sa

from stokly_sync.sandbox.seeds.model import RowReport
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync.sandbox.stokly import StoklySandbox
from stokly_sync.warehouse.engine import open_engine
from stokly_sync.warehouse.tables import EXCEPTIONS, LANDED
from stokly_sync_tests.acceptance import by_hand

pytestmark = [pytest.mark.acceptance, pytest.mark.sandbox, pytest.mark.slow, pytest.mark.timeout(1200)]

VARIABLE: Final = "STOKLY_SYNC_TRANSACTIONS"
SMALL: Final = Path(__file__).parents[1] / "data" / "transactions.csv"
COMMAND: Final = (sys.executable, "-c", "from stokly_sync.cli import app; app()")
QUICK: Final = {"OMETRIA_QUEUE_DRAIN_WAIT": "1", "OMETRIA_RATE": "1000", "STOKLY_RATE_PER_MINUTE": "6000"}


@dataclass(frozen=True)
class Run:
    """What the command printed, what the file says by hand, and which invoices were kept back by name."""

    printed: dict[str, Any]
    again: dict[str, Any]
    books: by_hand.Books
    report: RowReport
    kept_back: set[str]
    refunds_held: int
    exit_status: int

    def compared(self, feed: str) -> dict[str, Any]:
        found: dict[str, Any] = self.printed["reconciliations"]["ometria"]["feeds"][feed]
        return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Run]:
    """The command, twice, on a file."""
    path = Path(os.environ.get(VARIABLE) or SMALL)
    folder = tmp_path_factory.mktemp("transactions")
    shutil.copy(migrated_sqlite, folder / "warehouse.sqlite")
    with Sandbox(systems=["stokly", "ometria"], seed=str(path), limits=False) as box:
        url = f"sqlite:///{folder / 'warehouse.sqlite'}"
        env = {**os.environ, **box.env, **QUICK, "STOKLY_SYNC_DATABASE_URL": url, "DAGSTER_HOME": str(folder / "home")}
        first, again = sync(env, folder), sync(env, folder)
        report = cast("StoklySandbox", box.systems["stokly"]).seeded.report
        assert report is not None
        yield Run(
            printed=json.loads(first.stdout),
            again=json.loads(again.stdout),
            books=by_hand.read(path),
            report=report,
            kept_back=invoices_kept_back(url),
            refunds_held=refunds_held(url),
            exit_status=first.returncode,
        )


def sync(env: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "home").mkdir(exist_ok=True)
    done = subprocess.run(
        [*COMMAND, "sync", "--json"], env=env, cwd=folder, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.stdout.startswith("{"), done.stderr
    return done


def invoices_kept_back(url: str) -> set[str]:
    """Invoice numbers of the orders that a rule of their feed keeps back."""
    e, o = EXCEPTIONS.c, LANDED["stokly.orders"].c
    engine = open_engine(url)
    with engine.connect() as connection:
        query = sa.select(o.channel_reference).where(
            e.subject == "ometria/orders", e.state == "open", o.order_id == e.key
        )
        found = set(connection.execute(query).scalars())
    engine.dispose()
    return found


def refunds_held(url: str) -> int:
    """Refunds that are held back because they are above their order."""
    e = EXCEPTIONS.c
    engine = open_engine(url)
    with engine.connect() as connection:
        query = sa.select(sa.func.count()).where(e.subject == "stokly.refunds", e.rule == "ST-REFUND-OVER")
        found = connection.execute(query.where(e.state == "open")).scalar_one()
    engine.dispose()
    return found


def test_what_the_command_says_is_what_the_file_says(run: Run) -> None:
    """One test, because it takes a whole run: every figure has its name, so that a difference shows which."""
    assert figures_printed(run) == figures_by_hand(run)


def figures_printed(run: Run) -> dict[str, Any]:
    feeds, again = run.printed["feeds"], run.again["feeds"]
    orders = run.compared("orders")
    return {
        "exit status": run.exit_status,
        "both systems agree": {name: one["status"] for name, one in run.printed["reconciliations"].items()},
        "lines accounted for": run.report.accounted,
        "orders": orders["counts"],
        "totals": orders["totals"],
        "refunds": orders["refunds"],
        "credit notes without an order": feeds["ometria/orders"]["excluded"].get("OM-REFUND-NO-ORDER", 0),
        "refunds above their order": run.refunds_held,
        "customers": set(run.compared("contacts")["counts"].values()),
        "products": set(run.compared("products")["counts"].values()),
        "sent by a second run": sum(feed["accepted"] for feed in again.values()),
        "said by a second run": run.again["reconciliations"]["ometria"]["totals"],
    }


def figures_by_hand(run: Run) -> dict[str, Any]:
    books = run.books
    sent = len(books.orders) - len(run.kept_back)
    totals = {"GBP": {"stokly": money(books.total()), "destination": money(books.total(without=run.kept_back))}}
    refunded = money(books.refunded(without=run.kept_back))
    return {
        "exit status": 0,
        "both systems agree": {"ometria": "agreed"},
        "lines accounted for": books.lines,
        "orders": {"stokly": len(books.orders), "expected": sent, "destination": sent},
        "totals": totals,
        "refunds": {"GBP": {"stokly": refunded, "destination": refunded}},
        "credit notes without an order": len(books.credit_notes),
        "refunds above their order": len(books.too_much()),
        "customers": {len(books.customers)},
        "products": {len(books.skus)},
        "sent by a second run": 0,
        "said by a second run": {"orders": totals},
    }


def money(amount: Decimal) -> str:
    return f"{amount:.2f}"
