"""Stokly's filter grammar: text to a tree, both bracket orders, `&&` before `||`, parentheses.

Belongs here: reading the text. What an operator does to a row is in `conditions`. Lenient where the
vendor seems to be (extra closing brackets at the end), strict elsewhere, so that a client's slip is seen.
Source: Stokly API contract 2.3.
"""

import re
from dataclasses import dataclass

OPERATORS = ("==", "!=", "::", "=*", ">>", ">=", "<=", "<<", "!:", "!*")
_CONDITION = re.compile(
    r"(?:\[(?P<a>\w+)\]|\{(?P<b>\w+)\})\s*"
    rf"(?P<op>{'|'.join(re.escape(operator) for operator in OPERATORS)})\s*"
    r"(?:\{(?P<c>[^{}]*)\}|\[(?P<d>[^\[\]]*)\])"
)
_TYPED = re.compile(r"@(?P<type>\w+);(?P<text>.*)", re.DOTALL)
_TOKEN = re.compile(r"\s*(\|\||&&|\(|\))")
_SPACE = re.compile(r"\s*")
_MAX_DEPTH = 50


class InvalidFilterError(ValueError):
    """The filter cannot be read, or names a field or an operator that the collection does not have."""


@dataclass(frozen=True)
class Literal:
    """A value as written: its text, and its forced type (`string`, `null`) or None."""

    text: str
    forced: str | None = None


@dataclass(frozen=True)
class Condition:
    """One comparison of a field with a literal."""

    field: str
    operator: str
    literal: Literal


@dataclass(frozen=True)
class AllOf:
    """Conditions that must all hold (`&&`)."""

    terms: tuple["Node", ...]


@dataclass(frozen=True)
class AnyOf:
    """Conditions of which one must hold (`||`)."""

    terms: tuple["Node", ...]


Node = Condition | AllOf | AnyOf


def parse_filter(text: str) -> Node | None:
    """Read a filter; None for an empty one.

    Raises:
        InvalidFilterError: naming the place at which the text stops making sense.
    """
    if not text.strip():
        return None
    parser = _Parser(text)
    node = parser.any_of(0)
    parser.finish()
    return node


class _Parser:
    """Recursive descent over the text; `_at` is the place of the next character."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def any_of(self, depth: int) -> Node:
        terms = [self._all_of(depth)]
        while self._take("||"):
            terms.append(self._all_of(depth))
        return terms[0] if len(terms) == 1 else AnyOf(tuple(terms))

    def finish(self) -> None:
        # Production scripts send closing brackets too many and work; anything else left over is a mistake.
        while self._take(")"):
            pass
        if self._text[self._at :].strip():
            raise self._error("cannot be read")

    def _all_of(self, depth: int) -> Node:
        terms = [self._term(depth)]
        while self._take("&&"):
            terms.append(self._term(depth))
        return terms[0] if len(terms) == 1 else AllOf(tuple(terms))

    def _term(self, depth: int) -> Node:
        if depth > _MAX_DEPTH:
            raise self._error("is nested too deeply")
        if self._take("("):
            node = self.any_of(depth + 1)
            if not self._take(")"):
                raise self._error("lacks a closing bracket")
            return node
        return self._condition()

    def _condition(self) -> Condition:
        space = _SPACE.match(self._text, self._at)
        start = space.end() if space else self._at
        found = _CONDITION.match(self._text, start)
        if found is None:
            raise self._error("has no condition")
        self._at = found.end()
        field = found["a"] or found["b"]
        value = found["c"] if found["c"] is not None else found["d"]
        return Condition(field, found["op"], _literal(value))

    def _take(self, token: str) -> bool:
        found = _TOKEN.match(self._text, self._at)
        if found is None or found[1] != token:
            return False
        self._at = found.end()
        return True

    def _error(self, what: str) -> InvalidFilterError:
        return InvalidFilterError(f"Filter {what} at character {self._at}.")


def _literal(value: str) -> Literal:
    typed = _TYPED.fullmatch(value)
    if typed is None:
        return Literal(value)
    if typed["type"] not in ("string", "null"):
        raise InvalidFilterError(f"Filter literal type @{typed['type']}; is not known.")
    return Literal(typed["text"], typed["type"])
