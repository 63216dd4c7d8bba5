"""Lists: `page`, `size`, `sortField`, `sortDirection` and `filter` read and carried out.

Belongs here: from a query to the rows of one page and the count of all that match. Filtered and sorted
lists are remembered until their collection changes, so that the next page of the same list costs nothing.
Source: Stokly API contract 2.1, 2.2.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from stokly_sync.sandbox.stokly.conditions import Row, compile_filter
from stokly_sync.sandbox.stokly.filters import parse_filter
from stokly_sync.sandbox.stokly.schema import Kind
from stokly_sync.sandbox.stokly.switches import StoklySwitches
from stokly_sync.sandbox.stokly.times import is_iso

DEFAULT_SIZE = 100
_REMEMBERED = 32


class BadQueryError(ValueError):
    """A query parameter makes no sense; the text is what goes into `message`, with status 400."""


@dataclass(frozen=True)
class ListQuery:
    """What was asked of a list; `size` is already cut down to what is allowed."""

    page: int
    size: int
    sort_field: str
    descending: bool
    filter: str


@dataclass(frozen=True)
class Page:
    """Rows of one page, and how many rows match in all."""

    rows: list[Row]
    count: int


def read_query(parameters: Mapping[str, str], *, switches: StoklySwitches) -> ListQuery:
    """Read the query parameters of a list call.

    Raises:
        BadQueryError: for a page or size that is no whole number or out of range, or an unknown direction.
    """
    size = _whole(parameters, "size", default=DEFAULT_SIZE, least=1)
    if size > switches.max_size:
        if switches.over_max_size == "refuse":
            raise BadQueryError("Invalid size")
        size = switches.max_size
    direction = parameters.get("sortDirection", "ASC")
    if direction not in ("ASC", "DESC"):
        raise BadQueryError("Invalid sortDirection")
    return ListQuery(
        page=_whole(parameters, "page", default=0, least=0),
        size=size,
        sort_field=parameters.get("sortField", ""),
        descending=direction == "DESC",
        filter=parameters.get("filter", ""),
    )


def _whole(parameters: Mapping[str, str], name: str, *, default: int, least: int) -> int:
    text = parameters.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or int(text) < least:
        raise BadQueryError(f"Invalid {name}")
    return int(text)


def select(rows: Sequence[Row], query: ListQuery, members: Mapping[str, Kind]) -> list[Row]:
    """All rows that match, sorted.

    Raises:
        InvalidFilterError: if the filter cannot be read or names an unknown field.
        BadQueryError: if the sort field is unknown.
    """
    test = compile_filter(parse_filter(query.filter), members)
    chosen = list(rows) if test is None else [row for row in rows if test(row)]
    if query.sort_field:
        kind = members.get(query.sort_field)
        if kind is None:
            raise BadQueryError("Invalid sortField")
        chosen.sort(key=lambda row: _sort_key(row.get(query.sort_field), kind), reverse=query.descending)
    return chosen


def _sort_key(value: Any, kind: Kind) -> tuple[int, Any]:
    # Values of a kind that the member should not have come after the others, missing ones first.
    if value is None:
        return (0, 0)
    if kind in ("number", "flag") and isinstance(value, int | Decimal):
        return (1, value)
    if kind == "text" or (kind == "time" and is_iso(value)):
        return (1, str(value).casefold())
    return (2, str(value).casefold())


def cut(rows: Sequence[Row], query: ListQuery) -> Page:
    """The asked page of the selected rows; empty beyond the end."""
    start = query.page * query.size
    return Page(list(rows[start : start + query.size]), len(rows))


class Lists:
    """Remembers the selected rows of the lists asked for last."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str, str, bool, bool], tuple[int, list[Row]]] = OrderedDict()

    def page(self, name: str, rows: Sequence[Row], version: int, query: ListQuery, members: Mapping[str, Kind]) -> Page:
        """One page of a collection in its present version; raises as `select` does."""
        # A switch can take the update time away from what may be asked.
        key = (name, query.filter, query.sort_field, query.descending, "updatedAt" in members)
        known = self._known.get(key)
        if known is None or known[0] != version:
            known = (version, select(rows, query, members))
            self._known[key] = known
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return cut(known[1], query)
