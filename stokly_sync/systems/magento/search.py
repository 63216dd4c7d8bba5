"""searchCriteria as a small typed builder: what is asked for, in which order, and which members come back.

Belongs here: writing criteria so that nothing depends on what the server does with an unknown operator, a missing
order or a date that is none. Source: Magento API contract 3, 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal

Operator = Literal["eq", "neq", "gt", "gteq", "lt", "lteq", "in", "notnull"]
"""Those that were seen to do what their name says; `moreq` is not one of them."""

ENTITY: Final = "entity_id"
UPDATED: Final = "updated_at"


@dataclass(frozen=True)
class Condition:
    """One filter; several of one search must all hold."""

    field: str
    operator: Operator
    value: str


@dataclass(frozen=True)
class Search:
    """A list to be read: its path under V1, the members of a row that are wanted, and the order of rows.

    An order by anything but a unique member needs a second one, or paging loses rows.
    """

    path: str
    members: str
    order: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()
    descending: bool = False

    def where(self, *conditions: Condition) -> Search:
        """The same list, narrowed."""
        return replace(self, conditions=(*self.conditions, *conditions))

    def sorted_by(self, *order: str) -> Search:
        """The same list in another order."""
        return replace(self, order=order)

    def newest(self) -> Search:
        """The same list, the newest rows first."""
        return replace(self, order=(ENTITY,), descending=True)

    def only(self, members: str) -> Search:
        """The same list with other members."""
        return replace(self, members=members)

    def params(self, *, page: int, size: int) -> dict[str, str | int]:
        """The query of one page, from 1."""
        made: dict[str, str | int] = {}
        for i, condition in enumerate(self.conditions):
            name = f"searchCriteria[filter_groups][{i}][filters][0]"
            made |= {f"{name}[field]": condition.field, f"{name}[value]": condition.value}
            made[f"{name}[condition_type]"] = condition.operator
        for i, member in enumerate(self.order):
            name = f"searchCriteria[sortOrders][{i}]"
            made |= {f"{name}[field]": member, f"{name}[direction]": "DESC" if self.descending else "ASC"}
        made |= {"searchCriteria[pageSize]": size, "searchCriteria[currentPage]": page}
        made["fields"] = f"items[{self.members}],total_count"
        return made


def stamp(moment: datetime) -> str:
    """A time as Magento compares it: UTC, whole seconds (cut, so that a lower bound never moves up)."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def since(moment: datetime, field: str = UPDATED) -> Condition:
    """Rows at or after a time."""
    return Condition(field, "gteq", stamp(moment))


def before(moment: datetime, field: str = UPDATED) -> Condition:
    """Rows before a time."""
    return Condition(field, "lt", stamp(moment))


def after_id(entity: str) -> Condition:
    """Rows behind one, by entity id."""
    return Condition(ENTITY, "gt", entity)


def among(field: str, values: Iterable[str]) -> Condition:
    """Rows whose member is one of the values; ValueError for none, or for one that the list would be torn at."""
    wanted: Sequence[str] = list(dict.fromkeys(values))
    if not wanted:
        raise ValueError(f"no values for {field}: such a condition would match nothing")
    torn = [value for value in wanted if "," in value]
    if torn:
        raise ValueError(f"a value of {field} holds a comma, which separates values; ask for it alone")
    return Condition(field, "in", ",".join(wanted))
