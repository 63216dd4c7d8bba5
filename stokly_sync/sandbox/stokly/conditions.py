"""What Stokly's filter operators do to a row.

Belongs here: a parsed filter made into a predicate over kept rows. Rules that the contract leaves open
and that hold here: text compares without regard to case; a missing member equals only `{@null;}`, is
unequal to everything else, and is neither greater nor less than anything; bare text that looks like a
number is that number, so `{0012}` finds `12` and not `0012`, which needs `{@string;0012}`.
Source: Stokly API contract 2.3.
"""

import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from stokly_sync.sandbox.stokly.filters import AllOf, Condition, InvalidFilterError, Literal, Node
from stokly_sync.sandbox.stokly.schema import Kind
from stokly_sync.sandbox.stokly.times import is_iso, parse_filter_time

Row = dict[str, Any]
Predicate = Callable[[Row], bool]

_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    ">>": operator.gt,
    ">=": operator.ge,
    "<=": operator.le,
    "<<": operator.lt,
}
_PLAIN_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_NEGATED = {"!=": "==", "!:": "::", "!*": "=*"}


def compile_filter(node: Node | None, members: Mapping[str, Kind]) -> Predicate | None:
    """Make a predicate of a parsed filter; None stands for "every row".

    Raises:
        InvalidFilterError: for a field that `members` does not have, or a literal that cannot be compared
            with it.
    """
    if node is None:
        return None
    if isinstance(node, Condition):
        return _condition(node, members)
    tests = [test for term in node.terms if (test := compile_filter(term, members)) is not None]
    if isinstance(node, AllOf):
        return lambda row: all(test(row) for test in tests)
    return lambda row: any(test(row) for test in tests)


def _condition(condition: Condition, members: Mapping[str, Kind]) -> Predicate:
    field, kind = condition.field, members.get(condition.field)
    if kind is None:
        raise InvalidFilterError(f"Filter field {field!r} is not known.")
    if condition.operator in _NEGATED:
        positive = _positive(field, kind, _NEGATED[condition.operator], condition.literal)
        return lambda row: not positive(row)
    return _positive(field, kind, condition.operator, condition.literal)


def _positive(field: str, kind: Kind, symbol: str, literal: Literal) -> Predicate:
    if literal.forced == "null":
        if symbol != "==":
            raise InvalidFilterError("Filter literal {@null;} can only be compared with == and !=.")
        return lambda row: row.get(field) is None
    if symbol in _ORDERINGS:
        return _ordering(field, kind, _ORDERINGS[symbol], literal)
    if symbol == "::":
        return _contains(field, literal)
    texts = literal.text.split(",") if symbol == "=*" else [literal.text]
    wanted = {_comparable(kind, Literal(text, literal.forced)) for text in texts}
    if kind == "list":
        return lambda row: tuple(fold(value) for value in row.get(field) or ()) in wanted
    if len(wanted) == 1:
        only = wanted.pop()
        return lambda row: (value := row.get(field)) is not None and fold(value) == only
    return lambda row: (value := row.get(field)) is not None and fold(value) in wanted


def _comparable(kind: Kind, literal: Literal) -> str | tuple[str, ...]:
    if kind == "time":
        return _time(literal).casefold()
    if kind == "list":
        return (literal.text.casefold(),) if literal.text else ()
    if kind == "flag" and literal.text in ("0", "1"):
        return fold(literal.text == "1")
    number = None if literal.forced == "string" else _number(literal.text)
    return literal.text.casefold() if number is None else fold(number)


def _contains(field: str, literal: Literal) -> Predicate:
    wanted = literal.text.casefold()

    def contains(row: Row) -> bool:
        value = row.get(field)
        if value is None:
            return False
        if isinstance(value, list):
            return any(fold(element) == wanted for element in value)
        return wanted in fold(value)

    return contains


def _ordering(field: str, kind: Kind, compare: Callable[[Any, Any], bool], literal: Literal) -> Predicate:
    if kind == "time":
        moment = _time(literal)
        return lambda row: is_iso(value := row.get(field)) and compare(value, moment)
    if kind == "number":
        number = _number(literal.text)
        if number is None:
            raise InvalidFilterError(f"Filter field {field!r} is a number, its literal is not.")
        return lambda row: isinstance(value := row.get(field), int | Decimal) and compare(value, number)
    if kind != "text":
        raise InvalidFilterError(f"Filter field {field!r} has no order.")
    text = literal.text.casefold()
    return lambda row: (value := row.get(field)) is not None and compare(fold(value), text)


def fold(value: Any) -> str:
    """A value as text for comparison: numbers without trailing zeros, text without case."""
    if isinstance(value, str):
        return value.casefold()
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < 30:
        return f"{value.normalize():f}" if value else "0"
    return str(value).casefold()


def _time(literal: Literal) -> str:
    moment = parse_filter_time(literal.text)
    if moment is None:
        raise InvalidFilterError("Filter literal is no time in any of the three forms.")
    return moment


def _number(text: str) -> Decimal | None:
    return Decimal(text) if _PLAIN_NUMBER.fullmatch(text) else None
