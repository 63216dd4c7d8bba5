"""Running sandbox systems: in a thread for tests and the demo, or as a process of its own.

Each system listens on its own port of 127.0.0.1, all on one event loop. Belongs here: sockets, the loop,
signals and the rhythm of saving. What is answered belongs to the systems and to `kit.gateway`.
"""

import asyncio
import contextlib
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn

from stokly_sync.sandbox.kit import CuttableProtocol, Gateway, SandboxSystem
from stokly_sync.sandbox.registry import build_systems
from stokly_sync.sandbox.state import StateFiles

HOST = "127.0.0.1"
SAVE_EVERY = 3.0
"""Seconds between saves while there are changes: what a kill can lose."""

GRACE = 1.0
"""Seconds that calls under way have when serving ends."""

START_PATIENCE = 30.0
"""Seconds after which a sandbox that does not come up is given up."""


class _Server(uvicorn.Server):
    """A server that leaves the process's signals alone, as several share one loop and one owner, and ends at once.

    uvicorn's own looks ten times a second whether it is to end, and gives connections a tenth of a second to close.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()

    def leave(self) -> None:
        """End; from the loop's own thread."""
        self.should_exit = True
        self._told.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        """Renew the date of the answers once a second until told to end."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), timeout=1.0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close what listens, let calls that are under way end for a moment, and cut what is left."""
        for closing in (*self.servers, *(sockets or ())):
            closing.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        end = time.monotonic() + GRACE
        while (self.server_state.connections or self.server_state.tasks) and time.monotonic() < end:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0.002)
        for task in self.server_state.tasks:
            task.cancel()


class Sandbox:
    """Some sandbox systems, served together.

    Args:
        systems: ready-made systems, names of systems, or None for all that exist.
        seed: name of the seed (or path of a file) for systems that start with data.
        limits: whether the vendors' rate limits are in force.
        ports: port by system name; absent or 0 means any free one.
        state_dir: where state is kept; saved state wins over the seed. None keeps nothing.

    Raises:
        ValueError: for an unknown system, or saved state that grew from another seed.
        OSError: if a port that was asked for is taken.
    """

    def __init__(
        self,
        *,
        systems: Sequence[SandboxSystem] | Sequence[str] | None = None,
        seed: str = "demo",
        limits: bool = True,
        ports: Mapping[str, int] | None = None,
        state_dir: Path | None = None,
    ) -> None:
        self.systems = {system.name: system for system in _made(systems)}
        self._seed = seed
        self._files = StateFiles(state_dir, seed=seed) if state_dir is not None else None
        self._ports = dict(ports or {})
        self._sockets: dict[str, socket.socket] = {}
        self._servers: list[_Server] = []
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._failure: BaseException | None = None
        for system in self.systems.values():
            system.set_limits(limits)
            if state_dir is not None:
                system.keep_files_in(state_dir)

    @property
    def urls(self) -> dict[str, str]:
        """System name -> `http://127.0.0.1:port`; empty before the start."""
        return {name: f"http://{HOST}:{sock.getsockname()[1]}" for name, sock in self._sockets.items()}

    @property
    def env(self) -> dict[str, str]:
        """The environment variables that point the pipeline at every system here; call after the start."""
        merged: dict[str, str] = {}
        for name, url in self.urls.items():
            merged.update(self.systems[name].settings_env(url))
        return merged

    def start(self) -> Self:
        """Fill the systems and serve them in a background thread; returns when they answer.

        Raises:
            RuntimeError: if the servers do not come up, or the sandbox was started before.
        """
        self._prepare()
        self._thread = threading.Thread(target=self._run_thread, name="sandbox", daemon=True)
        self._thread.start()
        waiter = threading.Event()
        waited = 0.0
        while not self._ready() and self._thread.is_alive() and waited < START_PATIENCE:
            waiter.wait(0.005)
            waited += 0.005
        if not self._ready():
            self.stop()
            raise RuntimeError(f"The sandbox servers on {HOST} did not come up.") from self._failure
        return self

    def stop(self) -> None:
        """Stop serving and save what has changed; harmless when nothing runs."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._close()

    def run_forever(self, *, ready: Callable[[Self], None] | None = None) -> None:
        """Serve in the calling thread until SIGTERM or SIGINT; `ready` is called once all answer."""
        self._prepare()
        previous = {
            number: signal.signal(number, lambda *_: self._stopping.set()) for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(self._serve(ready))
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
            self._close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _prepare(self) -> None:
        if self._sockets or self._stopping.is_set():
            raise RuntimeError("A Sandbox is started once: make another one, with the same state_dir to go on.")
        for system in self.systems.values():
            if self._files is None or not self._files.restore(system):
                system.seed(self._seed)
        try:
            for name in self.systems:
                self._sockets[name] = _listen(self._ports.get(name, 0))
        except OSError:
            self._close_sockets()
            raise

    def _run_thread(self) -> None:
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(self._serve(None))
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits in start()
            self._failure = error

    async def _serve(self, ready: Callable[[Self], None] | None) -> None:
        self._servers = [_Server(_config(system)) for system in self.systems.values()]
        tasks = [
            asyncio.create_task(server.serve(sockets=[self._sockets[name]]))
            for name, server in zip(self.systems, self._servers, strict=True)
        ]
        announced = ready is None
        next_save = asyncio.get_running_loop().time() + SAVE_EVERY
        while not self._stopping.is_set() and not any(task.done() for task in tasks):
            await asyncio.sleep(0.02)
            if not announced and ready is not None and self._ready():
                announced = True
                ready(self)
            if asyncio.get_running_loop().time() >= next_save:
                self._save()
                next_save = asyncio.get_running_loop().time() + SAVE_EVERY
        for server in self._servers:
            server.leave()
        await asyncio.gather(*tasks)

    def _ready(self) -> bool:
        return len(self._servers) == len(self.systems) and all(server.started for server in self._servers)

    def _save(self) -> None:
        if self._files is not None:
            for system in self.systems.values():
                self._files.save(system)

    def _close(self) -> None:
        if self._sockets:
            self._save()
        self._close_sockets()

    def _close_sockets(self) -> None:
        for sock in self._sockets.values():
            sock.close()
        self._sockets = {}


def _made(systems: Sequence[SandboxSystem] | Sequence[str] | None) -> list[SandboxSystem]:
    if systems is None:
        return build_systems()
    made: list[SandboxSystem] = []
    for system in systems:
        made.extend(build_systems([system]) if isinstance(system, str) else [system])
    return made


def _listen(port: int) -> socket.socket:
    sock = socket.socket()
    # A port in TIME_WAIT after a restart may be taken again; one that is in use may not.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
    except OSError:
        sock.close()
        raise
    sock.listen(128)
    return sock


def _config(system: SandboxSystem) -> uvicorn.Config:
    return uvicorn.Config(
        Gateway(system),
        http=CuttableProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
    )


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    return uvicorn.Config(Gateway.__call__).get_loop_factory()
