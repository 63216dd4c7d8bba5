"""Pages read ahead in the background, and put together to chunks of a size that is worth checking and storing.

While a chunk is checked and stored, the source is asked for the next pages already: over a real network that is where
the time goes. Reading stays in one thread and in order, and never runs far ahead, so memory stays flat.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from stokly_sync.flow import Page
from stokly_sync.landing.store import Chunk

# Pages that may wait to be checked; those of orders hold a few hundred documents, others a thousand small ones.
_AHEAD: Final = 3
_PATIENCE_S: Final = 0.5


@dataclass(frozen=True)
class Part:
    """One chunk of a read: the cursor behind its last page, and whether it is the last of all."""

    chunk: Chunk
    cursor: str | None
    last: bool

    def bare(self) -> Part:
        """The same without its documents, which are the largest thing in memory."""
        return replace(self, chunk=replace(self.chunk, documents=()))


@dataclass(frozen=True)
class _Failed:
    error: BaseException


def ahead(pages: Iterable[Page]) -> Generator[Page, None, None]:
    """The same pages, read in a thread of their own up to a few pages ahead; what that raises is raised here.

    Close it when it is not read to the end: the thread then stops behind the page that it is reading.
    """
    waiting: queue.Queue[Page | _Failed | None] = queue.Queue(_AHEAD)
    closed = threading.Event()

    def put(item: Page | _Failed | None) -> None:
        while not closed.is_set():
            with suppress(queue.Full):
                waiting.put(item, timeout=_PATIENCE_S)
                break

    def read() -> None:
        try:
            for page in pages:
                put(page)
                if closed.is_set():
                    return
        except BaseException as error:  # noqa: BLE001  # it is raised where the pages are used
            put(_Failed(error))
        else:
            put(None)

    thread = threading.Thread(target=read, name="read", daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, _Failed):
                raise item.error
            yield item
    finally:
        closed.set()
        thread.join()


def chunks(pages: Iterable[Page], size: int) -> Iterator[Part]:
    """Pages put together to chunks of at least `size` documents; at least one chunk, which may be empty.

    One page is looked at before its time, because the last chunk also closes the read.
    """
    documents: list[Any] = []
    started: list[datetime] = []
    total: int | None = None
    rest = iter(pages)
    page = next(rest, None)
    if page is None:
        yield Part(Chunk([], datetime.now(UTC), 0), None, last=True)
    while page is not None:
        following = next(rest, None)
        documents.extend(page.documents)
        started.append(page.requested_at)
        total = page.total if page.total is not None else total
        if following is None or len(documents) >= size:
            yield Part(Chunk(documents, min(started), total), page.cursor, last=following is None)
            documents, started = [], []
        page = following
