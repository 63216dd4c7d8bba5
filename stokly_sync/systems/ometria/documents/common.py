"""What documents of every type share: size limits and optional members.

Belongs here: rules of the wire that hold for each record type. Nothing of a single type.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from stokly_sync.flow import Document, Json, Problem
from stokly_sync.systems.ometria import rules
from stokly_sync.systems.transport import encode

RECORD_BYTES: Final = 60_000
"""60 KB a record, read as thousands: the stricter reading. Source: Ometria API contract 1."""
PROPERTIES_CHARS: Final = 1_000
"""The JSON of one record's properties must stay below this. Source: Ometria API contract 1."""
_PROPERTIES: Final = b'"properties":'


def with_optional(body: Json, **members: object) -> Json:
    """Add the members that have a value (not None, not empty) to the body, and give it back."""
    for name, value in members.items():
        if value:
            body[name] = value
    return body


def oversized(documents: Iterable[Document]) -> list[Problem]:
    """Problems of documents that break the vendor's size limits. Source: Ometria API contract 1 and 6.9."""
    return [problem for problem in map(_oversize, documents) if problem is not None]


def _oversize(document: Document) -> Problem | None:
    text = document.content if isinstance(document.content, bytes) else encode(document.content)
    # Few documents have properties, and reading all of them would cost more than writing them.
    properties = document.body.get("properties") if _PROPERTIES in text else None
    if properties and (size := len(encode(properties).decode())) >= PROPERTIES_CHARS:
        detail = f"custom fields of {size} characters, fewer than {PROPERTIES_CHARS} are taken"
        return Problem(document.key, rules.PROPERTIES_SIZE.code, detail)
    if len(text) > RECORD_BYTES:
        return Problem(document.key, rules.RECORD_SIZE.code, f"{len(text)} bytes, at most {RECORD_BYTES} are taken")
    return None


def listed(values: Iterable[Any]) -> list[bool]:
    """Truth of each value as a plain list."""
    return [bool(value) for value in values]
