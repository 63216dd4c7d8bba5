"""Serving the dashboard in the foreground. Its log names no address: what people look for stays with them."""

from __future__ import annotations

import socket

import uvicorn
from starlette.applications import Starlette

from stokly_sync.dashboard.access import Access, is_loopback
from stokly_sync.dashboard.app import build_app
from stokly_sync.errors import SettingsError
from stokly_sync.operations.desk import Desk


def serve(desk: Desk, access: Access, sock: socket.socket) -> None:
    """Serve on a listening socket until Ctrl-C or SIGTERM."""
    uvicorn.Server(configuration(build_app(desk, access))).run(sockets=[sock])


def configuration(app: Starlette) -> uvicorn.Config:
    """How the dashboard is served, wherever it is."""
    return uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        server_header=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=3,
        proxy_headers=False,
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one. Raises SettingsError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise SettingsError(
            f"The dashboard cannot listen on {host}:{port}: {error.strerror}. Choose --port."
        ) from error
    sock.listen(64)
    return sock


def address_of(sock: socket.socket) -> str:
    """The address at which people open it."""
    host, port = sock.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else "127.0.0.1" if is_loopback(host) else host
    return f"http://{shown}:{port}"
