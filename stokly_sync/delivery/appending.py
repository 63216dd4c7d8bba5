"""Adding to a destination that neither replaces nor removes: what is missing, and what belongs to history at all.

Pure decisions over what is wanted and what is held. What is held is kept in `booking`, where history begins in
`history`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stokly_sync.flow import Append, Document, Json, Part

Held = Mapping[str, Part]
"""What is held of one record, by part."""
OBSERVED: Final = (
    "The feed has only observed and others may have written meanwhile, so it has to be said anew where history begins: "
    "adopt, or set another history_from."
)
_NOTHING: Final = Part(0, 0)


@dataclass(frozen=True)
class Beginning:
    """What is known of where history begins; `said` is False as long as nobody has said anything.

    `observed` when it was said, and the feed has only observed since: then it has to be said anew.
    """

    said: bool = True
    since: datetime | None = None
    observed: bool = False

    def advice(self, append: Append) -> str:
        """What a person is to do before anything is sent."""
        return f"{OBSERVED} {append.advice}" if self.observed else append.advice

    def covers(self, append: Append, body: Json) -> bool:
        """Whether a document belongs to our history."""
        return self.since is None or append.at(body) >= self.since


def missing(append: Append, document: Document, held: Held) -> Document | None:
    """The document that brings what is held to what is wanted; None where nothing is missing.

    Its `value` stays that of the whole record.
    """
    wanted = append.parts(document.body)
    left = {}
    for name in wanted.keys() | held.keys():
        want, have = wanted.get(name, _NOTHING), held.get(name, _NOTHING)
        part = Part(want.quantity - have.quantity, want.value - have.value)
        if part != _NOTHING:
            left[name] = part
    if not left:
        return None
    return document if not held else document._replace(content=append.with_parts(document.body, left))
