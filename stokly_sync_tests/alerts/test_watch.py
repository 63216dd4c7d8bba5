"""What no single run sees becomes a finding while it lasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd

from stokly_sync.alerts.watch import DOUBT, PAUSED, QUARANTINE, URGENT, watch
from stokly_sync.contracts.rules import Rule, catalogue
from stokly_sync.delivery.breaker import Breaker
from stokly_sync.flow import State, Team
from stokly_sync.warehouse.bulk import delete_by, insert
from stokly_sync.warehouse.exceptions import open_exceptions
from stokly_sync.warehouse.findings import Finding, open_findings
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import EXCEPTIONS, LEDGER

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
RULES = catalogue(
    [
        Rule("OM-SKU-UNKNOWN", "Its SKU is unknown.", "Make the item.", Team.ECOMMERCE, "O1"),
        Rule("MG-CANCEL-LATE", "It was cancelled too late.", "Call the parcel back.", Team.CX, "G3", alert=True),
    ]
)


def looked(warehouse: Warehouse, *, at: datetime = NOW, quarantine: int = 3) -> dict[str, Finding]:
    watch(warehouse, owner_of=lambda _feed: Team.MARKETING, catalogue=RULES, quarantine=quarantine, now=at)
    with warehouse.reading() as conn:
        return {f.kind: f for f in open_findings(conn, brand=warehouse.brand)}


def hold_back(warehouse: Warehouse, *keys: str, at: datetime = NOW, rule: str = "OM-SKU-UNKNOWN") -> None:
    frame = pd.DataFrame({"key": list(keys), "rule": rule, "state": "open", "owner": "ecommerce"})
    with warehouse.transaction() as conn:
        open_exceptions(conn, frame, brand=warehouse.brand, subject="ometria/orders", run_id="r", at=at)


def test_nothing_wrong_is_no_finding(warehouse: Warehouse) -> None:
    assert looked(warehouse) == {}


def test_records_in_doubt_are_told_to_the_owner_of_the_feed_until_somebody_decided(warehouse: Warehouse) -> None:
    row = pd.DataFrame({"key": ["o-1", "o-2"], "settled_at": [NOW, NOW]})
    fixed = {"brand": warehouse.brand, "feed": "emarsys/orders", "entry": 0, "state": State.IN_DOUBT.value}
    with warehouse.transaction() as conn:
        insert(conn, LEDGER, row, fixed=fixed | {"tries": 1, "stale": False})
    found = looked(warehouse)[DOUBT]
    assert (found.title, found.owner) == ("2 records of emarsys/orders are in doubt", Team.MARKETING)
    with warehouse.transaction() as conn:
        delete_by(conn, LEDGER, brand=warehouse.brand, column="key", values=["o-1", "o-2"])
    assert looked(warehouse) == {}


def test_exceptions_that_pile_up_within_a_day_are_told_to_the_team_that_owns_them(warehouse: Warehouse) -> None:
    hold_back(warehouse, "o-1", "o-2")
    assert looked(warehouse) == {}
    hold_back(warehouse, "o-3")
    found = looked(warehouse)[QUARANTINE]
    assert (found.subject, found.owner, found.body["new"]) == ("ometria/orders", Team.ECOMMERCE, 3)


def test_old_exceptions_are_no_growth(warehouse: Warehouse) -> None:
    hold_back(warehouse, "o-1", "o-2", "o-3")
    assert QUARANTINE in looked(warehouse)
    assert looked(warehouse, at=NOW + timedelta(hours=25)) == {}


def test_each_exception_that_cannot_wait_is_told_at_once_until_it_is_closed(warehouse: Warehouse) -> None:
    hold_back(warehouse, "o-1", rule="MG-CANCEL-LATE")
    hold_back(warehouse, "o-2", rule="MG-CANCEL-LATE")
    looked(warehouse)
    with warehouse.reading() as conn:
        found = {f.problem_key: f for f in open_findings(conn, brand=warehouse.brand)}
    assert found.keys() == {"MG-CANCEL-LATE/o-1", "MG-CANCEL-LATE/o-2"}
    one = found["MG-CANCEL-LATE/o-1"]
    assert (one.kind, one.title, one.owner) == (URGENT, "It was cancelled too late.", Team.CX)
    with warehouse.transaction() as conn:
        delete_by(conn, EXCEPTIONS, brand=warehouse.brand, column="key", values=["o-1", "o-2"])
    assert looked(warehouse) == {}


def test_a_destination_that_is_left_alone_is_told_until_it_answers_again(warehouse: Warehouse) -> None:
    breaker = Breaker(warehouse.engine, f"{warehouse.brand}/ometria", now=lambda: NOW)
    for _ in range(3):
        breaker.failed()
    found = looked(warehouse)[PAUSED]
    assert (found.subject, found.owner, found.body["failures"]) == ("ometria", Team.OPERATIONS, 3)
    breaker.succeeded()
    assert looked(warehouse) == {}
