"""Findings as messages: told once, reminded of, told when over, and never a storm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stokly_sync.alerts.channels import Channels
from stokly_sync.alerts.links import Links
from stokly_sync.alerts.send import STORM, send_findings
from stokly_sync.alerts.wording import Message
from stokly_sync.contracts.rules import Severity
from stokly_sync.errors import TransientError
from stokly_sync.flow import Team
from stokly_sync.warehouse.findings import clear_finding, raise_finding
from stokly_sync.warehouse.store import Warehouse

PROBLEM: dict[str, Any] = {"kind": "reconciliation", "subject": "ometria/orders", "problem_key": "differs"}
LINKS = Links("http://127.0.0.1:3000/", "https://sync.example.com")
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def find(warehouse: Warehouse, *, owner: Team | None = Team.FINANCE, **other: str) -> None:
    with warehouse.transaction() as conn:
        raise_finding(
            conn,
            brand=warehouse.brand,
            **(PROBLEM | other),
            title=f"3 differences of {other.get('subject', 'orders')}",
            body={"missing": 3, "advice": "Replay the window.", "examples": ["o-1"]},
            severity=Severity.HIGH,
            owner=owner,
            run_id="run-1",
        )


def clear(warehouse: Warehouse) -> None:
    with warehouse.transaction() as conn:
        clear_finding(conn, brand=warehouse.brand, **PROBLEM)


def test_a_problem_is_told_once_however_often_it_is_found_and_once_when_it_is_over(warehouse: Warehouse) -> None:
    told: list[Message] = []
    for _ in range(3):
        find(warehouse)
        send_findings(warehouse, Channels([told.append]), links=LINKS)
    clear(warehouse)
    send_findings(warehouse, Channels([told.append]), links=LINKS)
    assert [(m.title, m.over) for m in told] == [
        ("3 differences of orders", False),
        ("Cleared: 3 differences of orders", True),
    ]


def test_a_message_holds_the_numbers_what_to_do_and_leads_to_the_page_and_to_the_run(warehouse: Warehouse) -> None:
    told: list[Message] = []
    find(warehouse)
    send_findings(warehouse, Channels([told.append]), links=LINKS)
    lines = told[0].text.splitlines()
    assert lines[:2] == ["missing: 3", "Replay the window."]
    assert lines[-2:] == [
        "https://sync.example.com/reconciliation#ometria-orders",
        "http://127.0.0.1:3000/runs/run-1",
    ]
    assert told[0].owner is Team.FINANCE


def test_a_problem_that_lasts_is_told_again_after_the_time_that_is_set(warehouse: Warehouse) -> None:
    told: list[Message] = []
    find(warehouse)
    day = timedelta(hours=24)
    for hours in (0, 23, 25, 26, 50):
        at = NOON + timedelta(hours=hours)
        send_findings(warehouse, Channels([told.append]), links=LINKS, remind_after=day, now=at)
    assert [m.title for m in told] == ["3 differences of orders", *["Still open: 3 differences of orders"] * 2]


def test_a_channel_that_is_down_is_offered_the_message_again_and_the_others_are_not(warehouse: Warehouse) -> None:
    heard: list[Message] = []
    late: list[Message] = []
    down = True

    def weak(message: Message) -> None:
        if down:
            raise TransientError("down")
        late.append(message)

    channels = Channels([heard.append, weak])
    find(warehouse)
    for _ in range(3):
        with pytest.raises(TransientError):
            send_findings(warehouse, channels, links=LINKS)
    down = False
    assert send_findings(warehouse, channels, links=LINKS).findings == 1
    assert (len(heard), len(late)) == (1, 1)


def test_a_team_hears_of_its_own_and_everybody_of_everything(warehouse: Warehouse) -> None:
    everybody: list[Message] = []
    finance: list[Message] = []
    channels = Channels([everybody.append], {Team.FINANCE: [finance.append]})
    find(warehouse, subject="a")
    find(warehouse, subject="b", owner=Team.CX)
    find(warehouse, subject="c", owner=None)
    send_findings(warehouse, channels, links=LINKS)
    assert len(everybody) == 3
    assert [m.title for m in finance] == ["3 differences of a"]


def test_when_everything_fails_at_once_each_team_gets_one_message(warehouse: Warehouse) -> None:
    told: list[Message] = []
    for number in range(40):
        find(warehouse, subject=f"feed-{number}", owner=Team.FINANCE if number % 2 else Team.CX)
    sent = send_findings(warehouse, Channels([told.append]), links=LINKS)
    assert (sent.findings, sent.messages) == (40, 2)
    assert {m.owner for m in told} == {Team.FINANCE, Team.CX}
    assert all(m.title == "20 problems at once" for m in told)
    text = next(m.text for m in told if m.owner is Team.FINANCE)
    assert "3 differences of feed-1\n" in text
    assert text.endswith("https://sync.example.com/?owner=finance\nhttp://127.0.0.1:3000")
    assert send_findings(warehouse, Channels([told.append]), links=LINKS).findings == 0


def test_a_few_problems_are_told_one_by_one(warehouse: Warehouse) -> None:
    told: list[Message] = []
    for number in range(STORM - 1):
        find(warehouse, subject=f"feed-{number}")
    assert send_findings(warehouse, Channels([told.append]), links=LINKS).messages == STORM - 1
