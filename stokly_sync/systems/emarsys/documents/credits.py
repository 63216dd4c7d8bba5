"""Credit notes that no refund names, as sales data under an item of their own (E3).

A credit note has an amount and neither items nor units, so without such an item (`credit_item`) it is left out by name.
It is left out too where lines of its order were cancelled, because those are taken off the order, and nobody can tell
whether the note is for the same. Source: Emarsys API contract 2.4.
"""

from __future__ import annotations

from collections.abc import Collection

from stokly_sync.contracts import columns
from stokly_sync.flow import Built, Frames, Problem
from stokly_sync.systems.emarsys import rules
from stokly_sync.systems.emarsys.documents.refunds import Refund, Sale, document_of, kept_back, sales_of
from stokly_sync.systems.emarsys.settings import EmarsysSettings


def build_credits(frames: Frames, settings: EmarsysSettings) -> Built:
    """Credit notes from `stokly.credit_notes` with refunds, orders, lines and customers; the key is the note's id.

    One that is taken over by a refund, or left out for another reason later, gets a document without lines and a
    problem at once, like an order that was removed.
    """
    sales, named, cancelled = sales_of(frames, settings), _named(frames), _cancelled(frames, settings)
    documents, kept = [], []
    for note in _notes(frames, settings):
        sale = sales.get(note.order or "")
        problem = _kept_back(note, sale, named, cancelled, settings)
        if problem is not None:
            kept.append(problem)
        if sale is not None and not sale.buyer.nobody:
            documents.append(document_of(note, sale, note.sold if problem is None else {}))
    return Built(documents, kept)


def _notes(frames: Frames, settings: EmarsysSettings) -> list[Refund]:
    rows, item = frames["stokly.credit_notes"], settings.credit_item
    return [
        Refund(key, order, currency, True, alive, at, moment, version, {item: (0, -value)} if item else {})
        for key, order, currency, value, alive, at, moment, version in zip(
            columns.keys(rows["credit_note_id"]),
            columns.texts(rows["order_id"]),
            columns.keys(rows["currency"]),
            columns.counts(rows["value"]).tolist(),
            columns.flags(rows["live"]).tolist(),
            columns.stamps(rows["created_at"]),
            columns.moments(rows["created_at"]),
            columns.moments(rows["version"]),
            strict=True,
        )
    ]


def _named(frames: Frames) -> set[str | None]:
    """Credit notes that a live refund names: the refund's own lines stand for them."""
    refunds = frames["stokly.refunds"]
    return set(columns.texts(refunds["credit_note_id"][columns.flags(refunds["live"])]))


def _cancelled(frames: Frames, settings: EmarsysSettings) -> set[str]:
    """Orders that were removed, or of which a line was cancelled."""
    orders, lines = frames["stokly.orders"], frames["stokly.order_lines"]
    some = lines["order_id"][lines["status"].isin(list(settings.cancelled_lines)).to_numpy(dtype=bool)]
    return {*columns.keys(some), *columns.keys(orders["order_id"][~columns.flags(orders["live"])])}


def _kept_back(
    note: Refund,
    sale: Sale | None,
    named: Collection[str | None],
    cancelled: Collection[str],
    settings: EmarsysSettings,
) -> Problem | None:
    if note.key in named:
        return Problem(note.key, rules.CREDIT_REFUND.code, "a refund names it")
    if note.live and note.order is not None and not note.sold:
        return Problem(note.key, rules.CREDIT_NO_ITEM.code, "credit_item is not set")
    if note.order in cancelled:
        return Problem(note.key, rules.CREDIT_CANCELLED.code, f"lines of order {note.order} were cancelled")
    return kept_back(note, sale, settings)
