"""What a run counted can be read back by run and by subject."""

from __future__ import annotations

from datetime import timedelta

from stokly_sync.warehouse.figures import Figures, Stage, figures_of, latest_figures, record_figures
from stokly_sync.warehouse.store import Warehouse
from stokly_sync_tests.warehouse.examples import NOON


def record(warehouse: Warehouse, run_id: str, subject: str, stage: Stage, minutes: int, read: int) -> None:
    with warehouse.transaction() as conn:
        at = NOON + timedelta(minutes=minutes)
        record_figures(
            conn, brand="demo", run_id=run_id, subject=subject, stage=stage, body={"read": read, "rules": {}}, at=at
        )


def test_a_run_tells_its_figures_by_subject_and_stage(warehouse: Warehouse) -> None:
    record(warehouse, "one", "stokly.orders", Stage.EXTRACT, 0, 10)
    record(warehouse, "one", "ometria/orders", Stage.PLAN, 1, 9)
    record(warehouse, "two", "ometria/orders", Stage.PLAN, 2, 1)
    with warehouse.reading() as conn:
        found = figures_of(conn, brand="demo", run_id="one")
        assert figures_of(conn, brand="other", run_id="one") == []
    assert [(f.subject, f.stage, f.body["read"]) for f in found] == [
        ("ometria/orders", Stage.PLAN, 9),
        ("stokly.orders", Stage.EXTRACT, 10),
    ]


def test_a_stage_that_is_run_again_replaces_its_own_figures(warehouse: Warehouse) -> None:
    record(warehouse, "one", "ometria/orders", Stage.PLAN, 0, 9)
    record(warehouse, "one", "ometria/orders", Stage.PLAN, 5, 8)
    with warehouse.reading() as conn:
        (only,) = figures_of(conn, brand="demo", run_id="one")
    at = NOON + timedelta(minutes=5)
    assert only == Figures("one", "ometria/orders", Stage.PLAN, at, {"read": 8, "rules": {}})


def test_the_newest_figures_come_first(warehouse: Warehouse) -> None:
    for minutes, read in ((1, 11), (3, 13), (2, 12)):
        record(warehouse, f"run {minutes}", "ometria/orders", Stage.DELIVER, minutes, read)
    with warehouse.reading() as conn:
        found = latest_figures(conn, brand="demo", subject="ometria/orders", stage=Stage.DELIVER, limit=2)
    assert [f.body["read"] for f in found] == [13, 12]
