"""Channels: real mail and HTTP servers on loopback take what Apprise sends, and no address ever shows."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message as Mail
from http.server import BaseHTTPRequestHandler, HTTPServer
from socket import socket
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from stokly_sync.alerts.channels import addresses, channels, log_channel
from stokly_sync.alerts.wording import Message
from stokly_sync.errors import SettingsError, TransientError
from stokly_sync.flow import Team

MESSAGE = Message("3 differences", "missing: 3\nReplay the window.", Team.FINANCE, "high")


class Hook(BaseHTTPRequestHandler):
    """Answers with the status of its server and keeps what was posted."""

    def do_POST(self) -> None:
        server: Any = self.server
        server.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(server.status)
        self.end_headers()

    def log_message(self, *_args: Any) -> None: ...


@pytest.fixture
def hook() -> Iterator[Any]:
    server: Any = HTTPServer(("127.0.0.1", 0), Hook)
    server.posted, server.status = [], 204
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


class Inbox:
    """Keeps the mails that an SMTP server takes."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        self.mails.append(message_from_bytes(envelope.content))
        return "250 taken"


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    handler = Inbox()
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, port
    controller.stop()


def test_a_webhook_gets_title_text_and_kind_as_json(hook: Any) -> None:
    (tell,) = addresses(f"json://127.0.0.1:{hook.server_port}/secret-path", "STOKLY_SYNC_ALERTS")
    tell(MESSAGE)
    posted = hook.posted[0]
    assert (posted["title"], posted["message"], posted["type"]) == ("3 differences [finance]", MESSAGE.text, "failure")


def test_a_mail_arrives_with_the_title_as_its_subject(inbox: tuple[Inbox, int]) -> None:
    box, port = inbox
    url = f"mailto://127.0.0.1:{port}?from=sync@example.com&to=finance@example.com&mode=insecure&format=text"
    (tell,) = addresses(url, "STOKLY_SYNC_ALERTS_FINANCE")
    tell(MESSAGE)
    (mail,) = box.mails
    assert mail["Subject"] == "3 differences [finance]"
    assert "finance@example.com" in mail["To"]
    body = next(part for part in mail.walk() if part.get_content_type() == "text/plain").get_payload(decode=True)
    assert isinstance(body, bytes)
    assert "Replay the window." in body.decode()


@pytest.mark.parametrize("status", [503, 404])
def test_a_webhook_that_refuses_is_an_error_without_its_address(
    hook: Any, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    hook.status = status
    (tell,) = addresses(f"json://127.0.0.1:{hook.server_port}/secret-path", "STOKLY_SYNC_ALERTS")
    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(TransientError, match="address 1 of STOKLY_SYNC_ALERTS") as error,
    ):
        tell(MESSAGE)
    assert "secret-path" not in str(error.value)
    assert not [r for r in caplog.records if r.name.startswith("apprise")]


def test_an_address_that_nobody_knows_is_named_by_its_place_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(SettingsError, match="Address 2 of STOKLY_SYNC_ALERTS_CX") as e:
        channels("", {Team.CX: "json://127.0.0.1/a nonsense://secret-token"})
    assert "secret-token" not in str(e.value) + caplog.text


def test_without_addresses_the_log_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="stokly_sync"):
        channels("", {}).tell(MESSAGE)
        log_channel(Message("Cleared: 3 differences", "", None, "high", over=True))
    assert [(r.levelname, r.message.split("]")[0]) for r in caplog.records] == [
        ("WARNING", "3 differences [finance"),
        ("INFO", "Cleared: 3 differences [unowned"),
    ]
