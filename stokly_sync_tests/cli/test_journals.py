"""`stokly-sync journals`: payouts as import files of accounting packages, each journal once (P5)."""

from __future__ import annotations

import csv
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from stokly_sync.cli import app
from stokly_sync.warehouse.bulk import insert
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import LANDED
from stokly_sync_tests.systems.marketplacer.made import T0, frame

ACCOUNTS = "[marketplacer.accounts]\npayout = '090'\nsales = '200'\nrefunds = '205'\ncommission = '400'\n"


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["journals", *words])


@pytest.fixture
def folder(tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with settings and a warehouse that holds one payout."""
    database = tmp_path / "warehouse.sqlite"
    shutil.copy(migrated_sqlite, database)
    url = f"sqlite:///{database}"
    warehouse = Warehouse.open(url, brand="default")
    with warehouse.transaction() as connection:
        fixed = {"brand": "default", "window_start": T0, "landed_at": T0}
        table = "marketplacer.remittances"
        insert(connection, LANDED[table], frame(table, [{}]), fixed=fixed)
        lines = "marketplacer.remittance_lines"
        insert(connection, LANDED[lines], frame(lines, [{}]), fixed={"brand": "default"})
    warehouse.close()
    (tmp_path / "stokly_sync.toml").write_text(ACCOUNTS, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STOKLY_SYNC_DATABASE_URL", url)
    return tmp_path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_journals_are_listed_with_their_lines(folder: Path) -> None:
    del folder
    shown = run("list")
    assert shown.exit_code == 0
    assert "marketplacer-500" in shown.output
    assert "payout 20.00" in shown.output


@pytest.mark.parametrize("package", ["xero", "sage", "quickbooks"])
def test_a_journal_is_written_for_each_package(folder: Path, package: str) -> None:
    out = folder / "payouts.csv"
    done = run("export", "--format", package, "--out", str(out))
    assert (done.exit_code, done.output.startswith("marketplacer: 1 journals")) == (0, True)
    assert "marketplacer-500" in out.read_text("utf-8")


def test_what_was_exported_is_not_exported_again_unless_asked_for(folder: Path) -> None:
    first, again = folder / "first.csv", folder / "again.csv"
    run("export", "--format", "xero", "--out", str(first))
    nothing = run("export", "--format", "xero", "--out", str(again))
    assert "no journal to export" in nothing.output
    assert not again.exists()
    run("export", "--format", "xero", "--out", str(again), "--again")
    assert again.read_text("utf-8") == first.read_text("utf-8")
    assert sum(Decimal(row["*Amount"]) for row in rows(first)) == 0


def test_an_account_that_is_not_set_is_named_and_nothing_counts_as_exported(folder: Path) -> None:
    (folder / "stokly_sync.toml").write_text("[marketplacer.accounts]\nsales = '200'\n", "utf-8")
    refused = run("export", "--format", "xero", "--out", str(folder / "x.csv"))
    assert refused.exit_code == 2
    assert "set payout under [marketplacer.accounts]" in refused.output
    (folder / "stokly_sync.toml").write_text(ACCOUNTS, "utf-8")
    assert "1 journals" in run("export", "--format", "xero", "--out", str(folder / "x.csv")).output


def test_a_file_that_cannot_be_written_leaves_the_journal_to_be_exported(folder: Path) -> None:
    refused = run("export", "--format", "xero", "--out", str(folder / "nowhere" / "x.csv"))
    assert refused.exit_code == 2
    assert "cannot be written" in refused.output
    assert "1 journals" in run("export", "--format", "xero", "--out", str(folder / "x.csv")).output


def test_an_unknown_package_is_named(folder: Path) -> None:
    refused = run("export", "--format", "abacus", "--out", str(folder / "x.csv"))
    assert refused.exit_code == 2
    assert "formats are xero, sage, quickbooks" in refused.output
