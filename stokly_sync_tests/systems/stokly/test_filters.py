"""Filters say what they mean whatever the values are. Source: Stokly API contract 2.3."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stokly_sync.sandbox.stokly.conditions import compile_filter
from stokly_sync.sandbox.stokly.filters import parse_filter
from stokly_sync.systems.stokly.filters import Filter, where

TIME = datetime(2025, 5, 28, 11, 46, tzinfo=UTC)
ID = "0c8d5b1e-6d0c-4b7e-9d58-2c5f3b1f8a77"

WRITTEN = [
    (where("status").equals("active"), "[status]=={active}"),
    (where("status").differs(1), "[status]!={1}"),
    (where("issueDate").at_least(TIME), "[issueDate]>={2025-05-28T11:46:00.000Z}"),
    (where("date").at_most(TIME.astimezone(timezone(timedelta(hours=2)))), "[date]<={2025-05-28T11:46:00.000Z}"),
    (where("niceId").above(30942), "[niceId]>>{30942}"),
    (where("price").at_least(Decimal("1E+3")), "[price]>={1000}"),
    (where("tags").contains("RM"), "[tags]::{RM}"),
    (where("parentId").is_missing(), "[parentId]=={@null;}"),
    (where("itemId").among([ID, ID]), f"[itemId]=*{{{ID},{ID}}}"),
    # Text that the server would take for something else is forced to stay text.
    (where("sku").equals("0012"), "[sku]=={@string;0012}"),
    (where("sku").equals("@null;"), "[sku]=={@string;@null;}"),
    (where("sku").equals("true"), "[sku]=={@string;true}"),
    (where("sku").equals(""), "[sku]=={@string;}"),
    (where("sku").among(["A1", "0012"]), "[sku]=*{@string;A1,0012}"),
    # A value with a brace goes into the other brackets; one with a comma out of the list.
    (where("name").equals("a}b"), "[name]==[a}b]"),
    (where("name").among(["a,b", "c"]), "[name]=={a,b}||[name]=*{c}"),
]


@pytest.mark.parametrize(("made", "text"), WRITTEN)
def test_a_condition_is_written_as_stokly_reads_it(made: Filter, text: str) -> None:
    assert str(made) == text


def test_mixed_conditions_are_in_brackets_because_precedence_is_not_proven() -> None:
    a, b, c = (where(name).equals("x") for name in "abc")
    assert str(a & b & c) == "[a]=={x}&&[b]=={x}&&[c]=={x}"
    assert str((a | b) & c) == "([a]=={x}||[b]=={x})&&[c]=={x}"
    assert str(a | b & c) == "[a]=={x}||([b]=={x}&&[c]=={x})"


@pytest.mark.parametrize("name", ["", "a]b", "a b", "a=={1}||[b"])
def test_a_name_that_could_end_its_bracket_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no member"):
        where(name)


def test_what_has_no_form_is_refused_instead_of_matching_something_else() -> None:
    with pytest.raises(ValueError, match="no form"):
        where("name").equals("both {braces} and [brackets]")
    with pytest.raises(ValueError, match="match nothing"):
        where("name").among([])


@given(st.text(st.characters(codec="utf-8", exclude_characters="{}[]"), max_size=20))
def test_any_text_matches_itself_in_the_sandbox_grammar_and_nothing_else(value: str) -> None:
    test = compile_filter(parse_filter(str(where("sku").equals(value))), {"sku": "text"})
    assert test is not None
    assert test({"sku": value})
    assert not test({"sku": value + "x"})
    assert not test({})
