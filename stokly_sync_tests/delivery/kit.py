"""A small destination and small feeds, so that delivery is tested without any vendor.

`land` puts orders, items and refunds into the warehouse as landing would; `orders_feed` turns orders into documents;
`Destination` keeps what it is sent and can be told to refuse, fail or forget to answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa

from stokly_sync.contracts.datasets import TABLES
from stokly_sync.contracts.rules import Catalogue, Effect, Rule, catalogue
from stokly_sync.contracts.tables import DTYPES, Kind, Table, empty
from stokly_sync.delivery import rules as delivery_rules
from stokly_sync.delivery.options import Options
from stokly_sync.errors import BatchRefused
from stokly_sync.flow import (
    BatchLimits,
    Built,
    Document,
    Feed,
    Frames,
    Gate,
    Lane,
    Outcome,
    Problem,
    Record,
    ReplayClass,
    State,
    Team,
    Trigger,
    Window,
)
from stokly_sync.warehouse.bulk import merge
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import LANDED, LEDGER
from stokly_sync.warehouse.windows import WindowCount, note_landed

T0: Final = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
STEP: Final = timedelta(minutes=15)
QUICK: Final = Options(look_up_delay=0, settle_pause=0, sleep=lambda seconds: None)


def window(number: int = 0) -> Window:
    return Window(T0 + number * STEP, T0 + (number + 1) * STEP)


def _rule(code: str, effect: Effect) -> Rule:
    return Rule(code, "something is wrong.", "put it right.", Team.OPERATIONS, "X2", effect)


RULES: Final[Catalogue] = catalogue(
    (
        *delivery_rules.RULES,
        _rule("T-REJECTED", Effect.REJECT),
        _rule("T-BAD", Effect.QUARANTINE),
        _rule("T-GUEST", Effect.EXCLUDE),
        _rule("T-NOT-CONFIRMED", Effect.PARK),
        _rule("T-REMOVED", Effect.EXCLUDE),
        _rule("T-NO-ORDER", Effect.EXCLUDE),
        _rule("ST-ORDER-TOTAL", Effect.QUARANTINE),
    )
)


def land(
    warehouse: Warehouse,
    table: str,
    rows: Iterable[Mapping[str, Any]],
    *,
    number: int = 0,
    version: datetime | None = None,
) -> None:
    """Land rows of a root table in window `number`; columns that are not given get a value that says nothing."""
    contract = TABLES[table]
    frame = _frame(contract, list(rows), version or window(number).start)
    observed = window(number)
    frame = frame.assign(window_start=observed.start, landed_at=observed.end)
    with warehouse.transaction() as connection:
        merge(connection, LANDED[table], frame, fixed={"brand": warehouse.brand})
        note_landed(
            connection,
            brand=warehouse.brand,
            dataset=table,
            counts=[WindowCount(observed, read=len(frame), changed=len(frame))],
            run_id="landing",
        )


_FILLERS: Final = {Kind.TEXT: "x", Kind.JSON: "[]", Kind.MONEY: 0, Kind.WHOLE: 0, Kind.FLAG: True, Kind.TIME: T0}


def _frame(contract: Table, rows: Sequence[Mapping[str, Any]], version: datetime) -> pd.DataFrame:
    columns = {}
    for column in contract.all_columns:
        filler = version if column.name == "version" else _FILLERS[column.kind] if column.required else None
        values = [row.get(column.name, filler) for row in rows]
        columns[column.name] = pd.Series(values, dtype=DTYPES[column.kind])  # type: ignore[call-overload]
    return pd.DataFrame(columns) if rows else empty(contract)


def order(key: str, **columns: Any) -> dict[str, Any]:
    return {"order_id": key, "currency": "GBP", "total": 12 * 10**9, "stage": "order", "created_at": T0} | columns


def build_orders(frames: Frames) -> Built:
    """One document an order; the order's `number` column asks for a problem or a changed document."""
    orders = frames["stokly.orders"]
    documents, problems = [], []
    columns = ("order_id", "number", "stage", "total", "currency", "created_at", "version")
    for key, note, stage, total, currency, at, version in zip(*(orders[c].tolist() for c in columns), strict=True):
        body = {"id": key, "total": total, "note": None if pd.isna(note) else note}
        if not pd.isna(note) and note.startswith("T-"):
            problems.append(Problem(key, note, f"order {key} is held back"))
            continue
        if stage == "removed":
            problems.append(Problem(key, "T-REMOVED", "removed before it was sent"))
            body["cancelled"] = True
        documents.append(Document(key, body, version, at, total, currency))
    return Built(documents, problems)


@dataclass
class Destination:
    """Keeps what it is sent, in a dictionary; `refuse`, `answer` and `before` change how it behaves."""

    held: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    calls: list[int] = field(default_factory=list)
    refuse: Callable[[Record], bool] = lambda record: False
    reject: Callable[[Record], bool] = lambda record: False
    before: Callable[[Sequence[Record]], None] = lambda batch: None
    after: Callable[[Sequence[Record]], None] = lambda batch: None
    settled: Callable[[Outcome], Outcome | None] = lambda outcome: outcome._replace(state=State.ACCEPTED)
    lock: Lock = field(default_factory=Lock)

    def take(self, batch: Sequence[Record]) -> list[Record]:
        """Take a batch as a whole; gives the records that are rejected one by one."""
        with self.lock:
            self.calls.append(len(batch))
        self.before(batch)
        if any(self.refuse(record) for record in batch):
            raise BatchRefused(f"a record of {len(batch)} cannot be read, see someone@example.com")
        rejected = [record for record in batch if self.reject(record)]
        with self.lock:
            for record in batch:
                if record not in rejected:
                    self.held.setdefault(record.key, []).append(json.loads(record.document))
        self.after(batch)
        return rejected


def send(client: Destination, batch: Sequence[Record]) -> list[Outcome]:
    rejected = {record.key for record in client.take(batch)}
    reason = "no such person as someone@example.com"
    return [
        Outcome(r.key, State.REJECTED, reason) if r.key in rejected else Outcome(r.key, State.ACCEPTED) for r in batch
    ]


def submit(client: Destination, batch: Sequence[Record]) -> list[Outcome]:
    client.take(batch)
    return [Outcome(r.key, State.SUBMITTED, receipt=f"receipt-{len(client.calls)}") for r in batch]


def settle(client: Destination, submitted: Sequence[Outcome]) -> list[Outcome]:
    return [answer for outcome in submitted if (answer := client.settled(outcome)) is not None]


def look_up(client: Destination, records: Sequence[Record]) -> list[Outcome]:
    return [Outcome(r.key, State.ACCEPTED, receipt=f"id-{r.key}") for r in records if r.key in client.held]


def orders_feed(**changes: Any) -> Feed:
    feed = Feed(
        system="test",
        name="orders",
        dataset="stokly.orders",
        key="order_id",
        owner=Team.OPERATIONS,
        description="Orders.",
        lane=Lane.INTERVAL,
        replay=ReplayClass.UPSERT,
        limits=BatchLimits(records=10, bytes=100_000, concurrency=2),
        build=build_orders,
        send=send,
        rejected_rule="T-REJECTED",
    )
    return replace(feed, **changes)


def refunds_trigger() -> Trigger:
    return Trigger("stokly.refunds", "order_id", "T-NO-ORDER")


def customer_gate(*, follows: bool = False) -> Gate:
    return Gate("customers", "its customer", _customers, follows=follows)


def _customers(frames: Frames) -> pd.DataFrame:
    orders = frames["stokly.orders"]
    return pd.DataFrame({"key": orders["order_id"], "needs": orders["customer_id"]})


def ledger(warehouse: Warehouse, feed: str = "test/orders") -> dict[str, dict[str, Any]]:
    """All ledger rows of a feed by key."""
    with warehouse.reading() as connection:
        rows = connection.execute(LEDGER.select().where(LEDGER.c.feed == feed)).mappings()
        return {row["key"]: dict(row) for row in rows}


def row(warehouse: Warehouse, feed: str, key: str, **values: Any) -> None:
    """A record of another feed, as the ledger knows it."""
    document = {"document": "{}", "document_hash": "h", "version": window().start}
    with warehouse.transaction() as connection:
        connection.execute(sa.insert(LEDGER).values(brand="demo", feed=feed, key=key, **document, **values))


def states(warehouse: Warehouse, feed: str = "test/orders") -> dict[str, str]:
    return {key: row["state"] for key, row in ledger(warehouse, feed).items()}
