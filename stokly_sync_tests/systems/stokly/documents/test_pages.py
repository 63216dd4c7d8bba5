"""Pages read into columns at once say what documents read one by one say, whatever stands in them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stokly_sync.systems.rows.pages import Unusual, columns_of
from stokly_sync.systems.stokly.documents.orders import SHAPE, order_rows
from stokly_sync.systems.stokly.settings import StoklySettings
from stokly_sync.systems.transport import Unread, encode
from stokly_sync_tests.systems.stokly.documents.both import READER, read_both
from stokly_sync_tests.systems.stokly.made import line, order

ASKED = datetime(2026, 3, 3, tzinfo=UTC)
ROWS = partial(order_rows, settings=StoklySettings())

TEXTS = st.text(max_size=6) | st.sampled_from(["", " a ", "2026-03-02", "2026-03-02T10:00:00Z", '":"', '\\":"', "1.5"])
NUMBERS = st.decimals(-(10**6), 10**6, places=9) | st.integers(-(2**70), 2**70) | st.just(Decimal("1.12345678901"))
ODD = st.one_of(st.none(), st.booleans(), TEXTS, NUMBERS, st.lists(TEXTS, max_size=2), st.just({"a": 1}))
MEMBERS = ("saleOrderId", "niceId", "stage", "currency", "displayTotal", "createdAt", "updatedAt", "tags", "unknown")
LINE_MEMBERS = ("lineId", "parentId", "itemSku", "quantity", "displayPrice", "displayLinePrice", "displayLineTotal")


@st.composite
def documents(draw: st.DrawFn) -> list[dict[str, Any]]:
    made = []
    for number in range(draw(st.integers(1, 4))):
        inner = [line(number, place) for place in range(draw(st.integers(0, 3)))]
        for one in inner:
            one |= draw(st.dictionaries(st.sampled_from(LINE_MEMBERS), ODD, max_size=1))
        document = {**order(number), "items": inner} | draw(st.dictionaries(st.sampled_from(MEMBERS), ODD, max_size=1))
        made.append(document)
    return made


@given(documents())
def test_both_ways_of_reading_give_the_same_rows_and_problems(found: list[dict[str, Any]]) -> None:
    read_both(ROWS, found, ASKED)


def unread(*found: dict[str, Any]) -> list[Unread]:
    rows: list[Unread] = READER(encode({"data": list(found)}))["data"]
    return rows


def plain(number: int, **changes: Any) -> dict[str, Any]:
    return {**order(number), "items": [line(number)]} | changes


def test_usual_documents_are_read_as_columns() -> None:
    columns, keys = columns_of(SHAPE, unread(plain(1), plain(2, customerEmail='a":"b@example.com')))
    assert len(columns) == 2
    assert keys == [order(1)["saleOrderId"], order(2)["saleOrderId"]]


@pytest.mark.parametrize(
    "odd",
    [
        {"displayTotal": "28.80"},
        {"displayTotal": Decimal("0.1234567891")},
        {"displayTotal": True},
        {"stage": 5},
        {"saleOrderId": None},
        {"saleOrderId": ""},
        {"saleOrderId": order(1)["saleOrderId"]},
        {"items": {"a": 1}},
        {"items": [line(2, quantity=2.5)]},
        {"items": [line(2, displayPrice="10")]},
    ],
    ids=str,
)
def test_what_is_not_as_declared_is_never_read_as_columns(odd: dict[str, Any]) -> None:
    with pytest.raises(Unusual):
        columns_of(SHAPE, unread(plain(1), plain(2, **odd)))
