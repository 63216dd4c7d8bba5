"""No row is lost while others appear, vanish and move. Source: Stokly API contract 2.2."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stokly_sync.errors import TransientError
from stokly_sync.sandbox.stokly.conditions import compile_filter
from stokly_sync.sandbox.stokly.disturbances import Delete, PageHook, Put
from stokly_sync.sandbox.stokly.filters import parse_filter
from stokly_sync.systems.stokly.client import ListPage
from stokly_sync.systems.stokly.filters import where
from stokly_sync.systems.stokly.paging import Listing, by_ids, by_time, settled, unreadable_times
from stokly_sync_tests.systems.stokly.made import NOON, at, order, row_id

PATH = "/v2/saleorders"
KEY = "saleOrderId"
ORDERS = Listing(PATH, (KEY,), sort="createdAt")


def numbers(pages: Any) -> list[int]:
    return [row["niceId"] for page in pages for row in page.rows]


def delete(number: int) -> Delete:
    return Delete(collection="saleorders", key=row_id(f"order {number}"))


@pytest.mark.parametrize(
    "switch", [{}, {"max_size": 3}, {"duplicate_rows": ["saleorders"]}, {"other_dates": "javascript"}]
)
@pytest.mark.parametrize("size", [1, 4, 10, 11, 1000])
def test_every_row_is_read_once_whatever_the_page_size(account: Any, connect: Any, switch: Any, size: int) -> None:
    # A server that cuts the size down, or repeats rows, ends no loop early.
    client = connect(account({"saleorders": [order(n) for n in range(10)]}, **switch), page_size=size)
    assert sorted(numbers(settled(client, ORDERS))) == list(range(10))
    assert sorted(numbers(by_time(client, ORDERS, field="createdAt"))) == list(range(10))


def test_reading_by_time_asks_for_no_page_twice(account: Any, connect: Any) -> None:
    system = account({"saleorders": [order(n) for n in range(30)]})
    client = connect(system, page_size=10)
    assert numbers(by_time(client, ORDERS, field="createdAt")) == list(range(30))
    # Each page repeats one row of the page before, so four pages for thirty rows.
    assert system.calls.count(template=PATH) == 4


def test_a_range_takes_both_ends_and_nothing_beyond(account: Any, connect: Any) -> None:
    client = connect(account({"saleorders": [order(n) for n in range(10)]}), page_size=3)
    span = {"since": NOON + timedelta(minutes=2), "until": NOON + timedelta(minutes=6)}
    assert numbers(by_time(client, ORDERS, field="createdAt", **span)) == [2, 3, 4, 5, 6]


def test_a_row_that_leaves_the_filter_while_reading_hides_no_other_row(account: Any, connect: Any) -> None:
    live = ORDERS.narrowed(where("stage").differs("removed"))
    for read in (settled, lambda client, listing: by_time(client, listing, field="createdAt")):
        system = account({"saleorders": [order(n) for n in range(9)]})
        system.hook_page(PageHook(collection="saleorders", after=1, mutations=[delete(0), delete(1)]))
        # Offset paging alone would skip orders 3 and 4.
        assert set(numbers(read(connect(system, page_size=3), live))) == set(range(9))


def test_a_list_that_never_settles_is_an_error_and_not_a_loss(account: Any, connect: Any) -> None:
    live = ORDERS.narrowed(where("stage").differs("removed"))
    system = account({"saleorders": [order(n) for n in range(30)]})
    for page in range(1, 40):
        system.hook_page(PageHook(collection="saleorders", after=page, mutations=[delete(page % 30)]))
    with pytest.raises(TransientError, match="kept shifting"):
        list(settled(connect(system, page_size=3, paging_passes=2), live))


def test_a_row_that_moves_forward_while_reading_comes_again_under_its_new_time(account: Any, connect: Any) -> None:
    system = account({"saleorders": [order(n) for n in range(9)]})
    moved = Put(collection="saleorders", row={KEY: row_id("order 2"), "updatedAt": at(100)}, touch=False)
    system.hook_page(PageHook(collection="saleorders", after=1, mutations=[moved]))
    read = numbers(by_time(connect(system, page_size=3), ORDERS, field="updatedAt"))
    assert set(read) == set(range(9))
    assert read.count(2) == 2
    assert read[-1] == 2


@pytest.mark.parametrize("dates", ["iso", "javascript"])
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_more_rows_of_one_time_than_a_page_holds_are_read(account: Any, connect: Any, dates: str, size: int) -> None:
    times = [at(0), *[at(1)] * 5, at(1.0001), at(1.0002), at(2)]
    rows = [order(n, createdAt=time) for n, time in enumerate(times)]
    client = connect(account({"saleorders": rows}, other_dates=dates), page_size=size)
    assert sorted(set(numbers(by_time(client, ORDERS, field="createdAt")))) == list(range(9))


def test_rows_without_a_readable_time_are_found_at_the_ends(account: Any, connect: Any) -> None:
    rows = [order(n) for n in range(8)] + [order(8, createdAt=...), order(9, createdAt="yesterday")]
    client = connect(account({"saleorders": rows}), page_size=3)
    by_clock = set(numbers(by_time(client, ORDERS, field="createdAt")))
    at_the_end = set(numbers(unreadable_times(client, ORDERS, field="createdAt")))
    assert by_clock == set(range(9))
    assert at_the_end == {9}


def test_ids_are_asked_for_two_hundred_at_once(account: Any, connect: Any) -> None:
    system = account({"saleorders": [order(n) for n in range(450)]})
    ids = [row_id(f"order {n}") for n in range(450)]
    read = by_ids(connect(system), ORDERS, field=KEY, ids=ids)
    assert sorted(numbers(read)) == list(range(450))
    assert system.calls.count(template=PATH) == 3


class Unsorted:
    """A server that ignores sorting and filters: the same page for ever."""

    def __init__(self, rows: Sequence[dict[str, Any]], passes: int = 2) -> None:
        self.rows = rows
        self.asked = 0

        class Settings:
            paging_passes = passes

        self.settings = Settings()

    def page(self, _path: str, *, page: int = 0, **_ignored: Any) -> ListPage:
        self.asked += 1
        assert self.asked < 100, "going in circles"
        return ListPage(self.rows[page * 2 : page * 2 + 2], len(self.rows), NOON)


def test_a_server_that_does_not_sort_is_read_by_offset() -> None:
    server: Any = Unsorted([order(n) for n in (3, 1, 2, 0)])
    assert sorted(set(numbers(by_time(server, ORDERS, field="createdAt")))) == [0, 1, 2, 3]


def test_a_server_that_ignores_the_lower_bound_is_noticed() -> None:
    server: Any = Unsorted([order(n) for n in (0, 1, 2, 3)])
    with pytest.raises(TransientError, match="before the time asked for"):
        list(by_time(server, ORDERS, field="createdAt", since=NOON + timedelta(hours=1)))


class Fake:
    """A list in memory that keeps the contract's filters on one field, for many small cases."""

    def __init__(self, minutes: Sequence[int], size: int) -> None:
        self.rows = [order(n, createdAt=at(minute)) for n, minute in enumerate(minutes)]
        self.size = size

        class Settings:
            paging_passes = 3

        self.settings = Settings()

    def page(self, _path: str, *, filter: Any = None, page: int = 0, **_ignored: Any) -> ListPage:  # noqa: A002
        test = compile_filter(parse_filter(str(filter or "")), {"createdAt": "time"})
        found = sorted((r for r in self.rows if test is None or test(r)), key=lambda row: row["createdAt"])
        return ListPage(found[page * self.size : (page + 1) * self.size], len(found), NOON)


@given(st.lists(st.integers(0, 6), max_size=25), st.integers(1, 6))
def test_reading_by_time_is_whole_and_without_repetition_for_any_times(minutes: list[int], size: int) -> None:
    server: Any = Fake(minutes, size)
    assert sorted(numbers(by_time(server, ORDERS, field="createdAt"))) == list(range(len(minutes)))
