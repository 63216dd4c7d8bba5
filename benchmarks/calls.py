"""API calls of a first load and of a run with nothing changed, beside the least that page and batch limits allow.

The least: a thousand rows a page and at least one call for every list that a dataset needs (items and stock both need
that of items), and one push a hundred records. Counted at the wire. Dotdigital and Emarsys stand in
`destination_calls`, against their sandboxes.
"""

from __future__ import annotations

import json
from math import ceil
from typing import Any, Final

from benchmarks import destination_calls, synthetic
from benchmarks.context import Context
from benchmarks.filled import filled
from benchmarks.harness import child
from benchmarks.results import Line, at_most

TITLE: Final = "API calls beside the least possible"
PAGE: Final = 1_000
BATCH: Final = 100
# The product's script asks for this list before its work begins, to be warm.
WARM_UP: Final = "/v0/credit-notes"


def run(context: Context) -> list[Line]:
    """Ratios of calls made to calls needed."""
    counts = {
        "/v2/saleorders": context.rows,
        "/v0/customers": synthetic.CUSTOMERS,
        "/v0/items": synthetic.ITEMS,
    }
    with context.wire_of(context.rows) as wire:
        wire.told()
        with filled(context, wire) as history:
            history.deliver(["orders"])
            load = wire.told()
            child(["benchmarks.product.nothing", *history.arguments(), "--runs=1"])
            # The script goes through one quiet run before the one that it measures.
            wire.told()
            quiet = child(["benchmarks.product.nothing", *history.arguments(), "--runs=4"])
            told = wire.told()
    records = sum(counts.values())
    read = {path: n for path, n in _reads(load).items() if path != WARM_UP}
    needed = {path: max(1, ceil(counts.get(path, 0) / PAGE)) for path in read}
    pushes = load["by_path"]["POST /v2/push"]
    least_pushes = sum(ceil(count / BATCH) for count in counts.values())
    return [
        Line("first load: reads by list", json.dumps(read)),
        at_most("first load: reads, times the least", sum(read.values()) / sum(needed.values()), 1.05),
        at_most(f"first load: pushes of {records:,} records, times the least", pushes / least_pushes, 1.05),
        Line("first load: looks at the error list", str(load["by_path"].get("GET /v2/push/_errors", 0))),
        Line("nothing changed: calls by list", json.dumps(_reads(told))),
        at_most("nothing changed: reads, times one a list", quiet.figures["calls"] / (len(_reads(told)) + 1), 1.05),
        *destination_calls.lines(context),
    ]


def _reads(told: dict[str, Any]) -> dict[str, int]:
    gets = {path.removeprefix("GET "): n for path, n in told["by_path"].items() if path.startswith("GET ")}
    return {path: n for path, n in gets.items() if not path.endswith("_errors")}
