import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from stokly_sync.sandbox.registry import MODULES, build_systems
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync_tests.sandbox.kit.toy import Toy

pytestmark = pytest.mark.sandbox

PROGRAM = """
import sys
from pathlib import Path
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync_tests.sandbox.kit.toy import Toy

sandbox = Sandbox(systems=[Toy()], limits=False, state_dir=Path(sys.argv[1]))
sandbox.run_forever(ready=lambda running: print(running.urls["toy"], flush=True))
"""


def call(url: str) -> int:
    handled: int = requests.get(url + "/things/1", timeout=30).json()["handled"]
    return handled


def test_a_sandbox_starts_in_under_a_second_and_says_how_to_reach_it() -> None:
    before = time.monotonic()
    with Sandbox(systems=[Toy()]) as sandbox:
        assert time.monotonic() - before < 1
        assert sandbox.env == {"TOY_BASE_URL": sandbox.urls["toy"]}
        assert call(sandbox.env["TOY_BASE_URL"]) == 1


def test_a_stopped_sandbox_answers_no_more() -> None:
    with Sandbox(systems=[Toy()]) as sandbox:
        url = sandbox.urls["toy"]
    with pytest.raises(requests.ConnectionError):
        call(url)


def test_a_later_sandbox_goes_on_with_the_saved_state_and_without_the_seed(tmp_path: Path) -> None:
    with Sandbox(systems=[Toy()], state_dir=tmp_path, seed="demo") as sandbox:
        call(sandbox.urls["toy"])
    toy = Toy()
    with Sandbox(systems=[toy], state_dir=tmp_path, seed="demo") as sandbox:
        assert call(sandbox.urls["toy"]) == 2
    assert toy.seeded == []


def test_without_saved_state_a_system_is_seeded(tmp_path: Path) -> None:
    toy = Toy()
    with Sandbox(systems=[toy], state_dir=tmp_path, seed="demo"):
        pass
    assert toy.seeded == ["demo"]


def test_saved_state_of_another_seed_is_not_mistaken_for_ours(tmp_path: Path) -> None:
    with Sandbox(systems=[Toy()], state_dir=tmp_path, seed="demo"):
        pass
    with pytest.raises(ValueError, match=r"toy\.json holds the state of seed 'demo', not of 'minimal'"):
        Sandbox(systems=[Toy()], state_dir=tmp_path, seed="minimal").start()


def test_changes_are_saved_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stokly_sync.sandbox.serve.SAVE_EVERY", 0.02)
    with Sandbox(systems=[Toy()], state_dir=tmp_path) as sandbox:
        call(sandbox.urls["toy"])
        deadline = time.monotonic() + 5
        while '"handled":1' not in saved(tmp_path) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert '"handled":1' in saved(tmp_path)


def saved(directory: Path) -> str:
    path = directory / "toy.json"
    return path.read_text() if path.exists() else ""


def test_a_port_that_is_taken_is_an_error_at_the_start() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            Sandbox(systems=[Toy()], ports={"toy": taken.getsockname()[1]}).start()


def test_a_sandbox_is_started_once() -> None:
    with Sandbox(systems=[Toy()]) as sandbox, pytest.raises(RuntimeError, match="started once"):
        sandbox.start()


@pytest.mark.kill
def test_a_sandbox_process_saves_its_state_on_sigterm(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            call(process.stdout.readline().strip())
            os.kill(process.pid, signal.SIGTERM)
            _, errors = process.communicate(timeout=10)
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, "")
    assert '"handled":1' in saved(tmp_path)


def test_an_unknown_system_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'vend'.*ometria"):
        build_systems(["vend"])


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_registered_system_is_built_under_its_name(name: str) -> None:
    assert build_systems([name])[0].name == name
