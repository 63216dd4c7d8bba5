"""Which exceptions a page shows: read from the address, written into the links of the page.

An unknown value is left out rather than refused: an old bookmark still shows a list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, TypeVar
from urllib.parse import urlencode

from stokly_sync.contracts import money
from stokly_sync.contracts.rules import Severity
from stokly_sync.flow import Team
from stokly_sync.operations.listing import Order, Wanted
from stokly_sync.warehouse.exceptions import CLOSED, EXCLUDED, IGNORED, OPEN

STATES: Final = (OPEN, IGNORED, EXCLUDED, CLOSED)
"""Excluded ones are nobody's work: they are looked at, and nothing is done about them here."""
AGES: Final = (1, 3, 7, 30)
"""Days since an exception was first seen."""
EVERYBODY: Final = "all"
_NAMES: Final = ("state", "owner", "system", "subject", "rule", "severity", "assigned", "age", "value", "sort")

_Choice = TypeVar("_Choice", bound=StrEnum)
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Filters:
    """What stands in the address, each a text, and what it comes to."""

    given: Mapping[str, str]
    wanted: Wanted

    def query(self, **changes: str | None) -> str:
        """The query of a link to the same list, with changes; None takes a filter away."""
        both = {**self.given, **changes}
        return urlencode({name: value for name, value in both.items() if value})

    @property
    def narrowed(self) -> bool:
        """Whether more than state, team and order was chosen."""
        return bool(set(self.given) - {"state", "owner", "sort"})


def read(params: Mapping[str, str], *, team: Team | None) -> Filters:
    """The filters of an address; without a word about it, those of the person's own team."""
    given = {name: params[name].strip() for name in _NAMES if params.get(name, "").strip()}
    owner = None if given.get("owner") == EVERYBODY else _one_of(Team, given.get("owner")) or team
    wanted = Wanted(
        state=given["state"] if given.get("state") in STATES else OPEN,
        owner=owner,
        system=given.get("system"),
        subject=given.get("subject"),
        rule=given.get("rule"),
        severity=_one_of(Severity, given.get("severity")),
        assigned_to=given.get("assigned"),
        older_than=_read(lambda text: timedelta(days=min(int(text), 36_500)), given.get("age")),
        at_least=_read(money.nano, given.get("value")),
        order=_one_of(Order, given.get("sort")) or Order.NEWEST,
    )
    return Filters(given, wanted)


def _one_of(kind: type[_Choice], text: str | None) -> _Choice | None:
    return _read(kind, text)


def _read(make: Callable[[str], _Value], text: str | None) -> _Value | None:
    try:
        return None if text is None else make(text)
    except (ValueError, OverflowError):
        return None
