from __future__ import annotations

import subprocess
import sys

import pytest

from stokly_sync.crashpoints import EXIT_STATUS, VARIABLE, crashpoint

SCRIPT = """
from stokly_sync.crashpoints import crashpoint
for _ in range(3):
    crashpoint("send:other")
    crashpoint("send:before-call")
    print("passed", flush=True)
"""


def test_the_process_dies_at_the_named_place_and_passage_and_nowhere_else() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={VARIABLE: "send:before-call:2"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (EXIT_STATUS, "passed\n")


def test_without_the_variable_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert crashpoint("send:before-call") is None  # type: ignore[func-returns-value]
