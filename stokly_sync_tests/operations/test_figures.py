"""Trust, agreement, plans and the table for a spreadsheet: what was counted is what is shown."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from stokly_sync.contracts.rules import Severity
from stokly_sync.operations.agreement import Drift, agreements, drift
from stokly_sync.operations.desk import Desk
from stokly_sync.operations.export import COLUMNS, cells, harmless
from stokly_sync.operations.listing import Wanted, page
from stokly_sync.operations.plans import latest_plans
from stokly_sync.operations.trust import trust
from stokly_sync.reconciliation.compare import Comparison, Difference, Kind, Side
from stokly_sync.reconciliation.report import body_of
from stokly_sync.warehouse.bulk import merge
from stokly_sync.warehouse.figures import Stage, record_figures
from stokly_sync.warehouse.tables import RECONCILIATIONS
from stokly_sync_tests.delivery.kit import T0, Destination, land, order, orders_feed
from stokly_sync_tests.operations.kit import FEED, ORDERS, kept_back, load

DELIVERED = {
    "to_send": 10,
    "accepted": 8,
    "first_try": 6,
    "rejected": {"T-REJECTED": 1},
    "in_doubt": 1,
    "settled_earlier": {"accepted": 2},
    "latency_p50_s": 60.0,
    "latency_p95_s": 600.0,
}


def delivered(desk: Desk, run_id: str, *, hours_ago: int, **changes: object) -> None:
    body = DELIVERED | changes
    with desk.warehouse.transaction() as conn:
        at = T0 - timedelta(hours=hours_ago)
        record_figures(conn, brand=desk.brand, run_id=run_id, subject=FEED, stage=Stage.DELIVER, body=body, at=at)


def compared(desk: Desk, *, day: int, differences: tuple[Difference, ...] = ()) -> None:
    side = Side(3, {"GBP": 30 * 10**9})
    comparison = Comparison(FEED, side, side, Side(3 - len(differences)), differences, {"T-GUEST": 1}, {})
    row = pd.DataFrame(
        {"subject": [FEED], "status": ["differs" if differences else "agreed"], "body": [body_of(comparison).text]}
    )
    fixed = {"brand": desk.brand, "at": T0 + timedelta(days=day), "run_id": "r"}
    with desk.warehouse.transaction() as conn:
        merge(conn, RECONCILIATIONS, row, fixed=fixed)


def test_rates_are_sums_over_the_span(desk: Desk) -> None:
    delivered(desk, "a", hours_ago=30)
    delivered(desk, "b", hours_ago=2, accepted=2, first_try=2, rejected={}, in_doubt=0, settled_earlier={})
    found = trust(desk, days=2, now=T0)[0]
    assert (found.accepted, found.first_try, found.final) == (12, 0.8, 12 / 14)
    assert trust(desk, days=1, now=T0)[0].accepted == 2


def test_latency_is_that_of_the_newest_delivery_and_the_worst_of_the_span(desk: Desk) -> None:
    delivered(desk, "a", hours_ago=3, latency_p95_s=900.0)
    delivered(desk, "b", hours_ago=2)
    delivered(desk, "c", hours_ago=1, latency_p50_s=None, latency_p95_s=None, to_send=0)
    found = trust(desk, now=T0)[0]
    assert found.latest is not None
    assert (found.latest.p50, found.latest.p95, found.worst_p95) == (60.0, 600.0, 900.0)
    assert found.last_delivery == T0 - timedelta(hours=2)


def test_nothing_delivered_is_no_rate_of_nought(desk: Desk) -> None:
    found = trust(desk, now=T0)[0]
    assert (found.first_try, found.final, found.latest, found.last_agreed, found.agrees) == (None,) * 5


def test_what_waits_and_the_oldest_of_it_are_counted_by_state(desk: Desk) -> None:
    land(
        desk.warehouse, ORDERS, [order("1"), order("2", created_at=T0 - timedelta(days=2)), order("3", number="T-BAD")]
    )
    load(desk.warehouse, orders_feed(), Destination(reject=lambda record: record.key == "2"))
    found = trust(desk, now=T0)[0]
    assert (dict(found.waiting), found.oldest, found.kept_back) == ({"rejected": 1}, T0 - timedelta(days=2), 2)


def test_the_last_agreement_is_kept_in_sight_while_systems_differ(desk: Desk) -> None:
    compared(desk, day=0)
    compared(desk, day=1, differences=(Difference("1", Kind.MISSING, "present", "absent", None),))
    found = agreements(desk)[0]
    assert (found.agreed, found.unexplained, found.last_agreed) == (False, 1, T0)
    assert [row["key"] for row in found.records] == ["1"]
    assert found.totals["GBP"] == {"source": "30.00", "destination": "0.00"}
    assert trust(desk, now=T0)[0].agrees is False


def test_drift_is_told_oldest_first(desk: Desk) -> None:
    compared(desk, day=0)
    compared(desk, day=1, differences=(Difference("1", Kind.MISSING, "present", "absent", None),))
    assert drift(desk, FEED) == [Drift(T0, 0, 1, 0), Drift(T0 + timedelta(days=1), 1, 1, 1)]


def test_plans_show_what_was_decided_and_whether_it_was_sent(desk: Desk) -> None:
    land(desk.warehouse, ORDERS, [order("1"), order("2", number="T-BAD")])
    load(desk.warehouse, orders_feed(), Destination())
    load(desk.warehouse, orders_feed(), Destination())
    first = latest_plans(desk)[-1]
    assert (first.to_send, dict(first.quarantined), first.sent) == (1, {"T-BAD": 1}, True)


def test_an_exported_row_has_a_cell_for_every_column(desk: Desk) -> None:
    kept_back(desk.warehouse, "=1+1", value=12_500_000_000, currency="GBP", note="@later", severity=Severity.HIGH)
    row = dict(zip(COLUMNS, cells(desk, page(desk, Wanted()).rows[0]), strict=True))
    assert (row["record"], row["note"], row["value"], row["currency"]) == ("'=1+1", "'@later", "12.50", "GBP")
    assert row["what to do"] == "put it right."


@pytest.mark.parametrize("text", ["=cmd", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_spreadsheet_runs_nothing(text: str) -> None:
    assert harmless(text) == f"'{text}"


def test_only_runs_of_dagster_have_a_page_there(desk: Desk) -> None:
    assert desk.run_link("6f1c1c1e-0f4b-4d0e-9b8a-3f6a2d5c7e10") == (
        "http://127.0.0.1:3000/runs/6f1c1c1e-0f4b-4d0e-9b8a-3f6a2d5c7e10"
    )
    assert desk.run_link("6f1c1c1e0f4b4d0e9b8a3f6a2d5c7e10") is None
    assert desk.run_link(None) is None
