"""The audit against running systems: everything is read, nothing is written anywhere, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from stokly_sync.pipeline.auditing import report, run_audit
from stokly_sync.pipeline.services import Services
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync.warehouse.tables import ATTEMPTS, EXCEPTIONS, LANDED, LEDGER, RUN_FIGURES

QUICK = {
    "STOKLY_RATE_PER_MINUTE": "60000",
    "OMETRIA_RATE": "1000",
    "DOTDIGITAL_RATE": "1000",
    "EMARSYS_RATE_PER_MINUTE": "1000",
}
ASKING = {("stokly", "/v1/grant"), ("emarsys", "/oauth2/token")}
"""Calls that are no GET and change nothing: signing in."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(systems=["stokly", "ometria", "dotdigital", "emarsys"], seed="minimal", limits=False) as running:
        yield running


@pytest.fixture
def services(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    monkeypatch.chdir(tmp_path)
    opened = Services.open({**sandbox.env, **QUICK, "STOKLY_SYNC_DATABASE_URL": f"sqlite:///{tmp_path / 'w.db'}"})
    yield opened
    opened.close()


def test_an_audit_makes_no_call_that_writes_and_keeps_nothing(sandbox: Sandbox, services: Services) -> None:
    audited = run_audit(services)
    assert not audited.failed
    assert audited.report.counts["stokly.orders"] > 0
    assert set(audited.report.destinations) == {"Ometria", "Dotdigital", "Emarsys"}
    called = {
        (name, str(row["template"]))
        for name, system in sandbox.systems.items()
        for row in system.calls.rows()
        if row["method"] != "GET"
    }
    assert called <= ASKING
    with services.warehouse.reading() as conn:
        for table in (LANDED["stokly.orders"], LEDGER, ATTEMPTS, EXCEPTIONS, RUN_FIGURES):
            assert conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0


def test_a_destination_that_cannot_be_read_is_named_and_the_others_are_compared(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    env = {**sandbox.env, **QUICK, "OMETRIA_API_KEY": "wrong"}
    services = Services.open({**env, "STOKLY_SYNC_DATABASE_URL": f"sqlite:///{tmp_path / 'w.db'}"})
    audited = run_audit(services)
    services.close()
    assert list(audited.failed) == ["Ometria"]
    text = report(audited, zone=ZoneInfo("Europe/London"))
    assert "## Ometria\n\nIt could not be compared:" in text
    assert "| dotdigital/orders |" in text
