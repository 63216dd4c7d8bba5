"""Pages are read ahead in the background, but in order, never far, and never beyond a closed read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from time import monotonic, sleep

import pytest

from stokly_sync.errors import TransientError
from stokly_sync.flow import Page
from stokly_sync.landing.chunks import ahead, chunks

AT = datetime(2026, 1, 1, tzinfo=UTC)


def _page(number: int) -> Page:
    return Page([{"id": number}], AT, cursor=str(number), total=3)


def _eventually(holds: Callable[[], bool]) -> None:
    until = monotonic() + 5
    while not holds() and monotonic() < until:
        sleep(0.005)
    assert holds()


def test_pages_come_in_the_order_in_which_they_were_read() -> None:
    assert [page.cursor for page in ahead(_page(n) for n in range(50))] == [str(n) for n in range(50)]


def test_what_reading_raises_is_raised_where_the_pages_are_used_after_the_pages_before_it() -> None:
    def pages() -> Iterator[Page]:
        yield _page(0)
        raise TransientError("the source is down; try again later")

    taken = ahead(pages())
    assert next(taken).cursor == "0"
    with pytest.raises(TransientError, match="the source is down"):
        next(taken)


def test_reading_waits_while_nobody_takes_the_pages() -> None:
    read: list[int] = []

    def pages() -> Iterator[Page]:
        for number in range(1000):
            read.append(number)
            yield _page(number)

    taken = ahead(pages())
    next(taken)
    _eventually(lambda: len(read) > 3)
    sleep(0.05)
    assert len(read) < 20
    taken.close()


def test_a_read_that_is_closed_early_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    taken = ahead(_page(n) for n in range(1000))
    next(taken)
    taken.close()
    assert threading.active_count() == before


def test_a_chunk_holds_at_least_the_asked_documents_and_the_last_one_says_so() -> None:
    parts = list(chunks((_page(n) for n in range(3)), 2))
    assert [[d["id"] for d in part.chunk.documents] for part in parts] == [[0, 1], [2]]
    assert [(part.cursor, part.last, part.chunk.total) for part in parts] == [("1", False, 3), ("2", True, 3)]


def test_a_read_without_pages_is_one_empty_last_chunk() -> None:
    (part,) = chunks(iter(()), 2)
    assert (list(part.chunk.documents), part.cursor, part.last, part.chunk.total) == ([], None, True, 0)
