"""Exceptions as rows of a table for a spreadsheet: nothing personal, and nothing that a spreadsheet would run."""

from __future__ import annotations

from typing import Final

from stokly_sync.contracts import money
from stokly_sync.operations.desk import Desk, system_of
from stokly_sync.operations.listing import Row

COLUMNS: Final = (
    *("brand", "system", "subject", "record", "rule", "what is wrong", "detail", "what to do", "team", "assigned to"),
    *("severity", "state", "value", "currency", "first seen", "last seen", "note"),
)
# A cell that begins so is taken for a formula by spreadsheets.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def cells(desk: Desk, row: Row) -> tuple[str, ...]:
    """The cells of an exception in the order of COLUMNS; times in UTC as ISO 8601, amounts in major units."""
    rule = desk.catalogue.get(row.ref.rule)
    texts = (
        *(desk.brand, system_of(row.ref.subject), row.ref.subject, row.ref.key, row.ref.rule),
        *((rule.problem, row.detail, rule.advice) if rule else ("", row.detail, "")),
        *(row.owner or "", row.assigned_to or "", row.severity or "", row.state),
    )
    value = "" if row.value is None else money.text(row.value)
    seen = (row.first_seen.isoformat(timespec="seconds"), row.last_seen.isoformat(timespec="seconds"))
    return (*map(harmless, texts), value, harmless(row.currency or ""), *seen, harmless(row.note or ""))


def harmless(text: str) -> str:
    """A text that a spreadsheet shows instead of running it."""
    return f"'{text}" if text.startswith(_FORMULA) else text
