"""How values read on a page: amounts, ages, durations, shares. No HTML in here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from stokly_sync.contracts import money
from stokly_sync.flow import Team
from stokly_sync.operations.listing import Ref

NOTHING: Final = "-"
_TEAMS: Final = {Team.CX: "CX"}


def amount(nanos: int | None, currency: str | None) -> str:
    """An amount in major units with its currency; empty where there is none."""
    return "" if nanos is None else f"{money.decimal(nanos):,.2f} {currency or ''}".strip()


def number(value: int | None) -> str:
    """A whole number with thousands apart."""
    return "" if value is None else f"{value:,}"


def share(value: float | None) -> str:
    """A share as per cent; never 100 % for what is not whole."""
    if value is None:
        return NOTHING
    return "100 %" if value == 1 else f"{min(value * 100, 99.99):.2f} %"


def when(moment: datetime | None) -> str:
    """A time in UTC to the minute."""
    return NOTHING if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def exactly(moment: datetime | None) -> str:
    """A time in UTC to the second, for the order of events."""
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def age(moment: datetime | None) -> str:
    """How long ago, in one or two units."""
    return NOTHING if moment is None else lasting((datetime.now(UTC) - moment) / timedelta(seconds=1))


def lasting(seconds: float | None) -> str:
    """A span of time, in the unit that says most."""
    if seconds is None:
        return NOTHING
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:,.0f} {unit}"
    return f"{max(seconds, 0):.0f} s" if seconds >= 10 else f"{max(seconds, 0):.1f} s"


def team(name: str | None) -> str:
    """A team's name as it is written."""
    if name is None:
        return "nobody's"
    known = Team(name)
    return _TEAMS.get(known, known.value.capitalize())


def differs_how(record: Mapping[str, Any], there: str) -> str:
    """In which way a record differs between us and a system, in words."""
    whole = {"missing": f"missing at {there}", "unexpected": f"only at {there}"}
    return whole.get(record["kind"]) or str(record["field"] or record["kind"])


def ref_query(ref: Ref) -> str:
    """The query that names an exception."""
    return urlencode({"subject": ref.subject, "key": ref.key, "rule": ref.rule})


def ref_text(ref: Ref) -> str:
    """What names an exception in a form."""
    return msgspec.json.encode(ref).decode()


FILTERS: Final = {
    "amount": amount,
    "number": number,
    "share": share,
    "when": when,
    "exactly": exactly,
    "age": age,
    "lasting": lasting,
    "team": team,
    "differs_how": differs_how,
    "ref_query": ref_query,
    "ref_text": ref_text,
}
