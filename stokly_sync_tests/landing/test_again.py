"""A record that a person names is read from its source now, and lands as if a window had found it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from stokly_sync.contracts.money import NANO
from stokly_sync.errors import PermanentError
from stokly_sync.landing.again import land_again
from stokly_sync.landing.run import Reader, land_window
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import EXCEPTIONS
from stokly_sync_tests.landing.shop import T0
from stokly_sync_tests.landing.source import Source
from stokly_sync_tests.landing.test_run import HOUR, RULES, landed, order, orders, revisions, watermark


@pytest.fixture
def reader(warehouse: Warehouse) -> Reader:
    return Reader(warehouse, RULES, run_id="run-1", windows_from=T0 - timedelta(days=1))


@pytest.fixture
def source(reader: Reader) -> Source:
    """Three orders, the total of one of which is wrong."""
    made = orders(3)
    made.put(**order("o1", at=HOUR.start, total=11 * NANO))
    land_window(reader, made.extract(), None, HOUR)
    return made


def kept_back(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    e = EXCEPTIONS.c
    with warehouse.reading() as conn:
        return [tuple(r) for r in conn.execute(sa.select(e.key, e.state, e.value, e.currency))]


def test_a_corrected_record_lands_its_exception_closes_and_feeds_owe_it(reader: Reader, source: Source) -> None:
    assert kept_back(reader.warehouse) == [("o1", "open", 11 * NANO, "GBP")], "with what is at stake"
    before = watermark(reader.warehouse)
    source.put(**order("o1", at=HOUR.start, updated_at=HOUR.end))
    source.put(**order("o2", at=HOUR.start, city="Elsewhere", updated_at=HOUR.end))
    found = land_again(reader, source.extract(), None, ["o1"])
    assert (found.read, found.changed, found.released) == (1, 1, 1)
    assert [row.order_id for row in landed(reader.warehouse)] == ["o0", "o1", "o2"]
    assert [row.city for row in landed(reader.warehouse)] == [None] * 3, "nobody else was read"
    assert kept_back(reader.warehouse)[0][1] == "closed"
    assert max(revisions(reader.warehouse)) >= HOUR.end, "the running window"
    assert watermark(reader.warehouse) == before


def test_a_record_that_is_still_wrong_stays_kept_back(reader: Reader, source: Source) -> None:
    found = land_again(reader, source.extract(), None, ["o1"])
    assert (found.read, dict(found.quarantined)) == (1, {"ST-ORDER-TOTAL": 1})
    assert kept_back(reader.warehouse)[0][1] == "open"


def test_a_record_that_the_source_does_not_have_any_more_counts_nothing(reader: Reader, source: Source) -> None:
    assert land_again(reader, source.extract(), None, ["o9"]).read == 0


def test_a_source_that_is_read_as_a_whole_says_so(reader: Reader) -> None:
    with pytest.raises(PermanentError, match="next read"):
        land_again(reader, Source("stokly.stock", snapshot=True).extract(), None, ["i1/"])
