"""`stokly-sync dashboard`: it starts, says where, asks for a name where it must, and ends when it is told to."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from argon2 import PasswordHasher
from typer.testing import CliRunner

from stokly_sync.cli import app
from stokly_sync.dashboard.access import hashed


@contextmanager
def started(database: Path, *words: str, **environ: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The dashboard as a process of its own, and its address."""
    env = {**os.environ, "STOKLY_SYNC_DATABASE_URL": f"sqlite:///{database}", **environ}
    command = [sys.executable, "-m", "stokly_sync.cli", "dashboard", "--port", "0", *words]
    process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        found = re.search(r"http://\S+:\d+", process.stderr.readline())
        assert found is not None
        yield found.group(), process
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_it_opens_on_an_empty_database_and_ends_cleanly(tmp_path: Path) -> None:
    with started(tmp_path / "new.sqlite") as (address, process):
        answer = requests.get(address, timeout=30)
        assert (answer.status_code, "Nothing is kept back" in answer.text) == (200, True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) in (0, -signal.SIGTERM)


def test_with_users_it_asks_to_sign_in(tmp_path: Path) -> None:
    users = json.dumps({"kim": hashed("correct horse battery")})
    with started(tmp_path / "new.sqlite", "--host", "0.0.0.0", STOKLY_SYNC_DASHBOARD_USERS=users) as (address, _):
        answer = requests.get(address.replace("0.0.0.0", "127.0.0.1"), timeout=30)
        assert answer.url.endswith("/sign-in?next=%2F")


def test_without_users_it_does_not_listen_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOKLY_SYNC_DATABASE_URL", f"sqlite:///{tmp_path / 'new.sqlite'}")
    done = CliRunner().invoke(app, ["dashboard", "--host", "0.0.0.0"])
    assert (done.exit_code, "STOKLY_SYNC_DASHBOARD_USERS" in done.output) == (2, True)


def test_a_password_in_the_settings_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "stokly_sync.toml"
    file.write_text('dashboard_users = { kim = "x" }\n')
    monkeypatch.setenv("STOKLY_SYNC_CONFIG", str(file))
    done = CliRunner().invoke(app, ["dashboard"])
    assert (done.exit_code, "may hold a secret" in done.output) == (2, True)


def test_a_hash_is_made_of_a_password_that_is_long_enough() -> None:
    made = CliRunner().invoke(app, ["dashboard", "--hash"], input="correct horse battery\n")
    assert made.exit_code == 0
    assert PasswordHasher().verify(made.output.strip(), "correct horse battery")
    short = CliRunner().invoke(app, ["dashboard", "--hash"], input="short\n")
    assert (short.exit_code, "at least" in short.output) == (2, True)
