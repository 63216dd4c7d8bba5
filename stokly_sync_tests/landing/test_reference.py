from __future__ import annotations

from typing import Any

from stokly_sync.landing.reference import Change, identity, refresh
from stokly_sync.warehouse import findings
from stokly_sync.warehouse.store import Warehouse

WEB = {"channelId": "c1", "name": "Web shop", "type": 5}
TILL = {"channelId": "c2", "name": "Till", "type": 0}
STAGE = {"dataset": "stokly.orders", "member": "stage", "value": "order"}


def look(warehouse: Warehouse, **found: list[dict[str, Any]]) -> list[Change]:
    return refresh(warehouse, "stokly", found, run_id="run")


def open_titles(warehouse: Warehouse) -> list[str]:
    with warehouse.reading() as conn:
        return [f.title for f in findings.open_findings(conn, brand=warehouse.brand)]


def test_the_first_look_tells_of_nothing(warehouse: Warehouse) -> None:
    assert look(warehouse, channels=[WEB, TILL], words=[STAGE]) == []
    assert open_titles(warehouse) == []


def test_what_is_new_gone_or_different_is_told_once_and_is_one_finding(warehouse: Warehouse) -> None:
    look(warehouse, channels=[WEB, TILL])
    market = {"channelId": "c3", "name": "Market", "type": 1}
    changes = look(warehouse, channels=[{**WEB, "type": 1}, market])
    assert {(c.key, c.what) for c in changes} == {
        ("Web shop", "changed: type was 5, is 1"),
        ("Market", "new"),
        ("Till", "gone"),
    }
    assert open_titles(warehouse) == ["3 changes in the vocabulary or shape of stokly"]
    assert look(warehouse, channels=[{**WEB, "type": 1}, market]) == []
    assert open_titles(warehouse) == []


def test_a_word_that_nobody_used_today_is_not_gone(warehouse: Warehouse) -> None:
    look(warehouse, words=[STAGE])
    assert look(warehouse, words=[]) == []
    assert look(warehouse, words=[STAGE]) == []


def test_a_member_of_another_type_is_a_change(warehouse: Warehouse) -> None:
    member = {"dataset": "stokly.orders", "member": "displayTotal", "types": ["number"]}
    look(warehouse, members=[member])
    changes = look(warehouse, members=[{**member, "types": ["number", "object"]}])
    assert [(c.key, c.what) for c in changes] == [
        ("stokly.orders/displayTotal", 'changed: types was ["number"], is ["number","object"]')
    ]


def test_rows_are_known_by_their_id_or_else_by_their_texts() -> None:
    assert identity(WEB) == "c1"
    assert identity(STAGE) == "stokly.orders/stage/order"
