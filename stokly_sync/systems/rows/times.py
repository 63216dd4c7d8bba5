"""Times as sources write them: ISO text, and in places JavaScript's `Date` text; without a zone they are UTC.

Belongs here: reading them, one by one and a column at once (the usual form by compiled code). Source: Stokly API
contract 2.4, Magento API contract 4.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

import pyarrow as pa

_JAVASCRIPT = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d\d) (\d{4}) (\d\d):(\d\d):(\d\d) (?:GMT|UTC)([+-])(\d\d):?(\d\d)(?: \(.*\))?"
)
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_TYPE = pa.timestamp("us", "UTC")


@lru_cache(maxsize=4096)  # paging looks at the same time several times
def parse_time(text: str) -> datetime | None:
    """One time as timezone-aware UTC, or None when the text is no time."""
    found = _JAVASCRIPT.fullmatch(text)
    try:
        if found:
            month, day, year, hour, minute, second, sign, offset_h, offset_m = found.groups()
            offset = timedelta(hours=int(offset_h), minutes=int(offset_m))
            zone = timezone(offset if sign == "+" else -offset)
            return datetime(
                int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=zone
            ).astimezone(UTC)
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, KeyError, OverflowError):
        return None


def is_coarse(text: str) -> bool:
    """True where a time is written without fractions of a second, which its server may well have."""
    return "." not in text


def parse_times(values: Sequence[str | None] | pa.Array) -> tuple[pa.Array, list[int]]:
    """A column of times as `timestamp[us, UTC]`, and the places of texts that are no time (missing there)."""
    column = values if isinstance(values, pa.Array) else pa.array(values, pa.string())
    try:
        return column.cast(_TYPE), []
    except pa.ArrowInvalid:
        values = column.to_pylist()
        moments = [None if value is None else parse_time(value) for value in values]
        bad = [i for i, (v, m) in enumerate(zip(values, moments, strict=True)) if v is not None and m is None]
        return pa.array(moments, _TYPE), bad
