"""One exception in full: what is wrong, the record as it came and as it would be sent, and what has happened to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
import pandas as pd
import sqlalchemy as sa

from stokly_sync.contracts import money
from stokly_sync.contracts.datasets import DATASETS, TABLES
from stokly_sync.contracts.rules import Rule
from stokly_sync.contracts.schema import dataset_of
from stokly_sync.contracts.tables import Kind
from stokly_sync.delivery.loading import load
from stokly_sync.delivery.rules import IN_DOUBT
from stokly_sync.errors import StoklySyncError
from stokly_sync.flow import Extract, Feed, Frames
from stokly_sync.operations import audit
from stokly_sync.operations.audit import Action
from stokly_sync.operations.desk import Desk
from stokly_sync.operations.listing import Ref, Row, rows_of
from stokly_sync.operations.masking import Mask, mask_of, masked_row
from stokly_sync.operations.steps import Step, attempts_of, placed
from stokly_sync.warehouse.bulk import rows_by
from stokly_sync.warehouse.exceptions import IGNORED, OPEN
from stokly_sync.warehouse.tables import EXCEPTIONS, LANDED, LEDGER

_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_MOST_ROWS: Final = 50
_INNER: Final = frozenset({"content_hash"})


@dataclass(frozen=True)
class Shown:
    """A document for people: what it is, and its text as indented JSON, masked or not."""

    title: str
    text: str


@dataclass(frozen=True)
class Detail:
    """One exception and all that is known of its record. `others` are further exceptions of the same record."""

    row: Row
    rule: Rule | None
    received: Sequence[Shown]
    outgoing: Sequence[Shown]
    state: str | None
    """The record's state in the ledger of the feed; None where the exception is about a landed row."""
    history: Sequence[Step]
    others: Sequence[Ref]
    revealed: bool
    record: tuple[str, str]
    """Dataset and key of the landed row that it is about, for its trace; a guest's feed has keys of its own."""

    @property
    def in_doubt(self) -> bool:
        """Whether a person has to say what became of the record."""
        return self.row.ref.rule == IN_DOUBT


class NoSuchException(StoklySyncError):
    """There is no exception of that name."""


def look(desk: Desk, ref: Ref) -> Detail:
    """One exception with everything personal masked; raises NoSuchException."""
    return _look(desk, ref, reveal=False)


def reveal(desk: Desk, ref: Ref, *, actor: str) -> Detail:
    """One exception with what is personal in it; that somebody looked is written down first. Raises NoSuchException."""
    with desk.warehouse.transaction() as conn:
        if not rows_of(conn, desk.brand, [ref]):
            raise _none(ref)
        told = {"subject": ref.subject, "key": ref.key, "rule": ref.rule}
        audit.note_record(conn, desk.brand, Action.REVEAL, actor=actor, detail="personal data was shown", **told)
    return _look(desk, ref, reveal=True)


def _none(ref: Ref) -> NoSuchException:
    return NoSuchException(f"{ref.subject} has no exception {ref.rule} of {ref.key}; the list shows those there are.")


def _look(desk: Desk, ref: Ref, *, reveal: bool) -> Detail:
    with desk.warehouse.reading() as conn:
        rows = rows_of(conn, desk.brand, [ref])
        if not rows:
            raise _none(ref)
        feed = desk.feeds.get(ref.subject)
        if feed is not None:
            received, outgoing = _of_feed(conn, desk, feed, ref.key, reveal=reveal)
        else:
            received, outgoing = _of_dataset(conn, desk, ref, reveal=reveal), []
        state, steps = _ledger(conn, desk, ref) if feed is not None else (None, [])
        history = sorted([*steps, *_own(conn, desk, ref, rows[0])], key=lambda step: step.at)
        others, record = _others(conn, desk, ref), record_of(conn, desk, ref)
    rule = desk.catalogue.get(ref.rule)
    return Detail(rows[0], rule, received, outgoing, state, history, others, reveal, record)


def record_of(conn: sa.Connection, desk: Desk, ref: Ref) -> tuple[str, str]:
    """Dataset and key of the landed row that an exception or a ledger row is about."""
    feed = desk.feeds.get(ref.subject)
    if feed is None:
        return ref.subject, ref.key
    root, key = LANDED[feed.dataset].c, DATASETS[feed.dataset].key
    if feed.key == key:
        return feed.dataset, ref.key
    query = sa.select(root[key]).where(root.brand == desk.brand, root[feed.key] == ref.key).order_by(root[key].desc())
    return feed.dataset, conn.execute(query.limit(1)).scalar_one_or_none() or ref.key


def _of_dataset(conn: sa.Connection, desk: Desk, ref: Ref, *, reveal: bool) -> list[Shown]:
    """The document as its source sent it; where only its landed rows are left, those."""
    if ref.subject not in DATASETS:
        return []
    e = EXCEPTIONS.c
    named = (e.brand == desk.brand, e.subject == ref.subject, e.key == ref.key, e.rule == ref.rule)
    payload = conn.execute(sa.select(e.payload, e.last_seen).where(*named)).one()
    if payload.payload is None:
        return _landed(conn, desk, ref.subject, DATASETS[ref.subject].key, ref.key, reveal=reveal)
    document = _decode(payload.payload)
    extract = desk.extracts.get(ref.subject)
    mask = Mask() if reveal else _mask_of_payload(extract, ref.subject, document, payload.last_seen)
    return [Shown("As it was received", _json(document if reveal else mask.over(document)))]


def _mask_of_payload(extract: Extract | None, dataset: str, document: Any, at: datetime) -> Mask:
    frames: Frames = extract.rows([document], at).frames if extract is not None else {}
    return mask_of(frames, root=dataset)


def _of_feed(conn: sa.Connection, desk: Desk, feed: Feed, key: str, *, reveal: bool) -> tuple[list[Shown], list[Shown]]:
    received = _landed(conn, desk, feed.dataset, feed.key, key, reveal=reveal)
    frames = load(conn, feed, [key], brand=desk.brand)
    document = _waiting(conn, desk, feed, key)
    title = "As it is stored, to be sent"
    if document is None and len(frames[feed.dataset]):
        built = feed.build(frames)
        document = next((dict(d.body) for d in built.documents if d.key == key), None)
        title = "As it would be sent"
    if document is None:
        return received, []
    shown = document if reveal else mask_of(frames, root=feed.dataset).over(document)
    return received, [Shown(title, _json(shown))]


def _waiting(conn: sa.Connection, desk: Desk, feed: Feed, key: str) -> Any:
    c = LEDGER.c
    query = sa.select(c.document).where(c.brand == desk.brand, c.feed == feed.id, c.key == key, c.entry == 0)
    text = conn.execute(query).scalar_one_or_none()
    return None if text is None else _decode(text)


def _landed(conn: sa.Connection, desk: Desk, dataset: str, column: str, key: str, *, reveal: bool) -> list[Shown]:
    """A record's landed rows, table by table; personal columns masked."""
    whole = dataset_of(dataset)
    roots = rows_by(conn, whole.root, brand=desk.brand, column=column, values=[key])
    found = []
    for table in whole.tables:
        frame = roots
        if table.parent_key:
            owners = roots[whole.key].tolist()
            frame = rows_by(conn, table, brand=desk.brand, column=table.parent_key, values=owners)
        rows = [_plain(table.name, row) for row in frame.head(_MOST_ROWS).to_dict("records")]
        if rows:
            shown = rows if reveal else [masked_row(table.name, row) for row in rows]
            found.append(Shown(f"Landed in {table.name}", _json(shown if len(shown) > 1 else shown[0])))
    return found


def _plain(table: str, row: Mapping[Any, Any]) -> dict[str, Any]:
    """A landed row as plain values: money in major units, times as text, what is missing left out."""
    kinds = {c.name: c.kind for c in TABLES[table].all_columns}
    return {n: _value(kinds[n], v) for n, v in row.items() if n not in _INNER and not pd.isna(v)}


def _value(kind: Kind, value: Any) -> Any:
    if kind is Kind.MONEY:
        return Decimal(format(money.decimal(int(value)).normalize(), "f"))
    if kind is Kind.JSON:
        return json.loads(value)
    return value.isoformat() if kind is Kind.TIME else value


def _ledger(conn: sa.Connection, desk: Desk, ref: Ref) -> tuple[str | None, list[Step]]:
    found = placed(conn, desk, ref.subject, [ref.key])
    state = found[0].state if found else None
    return state, [step for one in found for step in one.steps] + attempts_of(conn, desk, ref.subject, ref.key)


def _own(conn: sa.Connection, desk: Desk, ref: Ref, row: Row) -> list[Step]:
    """What happened to the exception itself: found, seen again, and every act of a person."""
    e = EXCEPTIONS.c
    named = (e.brand == desk.brand, e.subject == ref.subject, e.key == ref.key, e.rule == ref.rule)
    closed = conn.execute(sa.select(e.closed_at).where(*named)).scalar_one()
    steps = [Step(row.first_seen, ref.subject, "found", row.detail, None)]
    if closed is None and row.last_seen > row.first_seen:
        steps.append(Step(row.last_seen, ref.subject, "found again", "", row.run_id))
    if closed is not None:
        steps.append(Step(closed, ref.subject, "closed", "the record passes, or is not to be sent", row.run_id))
    acts = audit.acts_on(conn, desk.brand, subject=ref.subject, key=ref.key)
    return steps + [
        Step(act.at, ref.subject, f"{act.action} by {act.actor}", act.detail, None)
        for act in acts
        if act.rule in ("", ref.rule)
    ]


def _others(conn: sa.Connection, desk: Desk, ref: Ref) -> list[Ref]:
    """What else is wrong with the record, at its source and at every destination."""
    feed = desk.feeds.get(ref.subject)
    dataset = feed.dataset if feed else ref.subject
    subjects = [dataset, *(f.id for f in desk.feeds.values() if f.dataset == dataset)]
    e = EXCEPTIONS.c
    query = sa.select(e.subject, e.key, e.rule).where(
        e.brand == desk.brand, e.subject.in_(subjects), e.key == ref.key, e.state.in_((OPEN, IGNORED))
    )
    return [r for r in (Ref(*row) for row in conn.execute(query.order_by(e.subject, e.rule))) if r != ref]


def _json(value: Any) -> str:
    return msgspec.json.format(_ENCODER.encode(value), indent=2).decode()
