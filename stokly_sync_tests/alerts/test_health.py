"""The daily health check: the facts of one day, and the page that shows them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from stokly_sync.alerts.health import Health, Todo, health
from stokly_sync.contracts.rules import Rule, Severity, catalogue
from stokly_sync.flow import State, Team
from stokly_sync.pages import html, span
from stokly_sync.pages import markdown as written
from stokly_sync.warehouse.bulk import insert, merge
from stokly_sync.warehouse.exceptions import open_exceptions
from stokly_sync.warehouse.figures import Stage, record_figures
from stokly_sync.warehouse.findings import raise_finding
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import LEDGER, RECONCILIATIONS

LONDON = ZoneInfo("Europe/London")
DAY = date(2026, 5, 4)
START = datetime(2026, 5, 3, 23, tzinfo=UTC)
"""Midnight in London, in summer time."""
NOON = START + timedelta(hours=12)
RULES = catalogue([Rule("X-ONE", "One is wrong.", "Put it right.", Team.CX, "X2")])


def markdown(health: Health, *, zone: ZoneInfo, dashboard: str = "") -> str:
    shown = {"health": health, "day": str(health.day), "dashboard": dashboard}
    return written("stokly_sync.alerts", "health.md.jinja", zone=zone, **shown)


def facts(warehouse: Warehouse) -> Health:
    return health(warehouse, RULES, day=DAY, zone=LONDON, now=NOON)


def test_a_day_without_anything_says_so(warehouse: Warehouse) -> None:
    page = markdown(facts(warehouse), zone=LONDON)
    for words in ("Nothing waits for a person.", "There are none.", "Nothing was read on that day."):
        assert words in page


@pytest.mark.parametrize(("at", "counts"), [(START, True), (START - timedelta(seconds=1), False)])
def test_a_day_is_the_brands_own(warehouse: Warehouse, at: datetime, *, counts: bool) -> None:
    with warehouse.transaction() as conn:
        record_figures(
            conn,
            brand=warehouse.brand,
            run_id="r",
            subject="stokly.orders",
            stage=Stage.EXTRACT,
            body={"read": 5},
            at=at,
        )
    assert bool(facts(warehouse).read) is counts


def test_the_runs_of_a_day_are_added_up(warehouse: Warehouse) -> None:
    with warehouse.transaction() as conn:
        for run in ("r1", "r2"):
            body = {"feed": "ometria/orders", "accepted": 3, "rejected": {"X-ONE": 2}, "latency_p50_s": 1.5}
            record_figures(
                conn,
                brand=warehouse.brand,
                run_id=run,
                subject="ometria/orders",
                stage=Stage.DELIVER,
                body=body,
                at=NOON,
            )
    (sent,) = facts(warehouse).sent
    assert sent.counts == {"accepted": 6, "rejected": 4}


def test_latency_is_from_the_event_to_acceptance_on_that_day(warehouse: Warehouse) -> None:
    waited = [60, 120, 180]
    rows = pd.DataFrame(
        {
            "key": [f"o-{seconds}" for seconds in waited],
            "event_at": [NOON - timedelta(seconds=seconds) for seconds in waited],
            "accepted_at": [NOON, NOON, NOON],
        }
    )
    fixed = {"brand": warehouse.brand, "feed": "ometria/orders", "entry": 0, "state": State.ACCEPTED.value}
    with warehouse.transaction() as conn:
        insert(conn, LEDGER, rows, fixed=fixed | {"tries": 1, "stale": False})
    (found,) = facts(warehouse).latencies
    assert (found.records, found.p50, round(found.p95)) == (3, 120.0, 174)


def test_what_waits_for_a_person_stands_with_its_team(warehouse: Warehouse) -> None:
    frame = pd.DataFrame({"key": ["c-1", "c-2"], "rule": "X-ONE", "state": "open", "owner": "cx"})
    with warehouse.transaction() as conn:
        open_exceptions(conn, frame, brand=warehouse.brand, subject="stokly.customers", run_id="r", at=NOON)
        raise_finding(
            conn,
            brand=warehouse.brand,
            kind="paused",
            subject="ometria",
            problem_key="paused",
            title="ometria is left alone",
            body={"advice": "Look at it."},
            severity=Severity.HIGH,
            owner=Team.OPERATIONS,
            at=NOON,
        )
    found = facts(warehouse)
    assert found.todos == {
        "cx": (Todo("cx", "X-ONE: One is wrong.", 2, NOON, "Put it right."),),
        "operations": (Todo("operations", "ometria is left alone", 0, NOON, "Look at it."),),
    }
    assert [(e.owner, e.opened, e.closed, e.open) for e in found.exceptions] == [("cx", 2, 0, 2)]
    page = markdown(found, zone=LONDON)
    assert "**2 things wait for a person.**" in page
    assert "| X-ONE: One is wrong. | 2 | 2026-05-04 12:00 | Put it right. |" in page
    assert "](" not in page
    assert "](https://d.example.com/?owner=cx)" in markdown(found, zone=LONDON, dashboard="https://d.example.com")


def test_the_newest_reconciliation_of_each_feed_is_shown(warehouse: Warehouse) -> None:
    with warehouse.transaction() as conn:
        for at, status in ((NOON - timedelta(days=1), "agreed"), (NOON, "differs")):
            row = pd.DataFrame({"subject": ["ometria/orders"], "status": [status], "body": ["{}"]})
            merge(conn, RECONCILIATIONS, row, fixed={"brand": warehouse.brand, "at": at, "run_id": "r"})
    assert [(r.subject, r.agreed) for r in facts(warehouse).reconciliations] == [("ometria/orders", False)]


def test_the_html_page_shows_tables_and_no_html_from_inside() -> None:
    todo = Todo("cx", "a <script>alert(1)</script> | pipe", 1, NOON, "line\nbreak")
    page = html(markdown(Health("b", DAY, NOON, todos={"cx": (todo,)}), zone=LONDON), title="<b>")
    assert "<table>" in page
    assert "<script>" not in page
    assert "<title>&lt;b&gt;</title>" in page
    assert page.count("<h2>") == 6


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (119, "119 s"), (3_600, "60 min"), (7_200, "2 h"), (864_000, "10 days")]
)
def test_a_span_is_said_in_the_unit_that_people_use(seconds: float, words: str) -> None:
    assert span(seconds) == words
