"""`adopt` and `doubts`: what only a person can say, said on the command line."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from typer.testing import CliRunner, Result

from stokly_sync.cli import app
from stokly_sync.sandbox.emarsys import EmarsysSandbox
from stokly_sync.sandbox.kit import Fault
from stokly_sync_tests.acceptance.benches import EmarsysBench
from stokly_sync_tests.acceptance.harness import Rig, opened

pytestmark = [pytest.mark.sandbox]

FEED = ("--feed", "emarsys/orders")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def rig_of(tmp_path: Path, migrated: Path, patch: pytest.MonkeyPatch, **environ: str) -> Iterator[Rig]:
    path = tmp_path / "warehouse.sqlite"
    shutil.copy(migrated, path)
    with opened(EmarsysBench(), f"sqlite:///{path}", environ=environ) as rig:
        for name, value in rig.env.items():
            patch.setenv(name, value)
        yield rig


@pytest.fixture
def doubtful(tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """An upload of two orders was cut off after it was taken."""
    for rig in rig_of(tmp_path, migrated_sqlite, monkeypatch):
        rig.there.faults.add(Fault(path="/sales-data/api", action="cut", processed=True))
        rig.sync()
        yield rig


@pytest.fixture
def unsaid(tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """Nobody has said where history begins."""
    for rig in rig_of(tmp_path, migrated_sqlite, monkeypatch, EMARSYS_HISTORY_FROM=" "):
        rig.extract()
        yield rig


def uploads(rig: Rig) -> int:
    return len(cast("EmarsysSandbox", rig.there).sales.uploads)


def test_doubts_are_listed_with_what_left_together(doubtful: Rig) -> None:
    shown = run("doubts")
    assert shown.exit_code == 1
    assert all(key in shown.output for key in doubtful.states("orders"))
    assert "@" not in shown.output


def test_nothing_in_doubt_is_said_in_words(unsaid: Rig) -> None:
    del unsaid
    assert run("doubts").exit_code == 0
    assert "Nothing is in doubt" in run("doubts").output


def test_what_arrived_is_booked_and_nothing_is_sent(doubtful: Rig) -> None:
    done = run("doubts", *FEED, "--all", "--arrived")
    assert (done.exit_code, "2 records booked as arrived" in done.output) == (0, True)
    assert set(doubtful.states("orders").values()) == {"accepted"}
    assert uploads(doubtful) == 1


def test_what_did_not_arrive_is_planned_again_record_by_record(doubtful: Rig) -> None:
    first, second = sorted(doubtful.states("orders"))
    assert run("doubts", first, *FEED, "--send-again").exit_code == 1, "one is left"
    assert doubtful.states("orders") == {first: "planned", second: "in_doubt"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*FEED, "--all", "--arrived", "--send-again"), "not both"),
        (("--all", "--arrived"), "of which feed"),
        ((*FEED, "--arrived"), "of which records"),
        (("nobody", *FEED, "--arrived"), "not in doubt"),
    ],
)
def test_half_a_word_is_not_acted_on(doubtful: Rig, words: tuple[str, ...], said: str) -> None:
    done = run("doubts", *words)
    assert (done.exit_code, said in done.output) == (2, True)
    assert set(doubtful.states("orders").values()) == {"in_doubt"}


def test_an_account_is_adopted_without_sending(unsaid: Rig) -> None:
    done = run("adopt", "emarsys")
    assert (done.exit_code, "emarsys/orders: 2 records adopted, none sent" in done.output) == (0, True)
    unsaid.sync().fine()
    assert uploads(unsaid) == 0
    unsaid.agrees()
    again = run("adopt", "emarsys")
    assert (again.exit_code, "begun already" in again.output) == (2, True)


def test_only_what_lies_before_a_time_is_adopted(unsaid: Rig) -> None:
    assert "emarsys/orders: 0 records adopted" in run("adopt", "emarsys", "--before", "2001-01-01").output
    unsaid.sync().fine()
    assert set(unsaid.states("orders").values()) == {"accepted"}
    assert uploads(unsaid) > 0


def test_a_destination_that_can_be_asked_has_nothing_to_adopt(unsaid: Rig) -> None:
    del unsaid
    assert "nothing to adopt" in run("adopt", "ometria").output
    assert "There is no system" in run("adopt", "nobody").output
