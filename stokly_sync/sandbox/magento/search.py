"""searchCriteria: reading it, choosing, sorting and paging rows by it, and the answer around them.

Belongs here: everything that all lists share. Values are compared as the database would: as numbers where
both are, else as text without regard to case; a text that is no date is the zero date.
Source: Magento API contract 4.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from random import Random
from typing import Any

from stokly_sync.sandbox.magento.errors import NOT_SUPPORTED, MagentoError, required
from stokly_sync.sandbox.magento.figures import Row
from stokly_sync.sandbox.magento.shapes import scalar, snake, upper_camel
from stokly_sync.sandbox.magento.switches import MagentoSwitches

ZERO_DATE = "0000-00-00 00:00:00"
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?))?(?:\.\d+)?Z?")
_DIRECTION = "The sort order has to be specified as %1 for ascending order or %2 for descending order."

Value = Callable[[Row, str], Any]
"""How a field of a row is read; for most kinds simply the column."""


@dataclass(frozen=True)
class Filter:
    """One condition; `given` is the type as sent, None if it was left out."""

    field: str | None
    value: Any
    given: str | None

    @property
    def kind(self) -> str:
        """The condition that is carried out."""
        return (self.given or "eq").lower()


@dataclass(frozen=True)
class Criteria:
    """What a list was asked for; None for what was not sent."""

    groups: list[list[Filter]]
    sorts: list[tuple[str, str]] | None
    page_size: int | None
    page: int | None


def parse_criteria(query: Mapping[str, Any], switches: MagentoSwitches) -> Criteria:
    """The criteria of a call.

    Raises:
        MagentoError: 400 if there are none, or they hold what they must not.
    """
    known = {snake(name): value for name, value in query.items()}
    if "search_criteria" not in known:
        raise required("searchCriteria")
    given = known["search_criteria"]
    members = _members(given, {"filter_groups", "sort_orders", "page_size", "current_page"})
    groups = [
        [_filter(row) for row in _rows(_members(group, {"filters"}).get("filters"))]
        for group in _rows(members.get("filter_groups"))
    ]
    sorts = [_sort(row) for row in _rows(members["sort_orders"])] if "sort_orders" in members else None
    page_size = _number(members, "page_size", "pageSize")
    if page_size is not None and page_size > switches.page_limit:
        raise MagentoError("Maximum SearchCriteria pageSize is %max", {"max": switches.page_limit})
    return Criteria(groups, sorts, page_size, _number(members, "current_page", "currentPage"))


def _members(given: Any, allowed: set[str]) -> dict[str, Any]:
    if not isinstance(given, dict):
        return {}
    found: dict[str, Any] = {}
    for name, value in given.items():
        if snake(name) not in allowed:
            raise MagentoError(NOT_SUPPORTED, {"fieldName": upper_camel(name)})
        found[snake(name)] = value
    return found


def _rows(given: Any) -> list[Any]:
    return list(given.values()) if isinstance(given, dict) else []


def _filter(row: Any) -> Filter:
    members = _members(row, {"field", "value", "condition_type"})
    if isinstance(members.get("value"), dict):
        raise MagentoError(
            'Error occurred during "value" processing. The "Array" value\'s type is invalid. '
            'The "string" type was expected. Verify and try again.'
        )
    return Filter(members.get("field"), members.get("value"), members.get("condition_type"))


def _sort(row: Any) -> tuple[str, str]:
    members = _members(row, {"field", "direction"})
    direction = str(members.get("direction", "DESC")).upper()
    if direction not in ("ASC", "DESC"):
        raise MagentoError(_DIRECTION, ["ASC", "DESC"])
    return str(members.get("field", "")), direction


def _number(members: Mapping[str, Any], name: str, spelt: str) -> int | None:
    if name not in members or members[name] == "":
        return None
    try:
        found: int = scalar(members[name], "int")
    except MagentoError as error:
        raise MagentoError(f'Error occurred during "{spelt}" processing. {error.message}') from error
    return found


@dataclass(frozen=True)
class Listing:
    """How the rows of one kind are searched: the fields that exist, and what an unknown one leads to."""

    rows: Iterable[Row]
    value: Value
    unknown: Callable[[str], MagentoError]
    knows: Callable[[str], bool]


def search(listing: Listing, criteria: Criteria, switches: MagentoSwitches, *, draw: int) -> tuple[list[Row], int]:
    """The rows of the page that was asked for, and how many there are on all pages.

    `draw` decides the order of rows that no sort decides.
    """
    for field in _fields(criteria):
        if field is None or not listing.knows(field):
            raise listing.unknown(str(field))
    found = [row for row in listing.rows if _fits(row, criteria, listing.value)]
    if switches.unsorted == "shuffled":
        Random(draw).shuffle(found)
    for field, direction in reversed(criteria.sorts or []):
        found.sort(key=_by(listing.value, field), reverse=direction == "DESC")
    return _page(found, criteria, switches), len(found)


def _fields(criteria: Criteria) -> list[str | None]:
    named = [one.field for group in criteria.groups for one in group]
    return [*named, *(field for field, _ in criteria.sorts or [])]


def _fits(row: Row, criteria: Criteria, value: Value) -> bool:
    return all(any(_holds(one, value(row, one.field or "")) for one in group) for group in criteria.groups if group)


def _page(found: list[Row], criteria: Criteria, switches: MagentoSwitches) -> list[Row]:
    size = criteria.page_size if criteria.page_size is not None else switches.page_default
    if size == 0:
        return found
    size = abs(size)
    page = max(criteria.page or 1, 1)
    if switches.release == "2.3.7":
        page = min(page, max(-(-len(found) // size), 1))
    return found[(page - 1) * size : page * size]


def _holds(one: Filter, stored: Any) -> bool:
    """Whether a condition holds for a stored value; `moreq` and unknown conditions are equality (section 4)."""
    if one.kind in ("null", "notnull"):
        return (stored is None) == (one.kind == "null")
    if stored is None or one.value is None:
        return False
    many = [part.strip() for part in str(one.value).split(",")]
    match one.kind:
        case "neq":
            return compare(stored, one.value) != 0
        case "gt":
            return compare(stored, one.value) > 0
        case "gteq" | "from":
            return compare(stored, one.value) >= 0
        case "lt":
            return compare(stored, one.value) < 0
        case "lteq" | "to":
            return compare(stored, one.value) <= 0
        case "in" | "nin":
            return any(compare(stored, part) == 0 for part in many) == (one.kind == "in")
        case "like" | "nlike":
            return _like(str(stored), str(one.value)) == (one.kind == "like")
        case "finset" | "nfinset":
            held = [part.casefold() for part in str(stored).split(",")]
            return (str(one.value).casefold() in held) == (one.kind == "finset")
        case _:
            return compare(stored, one.value) == 0


def compare(stored: Any, given: Any) -> int:
    """Negative, zero or positive, as the database orders a column's value and a text."""
    if isinstance(stored, str) and _DATE.fullmatch(stored):
        return _order(_moment(stored), _moment(str(given)))
    number, other = _decimal(stored), _decimal(given)
    if number is not None and other is not None:
        return _order(number, other)
    if not isinstance(stored, str) and number is not None:
        return _order(number, Decimal(0))  # a text that is no number counts as zero beside a number
    return _order(str(stored).casefold().rstrip(" "), str(given).casefold().rstrip(" "))


def _order(one: Any, other: Any) -> int:
    return int(one > other) - int(one < other)


def _decimal(value: Any) -> Decimal | None:
    try:
        number = Decimal(int(value) if isinstance(value, bool) else value)
    except (InvalidOperation, TypeError, ValueError):
        return None
    return number if number.is_finite() else None


def _moment(text: str) -> str:
    found = _DATE.fullmatch(text.strip())
    if found is None:
        return ZERO_DATE
    time = found.group(2) or "00:00:00"
    return f"{found.group(1)} {time if len(time) == 8 else time + ':00'}"


def _like(stored: str, pattern: str) -> bool:
    parts = [{"%": ".*", "_": "."}.get(sign, re.escape(sign)) for sign in pattern]
    return re.fullmatch("".join(parts), stored, re.IGNORECASE | re.DOTALL) is not None


def _by(value: Value, field: str) -> Callable[[Row], tuple[int, Any]]:
    return lambda row: _sort_key(value(row, field))


def _sort_key(value: Any) -> tuple[int, Any]:
    if value is None:
        return (0, "")
    number = _decimal(value) if not isinstance(value, str) else None
    return (1, number) if number is not None else (2, str(value).casefold())


def listed(items: list[Any], total: int, criteria: Criteria) -> Row:
    """The answer around the rows of a list; what was not sent is not echoed."""
    echoed: Row = {
        "filter_groups": [{"filters": [_echo(one) for one in group]} for group in criteria.groups],
    }
    if criteria.sorts is not None:
        echoed["sort_orders"] = [{"field": field, "direction": direction} for field, direction in criteria.sorts]
    if criteria.page_size is not None:
        echoed["page_size"] = criteria.page_size
    if criteria.page is not None:
        echoed["current_page"] = criteria.page
    return {"items": items, "search_criteria": echoed, "total_count": total}


def _echo(one: Filter) -> Row:
    return {"field": one.field, "value": one.value, "condition_type": one.given or "eq"}
