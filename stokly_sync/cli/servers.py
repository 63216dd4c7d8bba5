"""`sandbox` and `dev`: servers in the foreground that end cleanly on Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from stokly_sync.errors import SettingsError
from stokly_sync.pipeline import home
from stokly_sync.sandbox.registry import MODULES
from stokly_sync.sandbox.serve import Sandbox


def sandbox(seed: str, *, limits: bool, port_base: int, state: Path | None) -> None:
    """Serve until Ctrl-C; prints the settings as shell lines once all systems answer.

    Raises SettingsError when a port is taken, the seed cannot be read, or the state grew from another one.
    """
    ports = {name: port_base + i for i, name in enumerate(MODULES)} if port_base else None

    def announce(running: Sandbox) -> None:
        note = "" if limits else " without the vendors' rate limits"
        sys.stderr.write(f"The sandboxes run{note}. Ctrl-C ends them. Settings that point here:\n")
        sys.stdout.write("".join(f"export {name}={value}\n" for name, value in sorted(running.env.items())))
        sys.stdout.flush()

    try:
        Sandbox(seed=seed, limits=limits, ports=ports, state_dir=state).run_forever(ready=announce)
    except (OSError, ValueError) as error:
        raise SettingsError(f"The sandbox cannot start: {error}") from error


def dev(*, port: int, own: bool) -> int:
    """Run `dagster dev` until Ctrl-C, on the demo's data beside its sandboxes, or with the person's own settings."""
    from stokly_sync import demo

    with ExitStack() as stack:
        if own:
            folder = home.find_home()
        else:
            begun = demo.origin() or demo.Origin("demo", limits=False)
            folder = demo.FOLDER.resolve()
            stack.enter_context(demo.holding(demo.FOLDER))
            stack.enter_context(demo.surroundings(demo.FOLDER, seed=begun.seed, limits=begun.limits))
            os.environ["STOKLY_SYNC_DAGSTER_URL"] = f"http://127.0.0.1:{port}"
        sys.stderr.write(f"Dagster opens on http://127.0.0.1:{port} with its state in {folder}. Ctrl-C ends it.\n")
        return _foreground(
            [
                sys.executable,
                "-m",
                "dagster",
                "dev",
                "-w",
                str(home.workspace(folder)),
                "-p",
                str(port),
                "-h",
                "127.0.0.1",
            ]
        )


def _foreground(command: list[str]) -> int:
    """Run a program that gets Ctrl-C from the terminal as we do, and wait for it to end by itself."""
    process: subprocess.Popen[bytes] | None = None
    asked = False

    def end(_number: int, _frame: object) -> None:
        nonlocal asked
        if not asked and process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)
        asked = True

    # Before the program starts: where a shell put us into the background Ctrl-C is ignored, and it would inherit that.
    previous = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        process = subprocess.Popen(command)  # noqa: S603 - our own interpreter and fixed words
        status = process.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return 0 if asked else status
