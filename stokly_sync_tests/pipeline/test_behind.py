"""A feed that stands still is a finding, until it has delivered again (O4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stokly_sync.pipeline.behind import LIMITS, note_behind
from stokly_sync.pipeline.services import Services
from stokly_sync.settings import load
from stokly_sync.warehouse import findings
from stokly_sync.warehouse.figures import Stage, record_figures

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
STOCK = "ometria/stock"
CREDENTIALS = {
    "STOKLY_ACCOUNT_KEY": "a",
    "STOKLY_CLIENT_ID": "b",
    "STOKLY_CLIENT_SECRET": "c",
    "OMETRIA_API_KEY": "d",
}


def services_of(url: str, **more: str) -> Services:
    return Services.of(load({"STOKLY_SYNC_DATABASE_URL": url, **CREDENTIALS, **more}))


@pytest.fixture
def services(warehouse_url: str) -> Services:
    return services_of(warehouse_url)


def delivered(services: Services, at: datetime, *, feed: str = STOCK, unsent: int = 0) -> None:
    with services.warehouse.transaction() as conn:
        body = {"still_planned": unsent}
        brand = services.warehouse.brand
        record_figures(conn, brand=brand, run_id=f"{at:%H%M}", subject=feed, stage=Stage.DELIVER, body=body, at=at)


def behind(services: Services) -> list[str]:
    with services.warehouse.reading() as conn:
        return [f.subject for f in findings.open_findings(conn, brand=services.warehouse.brand)]


def test_a_feed_that_has_not_begun_is_not_behind(services: Services) -> None:
    assert note_behind(services, now=NOW) == (0, 0)


def test_a_feed_that_delivered_lately_is_on_time(services: Services) -> None:
    delivered(services, NOW - timedelta(minutes=5))
    assert note_behind(services, now=NOW) == (0, 1)
    assert behind(services) == []


def test_stock_that_was_not_pushed_for_long_is_a_finding_until_it_is_pushed_again(services: Services) -> None:
    delivered(services, NOW - timedelta(minutes=31))
    assert note_behind(services, now=NOW) == (1, 0)
    assert behind(services) == [STOCK]
    delivered(services, NOW + timedelta(minutes=1))
    assert note_behind(services, now=NOW + timedelta(minutes=2)) == (0, 1)
    assert behind(services) == []


def test_a_delivery_that_left_records_behind_does_not_count(services: Services) -> None:
    delivered(services, NOW - timedelta(hours=2))
    delivered(services, NOW - timedelta(minutes=1), unsent=3)
    assert note_behind(services, now=NOW) == (1, 0)


def test_a_feed_that_may_not_write_is_never_behind(warehouse_url: str) -> None:
    services = services_of(warehouse_url, OMETRIA_MODES='{"stock": "observe"}')
    delivered(services, NOW - timedelta(days=1))
    assert note_behind(services, now=NOW) == (0, 0)


def test_a_feed_of_windows_may_be_older_than_a_fast_one(services: Services) -> None:
    delivered(services, NOW - timedelta(minutes=31), feed="ometria/contacts")
    assert note_behind(services, now=NOW) == (0, 1)
    assert max(LIMITS.values()) <= timedelta(hours=1)
