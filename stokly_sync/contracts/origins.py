"""Marks that say from which channel a document came, so that it does not go back there and is not made twice.

A mark stands in a text that the other system keeps for people (the reason of a refund). Belongs here: its one form,
written where a document is made and read where it might be returned.
"""

from __future__ import annotations

import re
from typing import Final

_MARK: Final = re.compile(r"\[([a-z]+):([^\[\]\s]+)\]")


def mark(channel: str, key: str) -> str:
    """The mark of a channel's document, for example `[magento:17]`."""
    return f"[{channel}:{key}]"


def is_marked(text: str | None) -> bool:
    """Whether a text carries the mark of any channel."""
    return _MARK.search(text or "") is not None


def marked(text: str | None, channel: str) -> str | None:
    """The channel's id of the document that a text is marked with; None where it is marked by nobody or another."""
    return next((key for name, key in _MARK.findall(text or "") if name == channel), None)
