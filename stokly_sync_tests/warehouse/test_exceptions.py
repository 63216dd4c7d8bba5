"""Exceptions open, last, and close by themselves; what a person decided outlives re-reading the same document."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from stokly_sync.contracts.rules import Effect, Rule, Severity, catalogue
from stokly_sync.flow import Problem, Team
from stokly_sync.warehouse import exceptions
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import EXCEPTIONS
from stokly_sync_tests.warehouse.examples import NOON

SUBJECT = "stokly.orders"
CATALOGUE = catalogue(
    [
        Rule("ST-A", "a is wrong", "mend a", Team.FINANCE, "X2", severity=Severity.HIGH),
        Rule("ST-B", "b is wrong", "mend b", Team.CX, "X2"),
        Rule("ST-OUT", "not ours", "nothing", Team.OPERATIONS, "X2", effect=Effect.EXCLUDE),
    ]
)


def open_at(warehouse: Warehouse, at: datetime, *, document_hash: str | None = None, key: str = "1") -> None:
    frame = pd.DataFrame(
        {"key": [key], "rule": ["ST-A"], "state": ["open"], "document_hash": [document_hash]}, dtype=object
    )
    with warehouse.transaction() as conn:
        exceptions.open_exceptions(conn, frame, brand="demo", subject=SUBJECT, run_id="r", at=at)


def decide(warehouse: Warehouse, **values: Any) -> None:
    with warehouse.transaction() as conn:
        conn.execute(sa.update(EXCEPTIONS).values(**values))


def stored(warehouse: Warehouse, *names: str) -> list[tuple[Any, ...]]:
    c = EXCEPTIONS.c
    with warehouse.reading() as conn:
        query = sa.select(*[c[name] for name in names]).order_by(c.key, c.rule)
        return [tuple(row) for row in conn.execute(query)]


def find(warehouse: Warehouse, problems: Sequence[Problem]) -> None:
    with warehouse.transaction() as conn:
        exceptions.open_for(
            conn,
            brand="demo",
            subject=SUBJECT,
            problems=problems,
            catalogue=CATALOGUE,
            run_id="r",
            payloads={"1": '{"id":1}'},
            window_starts={"1": NOON},
        )


def test_owner_severity_and_state_come_from_the_catalogue(warehouse: Warehouse) -> None:
    find(warehouse, [Problem("1", "ST-A", "a"), Problem("1", "ST-A", "again"), Problem("2", "ST-OUT", "out")])
    assert stored(warehouse, "key", "rule", "state", "owner", "severity", "detail", "payload", "window_start") == [
        ("1", "ST-A", "open", "finance", "high", "a", '{"id":1}', NOON),
        ("2", "ST-OUT", "excluded", "operations", "medium", "out", None, None),
    ]


def test_a_rule_that_the_catalogue_does_not_know_is_an_error_of_ours(warehouse: Warehouse) -> None:
    with pytest.raises(KeyError, match="ST-UNKNOWN"):
        find(warehouse, [Problem("1", "ST-UNKNOWN", "?")])


def test_an_exception_that_lasts_keeps_its_beginning_and_what_a_person_noted(warehouse: Warehouse) -> None:
    open_at(warehouse, NOON)
    decide(warehouse, note="asked the shop", assigned_to="finance desk")
    later = NOON + timedelta(hours=1)
    open_at(warehouse, later)
    assert stored(warehouse, "first_seen", "last_seen", "note", "assigned_to") == [
        (NOON, later, "asked the shop", "finance desk")
    ]


def test_an_exception_that_comes_back_begins_anew(warehouse: Warehouse) -> None:
    open_at(warehouse, NOON)
    with warehouse.transaction() as conn:
        assert exceptions.close_passed(conn, brand="demo", subject=SUBJECT, keys=["1"], run_id="r") == 1
    assert [state for (state,) in stored(warehouse, "state")] == ["closed"]
    later = NOON + timedelta(hours=1)
    open_at(warehouse, later)
    assert stored(warehouse, "state", "first_seen", "closed_at") == [("open", later, None)]


@pytest.mark.parametrize(
    ("before", "now", "state"),
    [
        # the same document as when a person decided to ignore it, another one, and one that was never hashed
        ("h1", "h1", "ignored"),
        ("h1", "h2", "open"),
        (None, None, "ignored"),
    ],
)
def test_an_ignored_exception_stays_ignored_while_its_document_is_the_same(
    warehouse: Warehouse, before: str | None, now: str | None, state: str
) -> None:
    open_at(warehouse, NOON, document_hash=before)
    decide(warehouse, state="ignored")
    open_at(warehouse, NOON, document_hash=now)
    assert stored(warehouse, "state") == [(state,)]


def test_what_is_not_found_again_closes_and_its_payload_goes(warehouse: Warehouse) -> None:
    find(warehouse, [Problem("1", "ST-A", "a"), Problem("1", "ST-B", "b"), Problem("2", "ST-A", "a")])
    with warehouse.transaction() as conn:
        closed = exceptions.close_absent(
            conn, brand="demo", subject=SUBJECT, keys=["1"], found=[("1", "ST-B")], run_id="r", at=NOON
        )
    assert closed == 1
    assert stored(warehouse, "key", "rule", "state", "closed_at", "payload") == [
        ("1", "ST-A", "closed", NOON, None),
        ("1", "ST-B", "open", None, '{"id":1}'),
        ("2", "ST-A", "open", None, None),
    ]


def test_closing_can_be_narrowed_to_some_rules(warehouse: Warehouse) -> None:
    find(warehouse, [Problem("1", "ST-A", "a"), Problem("1", "ST-B", "b")])
    with warehouse.transaction() as conn:
        exceptions.close_absent(conn, brand="demo", subject=SUBJECT, keys=["1"], found=[], run_id="r", rules=["ST-B"])
    assert stored(warehouse, "rule", "state") == [("ST-A", "open"), ("ST-B", "closed")]


def test_only_records_that_somebody_waited_for_count_as_released(warehouse: Warehouse) -> None:
    find(warehouse, [Problem("1", "ST-A", "a"), Problem("1", "ST-B", "b"), Problem("2", "ST-OUT", "out")])
    with warehouse.transaction() as conn:
        keys = ["1", "2", "3"]
        assert exceptions.close_passed(conn, brand="demo", subject=SUBJECT, keys=keys, run_id="r") == 1
        assert exceptions.close_passed(conn, brand="demo", subject=SUBJECT, keys=keys, run_id="r") == 0
    assert {state for (state,) in stored(warehouse, "state")} == {"closed"}


def test_brands_and_subjects_close_only_their_own(warehouse: Warehouse) -> None:
    find(warehouse, [Problem("1", "ST-A", "a")])
    with warehouse.transaction() as conn:
        for brand, subject in (("other", SUBJECT), ("demo", "ometria/orders")):
            assert exceptions.close_passed(conn, brand=brand, subject=subject, keys=["1"], run_id="r") == 0
    assert stored(warehouse, "state") == [("open",)]


def test_exceptions_are_counted_by_rule(warehouse: Warehouse) -> None:
    problems = [
        Problem("1", "ST-B", ""),
        Problem("1", "ST-A", ""),
        Problem("2", "ST-A", ""),
        Problem("3", "ST-OUT", ""),
    ]
    find(warehouse, problems)
    with warehouse.reading() as conn:
        assert exceptions.counts_by_rule(conn, brand="demo", subject=SUBJECT) == {"ST-A": 2, "ST-B": 1}
        assert exceptions.counts_by_rule(conn, brand="demo", subject=SUBJECT, state="excluded") == {"ST-OUT": 1}
