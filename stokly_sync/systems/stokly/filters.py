"""Stokly's filter grammar as a small typed builder: `where("createdAt").at_least(t) & where("stage").differs("x")`.

Belongs here: writing filters so that no value can end its literal and no precedence is left to the server, which is
not known to have one. Encoding for the address is the transport's work. Source: Stokly API contract 2.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

Value = str | int | Decimal | datetime
# The server guesses the type of a bare literal: these texts would stop being text.
_COERCED = re.compile(r"\s|[+-]?[\d.]|true$|false$|null$|undefined$|nan$|infinity$|@|$", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_FIELD = re.compile(r"\w+")


@dataclass(frozen=True)
class Filter:
    """A condition or a combination of conditions; `str()` gives the text that Stokly reads."""

    text: str
    joined: str = ""

    def __str__(self) -> str:
        return self.text

    def __and__(self, other: Filter) -> Filter:
        return _join("&&", self, other)

    def __or__(self, other: Filter) -> Filter:
        return _join("||", self, other)


@dataclass(frozen=True)
class Field:
    """A member of a row that a condition is about."""

    name: str

    def equals(self, value: Value) -> Filter:
        """Rows in which the member equals the value (text in any case)."""
        return self._condition("==", value)

    def differs(self, value: Value) -> Filter:
        """Rows in which the member is something else, or missing."""
        return self._condition("!=", value)

    def contains(self, value: str) -> Filter:
        """Rows in which a text has this part, or a list this element."""
        return self._condition("::", value)

    def above(self, value: Value) -> Filter:
        """Rows in which the member is greater, or later."""
        return self._condition(">>", value)

    def at_least(self, value: Value) -> Filter:
        """Rows in which the member is greater or equal, or not earlier."""
        return self._condition(">=", value)

    def at_most(self, value: Value) -> Filter:
        """Rows in which the member is less or equal, or not later."""
        return self._condition("<=", value)

    def is_missing(self) -> Filter:
        """Rows without the member."""
        return Filter(f"[{self.name}]=={{@null;}}")

    def among(self, values: Iterable[str]) -> Filter:
        """Rows in which the member is one of the values; ValueError when there are none.

        Values with a comma, which separates the list, are compared one by one.
        """
        texts = list(values)
        if not texts:
            raise ValueError(f"no values for {self.name}: such a filter would match nothing")
        plain = [text for text in texts if "," not in text]
        terms = [self.equals(text) for text in texts if "," in text]
        if plain:
            force = "@string;" if any(_needs_force(text) for text in plain) else ""
            terms.append(Filter(f"[{self.name}]=*{_bracketed(force + ','.join(plain))}"))
        result = terms[0]
        for term in terms[1:]:
            result = result | term
        return result

    def _condition(self, operator: str, value: Value) -> Filter:
        return Filter(f"[{self.name}]{operator}{_bracketed(_literal(value))}")


def where(name: str) -> Field:
    """The member of that name; raises ValueError for a name that the grammar has no form for."""
    if not _FIELD.fullmatch(name):
        raise ValueError(f"{name!r} is no member that can be filtered by")
    return Field(name)


def stamp(moment: datetime) -> str:
    """A time as a filter's literal: UTC, milliseconds (cut, so that a lower bound never moves up)."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def _literal(value: Value) -> str:
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, str):
        return f"@string;{value}" if _needs_force(value) else value
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _needs_force(text: str) -> bool:
    return _COERCED.match(text) is not None and _UUID.fullmatch(text) is None


def _bracketed(literal: str) -> str:
    """The literal in braces, or in square brackets where it holds a brace itself."""
    if not set(literal) & set("{}"):
        return f"{{{literal}}}"
    if not set(literal) & set("[]"):
        return f"[{literal}]"
    raise ValueError("a value with both braces and square brackets has no form in Stokly's filter grammar")


def _join(operator: str, left: Filter, right: Filter) -> Filter:
    parts = [f.text if f.joined in ("", operator) else f"({f.text})" for f in (left, right)]
    return Filter(operator.join(parts), joined=operator)
