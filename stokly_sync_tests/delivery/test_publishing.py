"""Feeds that are published whole: once, in full, and never in part (E5)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from stokly_sync.delivery.figures import PlanScope
from stokly_sync.delivery.planning import plan
from stokly_sync.delivery.publishing import Publisher
from stokly_sync.delivery.sending import deliver
from stokly_sync.errors import PermanentError, TransientError
from stokly_sync.flow import Document, Feed, Whole
from stokly_sync.warehouse.tables import ATTEMPTS, WATERMARKS
from stokly_sync_tests.acceptance.benches import EmarsysBench
from stokly_sync_tests.acceptance.harness import Rig, opened

pytestmark = [pytest.mark.sandbox]


class Shelf:
    """A place that keeps what was published last."""

    def __init__(self) -> None:
        self.published: list[list[str]] = []
        self.fresh = True
        self.error: Exception | None = None

    def publish(self, client: object, documents: Iterator[Sequence[Document]]) -> str:
        del client
        keys = [document.key for chunk in documents for document in chunk]
        if self.error is not None:
            raise self.error
        self.published.append(keys)
        return f"{len(keys)} records"

    def current(self, client: object) -> bool:
        del client
        return self.fresh


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def rig(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Rig]:
    """Everything landed, nothing sent."""
    path = tmp_path / "warehouse.sqlite"
    shutil.copy(migrated_sqlite, path)
    with opened(EmarsysBench(), f"sqlite:///{path}") as made:
        made.extract()
        yield made


def feed_of(rig: Rig, shelf: Shelf) -> Feed:
    return replace(rig.services.feed("emarsys/products"), whole=Whole(shelf.publish, shelf.current))


def load(rig: Rig, shelf: Shelf) -> int:
    """Plan and deliver; gives the records that were accepted."""
    feed, services = feed_of(rig, shelf), rig.services
    catalogue, warehouse, run_id = services.catalogue, services.warehouse, uuid4().hex
    plan(warehouse, feed, catalogue=catalogue, scope=PlanScope(), run_id=run_id)
    done = deliver(warehouse, feed, None, catalogue=catalogue, run_id=run_id)
    done.check()
    return done.accepted


def test_all_records_are_published_once_and_those_that_were_due_are_accepted(rig: Rig, shelf: Shelf) -> None:
    assert load(rig, shelf) == 2
    assert shelf.published == [["MUG", "PLATE"]]
    assert set(rig.states("products").values()) == {"accepted"}


def test_one_that_changed_publishes_all(rig: Rig, shelf: Shelf) -> None:
    load(rig, shelf)
    rig.retry("products", "MUG")
    assert load(rig, shelf) == 1
    assert shelf.published[1:] == [["MUG", "PLATE"]]


def test_with_nothing_due_nothing_is_published_unless_what_is_there_is_old(rig: Rig, shelf: Shelf) -> None:
    load(rig, shelf)
    load(rig, shelf)
    assert len(shelf.published) == 1
    shelf.fresh = False
    assert load(rig, shelf) == 0
    assert len(shelf.published) == 2


@pytest.mark.parametrize("error", [TransientError("no folder"), PermanentError("not set")])
def test_what_was_not_published_stays_planned_and_its_attempt_is_closed(
    rig: Rig, shelf: Shelf, error: Exception
) -> None:
    shelf.error = error
    with pytest.raises(type(error)):
        load(rig, shelf)
    assert set(rig.states("products").values()) == {"planned"}
    with rig.services.warehouse.reading() as connection:
        assert connection.execute(sa.select(ATTEMPTS.c.closed_at)).scalar_one() is not None
    shelf.error = None
    assert load(rig, shelf) == 2


def test_a_part_of_the_history_is_not_published(rig: Rig, shelf: Shelf) -> None:
    with rig.services.warehouse.transaction() as connection:
        nothing = {"baseline_done": False, "watermark": None}
        connection.execute(sa.update(WATERMARKS).where(WATERMARKS.c.dataset == "stokly.items").values(nothing))
    with pytest.raises(TransientError, match="not landed in full"):
        load(rig, shelf)
    assert shelf.published == []
    feed = feed_of(rig, shelf)
    assert feed.whole is not None
    assert Publisher(rig.services.warehouse, feed, feed.whole).stale(None) is False
