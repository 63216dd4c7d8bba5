"""Whether a server is there, and what its clock says."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from stokly_sync.errors import TransientError
from stokly_sync.systems.transport import reach


@contextmanager
def server(date: Callable[[], str | None], status: int = 404) -> Iterator[str]:
    """A server whose clock says what a test wants."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(status)
            told = date()
            if told is not None:
                self.send_header("Date", told)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            del args

    made = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server_port}"
    finally:
        made.shutdown()
        made.server_close()
        thread.join()


def said(ahead: timedelta) -> Callable[[], str]:
    return lambda: format_datetime((datetime.now(UTC) + ahead), usegmt=True)


@pytest.mark.parametrize("status", [200, 401, 404, 503])
def test_a_server_that_refuses_us_is_there(status: int) -> None:
    with server(said(timedelta(0)), status) as url:
        assert reach(url).ahead == timedelta(0)


@pytest.mark.parametrize("minutes", [-5, 5])
def test_the_difference_of_the_clocks_is_told(minutes: int) -> None:
    with server(said(timedelta(minutes=minutes))) as url:
        ahead = reach(url).ahead
    assert ahead is not None
    assert abs(ahead - timedelta(minutes=minutes)) < timedelta(seconds=3)


@pytest.mark.parametrize("date", [None, "yesterday"])
def test_a_server_without_a_clock_says_nothing_of_it(date: str | None) -> None:
    with server(lambda: date) as url:
        assert reach(url).ahead is None


def test_a_server_that_is_not_there_is_said_so() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(TransientError, match="no connection"):
        reach(f"http://127.0.0.1:{port}")
