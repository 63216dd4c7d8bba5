"""Connections: forward paging over a list, with opaque cursors.

Belongs here: `first`, `after` and what a connection answers. `last` and `before` are taken and do nothing. A cursor
is a place in the list as it is now, so a list that changes between two pages shifts under the reader.
Source: Marketplacer API contract 2.3.
"""

from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError

from stokly_sync.sandbox.marketplacer.call import Args, Call
from stokly_sync.sandbox.marketplacer.ids import cursor, position


def connection(call: Call, rows: Sequence[Any], args: Args) -> dict[str, Any]:
    """One page of the rows: nodes, edges, pageInfo and the count of all rows.

    Raises:
        GraphQLError: if `after` is no cursor, or `first` is negative.
    """
    first = args.get("first")
    if first is None:
        first = call.switches.page_default
    if first < 0:
        raise GraphQLError("Argument 'first' must not be negative.")
    after = args.get("after")
    start = position(after) if after else 0
    if start is None:
        raise GraphQLError(f"Invalid cursor: {after!r}.")
    end = start + min(first, call.switches.page_cap)
    page = rows[start:end]
    edges = [{"cursor": cursor(place), "node": row} for place, row in enumerate(page, start=start + 1)]
    return {
        "nodes": page,
        "edges": edges,
        "total_count": len(rows),
        "page_info": {
            "has_next_page": end < len(rows),
            "has_previous_page": start > 0,
            "start_cursor": edges[0]["cursor"] if edges else None,
            "end_cursor": edges[-1]["cursor"] if edges else None,
        },
    }
