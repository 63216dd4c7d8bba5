"""Destinations that fetch everything at once: when anything is due, all records of the feed are published together.

A plan decides record by record as everywhere; a delivery publishes the whole once, built anew from landed rows, and all
that was due is accepted with it. Nothing is published before the history of its datasets is complete: a part of the
records would delete the others there (E5).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from stokly_sync.delivery.loading import load
from stokly_sync.errors import TransientError
from stokly_sync.flow import Document, Feed, Outcome, Record, State, Whole
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import LANDED
from stokly_sync.warehouse.windows import watermark

_CHUNK = 2_500


@dataclass
class Publisher:
    """Publishes a feed at most once for one delivery."""

    warehouse: Warehouse
    feed: Feed
    whole: Whole
    receipt: str | None = None
    _publishing: threading.Lock = field(default_factory=threading.Lock)

    def send(self, client: Any, batch: Sequence[Record]) -> list[Outcome]:
        """Publish, if that has not been done, and say of every record of the batch that it is in."""
        receipt = self.publish(client)
        return [Outcome(record.key, State.ACCEPTED, receipt=receipt) for record in batch]

    def publish(self, client: Any) -> str:
        """Publish everything once. Raises TransientError while the history is not complete."""
        with self._publishing:
            if self.receipt is None:
                self._refuse_parts()
                self.receipt = self.whole.publish(client, self._documents())
            return self.receipt

    def stale(self, client: Any) -> bool:
        """Whether it must be published although nothing is due: because it is not there, or not of today."""
        return self._landed() and not self.whole.current(client)

    def _refuse_parts(self) -> None:
        if not self._complete():
            raise TransientError(f"{self.feed.id}: its history is not landed in full; a part would delete the rest.")

    def _complete(self) -> bool:
        brand, datasets = self.warehouse.brand, {self.feed.dataset, *(t.dataset for t in self.feed.triggers)}
        with self.warehouse.reading() as connection:
            marks = [watermark(connection, brand=brand, dataset=dataset) for dataset in datasets]
        return all(mark.baseline_done or mark.watermark is not None for mark in marks)

    def _landed(self) -> bool:
        root = LANDED[self.feed.dataset]
        query = sa.select(root.c[self.feed.key]).where(root.c.brand == self.warehouse.brand).limit(1)
        with self.warehouse.reading() as connection:
            return connection.execute(query).first() is not None and self._complete()

    def _documents(self) -> Iterator[Sequence[Document]]:
        """All documents in ascending order of their keys, a chunk at a time."""
        for keys in self._keys():
            with self.warehouse.reading() as connection:
                frames = load(connection, self.feed, keys, brand=self.warehouse.brand)
            built = self.feed.build(frames)
            yield sorted(built.documents, key=lambda document: document.key)

    def _keys(self) -> Iterator[list[str]]:
        root, after = LANDED[self.feed.dataset], ""
        key = root.c[self.feed.key]
        while True:
            query = sa.select(key).distinct().where(root.c.brand == self.warehouse.brand, key > after)
            with self.warehouse.reading() as connection:
                keys = list(connection.execute(query.order_by(key).limit(_CHUNK)).scalars())
            if not keys:
                return
            yield keys
            after = keys[-1]
