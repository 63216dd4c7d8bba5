"""From when on orders are taken, and order to cash of a month in Dagster: figures, what differs, and the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from stokly_sync.contracts.money import NANO
from stokly_sync.pipeline.build import build_defs
from stokly_sync.pipeline.cash import cash_report
from stokly_sync.pipeline.channels import beginnings
from stokly_sync.pipeline.declared import declare
from stokly_sync.pipeline.doctor import examine
from stokly_sync.pipeline.names import RUNTIME
from stokly_sync.pipeline.order_to_cash import CHECK, JOB, cash_schedule, key_of
from stokly_sync.pipeline.partitions import month_partitions
from stokly_sync.pipeline.services import Services
from stokly_sync.settings import load
from stokly_sync.systems import SYSTEMS
from stokly_sync.warehouse.windows import set_baseline
from stokly_sync_tests.delivery.kit import land

MAY = datetime(2026, 5, 10, tzinfo=UTC)
KEYS = {
    **{f"STOKLY_{name}": "dummy" for name in ("ACCOUNT_KEY", "CLIENT_ID", "CLIENT_SECRET")},
    "MAGENTO_BASE_URL": "http://127.0.0.1:1",
    "MAGENTO_BEARER_TOKEN": "dummy",
    "MAGENTO_LOCATIONS": '{"*": "here"}',
    "STOKLY_BASE_URL": "http://127.0.0.1:1",
    "STOKLY_SYNC_BRAND": "demo",
    "STOKLY_SYNC_WINDOWS_FROM": "2026-04-01",
}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Orders of the shop that are right, differ, are missing in Stokly or removed there, or are old; and a stranger."""
    folder = tmp_path_factory.mktemp("cash")
    made = Services.open({**KEYS, "STOKLY_SYNC_DATABASE_URL": f"sqlite:///{folder / 'w.db'}"})
    sold = [_sold(n, MAY + timedelta(days=n)) for n in (1, 2, 3)]
    land(made.warehouse, "magento.orders", [*sold, _sold(9, MAY - timedelta(days=300)), _sold(8, MAY)])
    there = [_held(sold[0]), {**_held(sold[1]), "total": 11 * NANO}, _held(_sold(7, MAY))]
    # Placed in the shop at the end of April, and in Stokly in May: it belongs to April and is no stranger in May.
    april = _sold(6, datetime(2026, 4, 30, 23, 59, tzinfo=UTC))
    land(made.warehouse, "magento.orders", [april], number=1)
    land(made.warehouse, "stokly.orders", [*there, {**_held(april), "created_at": MAY}])
    land(made.warehouse, "stokly.orders", [{**_held(_sold(8, MAY)), "stage": "removed"}], number=1)
    yield made
    made.close()


def _sold(number: int, at: datetime) -> dict[str, Any]:
    known = {"order_id": f"M{number}", "number": str(number), "state": "open", "currency": "GBP", "placed_at": at}
    return {**known, "total": 12 * NANO, "amount_paid": 12 * NANO, "line_count": 1}


def _held(order: dict[str, Any]) -> dict[str, Any]:
    known = {"order_id": f"S{order['number']}", "channel_reference": order["number"], "stage": "order"}
    money = {name: order[name] for name in ("total", "amount_paid", "currency", "line_count")}
    return {**known, **money, "source_type": "magento_two", "created_at": order["placed_at"]}


def began(services: Services) -> None:
    """The shop was first read at the end of May."""
    with services.warehouse.transaction() as conn:
        at = datetime(2026, 5, 31, tzinfo=UTC)
        set_baseline(conn, brand="demo", dataset="magento.orders", to=at, cursor=None, done=True)


def test_from_when_on_orders_will_be_taken_is_said_before_the_first_reading(sqlite_url: str) -> None:
    unread = Services.open({**KEYS, "STOKLY_SYNC_DATABASE_URL": sqlite_url})
    [before] = beginnings(unread)
    unread.close()
    assert (before.at, before.older) == (None, 0)
    assert "30 days before they are first read; orders_from is not set" in before.sentence


def test_from_when_on_orders_are_taken_is_said_once_they_were_read(services: Services) -> None:
    began(services)
    line = next(probe for probe in examine(services, {}) if probe.subject == "orders of Magento")
    assert line.finding == (
        "orders of Magento are taken from 2026-05-01 00:00 UTC on, 30 days before they were first read; 2 older ones "
        "are neither taken nor compared"
    )
    assert line.advice == "Set orders_from under [stokly.magento] to say so yourself."


def test_a_date_that_was_said_counts_and_needs_no_advice(tmp_path: Path) -> None:
    file = tmp_path / "stokly_sync.toml"
    file.write_text("[stokly.magento]\norders_from = 2026-02-01\n", "utf-8")
    made = Services.open(
        {**KEYS, "STOKLY_SYNC_CONFIG": str(file), "STOKLY_SYNC_DATABASE_URL": f"sqlite:///{tmp_path / 'w.db'}"}
    )
    [found] = beginnings(made)
    made.close()
    assert found.sentence == "orders of Magento are taken from 2026-02-01 00:00 UTC on, by orders_from"
    assert (found.advice, found.as_json()["by_setting"]) == ("", True)


def test_a_month_is_figures_and_a_check_that_fails_by_the_orders_that_differ(services: Services) -> None:
    began(services)
    defs = build_defs(services.settings, SYSTEMS, resources={RUNTIME: services})
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_job_def(JOB).execute_in_process(
            instance=instance, partition_key="2026-05", asset_selection=[key_of("magento")]
        )
    [event] = result.get_asset_materialization_events()
    shown = {name: value.value for name, value in event.materialization.metadata.items()}
    assert (shown["orders"], shown["differing"], shown["total_gbp"], shown["total_here_gbp"]) == (5, 4, 48.0, 47.0)
    [check] = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == (CHECK, False)
    table: Any = check.metadata["rows"].value
    rows = {row.data["order"]: row.data["differs"] for row in table.records}
    assert rows == {
        "2": "total: 1.00 GBP",
        "3": "not in Stokly",
        "7": "not in the channel",
        "8": "removed in Stokly alone",
    }


def test_what_lies_before_the_beginning_on_one_side_alone_is_not_missed(services: Services) -> None:
    began(services)
    first = datetime(2026, 4, 1, tzinfo=UTC)
    old = cash_report(services, "magento", until=first)
    april = cash_report(
        services, "magento", since=datetime(2026, 4, 1, tzinfo=UTC), until=datetime(2026, 5, 1, tzinfo=UTC)
    )
    assert (old, [(line.number, line.differs) for line in april]) == ([], [("6", ())])


def test_the_clock_asks_each_morning_for_the_last_month_and_the_running_one() -> None:
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 5, 4, 6, tzinfo=UTC))
    for env, asked in (({"MAGENTO_BASE_URL": "x"}, None), (KEYS, ["2026-04", "2026-05"])):
        settings = load(env if asked else {})
        months = month_partitions(settings.core.windows_from)
        found: Any = cash_schedule(declare(settings, SYSTEMS), settings, months)(context)
        assert isinstance(found, dg.SkipReason) if asked is None else [run.partition_key for run in found] == asked
