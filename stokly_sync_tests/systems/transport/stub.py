"""A server on loopback that gives prepared answers in order and insists that all of them are asked for.

For what a test wants to see on the wire itself: cut connections, broken bodies, headers. Tests that are about a vendor
use the vendor's sandbox.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal


@dataclass(frozen=True)
class Reply:
    """One prepared answer; `cut` closes the connection instead: before a byte, or half-way through the body."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: Literal["", "before", "half"] = ""
    delay: float = 0.0


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Stub:
    """The server's memory: what it was asked, and what it has left to answer."""

    def __init__(self, replies: list[Reply]) -> None:
        self.replies = list(replies)
        self.seen: list[Seen] = []
        self.url = ""
        self.lock = threading.Lock()


@contextmanager
def serving(*replies: Reply) -> Iterator[Stub]:
    """Serve `replies` in order; fails the test when some were never asked for."""
    stub = Stub(list(replies))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with stub.lock:
                stub.seen.append(Seen(self.command, self.path, dict(self.headers), body))
                reply = stub.replies.pop(0) if stub.replies else Reply(500, b'{"message":"no reply is left"}')
            if reply.delay:
                threading.Event().wait(reply.delay)
            if reply.cut != "before":
                self.send_response(reply.status)
                self.send_header("Content-Length", str(len(reply.body)))
                for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
            if reply.cut:
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    stub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert not stub.replies, f"{len(stub.replies)} prepared answers were never asked for"


def unused_url() -> str:
    """An address on loopback at which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{sock.getsockname()[1]}"


@dataclass
class Kept:
    """A memory of what set-up found that lasts as long as the test."""

    found: dict[str, Any] = field(default_factory=dict)

    def get(self, what: str) -> Any:
        return self.found.get(what)

    def put(self, what: str, found: Any) -> None:
        self.found[what] = json.loads(json.dumps(found))
