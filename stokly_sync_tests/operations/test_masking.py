"""What is personal is found by value, by name, and in a person's own record by doubt."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from stokly_sync.flow import Frames
from stokly_sync.operations.masking import MASK, Mask, mask_of, masked_row


def people(**row: Any) -> Frames:
    person = {"customer_id": "c1", "name": "Ann Example", "email": "Ann@Example.com", "country": "GB", **row}
    return {"stokly.customers": pd.DataFrame({k: pd.Series([v], dtype="str") for k, v in person.items()})}


def orders() -> Frames:
    order = {"order_id": "1", "customer_email": "ann@example.com", "city": "York", "channel_name": "Shop"}
    return {"stokly.orders": pd.DataFrame({k: pd.Series([v], dtype="str") for k, v in order.items()})}


@pytest.mark.parametrize(
    "document",
    [
        {"3": "ann@example.com"},
        {"3": "ANN@EXAMPLE.COM "},
        {"1": "Ann"},
        {"2": "example"},
        {"full": "Example, Ann"},
        {"deep": [{"er": {"x": "Ann Example"}}]},
    ],
)
def test_a_persons_values_are_found_under_any_name_and_in_part(document: Any) -> None:
    shown = json.dumps(mask_of(people(), root="stokly.customers").over(document), ensure_ascii=False).casefold()
    assert MASK in shown
    assert "ann" not in shown
    assert "example" not in shown


@pytest.mark.parametrize(
    "name", ["phone", "homePhone", "mobile_number", "addressLine1", "shippingAddressPostcode", "notes"]
)
def test_members_about_a_person_are_masked_whatever_they_hold(name: str) -> None:
    assert mask_of(orders(), root="stokly.orders").over({name: "447700900123"}) == {name: MASK}


def test_a_text_in_a_persons_record_is_masked_unless_it_is_known_to_be_harmless() -> None:
    document = {
        "a": "Some remark",
        "b": "447700900123",
        "id": "c1",
        "at": "2026-01-05T12:00:00Z",
        "n": "12",
        "currency": "GBP",
    }
    shown = mask_of(people(), root="stokly.customers").over(document)
    assert shown == document | {"a": MASK, "b": MASK}


def test_unknown_members_of_a_person_are_masked_wherever_they_are_sent() -> None:
    frames = people(extra=json.dumps({"shoe": {"size": "thirty-nine and a half"}}))
    assert mask_of(frames, root="stokly.orders").over({"field_9": "Thirty-nine and a half"}) == {"field_9": MASK}


def test_an_order_shows_its_goods_states_and_amounts() -> None:
    document = {
        "stage": "order",
        "total": 12.5,
        "paid": True,
        "channel": {"name": "Shop"},
        "items": [{"name": "Mug", "sku": "MUG"}],
    }
    assert mask_of(orders(), root="stokly.orders").over(document) == document


def test_goods_have_nothing_personal() -> None:
    frames: Frames = {"stokly.items": pd.DataFrame({"item_id": ["1"], "name": ["Ann's mug"]})}
    assert mask_of(frames, root="stokly.items").over({"name": "Ann's mug"}) == {"name": "Ann's mug"}


def test_an_address_is_masked_even_where_nothing_is_known() -> None:
    assert Mask().over({"hint": "write to someone@example.com today"}) == {"hint": f"write to {MASK} today"}


def test_a_landed_row_shows_that_something_is_there_and_not_what() -> None:
    row = {"customer_id": "c1", "name": "Ann Example", "phone": None, "extra": "{}", "country": "GB"}
    assert masked_row("stokly.customers", row) == row | {"name": MASK, "extra": MASK}
