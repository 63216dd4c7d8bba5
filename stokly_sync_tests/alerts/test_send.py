from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from stokly_sync.alerts.send import Message, log_channel, send_findings, webhook_channel
from stokly_sync.contracts.rules import Severity
from stokly_sync.errors import PermanentError, TransientError
from stokly_sync.flow import Team
from stokly_sync.warehouse.findings import clear_finding, raise_finding
from stokly_sync.warehouse.store import Warehouse

PROBLEM: dict[str, Any] = {"kind": "reconciliation", "subject": "ometria/orders", "problem_key": "differs"}
URL = "http://127.0.0.1:3000"


def find(warehouse: Warehouse) -> None:
    with warehouse.transaction() as conn:
        raise_finding(
            conn,
            brand=warehouse.brand,
            **PROBLEM,
            title="3 differences",
            body={"missing": 3, "advice": "Replay the window."},
            severity=Severity.HIGH,
            owner=Team.FINANCE,
            run_id="run-1",
        )


def clear(warehouse: Warehouse) -> None:
    with warehouse.transaction() as conn:
        clear_finding(conn, brand=warehouse.brand, **PROBLEM)


def test_a_problem_is_told_once_however_often_it_is_found_and_once_when_it_is_over(warehouse: Warehouse) -> None:
    told: list[Message] = []
    for _ in range(3):
        find(warehouse)
        send_findings(warehouse, [told.append], dagster_url=URL)
    clear(warehouse)
    send_findings(warehouse, [told.append], dagster_url=URL)
    assert [(m.title, m.state) for m in told] == [("3 differences", "open"), ("Cleared: 3 differences", "cleared")]
    assert told[0].link == f"{URL}/runs/run-1"
    assert told[0].numbers["missing"] == 3


def test_a_channel_that_is_down_leaves_the_finding_for_the_next_time(warehouse: Warehouse) -> None:
    told: list[Message] = []

    def down(_message: Message) -> None:
        raise TransientError("down")

    find(warehouse)
    with pytest.raises(TransientError):
        send_findings(warehouse, [down], dagster_url=URL)
    assert send_findings(warehouse, [told.append], dagster_url=URL) == 1
    assert len(told) == 1


def test_the_log_channel_warns_while_the_problem_lasts(warehouse: Warehouse, caplog: pytest.LogCaptureFixture) -> None:
    find(warehouse)
    with caplog.at_level(logging.INFO, logger="stokly_sync"):
        send_findings(warehouse, [log_channel], dagster_url=URL)
    assert [(r.levelname, "3 differences [finance]" in r.message) for r in caplog.records] == [("WARNING", True)]


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


def test_the_webhook_gets_one_json_object_a_finding(warehouse: Warehouse, hook: Any) -> None:
    find(warehouse)
    channel = webhook_channel(f"http://127.0.0.1:{hook.server_port}/secret-path")
    assert send_findings(warehouse, [channel], dagster_url=URL) == 1
    body = hook.posted[0]
    assert body["text"] == "3 differences. Replay the window."
    assert (body["state"], body["owner"], body["brand"]) == ("open", "finance", warehouse.brand)


@pytest.mark.parametrize(("status", "error"), [(503, TransientError), (404, PermanentError)])
def test_a_webhook_that_refuses_is_an_error_without_its_address(
    warehouse: Warehouse, hook: Any, status: int, error: type[Exception]
) -> None:
    hook.status = status
    find(warehouse)
    channel = webhook_channel(f"http://127.0.0.1:{hook.server_port}/secret-path")
    with pytest.raises(error) as caught:
        send_findings(warehouse, [channel], dagster_url=URL)
    assert "secret-path" not in str(caught.value)
    assert str(status) in str(caught.value)
