"""Credit notes that no refund names: under an item of their own, or left out by name (E3)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from stokly_sync.systems.emarsys import EmarsysSettings
from stokly_sync.systems.emarsys.documents import build_credits, parts_of
from stokly_sync_tests.systems.emarsys.rows import body, order_frames, rules

SETTINGS = EmarsysSettings(credit_item="CREDIT")
NOTE: dict[str, Any] = {}


def test_a_credit_note_is_a_negative_amount_of_its_order_under_an_item_of_its_own() -> None:
    made = body(build_credits(order_frames(credit_notes=[NOTE]), SETTINGS))
    assert (made["order"], made["customer"]) == ("O1", "C1")
    assert made["lines"] == [{"item": "CREDIT", "quantity": 0, "price": Decimal("-5.00")}]


@pytest.mark.parametrize(
    ("note", "tables", "settings", "rule"),
    [
        (NOTE, {}, EmarsysSettings(), "EM-CREDIT-NO-ITEM"),
        (NOTE, {"refunds": [{"credit_note_id": "N1"}]}, SETTINGS, "EM-CREDIT-REFUND"),
        (NOTE, {"refunds": [{"credit_note_id": "N1"}]}, EmarsysSettings(), "EM-CREDIT-REFUND"),
        (NOTE, {"order_lines": [{}, {"line_id": "L2", "status": "cancelled"}]}, SETTINGS, "EM-CREDIT-CANCELLED"),
        (NOTE, {"orders": [{"live": False}]}, SETTINGS, "EM-CREDIT-CANCELLED"),
        ({"order_id": None}, {}, EmarsysSettings(), "EM-REFUND-NO-ORDER"),
        (NOTE, {"orders": []}, SETTINGS, "EM-REFUND-ORDER"),
        ({"currency": "EUR"}, {}, SETTINGS, "EM-REFUND-CURRENCY"),
        ({"live": False}, {}, SETTINGS, "EM-REFUND-NO-LINES"),
    ],
)
def test_a_credit_note_that_is_not_sent_is_named(
    note: dict[str, Any], tables: dict[str, Any], settings: EmarsysSettings, rule: str
) -> None:
    assert rules(build_credits(order_frames(credit_notes=[note], **tables), settings)) == {"N1": rule}


def test_a_credit_note_that_a_refund_takes_over_is_taken_back() -> None:
    found = order_frames(credit_notes=[NOTE], refunds=[{"credit_note_id": "N1"}])
    (document,) = build_credits(found, SETTINGS).documents
    assert parts_of(document.body) == {}
    undone = order_frames(credit_notes=[NOTE], refunds=[{"credit_note_id": "N1", "live": False}])
    assert rules(build_credits(undone, SETTINGS)) == {}
