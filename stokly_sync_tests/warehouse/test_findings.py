"""One problem is one message, its end another, and a crash between writing and sending loses neither."""

from __future__ import annotations

from datetime import datetime, timedelta

from stokly_sync.contracts.rules import Severity
from stokly_sync.flow import Team
from stokly_sync.warehouse import findings
from stokly_sync.warehouse.findings import Finding
from stokly_sync.warehouse.store import Warehouse
from stokly_sync_tests.warehouse.examples import NOON

LATER = NOON + timedelta(hours=1)


def found(warehouse: Warehouse, at: datetime = NOON, *, missing: int = 3, problem_key: str = "ids") -> str:
    with warehouse.transaction() as conn:
        return findings.raise_finding(
            conn,
            brand="demo",
            kind="reconciliation",
            subject="ometria/orders",
            problem_key=problem_key,
            title=f"{missing} orders are missing",
            body={"missing": missing},
            severity=Severity.HIGH,
            owner=Team.OPERATIONS,
            run_id="r",
            at=at,
        )


def over(warehouse: Warehouse, at: datetime = LATER, *, problem_key: str = "ids") -> bool:
    with warehouse.transaction() as conn:
        return findings.clear_finding(
            conn, brand="demo", kind="reconciliation", subject="ometria/orders", problem_key=problem_key, at=at
        )


def unsent(warehouse: Warehouse) -> list[Finding]:
    with warehouse.reading() as conn:
        return findings.unsent(conn, brand="demo")


def tell(warehouse: Warehouse) -> list[str]:
    due = unsent(warehouse)
    with warehouse.transaction() as conn:
        findings.mark_sent(conn, brand="demo", findings=due)
    return [f.state for f in due]


def test_a_problem_that_is_found_again_is_the_same_finding_with_newer_numbers(warehouse: Warehouse) -> None:
    first = found(warehouse)
    assert found(warehouse, LATER, missing=5) == first
    (finding,) = unsent(warehouse)
    assert (finding.first_seen, finding.last_seen) == (NOON, LATER)
    assert (finding.title, finding.body) == ("5 orders are missing", {"missing": 5})
    assert (finding.owner, finding.severity, finding.state) == (Team.OPERATIONS, Severity.HIGH, "open")


def test_each_problem_is_told_once_and_its_end_once(warehouse: Warehouse) -> None:
    found(warehouse)
    assert tell(warehouse) == ["open"]
    found(warehouse, LATER)
    assert tell(warehouse) == []
    assert over(warehouse)
    assert tell(warehouse) == ["cleared"]
    assert tell(warehouse) == []


def test_what_was_not_noted_as_sent_is_given_again(warehouse: Warehouse) -> None:
    found(warehouse)
    assert unsent(warehouse) == unsent(warehouse) != []


def test_a_problem_that_was_over_before_it_was_told_is_told_once(warehouse: Warehouse) -> None:
    found(warehouse)
    over(warehouse)
    assert tell(warehouse) == ["cleared"]
    assert tell(warehouse) == []


def test_a_problem_that_comes_back_is_another_finding(warehouse: Warehouse) -> None:
    first = found(warehouse)
    over(warehouse)
    assert found(warehouse, LATER) != first
    with warehouse.reading() as conn:
        assert [f.first_seen for f in findings.open_findings(conn, brand="demo")] == [LATER]


def test_clearing_what_is_not_open_does_nothing(warehouse: Warehouse) -> None:
    found(warehouse, problem_key="totals")
    assert not over(warehouse)
    assert [f.problem_key for f in unsent(warehouse)] == ["totals"]


def test_an_end_that_comes_while_the_beginning_is_being_sent_is_still_told(warehouse: Warehouse) -> None:
    found(warehouse)
    due = unsent(warehouse)
    over(warehouse)
    with warehouse.transaction() as conn:
        findings.mark_sent(conn, brand="demo", findings=due)
    assert tell(warehouse) == ["cleared"]


def test_brands_have_findings_of_their_own(warehouse: Warehouse) -> None:
    found(warehouse)
    with warehouse.reading() as conn:
        assert findings.unsent(conn, brand="other") == []
