"""Lists of exceptions: every filter, sums per currency, and pages that neither lose nor repeat a row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from stokly_sync.contracts.rules import Severity
from stokly_sync.flow import Team
from stokly_sync.operations import listing
from stokly_sync.operations.desk import Desk
from stokly_sync.operations.listing import BadPlace, Order, Wanted
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import EXCEPTIONS
from stokly_sync_tests.delivery.kit import T0
from stokly_sync_tests.operations.kit import kept_back

POUND = 10**9


def keys(desk: Desk, **conditions: Any) -> list[str]:
    return [row.ref.key for row in listing.stream(desk, Wanted(**conditions))]


@pytest.fixture
def some(desk: Desk) -> None:
    kept_back(desk.warehouse, "a", owner="finance", severity="high", value=5 * POUND, currency="GBP")
    kept_back(desk.warehouse, "b", at=T0 + timedelta(days=1), value=7 * POUND, currency="EUR", assigned_to="day shift")
    kept_back(desk.warehouse, "c", at=T0 + timedelta(days=2), subject="test/orders", rule="T-REJECTED")
    kept_back(desk.warehouse, "d", state="excluded")


@pytest.mark.usefixtures("some")
@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, ["c", "b", "a"]),
        ({"order": Order.OLDEST}, ["a", "b", "c"]),
        ({"order": Order.VALUE}, ["b", "a", "c"]),
        ({"owner": Team.FINANCE}, ["a"]),
        ({"severity": Severity.HIGH}, ["a"]),
        ({"system": "test"}, ["c"]),
        ({"system": "stokly"}, ["b", "a"]),
        ({"system": "stok"}, []),
        ({"subject": "test/orders"}, ["c"]),
        ({"rule": "T-REJECTED"}, ["c"]),
        ({"assigned_to": "day shift"}, ["b"]),
        ({"at_least": 6 * POUND}, ["b"]),
        ({"state": "excluded"}, ["d"]),
    ],
)
def test_a_list_holds_what_all_its_conditions_hold_for(
    desk: Desk, conditions: dict[str, Any], expected: list[str]
) -> None:
    assert keys(desk, **conditions) == expected


@pytest.mark.usefixtures("some")
def test_age_counts_from_the_first_time_that_it_was_seen(desk: Desk) -> None:
    now = T0 + timedelta(days=3)
    old = listing.conditions(desk.brand, Wanted(older_than=timedelta(days=2)), now=now)
    with desk.warehouse.reading() as conn:
        found = conn.execute(sa.select(EXCEPTIONS.c.key).where(*old).order_by(EXCEPTIONS.c.key))
        assert list(found.scalars()) == ["a", "b"]


@pytest.mark.usefixtures("some")
def test_a_total_never_adds_currencies(desk: Desk) -> None:
    assert listing.total(desk, Wanted()) == listing.Total(3, {"EUR": 7 * POUND, "GBP": 5 * POUND})


def test_a_total_is_exact_beyond_what_one_sum_of_64_bits_could_hold(desk: Desk) -> None:
    largest = 2**63 - 1
    for key in ("a", "b", "c"):
        kept_back(desk.warehouse, key, value=largest, currency="GBP")
    assert listing.total(desk, Wanted()).values == {"GBP": 3 * largest}


@pytest.mark.parametrize("order", Order)
def test_pages_lose_and_repeat_nothing_though_rows_share_time_and_value(desk: Desk, order: Order) -> None:
    expected = {f"{number:02}" for number in range(11)}
    for key in sorted(expected):
        kept_back(desk.warehouse, key, value=None if key < "04" else POUND, currency="GBP")
    seen: list[str] = []
    after: str | None = None
    for _ in range(10):
        page = listing.page(desk, Wanted(order=order), after=after, size=3)
        seen += [row.ref.key for row in page.rows]
        after = page.after
        if after is None:
            break
    assert sorted(seen) == sorted(expected)


@pytest.mark.parametrize("place", ["", "[]", "nonsense", '["2026-01-01","x"]', "{}"])
def test_a_place_that_no_list_gave_is_refused(desk: Desk, place: str) -> None:
    with pytest.raises(BadPlace, match="first page"):
        listing.page(desk, Wanted(), after=place)


@pytest.mark.usefixtures("some")
def test_counts_are_by_team_subject_and_rule(desk: Desk) -> None:
    found = listing.counts(desk)
    assert [(c.owner, c.subject, c.rule, c.count) for c in found] == [
        ("finance", "stokly.orders", "ST-ORDER-TOTAL", 1),
        ("operations", "stokly.orders", "ST-ORDER-TOTAL", 1),
        ("operations", "test/orders", "T-REJECTED", 1),
    ]
    assert listing.by_system(found) == {"stokly": 2, "test": 1}


@pytest.mark.usefixtures("some")
def test_another_brand_sees_nothing_of_it(desk: Desk) -> None:
    other = Desk(**{**desk.__dict__, "warehouse": Warehouse(desk.warehouse.engine, "other")})
    assert keys(other) == []
    assert listing.counts(other) == []
    assert listing.total(other, Wanted()).count == 0
