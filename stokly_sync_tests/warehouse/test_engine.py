"""How a database is opened, what a session is set to, and what an error may say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from stokly_sync.errors import SettingsError
from stokly_sync.warehouse.engine import open_engine
from stokly_sync.warehouse.sqltypes import TEXT, UtcTime, kind_of
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import LANDED, METADATA, PLANS, RATE_BUDGETS
from stokly_sync_tests.warehouse.examples import NOON


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_every_spelling_of_postgresql_gets_the_driver_that_is_installed(scheme: str) -> None:
    engine = open_engine(f"{scheme}://role:s3cret@db.example.com/shop?options=-cstatement_timeout%3D5000")
    assert engine.dialect.driver == "psycopg2"
    assert engine.url.query["options"] == "-cstatement_timeout=5000 -csearch_path=stokly_sync -ctimezone=UTC"
    assert "s3cret" not in repr(engine)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("db.example.com/s3cret", "cannot be read"),
        ("postgresql://role:s3cret@db.example.com:port/shop", "cannot be read"),
        ("mysql://role:s3cret@db.example.com/shop", "names mysql"),
        ("sqlite://", "names sqlite in memory"),
        ("sqlite:///:memory:", "names sqlite in memory"),
    ],
)
def test_a_url_that_cannot_hold_the_warehouse_is_refused_without_repeating_it(url: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason) as caught:
        open_engine(url)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__context__ is None


def test_the_folder_of_an_sqlite_file_is_created(tmp_path: Path) -> None:
    Warehouse.open(f"sqlite:///{tmp_path}/a/b/warehouse.sqlite", brand="demo").close()
    assert (tmp_path / "a/b/warehouse.sqlite").is_file()


def test_an_sqlite_session_waits_for_others_and_survives_a_power_cut(tmp_path: Path) -> None:
    with open_engine(f"sqlite:///{tmp_path}/w.sqlite").connect() as connection:
        names = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        values = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]
    full = 2
    assert values == ["wal", full, 30_000, 1]


def test_every_key_of_every_table_begins_with_the_brand() -> None:
    first = {name: next(iter(table.primary_key.columns)).name for name, table in METADATA.tables.items()}
    # Two brands may use one API key, and then they share its budget.
    assert first.pop(RATE_BUDGETS.name) == "key"
    assert set(first.values()) == {"brand"}


def test_root_tables_know_their_window_and_child_tables_do_not() -> None:
    assert {"window_start", "landed_at", "content_hash", "version"} <= set(LANDED["stokly.orders"].c.keys())
    assert "window_start" not in LANDED["stokly.order_lines"].c


def test_a_time_keeps_its_instant_to_the_microsecond_whatever_its_zone(warehouse: Warehouse) -> None:
    moment = datetime(2026, 7, 1, 9, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    with warehouse.transaction() as conn:
        for plan_id, at in (("plain", moment), ("pandas", pd.Timestamp(moment))):
            conn.execute(
                sa.insert(PLANS).values(
                    brand="demo", plan_id=plan_id, feed="f", created_at=at, counts="{}", windows="[]", state="planned"
                )
            )
        stored = conn.scalars(sa.select(PLANS.c.created_at).where(PLANS.c.created_at == moment)).all()
    assert stored == [moment.astimezone(UTC)] * 2
    assert all(t.tzinfo is UTC for t in stored)


def test_a_time_without_a_zone_is_refused(warehouse: Warehouse) -> None:
    with warehouse.reading() as conn, pytest.raises(sa.exc.StatementError, match="without a zone"):
        conn.execute(sa.select(PLANS.c.plan_id).where(PLANS.c.created_at == NOON.replace(tzinfo=None)))


def test_a_column_type_without_a_kind_is_named() -> None:
    assert kind_of(TEXT) == "text"
    assert kind_of(UtcTime()) == "time"
    with pytest.raises(TypeError, match="no kind for a column of type Float"):
        kind_of(sa.Float())


def test_an_error_never_shows_the_parameters(warehouse: Warehouse) -> None:
    with warehouse.reading() as conn, pytest.raises(sa.exc.DBAPIError) as caught:
        conn.execute(sa.text("SELECT * FROM nowhere WHERE mail = :mail"), {"mail": "customer@example.com"})
    assert "customer@example.com" not in str(caught.value)


def test_what_a_reader_sees_does_not_change_under_it(warehouse: Warehouse) -> None:
    count = sa.select(sa.func.count()).select_from(PLANS)
    with warehouse.reading() as reader:
        assert reader.scalar(count) == 0
        with warehouse.transaction() as writer:
            values = {"brand": "demo", "plan_id": "p", "feed": "f", "created_at": NOON, "counts": "", "windows": ""}
            writer.execute(sa.insert(PLANS).values(**values, state="planned"))
        assert reader.scalar(count) == 0
    with warehouse.reading() as reader:
        assert reader.scalar(count) == 1


def test_a_failed_transaction_leaves_nothing(warehouse: Warehouse) -> None:
    values = {"brand": "demo", "plan_id": "p", "feed": "f", "created_at": NOON, "counts": "", "windows": ""}
    twice = [sa.insert(PLANS).values(**values, state=state) for state in ("planned", "sent")]
    with pytest.raises(sa.exc.IntegrityError), warehouse.transaction() as writer:
        [writer.execute(statement) for statement in twice]
    with warehouse.reading() as reader:
        assert reader.scalar(sa.select(sa.func.count()).select_from(PLANS)) == 0
