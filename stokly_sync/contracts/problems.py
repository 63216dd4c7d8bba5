"""Problems and documents, as the builders of every destination put them together. No vendor here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from stokly_sync.flow import Document, Problem


def problems_where(keys: Sequence[str], mask: Iterable[bool], rule: str, detail: str) -> list[Problem]:
    """One problem for each key whose mask is true."""
    return [Problem(key, rule, detail) for key, hit in zip(keys, mask, strict=True) if hit]


def without(documents: Sequence[Document], problems: Iterable[Problem]) -> list[Document]:
    """The documents that have no problem."""
    bad = {problem.key for problem in problems}
    return [document for document in documents if document.key not in bad] if bad else list(documents)


def later(*moments: datetime | None) -> datetime | None:
    """The latest of some moments, None where there is none."""
    return max(filter(None, moments), default=None)
