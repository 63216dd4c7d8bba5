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
        printed = json.loads(first.stdout)
        yield Run(
            printed, json.loads(again.stdout), by_hand.read(path), report, invoices_kept_back(url), first.returncode
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


def test_both_systems_agree_and_the_command_says_so(run: Run) -> None:
    assert run.exit_status == 0
    assert {name: found["status"] for name, found in run.printed["reconciliations"].items()} == {"ometria": "agreed"}


def test_every_line_of_the_file_is_accounted_for(run: Run) -> None:
    assert run.report.accounted == run.report.rows == run.books.lines


def test_the_orders_and_their_total_are_those_of_the_file(run: Run) -> None:
    found = run.compared("orders")
    assert found["counts"] == {
        "stokly": len(run.books.orders),
        "expected": len(run.books.orders) - len(run.kept_back),
        "destination": len(run.books.orders) - len(run.kept_back),
    }
    assert found["totals"] == {
        "GBP": {
            "stokly": money(run.books.total()),
            "destination": money(run.books.total(without=run.kept_back)),
        }
    }


def test_the_refunds_are_those_of_the_file(run: Run) -> None:
    refunded = money(run.books.refunded(without=run.kept_back))
    assert run.compared("orders")["refunds"] == {"GBP": {"stokly": refunded, "destination": refunded}}


def test_refunds_above_their_order_are_kept_back_one_by_one(run: Run) -> None:
    kept = run.printed.get("sources", {}).get("stokly.refunds", {}).get("quarantined")
    expected = {"ST-REFUND-OVER": len(run.books.too_much())} if run.books.too_much() else {}
    assert kept in (None, expected)


def test_credit_notes_without_an_order_are_excluded_by_name(run: Run) -> None:
    excluded = run.printed["feeds"]["ometria/orders"]["excluded"]
    assert excluded.get("OM-REFUND-NO-ORDER", 0) == len(run.books.credit_notes)


def test_the_customers_and_products_are_those_of_the_file(run: Run) -> None:
    assert set(run.compared("contacts")["counts"].values()) == {len(run.books.customers)}
    assert set(run.compared("products")["counts"].values()) == {len(run.books.skus)}


def test_a_second_sync_sends_nothing(run: Run) -> None:
    assert {name: feed["accepted"] for name, feed in run.again["feeds"].items()} == dict.fromkeys(run.again["feeds"], 0)
    assert run.again["reconciliations"]["ometria"]["totals"] == run.printed["reconciliations"]["ometria"]["totals"]


def money(amount: Decimal) -> str:
    return f"{amount:.2f}"
