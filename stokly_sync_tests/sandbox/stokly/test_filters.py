"""The filter grammar of the contract, section 2.3."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stokly_sync.sandbox.stokly.conditions import compile_filter
from stokly_sync.sandbox.stokly.filters import (
    AllOf,
    AnyOf,
    Condition,
    InvalidFilterError,
    Literal,
    Node,
    parse_filter,
)
from stokly_sync.sandbox.stokly.schema import Kind, members
from stokly_sync.sandbox.stokly.times import parse_filter_time

MEMBERS: dict[str, Kind] = members(
    text="sku name stage sourceId binId locationId parentId status",
    number="niceId onHand quarantined",
    time="timeUpdated issueDate date",
    list="tags itemStatuses referenceIds",
    flag="syncData",
)


def matches(text: str, row: dict[str, Any]) -> bool:
    test = compile_filter(parse_filter(text), MEMBERS)
    return test is None or test(row)


SEEN_IN_PRODUCTION = [
    # (filter, a row that matches, a row that does not)
    ("[status]=={active}", {"status": "active"}, {"status": "deleted"}),
    ("[status]!={1}", {"status": 0}, {"status": 1}),
    ("[sku]::{@string;ABC}", {"sku": "xabcx"}, {"sku": "AB"}),
    ("[tags]::{RM}", {"tags": ["x", "RM"]}, {"tags": ["ARM"]}),
    ("[itemStatuses]::{unprocessed}", {"itemStatuses": ["unprocessed"]}, {"itemStatuses": []}),
    ("[referenceIds]::{a-1}", {"referenceIds": ["a-1"]}, {"referenceIds": ["a-2"]}),
    ("[status]=*{ready_for_import,imported}", {"status": "imported"}, {"status": "scanned"}),
    ("[status]=*{paid}", {"status": "paid"}, {"status": "issued"}),
    (
        "[timeUpdated]>>{2025-05-01T00:00}",
        {"timeUpdated": "2025-05-01T00:00:00.001Z"},
        {"timeUpdated": "2025-05-01T00:00:00.000Z"},
    ),
    (
        "[issueDate]>={2025-05-28T11:46}",
        {"issueDate": "2025-05-28T11:46:00.000Z"},
        {"issueDate": "2025-05-28T11:45:59.999Z"},
    ),
    (
        "{date}<=[2022-11-01 00:00:00]",
        {"date": "2022-11-01T00:00:00.000Z"},
        {"date": "2022-11-01T00:00:00.001Z"},
    ),
    (
        "[issueDate]>={2025-05-28T11:46}&&[status]=*{paid}",
        {"issueDate": "2025-06-01T00:00:00.000Z", "status": "paid"},
        {"issueDate": "2025-06-01T00:00:00.000Z", "status": "issued"},
    ),
    ("[niceId]=={30942}||[niceId]=={30941}", {"niceId": 30941}, {"niceId": 30940}),
    (
        "(([sourceId]=*{c1}&&(([stage]=={order}&&[itemStatuses]::{unprocessed}))))&&([stage]!={removed})",
        {"sourceId": "c1", "stage": "order", "itemStatuses": ["unprocessed"]},
        {"sourceId": "c1", "stage": "order", "itemStatuses": ["dispatched"]},
    ),
    (
        "[locationId]=={l}&&([onHand]!={0}||[quarantined]!={0})&&[binId]=={b}",
        {"locationId": "l", "binId": "b", "onHand": 0, "quarantined": 2},
        {"locationId": "l", "binId": "b", "onHand": 0, "quarantined": 0},
    ),
    ("[binId]!={UNASSIGNED}", {"binId": "b-1"}, {"binId": "UNASSIGNED"}),
    ("[parentId]=={@null;}", {"sku": "A"}, {"parentId": "l-1"}),
    ("{sku}::[X]", {"sku": "1x2"}, {"sku": "12"}),
]


@pytest.mark.parametrize(("text", "match", "other"), SEEN_IN_PRODUCTION)
def test_a_filter_seen_in_production_finds_what_it_means(
    text: str, match: dict[str, Any], other: dict[str, Any]
) -> None:
    assert matches(text, match)
    assert not matches(text, other)


RULES = [
    # bare text that looks like a number is one, so a SKU with leading zeros needs @string;
    ("[sku]=={0012}", {"sku": "0012"}, False),
    ("[sku]=={0012}", {"sku": "12"}, True),
    ("[sku]=={@string;0012}", {"sku": "0012"}, True),
    # text equality does not regard case
    ("[name]=={big MUG}", {"name": "Big Mug"}, True),
    ("[name]=*{big mug,x}", {"name": "BIG MUG"}, True),
    # numbers are found whether they are kept as numbers or as text
    ("[niceId]=={12}", {"niceId": "12"}, True),
    ("[niceId]=={@string;12}", {"niceId": 12}, True),
    ("[onHand]=={1.50}", {"onHand": Decimal("1.5")}, True),
    ("[onHand]<<{0}", {"onHand": -1}, True),
    ("[onHand]<<{0}", {"onHand": 0}, False),
    ("[onHand]>={0}", {"onHand": 0}, True),
    # a missing member is null, unequal to everything, and neither more nor less than anything
    ("[parentId]!={@null;}", {}, False),
    ("[parentId]!={x}", {}, True),
    ("[onHand]<={0}", {}, False),
    ("[tags]::{a}", {}, False),
    # a time that cannot be read is in no window
    ("[date]>>{2020-01-01T00:00}", {"date": "the day before"}, False),
    ("[date]<={2030-01-01T00:00}", {"date": "the day before"}, False),
    # the negations that nobody has seen
    ("[tags]!:{a}", {"tags": ["b"]}, True),
    ("[sku]!*{a,b}", {"sku": "c"}, True),
    # && binds more tightly than ||
    ("[sku]=={a}||[sku]=={b}&&[name]=={x}", {"sku": "a", "name": "y"}, True),
    ("([sku]=={a}||[sku]=={b})&&[name]=={x}", {"sku": "a", "name": "y"}, False),
    # closing brackets too many are let pass, and so are blanks between the parts
    ("([sku]=={a}))", {"sku": "a"}, True),
    (" [sku] == {a} && [name]=={x} ", {"sku": "a", "name": "x"}, True),
    # flags answer to words and to digits
    ("[syncData]=={true}", {"syncData": True}, True),
    ("[syncData]=={1}", {"syncData": False}, False),
    # both bracket orders may be mixed, and an empty filter finds everything
    ("[sku]==[a]", {"sku": "a"}, True),
    ("", {}, True),
]


@pytest.mark.parametrize(("text", "row", "expected"), RULES)
def test_the_rules_of_comparison(text: str, row: dict[str, Any], expected: bool) -> None:
    assert matches(text, row) is expected


@pytest.mark.parametrize(
    "text",
    [
        "[colour]=={red}",  # no such field
        "[sku]~~{a}",  # no such operator
        "[sku]=={a",  # not closed
        "([sku]=={a}",  # bracket open
        "[sku]=={a}&&",  # nothing after
        "[sku]=={a} [name]=={b}",  # nothing between
        "&&[sku]=={a}",
        "[sku]={a}",
        "sku=={a}",
        "[sku]=={@uuid;a}",  # literal type unknown
        "[date]>>{2025-05-01}",  # not one of the three forms
        "[date]>>{2025-13-01T00:00}",
        "[niceId]>>{many}",
        "[tags]>>{a}",  # a list has no order
        "[parentId]>>{@null;}",
        "(" * 60 + "[sku]=={a}" + ")" * 60,
    ],
)
def test_a_filter_that_makes_no_sense_is_invalid(text: str) -> None:
    with pytest.raises(InvalidFilterError):
        matches(text, {"sku": "a"})


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2025-05-28T11:46", "2025-05-28T11:46:00.000Z"),
        ("2025-05-28T11:46:07.089Z", "2025-05-28T11:46:07.089Z"),
        ("2025-05-28T11:46:07Z", "2025-05-28T11:46:07.000Z"),
        ("2025-05-28 11:46:07", "2025-05-28T11:46:07.000Z"),
        ("2025-05-28", None),
        ("28/05/2025 11:46", None),
        ("2025-05-28T11:46:07+01:00", None),
    ],
)
def test_dates_inside_a_filter_have_three_forms_and_are_utc(text: str, kept: str | None) -> None:
    assert parse_filter_time(text) == kept


CONDITIONS = st.builds(
    Condition,
    st.sampled_from(["sku", "name", "stage"]),
    st.sampled_from(["==", "!=", "::", "=*", "<<"]),
    st.builds(Literal, st.text(st.characters(exclude_characters="{}[]@"), max_size=12)),
)
NODES: st.SearchStrategy[Node] = st.recursive(
    CONDITIONS,
    lambda inner: st.one_of(
        st.builds(AllOf, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)


def written(node: Node, *, older: bool) -> str:
    if isinstance(node, Condition):
        field, value = node.field, node.literal.text
        return f"{{{field}}}{node.operator}[{value}]" if older else f"[{field}]{node.operator}{{{value}}}"
    sign = "&&" if isinstance(node, AllOf) else "||"
    return "(" + sign.join(written(term, older=older) for term in node.terms) + ")"


@given(NODES, st.booleans())
def test_what_was_written_is_what_is_read_in_both_bracket_orders(node: Node, older: bool) -> None:
    assert parse_filter(written(node, older=older)) == node


@given(NODES, st.dictionaries(st.sampled_from(["sku", "name", "stage"]), st.text(max_size=12)))
def test_a_tree_of_conditions_means_the_same_as_its_parts(node: Node, row: dict[str, Any]) -> None:
    def expected(part: Node) -> bool:
        if isinstance(part, AllOf):
            return all(expected(term) for term in part.terms)
        if isinstance(part, AnyOf):
            return any(expected(term) for term in part.terms)
        return matches(written(part, older=False), row)

    assert matches(written(node, older=False), row) is expected(node)


@given(st.text(max_size=40))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    try:
        node = parse_filter(text)
    except InvalidFilterError:
        return
    assert node is None or isinstance(node, Condition | AllOf | AnyOf)
