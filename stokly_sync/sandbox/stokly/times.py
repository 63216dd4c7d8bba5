"""Times as Stokly spells them: ISO text, JavaScript `Date` text, and the three forms inside filters.

Inside the sandbox a time is the text `2025-05-28T11:46:00.000Z` (UTC, milliseconds): it sorts as text, so
filters compare it without parsing. Text of any other shape in a time member is an unreadable time.
"""

import re
from datetime import UTC, datetime

from stokly_sync.sandbox.seeds.words import stamp

_LENGTH = len("2025-05-28T11:46:00.000Z")
_FORMS = (
    # Contract 2.3: no seconds and no zone; full ISO text with Z; blank-separated. Whole days are not seen.
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d"), "%Y-%m-%dT%H:%M"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "%Y-%m-%dT%H:%M:%SZ"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z"), "%Y-%m-%dT%H:%M:%S.%fZ"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "%Y-%m-%d %H:%M:%S"),
)


def is_iso(value: object) -> bool:
    """Whether a value is a time as the sandbox keeps it."""
    return isinstance(value, str) and len(value) == _LENGTH and value[10] == "T" and value[-1] == "Z"


def parse_filter_time(text: str) -> str | None:
    """A time literal of a filter as the sandbox keeps times, or None if it has none of the three forms.

    A literal without a zone is UTC [guess]. Source: Stokly API contract 2.3.
    """
    for pattern, form in _FORMS:
        if pattern.fullmatch(text):
            try:
                return stamp(datetime.strptime(text, form).replace(tzinfo=UTC))
            except ValueError:
                return None
    return None


def javascript(value: str) -> str:
    """Kept time text as JavaScript's `Date` prints it, in UTC and without milliseconds.

    Example: `Mon Oct 17 2022 11:40:06 GMT+0000 (Coordinated Universal Time)`.
    Source: Stokly API contract 2.4.
    """
    moment = datetime.fromisoformat(value)
    return f"{moment:%a %b %d %Y %H:%M:%S} GMT+0000 (Coordinated Universal Time)"
