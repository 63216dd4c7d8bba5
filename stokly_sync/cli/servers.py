"""`sandbox`, `dashboard` and `dev`: servers in the foreground that end cleanly on Ctrl-C."""

from __future__ import annotations

import getpass
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from stokly_sync.errors import SettingsError
from stokly_sync.pipeline import home
from stokly_sync.pipeline.by_hand import desk_of
from stokly_sync.pipeline.services import Services
from stokly_sync.sandbox.registry import MODULES
from stokly_sync.sandbox.serve import Sandbox

_SHORTEST_PASSWORD: Final = 10


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


def dashboard(*, host: str, port: int) -> None:
    """Serve the dashboard until Ctrl-C.

    Raises SettingsError when the settings cannot be used, the port is taken, or others can reach it without signing in.
    """
    from stokly_sync.dashboard import serve
    from stokly_sync.dashboard.access import access_for

    services = Services.open()
    try:
        core = services.settings.core
        access = access_for(
            host=host, url=core.dashboard_url, users=core.dashboard_users, session_key=core.dashboard_session_key
        )
        with serve.listen(host, port) as sock:
            sys.stderr.write(f"The dashboard is open on {serve.address_of(sock)}. Ctrl-C ends it.\n")
            serve.serve(desk_of(services), access, sock)
    finally:
        services.close()


def hash_password() -> None:
    """Ask for a password and print its hash for the setting."""
    from stokly_sync.dashboard.access import hashed

    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if len(password) < _SHORTEST_PASSWORD:
        raise SettingsError(f"A password needs at least {_SHORTEST_PASSWORD} characters.")
    sys.stdout.write(f"{hashed(password)}\n")


def dev(*, port: int, own: bool) -> int:
    """Run `dagster dev` and the dashboard until Ctrl-C, on the demo's data beside its sandboxes, or with own settings.

    A port that is taken for the dashboard is no reason not to start: any free one serves.
    """
    from stokly_sync import demo

    beside = _free(port + 1)
    with ExitStack() as stack:
        if own:
            folder = home.find_home()
        else:
            begun = demo.origin() or demo.Origin("demo", limits=False)
            folder = demo.FOLDER.resolve()
            stack.enter_context(demo.holding(demo.FOLDER))
            stack.enter_context(demo.surroundings(demo.FOLDER, seed=begun.seed, limits=begun.limits))
            os.environ["STOKLY_SYNC_DAGSTER_URL"] = f"http://127.0.0.1:{port}"
            os.environ["STOKLY_SYNC_DASHBOARD_URL"] = f"http://127.0.0.1:{beside}"
        sys.stderr.write(f"Dagster opens on http://127.0.0.1:{port} with its state in {folder}. Ctrl-C ends it.\n")
        stack.enter_context(_beside(beside))
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


@contextmanager
def _beside(port: int) -> Iterator[None]:
    """The dashboard as a process of its own, for as long as the other server runs."""
    words = [sys.executable, "-m", "stokly_sync.cli", "dashboard", "--port", str(port)]
    # In a group of its own: Ctrl-C is for the server in front, which is ended first.
    process = subprocess.Popen(words, start_new_session=True)  # noqa: S603 - our own interpreter and fixed words
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _free(port: int) -> int:
    """The port, or any other one where it is taken."""
    with socket.socket() as probe:
        # As the server itself will ask for it: a port that was just given back is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
