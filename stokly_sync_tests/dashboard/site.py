"""The dashboard served on loopback, and a visitor who keeps cookies and fills in forms as a browser does."""

from __future__ import annotations

import contextlib
import html
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import requests
import uvicorn
from starlette.applications import Starlette

from stokly_sync.dashboard.access import Access
from stokly_sync.dashboard.app import build_app
from stokly_sync.dashboard.serve import configuration, listen
from stokly_sync.operations.desk import Desk


class _Server(uvicorn.Server):
    """Leaves the signals of the test's process alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def served(desk: Desk, access: Access) -> Iterator[str]:
    """The address of a dashboard that runs as long as the context."""
    with _running(build_app(desk, access)) as address:
        yield address


@contextlib.contextmanager
def _running(app: Starlette) -> Iterator[str]:
    with listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        server = _Server(configuration(app))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()


@dataclass
class Visitor:
    """Somebody with a browser."""

    address: str
    session: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.session.get(self.address + path, headers=headers, timeout=30)

    def post(self, path: str, **form: str | list[str]) -> requests.Response:
        """Send a form with the token of this session, unless it is given."""
        values = form if "token" in form else {"token": self.token(), **form}
        return self.session.post(self.address + path, data=values, timeout=30)

    def token(self) -> str:
        """The token that the forms of this session carry."""
        found = re.search(r'name="token" value="([^"]+)"', self.get("/where").text)
        assert found is not None
        return html.unescape(found.group(1))
