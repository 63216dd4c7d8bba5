"""A message leads to the page that is about its problem."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stokly_sync.alerts.links import BEHIND, Links
from stokly_sync.alerts.watch import DOUBT, PAUSED, QUARANTINE
from stokly_sync.contracts.rules import Severity
from stokly_sync.flow import Team
from stokly_sync.pipeline import behind
from stokly_sync.reconciliation.keeping import FINDING
from stokly_sync.warehouse.findings import Finding

DAGSTER, DASHBOARD = "http://127.0.0.1:3000", "https://sync.example.com/"
AT = datetime(2026, 5, 4, tzinfo=UTC)


def finding(
    kind: str, subject: str = "test/orders", *, run_id: str | None = "run-1", owner: Team | None = None
) -> Finding:
    return Finding("f", kind, subject, "", "open", owner, Severity.HIGH, "", {}, run_id, AT, AT, None, told=False)


@pytest.mark.parametrize(
    ("found", "page"),
    [
        (finding(FINDING), "/reconciliation#test-orders"),
        (finding(DOUBT), "/?subject=test%2Forders&rule=DELIVERY-IN-DOUBT&owner=all"),
        (finding(QUARANTINE, "stokly.orders", owner=Team.CX), "/?subject=stokly.orders&owner=cx"),
        (finding(QUARANTINE), "/?subject=test%2Forders&owner=all"),
        (finding(BEHIND), "/trust#test"),
        (finding(PAUSED, "test"), "/trust#test"),
        (finding("run-failed", "extract"), "/problems"),
        (finding("drift", "test"), "/problems"),
    ],
)
def test_each_kind_of_problem_has_its_page_and_its_run(found: Finding, page: str) -> None:
    assert Links(DAGSTER, DASHBOARD).of(found) == [f"https://sync.example.com{page}", f"{DAGSTER}/runs/run-1"]


@pytest.mark.parametrize(
    ("links", "found", "expected"),
    [
        # Nobody serves a dashboard.
        (Links(DAGSTER), finding(FINDING), [f"{DAGSTER}/runs/run-1"]),
        (Links(DAGSTER), finding(DOUBT, run_id=None), [DAGSTER]),
        # No run has found it.
        (Links(DAGSTER, DASHBOARD), finding(PAUSED, "test", run_id=None), ["https://sync.example.com/trust#test"]),
    ],
)
def test_what_is_not_there_is_not_linked_and_one_link_there_always_is(
    links: Links, found: Finding, expected: list[str]
) -> None:
    assert links.of(found) == expected


def test_a_feed_that_is_behind_is_called_so_by_whoever_finds_it() -> None:
    assert behind.KIND == BEHIND
