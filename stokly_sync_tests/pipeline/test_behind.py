"""A feed that stands still is a finding, until it has delivered again (O4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stokly_sync.flow import Window
from stokly_sync.pipeline.behind import LIMITS, note_behind
from stokly_sync.pipeline.services import Services
from stokly_sync.settings import load
from stokly_sync.warehouse import findings, windows
from stokly_sync.warehouse.figures import Stage, record_figures
from stokly_sync.warehouse.tables import PLANS
from stokly_sync.warehouse.windows import WindowCount

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
WINDOW = Window(NOW - timedelta(minutes=30), NOW - timedelta(minutes=15))
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


def read(services: Services, dataset: str, at: datetime) -> None:
    with services.warehouse.transaction() as conn:
        brand = services.warehouse.brand
        record_figures(conn, brand=brand, run_id=f"{at:%H%M}", subject=dataset, stage=Stage.EXTRACT, body={}, at=at)


def landed(services: Services, dataset: str) -> None:
    """A change in a window, noted now."""
    with services.warehouse.transaction() as conn:
        count = WindowCount(WINDOW, read=1, changed=1)
        windows.note_landed(conn, brand=services.warehouse.brand, dataset=dataset, counts=[count], run_id="run")


def planned(services: Services) -> None:
    feed, brand = services.feed(STOCK), services.warehouse.brand
    with services.warehouse.transaction() as conn:
        owed = windows.owed(conn, brand=brand, feed=feed.id, datasets=feed.datasets)
        windows.mark_planned(conn, brand=brand, feed=feed.id, windows=owed, run_id="run")


def stored_plan(services: Services, at: datetime, *, to_send: int) -> None:
    row = {
        "brand": services.warehouse.brand,
        "plan_id": f"{at:%H%M}",
        "feed": STOCK,
        "created_at": at,
        "counts": f'{{"to_send": {to_send}}}',
        "windows": "[]",
        "state": "planned",
    }
    with services.warehouse.transaction() as conn:
        conn.execute(PLANS.insert(), [row])


def behind(services: Services) -> list[str]:
    with services.warehouse.reading() as conn:
        return [f.subject for f in findings.open_findings(conn, brand=services.warehouse.brand)]


def test_a_feed_that_has_not_begun_is_not_behind(services: Services) -> None:
    assert note_behind(services, now=NOW) == (0, 0)


def test_a_feed_that_delivered_lately_is_on_time(services: Services) -> None:
    delivered(services, NOW - timedelta(minutes=5))
    assert note_behind(services, now=NOW) == (0, 1)
    assert behind(services) == []


def test_a_change_that_waits_for_long_is_a_finding_until_it_is_sent(services: Services) -> None:
    delivered(services, NOW - timedelta(hours=5))
    landed(services, "stokly.stock")
    changed_at = datetime.now(UTC)
    assert note_behind(services, now=changed_at + timedelta(minutes=5)) == (0, 1), "nobody was late so far"
    assert note_behind(services, now=changed_at + timedelta(minutes=31)) == (1, 0)
    assert behind(services) == [STOCK]
    planned(services)
    assert note_behind(services, now=changed_at + timedelta(minutes=32)) == (0, 1)
    assert behind(services) == []


def test_a_feed_without_anything_to_send_is_on_time_however_long_ago_it_delivered(services: Services) -> None:
    delivered(services, NOW - timedelta(days=3))
    assert note_behind(services, now=NOW) == (0, 1)


def test_a_delivery_that_left_records_behind_counts_from_the_first_of_its_kind(services: Services) -> None:
    delivered(services, NOW - timedelta(hours=3))
    delivered(services, NOW - timedelta(minutes=20), unsent=3)
    assert note_behind(services, now=NOW) == (0, 1)
    delivered(services, NOW - timedelta(minutes=1), unsent=3)
    assert note_behind(services, now=NOW + timedelta(minutes=11)) == (1, 0)


def test_a_plan_that_nobody_sends_is_a_finding(services: Services) -> None:
    delivered(services, NOW - timedelta(hours=3))
    stored_plan(services, NOW - timedelta(minutes=40), to_send=2)
    assert note_behind(services, now=NOW) == (1, 0)


def test_a_plan_without_records_waits_for_nobody(services: Services) -> None:
    delivered(services, NOW - timedelta(hours=3))
    stored_plan(services, NOW - timedelta(minutes=40), to_send=0)
    assert note_behind(services, now=NOW) == (0, 1)


def test_a_source_that_was_not_read_for_long_puts_its_feeds_behind(services: Services) -> None:
    delivered(services, NOW - timedelta(minutes=2))
    delivered(services, NOW - timedelta(minutes=2), feed="ometria/contacts")
    read(services, "stokly.stock", NOW - timedelta(minutes=31))
    with services.warehouse.transaction() as conn:
        brand, until = services.warehouse.brand, NOW - timedelta(minutes=61)
        windows.set_baseline(conn, brand=brand, dataset="stokly.customers", to=until, cursor=None, done=True)
        windows.advance(conn, brand=brand, dataset="stokly.customers")
    assert note_behind(services, now=NOW) == (2, 0)
    assert sorted(behind(services)) == ["ometria/contacts", STOCK]


def test_a_feed_that_may_not_write_is_never_behind(warehouse_url: str) -> None:
    services = services_of(warehouse_url, OMETRIA_MODES='{"stock": "observe"}')
    delivered(services, NOW - timedelta(days=1), unsent=1)
    assert note_behind(services, now=NOW) == (0, 0)


def test_a_feed_of_windows_may_be_older_than_a_fast_one(services: Services) -> None:
    delivered(services, NOW - timedelta(minutes=31), feed="ometria/contacts", unsent=1)
    assert note_behind(services, now=NOW) == (0, 1)
    assert max(LIMITS.values()) <= timedelta(hours=1)
