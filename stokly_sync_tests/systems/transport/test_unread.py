"""A row that was not read yet is the dictionary that it will be."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from stokly_sync.systems.transport import ListReader, Unread, decode, whole

READER = ListReader(head=("id", "at"), lists=("items",))
ROWS = b'{"id": "a", "at": 1.50, "items": [{"n": 1}], "x": 2.25}, {"id": null, "y": []}'
BODY = b'{"data": [' + ROWS + b'], "metadata": {"count": 2}}'


def rows() -> list[Unread]:
    found: list[Unread] = READER(BODY)["data"]
    return found


def test_a_body_is_read_with_its_metadata_and_its_rows_as_they_would_be_decoded() -> None:
    assert READER(BODY)["metadata"] == {"count": 2}
    assert [whole(row) for row in rows()] == decode(BODY)["data"]
    assert [dict(row) for row in rows()] == decode(BODY)["data"]


def test_members_are_had_whether_they_stand_in_the_head_or_not() -> None:
    first, second = rows()
    assert (first.get("id"), first.get("at"), first.get("x"), first.get("none", 7)) == (
        "a",
        Decimal("1.50"),
        Decimal("2.25"),
        7,
    )
    assert first["items"] == [{"n": 1}]
    assert (second.get("id", 7), second.get("at", 7), second["y"]) == (None, 7, [])
    assert "at" in first
    assert "at" not in second
    assert len(first) == 4
    with pytest.raises(KeyError, match="at"):
        second["at"]


def test_whether_a_member_is_a_list_is_known_without_reading_it() -> None:
    first, second = rows()
    assert first.holds_list("items")
    assert not second.holds_list("items")
    assert second.holds_list("y")


def test_the_text_of_a_row_is_not_shown() -> None:
    assert "example" not in repr(READER(b'{"data":[{"id":"jo@example.com"}]}')["data"])


@pytest.mark.parametrize("body", [b"[]", b'{"data": {}}', b'{"data": [1]}', b'{"error": "no"}', b'{"data": null}'])
def test_a_body_of_another_form_is_decoded_whole(body: bytes) -> None:
    assert READER(body) == decode(body)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"data": [{"id": 1}', b'{"data": [{"id": "\xff"}]}', b'{"data": [{"id": 01}]}']
)
def test_a_body_that_is_no_json_is_a_value_error(body: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        READER(body)
