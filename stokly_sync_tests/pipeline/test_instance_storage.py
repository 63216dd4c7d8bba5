"""The choice of Dagster's storage, and that Dagster really works on both."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.runs import SqliteRunStorage
from dagster_postgres import DagsterPostgresStorage, PostgresRunStorage
from sqlalchemy import create_engine, inspect, make_url, text

from stokly_sync.errors import SettingsError
from stokly_sync.pipeline.instance_storage import DATABASE_URL, ENVIRONMENT, choose_backend, open_storage

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Dagster home that holds the project's own dagster.yaml."""
    folder = tmp_path / "home"
    folder.mkdir()
    shutil.copy(ROOT / "dagster.yaml", folder)
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    monkeypatch.chdir(folder)
    return folder


@dg.asset
def one() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"rows": 1})


def test_without_a_url_the_state_goes_to_sqlite_below_dagster_home() -> None:
    backend = choose_backend({"DAGSTER_HOME": "/srv/stokly"}, base_dir="data/local/dagster")
    assert backend.kind == "sqlite"
    assert backend.base_dir == Path("/srv/stokly/data/local/dagster").resolve()


def test_an_absolute_base_dir_is_taken_as_it_is(tmp_path: Path) -> None:
    assert choose_backend({"DAGSTER_HOME": "/srv/stokly"}, base_dir=str(tmp_path)).base_dir == tmp_path


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_every_spelling_of_postgresql_gets_the_driver_that_is_installed(scheme: str) -> None:
    backend = choose_backend({DATABASE_URL: f"{scheme}://role:s3cret@db.example.com/shop"})
    assert backend.kind == "postgresql"
    assert backend.url is not None
    assert backend.url.drivername == "postgresql+psycopg2"
    assert backend.url.query["options"] == "-csearch_path=dagster"


def test_options_of_the_url_are_kept_beside_the_search_path() -> None:
    url = "postgresql:///shop?host=/run/postgresql&options=-cstatement_timeout%3D5000"
    backend = choose_backend({DATABASE_URL: url})
    assert backend.url is not None
    assert backend.url.query["options"] == "-cstatement_timeout=5000 -csearch_path=dagster"
    assert backend.url.query["host"] == "/run/postgresql"


def test_an_sqlite_url_keeps_dagster_beside_that_file(tmp_path: Path) -> None:
    backend = choose_backend({DATABASE_URL: f"sqlite:///{tmp_path}/warehouse.sqlite"})
    assert backend.base_dir == tmp_path / "dagster"


@pytest.mark.parametrize(
    ("url", "reason"), [({}, "is not set"), ({DATABASE_URL: "sqlite:////srv/warehouse.sqlite"}, "names SQLite")]
)
def test_production_without_postgresql_refuses_and_says_what_to_set(url: dict[str, str], reason: str) -> None:
    with pytest.raises(SettingsError, match=rf"{DATABASE_URL} {reason}.*every process"):
        choose_backend({ENVIRONMENT: "production", **url})


def test_production_with_a_url_is_accepted() -> None:
    environ = {ENVIRONMENT: "production", DATABASE_URL: "postgresql://role@db.example.com/shop"}
    assert choose_backend(environ).kind == "postgresql"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("db.example.com/s3cret", "is not a database URL"),
        ("postgresql://role:s3cret@db.example.com:port/shop", "is not a database URL"),
        ("mysql://role:s3cret@db.example.com/shop", "names mysql"),
        ("sqlite://", "names sqlite in memory"),
        ("sqlite:///:memory:", "names sqlite in memory"),
    ],
)
def test_a_url_that_cannot_hold_state_is_refused_without_repeating_it(url: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason) as caught:
        choose_backend({DATABASE_URL: url})
    assert "s3cret" not in str(caught.value)
    assert caught.value.__context__ is None


def test_neither_the_label_nor_the_repr_shows_the_password_or_the_role() -> None:
    backend = choose_backend({DATABASE_URL: "postgresql://role:s3cret@db.example.com/shop"})
    shown = f"{backend!r} {backend.label}"
    assert "s3cret" not in shown
    assert "role" not in shown
    assert "database shop at db.example.com" in backend.label


def test_the_projects_dagster_yaml_runs_on_sqlite_and_leaves_the_root_clean(home: Path) -> None:
    with dg.DagsterInstance.get() as instance:
        assert isinstance(instance.run_storage, SqliteRunStorage)
        assert dg.materialize([one], instance=instance).success
        assert instance.get_runs_count() == 1
    assert (home / "data/local/dagster/history").is_dir()
    assert {path.name for path in home.iterdir()} <= {"dagster.yaml", "data", "logs", ".logs_queue"}


def test_the_projects_dagster_yaml_runs_on_postgresql_in_a_schema_of_its_own(
    home: Path, fresh_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = make_url(fresh_postgres_url).set(drivername="postgresql")
    monkeypatch.setenv(DATABASE_URL, bare.render_as_string(hide_password=False))
    with dg.DagsterInstance.get() as instance:
        assert isinstance(instance.run_storage, PostgresRunStorage)
        assert dg.materialize([one], instance=instance).success
    with dg.DagsterInstance.get() as again:
        assert again.get_runs_count() == 1
        assert again.get_latest_materialization_event(one.key) is not None
    tables = inspect(create_engine(fresh_postgres_url))
    assert {"runs", "event_logs", "alembic_version"} <= set(tables.get_table_names(schema="dagster"))
    assert tables.get_table_names(schema="public") == []
    assert not (home / "data/local/dagster/history").exists()


def test_several_processes_may_open_an_empty_database_at_once(fresh_postgres_url: str) -> None:
    backend = choose_backend({DATABASE_URL: fresh_postgres_url})
    with ThreadPoolExecutor(4) as pool:
        storages = list(pool.map(lambda _: open_storage(backend), range(4)))
    assert all(isinstance(storage, DagsterPostgresStorage) for storage in storages)


def test_a_role_that_may_not_create_the_schema_is_told_what_to_ask_for(fresh_postgres_url: str) -> None:
    url = make_url(fresh_postgres_url)
    role = f"plain_{url.database}"
    with closing(create_engine(url, isolation_level="AUTOCOMMIT").connect()) as connection:
        connection.execute(text(f'CREATE ROLE "{role}" LOGIN'))
        try:
            backend = choose_backend({DATABASE_URL: url.set(username=role).render_as_string(hide_password=False)})
            with pytest.raises(SettingsError, match="CREATE SCHEMA dagster AUTHORIZATION"):
                open_storage(backend)
            connection.execute(text(f'CREATE SCHEMA dagster AUTHORIZATION "{role}"'))
            assert isinstance(open_storage(backend), DagsterPostgresStorage)
        finally:
            connection.execute(text(f'DROP OWNED BY "{role}" CASCADE'))
            connection.execute(text(f'DROP ROLE "{role}"'))
