"""The migrated schema is the declared one, on an empty database, under a race, and from an installed package."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from stokly_sync.contracts.owners import person
from stokly_sync.errors import SettingsError
from stokly_sync.warehouse import tables
from stokly_sync.warehouse.engine import SCHEMA, open_engine
from stokly_sync.warehouse.migrations import config, is_current, migrate, revisions
from stokly_sync.warehouse.migrations.__main__ import begin
from stokly_sync.warehouse.sqltypes import FLAG, TEXT, TIME, WHOLE
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import METADATA

OPEN = "import sys; from stokly_sync.warehouse.store import Warehouse; Warehouse.open(sys.argv[1], brand='demo')"


def test_the_migrated_schema_is_exactly_the_declared_one(database_url: str) -> None:
    engine = open_engine(database_url)
    migrate(engine)
    engine.dispose()
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, METADATA) == []


def test_keys_indexes_and_conditions_of_the_migrated_schema_are_the_declared_ones(database_url: str) -> None:
    declared = open_engine(database_url)
    migrate(declared)
    declared.dispose()
    found = sa.MetaData()
    found.reflect(declared, only=lambda name, _: name != "alembic_version")
    assert {name: _shape(table) for name, table in found.tables.items()} == {
        name: _shape(table) for name, table in METADATA.tables.items()
    }


def _shape(table: sa.Table) -> tuple[object, ...]:
    """Everything that alembic's own comparison leaves out."""
    partial = {"ledger_stale", "attempts_open", "findings_one_open"}
    partial |= {"stokly_orders_by_guest", "stokly_customers_by_merged_into"}
    on_one_database = {"ledger_by_state"}
    indexes = {str(i.name): ([c.name for c in i.columns], bool(i.unique)) for i in table.indexes}
    conditional = {
        str(i.name)
        for i in table.indexes
        if any(i.dialect_options[name].get("where") is not None for name in ("postgresql", "sqlite"))
    }
    assert conditional - on_one_database == partial & set(indexes)
    # A column that came later stands last.
    columns = sorted((c.name, c.nullable, c.server_default is not None) for c in table.columns)
    return [c.name for c in table.primary_key.columns], columns, indexes


def test_a_fresh_database_is_not_current_and_a_migrated_one_is(database_url: str) -> None:
    engine = open_engine(database_url)
    assert not is_current(engine)
    migrate(engine)
    assert is_current(engine)
    migrate(engine)
    assert is_current(engine)


def test_the_numbers_of_the_files_are_the_steps_in_their_order() -> None:
    chain = [script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()]
    assert revisions() == chain[::-1]


def test_every_step_can_be_taken_back(database_url: str) -> None:
    engine = open_engine(database_url)
    migrate(engine)
    made = config()
    with engine.begin() as connection:
        made.attributes["connection"] = connection
        command.downgrade(made, "base")
        assert set(sa.inspect(connection).get_table_names()) <= {"alembic_version"}
    migrate(engine)
    assert is_current(engine)


def test_guests_of_orders_that_are_landed_already_are_found(database_url: str) -> None:
    engine = open_engine(database_url)
    migrate(engine)
    made = config()
    with engine.begin() as connection:
        made.attributes["connection"] = connection
        command.downgrade(made, "0009")
        orders = METADATA.tables["stokly_orders"]
        filler = {TEXT: "x", WHOLE: 0, FLAG: True, TIME: datetime(2026, 1, 5, tzinfo=UTC)}
        whole = {c.name: filler[c.type] for c in orders.c if not c.nullable and c.name != "order_id"}
        bought = [("1", None, "Guest@example.com"), ("2", "C1", "buyer@example.com"), ("3", None, None)]
        for order, customer, email in bought:
            row = {**whole, "order_id": order, "customer_id": customer, "customer_email": email}
            connection.execute(sa.insert(orders).values(row))
        command.upgrade(made, "head")
        found = connection.execute(sa.select(orders.c.order_id, orders.c.guest).order_by(orders.c.order_id)).all()
    assert [tuple(row) for row in found] == [("1", person("guest@example.com")), ("2", None), ("3", None)]


def test_processes_that_start_at_once_migrate_once(database_url: str) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", OPEN, database_url], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    errors = [process.communicate(timeout=90)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors
    assert is_current(open_engine(database_url))


def test_a_database_of_a_newer_version_is_refused_with_what_to_do(warehouse_url: str) -> None:
    engine = open_engine(warehouse_url)

    def say(version: str) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")

    say("9999")
    with pytest.raises(SettingsError, match=r"newer version.*Install that version again"):
        Warehouse.open(warehouse_url, brand="demo")
    say(revisions()[-1])
    assert is_current(engine)


def test_our_tables_stand_in_a_schema_of_their_own(fresh_postgres_url: str) -> None:
    warehouse = Warehouse.open(fresh_postgres_url, brand="demo")
    inspector = sa.inspect(sa.create_engine(warehouse.engine.url))
    assert "ledger" in inspector.get_table_names(schema=SCHEMA)
    assert inspector.get_table_names(schema="public") == []


def test_a_role_that_may_not_create_the_schema_is_told_what_to_ask_for(fresh_postgres_url: str) -> None:
    url = sa.make_url(fresh_postgres_url)
    role = f"plain_{url.database}"
    plain = url.set(username=role).render_as_string(hide_password=False)
    with closing(sa.create_engine(url, isolation_level="AUTOCOMMIT").connect()) as connection:
        connection.execute(sa.text(f'CREATE ROLE "{role}" LOGIN'))
        try:
            with pytest.raises(SettingsError, match="CREATE SCHEMA stokly_sync AUTHORIZATION"):
                Warehouse.open(plain, brand="demo")
            connection.execute(sa.text(f'CREATE SCHEMA stokly_sync AUTHORIZATION "{role}"'))
            Warehouse.open(plain, brand="demo").close()
        finally:
            connection.execute(sa.text(f'DROP OWNED BY "{role}" CASCADE'))
            connection.execute(sa.text(f'DROP ROLE "{role}"'))


def test_a_new_step_is_drafted_from_what_changed_in_the_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = sa.MetaData(naming_convention=METADATA.naming_convention)
    for table in METADATA.tables.values():
        table.to_metadata(changed)
    changed.tables["plans"].append_column(sa.Column("asked_at", TIME))
    monkeypatch.setattr(tables, "METADATA", changed)
    draft = begin("who asked for a plan", tmp_path)
    assert re.fullmatch(r"\d{4}_who_asked_for_a_plan\.py", draft.name)
    written = draft.read_text()
    assert "op.add_column('plans', sa.Column('asked_at', TIME, nullable=True))" in written
    assert written.count("op.add_column") == 1
    assert "create_table" not in written
    compile(written, draft.name, "exec")


def test_an_installed_wheel_can_migrate(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="hatchling is not installed: what a wheel would hold is not known here")
    from hatchling.builders.wheel import WheelBuilder

    for file in WheelBuilder(str(Path(__file__).parents[2])).recurse_included_files():
        target = tmp_path / "site" / file.distribution_path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file.path, target)
    url = f"sqlite:///{tmp_path / 'warehouse.sqlite'}"
    # -I keeps the working copy, which is installed in place, behind the copy.
    start = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); {OPEN}; print(sys.modules['stokly_sync'])"
    done = subprocess.run(
        [sys.executable, "-I", "-c", start, url], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert str(tmp_path / "site") in done.stdout
    assert is_current(open_engine(url))
