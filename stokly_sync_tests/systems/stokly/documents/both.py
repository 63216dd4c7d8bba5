"""Documents read in both ways, as decoded values and as text of a page, which must give the same rows and problems."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from pandas.testing import assert_frame_equal

from stokly_sync.flow import Received, Rows
from stokly_sync.systems.transport import ListReader, decode, encode

READER = ListReader(head=("saleOrderId", "customerId", "createdAt", "updatedAt"), lists=("items",))


def read_both(
    rows: Callable[[Sequence[Received], datetime], Rows], documents: Sequence[dict[str, Any]], asked: datetime
) -> Rows:
    """The rows of documents that went over the wire, so that numbers have the types that they have there."""
    body = encode({"data": list(documents)})
    made, paged = rows(decode(body)["data"], asked), rows(READER(body)["data"], asked)
    assert made.frames.keys() == paged.frames.keys()
    for name, frame in made.frames.items():
        assert_frame_equal(paged.frames[name], frame)
    assert paged.problems == made.problems
    return made
