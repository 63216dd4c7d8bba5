"""Exceptions and differences as rows for a spreadsheet: nothing personal, and nothing that a spreadsheet would run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stokly_sync.contracts import money
from stokly_sync.operations.agreement import Agreement
from stokly_sync.operations.desk import Desk, system_of
from stokly_sync.operations.listing import Row

_DIFFERENCE: Final = ("record", "how", "member", "ours", "theirs", "difference", "currency", "explained by")
COLUMNS: Final = (
    *("brand", "system", "subject", "record", "rule", "what is wrong", "detail", "what to do", "team", "assigned to"),
    *("severity", "state", "value", "currency", "first seen", "last seen", "note"),
)
DIFFERENCE_COLUMNS: Final = ("brand", "feed", "compared at", *_DIFFERENCE)
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


def difference_cells(desk: Desk, of: Agreement, record: Mapping[str, Any]) -> tuple[str, ...]:
    """The cells of a record that differs, in the order of DIFFERENCE_COLUMNS; times and amounts as above."""
    names = ("key", "kind", "field", "ours", "theirs", "amount", "currency", "explained_by")
    texts = [str(record[name] or "") for name in names]
    # An amount may be negative and is no formula.
    shown = [text if name == "amount" else harmless(text) for name, text in zip(names, texts, strict=True)]
    return (desk.brand, of.feed, of.at.isoformat(timespec="seconds"), *shown)


def harmless(text: str) -> str:
    """A text that a spreadsheet shows instead of running it."""
    return f"'{text}" if text.startswith(_FORMULA) else text
