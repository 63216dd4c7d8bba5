"""Landed tables held against each other: what does not match opens an exception and closes by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pytest
import sqlalchemy as sa

from stokly_sync.contracts import columns
from stokly_sync.contracts.rules import Effect, Rule, catalogue
from stokly_sync.flow import Frames, Matching, Problem, Team
from stokly_sync.reconciliation.matching import match
from stokly_sync.warehouse.exceptions import open_for
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import EXCEPTIONS
from stokly_sync.warehouse.windows import set_baseline
from stokly_sync_tests.delivery.kit import T0, land

RULES: Final = catalogue(
    (
        Rule("T-ORPHAN", "It has no twin.", "Find it.", Team.ECOMMERCE, "P8"),
        Rule("T-OLD", "It is too old.", "Nothing to do.", Team.ECOMMERCE, "P8", Effect.EXCLUDE),
    )
)
SUBJECT: Final = "test/order_matching"


def orphans(frames: Frames) -> Sequence[Problem]:
    """Invoices whose order is not landed."""
    invoices = frames["stokly.invoices"]
    alone = invoices[~invoices["order_id"].isin(frames["stokly.orders"]["order_id"])]
    return [Problem(key, "T-ORPHAN", f"invoice {key} has no order") for key in columns.keys(alone["invoice_id"])]


def matching(**changes: Any) -> Matching:
    needs = {"stokly.orders": ("order_id",), "stokly.invoices": ("invoice_id", "order_id")}
    return Matching("orders", SUBJECT, "Invoices and orders.", needs, orphans, **changes)


def read_in_full(warehouse: Warehouse, *datasets: str) -> None:
    with warehouse.transaction() as conn:
        for dataset in datasets:
            set_baseline(conn, brand=warehouse.brand, dataset=dataset, to=T0, cursor=None, done=True)


def exceptions(warehouse: Warehouse) -> dict[str, tuple[str, str]]:
    e = EXCEPTIONS.c
    with warehouse.reading() as conn:
        rows = conn.execute(sa.select(e.key, e.rule, e.state).where(e.subject == SUBJECT))
        return {key: (rule, state) for key, rule, state in rows}


def test_an_orphan_is_named_and_forgotten_when_its_other_half_comes(warehouse: Warehouse) -> None:
    read_in_full(warehouse, "stokly.orders", "stokly.invoices")
    land(warehouse, "stokly.orders", [{"order_id": "1"}])
    land(warehouse, "stokly.invoices", [{"invoice_id": "I1", "order_id": "1"}, {"invoice_id": "I2", "order_id": "2"}])
    assert match(warehouse, matching(), catalogue=RULES, run_id="run") == {"T-ORPHAN": 1}
    assert exceptions(warehouse) == {"I2": ("T-ORPHAN", "open")}
    land(warehouse, "stokly.orders", [{"order_id": "2"}])
    assert match(warehouse, matching(), catalogue=RULES, run_id="run") == {}
    assert exceptions(warehouse) == {"I2": ("T-ORPHAN", "closed")}


def test_nothing_is_said_before_both_histories_are_landed(warehouse: Warehouse) -> None:
    read_in_full(warehouse, "stokly.invoices")
    land(warehouse, "stokly.invoices", [{"invoice_id": "I1", "order_id": "1"}])
    assert match(warehouse, matching(), catalogue=RULES, run_id="run") is None
    assert exceptions(warehouse) == {}


@pytest.mark.parametrize("rule", ["T-ORPHAN", "T-OLD"])
def test_what_a_feed_keeps_back_or_leaves_out_is_not_named_twice(warehouse: Warehouse, rule: str) -> None:
    read_in_full(warehouse, "stokly.orders", "stokly.invoices")
    land(warehouse, "stokly.invoices", [{"invoice_id": "I1", "order_id": "1"}])
    with warehouse.transaction() as conn:
        problem = Problem("I1", rule, "known")
        open_for(conn, brand=warehouse.brand, subject="test/feed", problems=[problem], catalogue=RULES, run_id="run")
    assert match(warehouse, matching(known_in=("test/feed",)), catalogue=RULES, run_id="run") == {}
    assert match(warehouse, matching(), catalogue=RULES, run_id="run") == {"T-ORPHAN": 1}
