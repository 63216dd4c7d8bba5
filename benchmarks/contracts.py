"""What a contract costs: values into a frame, validation against all rules, and the frame out as CSV for COPY.

The target speaks of twelve columns of an orders frame, as many rows at a time as landing takes. A page comes as text;
reading that text into columns is told apart, because decoding is no part of a contract, whoever does it.
Beside it stand the real tables of orders and lines, which are wider, per row of either table. Seconds are of the
processor: each step is one thread of computing, and on a busy machine only those can be compared with a number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from pyarrow import BufferOutputStream, csv

from benchmarks import synthetic
from benchmarks.context import Context
from benchmarks.harness import cpu_seconds, rounds, timed
from benchmarks.results import Line, at_most
from stokly_sync.contracts.sales import ORDERS
from stokly_sync.contracts.schema import validate
from stokly_sync.contracts.tables import Dataset, Kind
from stokly_sync.flow import Frames, Rows
from stokly_sync.landing.run import CHUNK_ROWS
from stokly_sync.systems.rows.cells import Cells, frame_of
from stokly_sync.systems.rows.pages import Columns, columns_of
from stokly_sync.systems.rows.shapes import AMOUNT, WHOLE
from stokly_sync.systems.stokly.documents.orders import SHAPE, order_rows
from stokly_sync.systems.stokly.settings import StoklySettings
from stokly_sync.systems.transport import ListReader, Unread, encode
from stokly_sync.warehouse.frames import to_arrow, without_zone
from stokly_sync.warehouse.tables import LANDED

_READER: Final = ListReader(head=("saleOrderId",))
_SHAPE: Final = replace(SHAPE, known={**SHAPE.known, "line_count": WHOLE, "lines_total": AMOUNT})
TITLE: Final = "Contracts, with getting into and out of the frame"
CHUNK: Final = CHUNK_ROWS
_TWELVE: Final = {
    "order_id": "saleOrderId",
    "stage": "stage",
    "currency": "currency",
    "country": "shippingAddressCountry",
    "customer_email": "customerEmail",
    "shipping": "displayShippingCost",
    "shipping_tax": "displayShippingTax",
    "total": "displayTotal",
    "created_at": "createdAt",
    "updated_at": "updatedAt",
    "line_count": "line_count",
    "lines_total": "lines_total",
}


def unread(count: int, end: datetime) -> list[Unread]:
    """Order documents as a client hands them on: as text."""
    piece = synthetic.orders(synthetic.Timeline.until(end, rows=count))
    rows: list[Unread] = _READER(b'{"data":[' + b",".join(piece(row) for row in range(count)) + b"]}")["data"]
    return rows


def twelve(orders: Sequence[Unread]) -> list[Unread]:
    """The same documents with no more than twelve members, two of them made of the lines."""
    small = []
    for order in orders:
        lines = order["items"]
        sums = {"line_count": len(lines), "lines_total": sum(line["displayLineTotal"] for line in lines)}
        whole = {**order, **sums}
        small.append({member: whole[member] for member in _TWELVE.values()})
    rows: list[Unread] = _READER(encode({"data": small}))["data"]
    return rows


def run(context: Context) -> list[Line]:
    """Seconds per million rows of each step; the target is on the sum for twelve columns."""
    orders = unread(CHUNK, context.end)
    narrow, small = _narrow(), twelve(orders)
    columns, _ = columns_of(_SHAPE, small)
    frames = _frames(narrow, columns)
    into = partial(order_rows, orders, context.end, settings=StoklySettings())
    wide = into()
    counted = {"narrow": CHUNK, "wide": sum(len(frame) for frame in wide.frames.values())}
    steps: dict[str, Callable[[], Any]] = {
        "text of twelve members into columns": partial(columns_of, _SHAPE, small),
        "twelve columns: into the frame": partial(_frames, narrow, columns),
        "twelve columns: validation": partial(validate, narrow, Rows(frames)),
        "twelve columns: frame out to CSV": partial(_csv, frames),
        "orders and lines: text into the frames": into,
        "orders and lines: validation": partial(validate, ORDERS, wide),
        "orders and lines: frames out to CSV": partial(_csv, wide.frames),
    }
    samples = rounds({name: partial(timed, work) for name, work in steps.items()}, count=max(context.rounds, 5))
    million = {
        name: cpu_seconds(found) / counted["wide" if name.startswith("orders") else "narrow"] * 1e6
        for name, found in samples.items()
    }
    lines = [Line(name, f"{value:.2f} s per million rows") for name, value in million.items()]
    total = sum(value for name, value in million.items() if name.startswith("twelve"))
    return [*lines, at_most("twelve columns: in, validated and out", total, 2.0, unit=" s per million rows")]


def _narrow() -> Dataset:
    root = ORDERS.root
    columns = tuple(replace(c, required=c.name in ("order_id", "total")) for c in root.columns if c.name in _TWELVE)
    rules = tuple(rule for rule in root.rules if rule.code != "ST-ORDER-LINES")
    # As a child table it has no columns but its own.
    return Dataset(replace(root, columns=columns, rules=rules, parent_key="order_id"))


def _frames(dataset: Dataset, columns: Columns) -> Frames:
    cells = Cells(dataset, columns, [""] * len(columns))
    read: dict[Kind, Callable[[str], Any]] = {
        Kind.TEXT: cells.text,
        Kind.MONEY: cells.money,
        Kind.WHOLE: cells.whole,
        Kind.TIME: cells.time,
    }
    found = {c.name: read[c.kind](_TWELVE[c.name]) for c in dataset.root.columns}
    return {dataset.name: frame_of([(c.name, c.kind) for c in dataset.root.columns], found)}


def _csv(frames: Frames) -> None:
    for name, frame in frames.items():
        csv.write_csv(
            without_zone(to_arrow(LANDED[name], frame)), BufferOutputStream(), csv.WriteOptions(include_header=False)
        )
