"""The health check in Dagster: made, kept, sent, and asked for by the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from stokly_sync.pipeline.health import health_asset, health_schedule, keep, page
from stokly_sync.pipeline.names import RUNTIME
from stokly_sync.pipeline.services import Services
from stokly_sync.settings import load


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Services:
    monkeypatch.chdir(tmp_path)
    return Services.open({"STOKLY_SYNC_DATABASE_URL": f"sqlite:///{tmp_path / 'w.db'}"})


def test_the_asset_keeps_and_sends_the_page_and_shows_it(
    services: Services, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger="stokly_sync"):
        result = dg.materialize([health_asset()], resources={RUNTIME: services})
    (event,) = result.get_asset_materialization_events()
    assert event.materialization.metadata["waiting"].value == 0
    kept = list((tmp_path / "data/local/health/default").iterdir())
    assert sorted(p.suffix for p in kept) == [".html", ".md"]
    assert "nothing waits for a person" in caplog.text


def test_a_page_is_kept_under_its_brand_and_day(services: Services, tmp_path: Path) -> None:
    made = page(services, datetime(2026, 5, 4, tzinfo=UTC).date())
    assert keep(made, tmp_path / "pages") == tmp_path / "pages/default/2026-05-04.html"


def test_the_clock_asks_for_one_run_a_day_once_a_system_is_set_up() -> None:
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 5, 4, 6, tzinfo=UTC))
    assert isinstance(health_schedule(load({}))(context), dg.SkipReason)
    asked = health_schedule(load({"OMETRIA_API_KEY": "k"}))(context)
    assert isinstance(asked, dg.RunRequest)
    assert asked.run_key == "2026-05-04"
