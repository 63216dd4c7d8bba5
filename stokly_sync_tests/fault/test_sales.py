"""Sales data are counted once, whatever happens: killed at each step, answered late or never (E3, E8).

The destination can only be added to and cannot be asked. So nothing that may have arrived leaves again by itself: it is
in doubt until a person has looked. What the person then says leads to the end that an undisturbed sync has.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

import pytest
import sqlalchemy as sa

from stokly_sync.crashpoints import EXIT_STATUS
from stokly_sync.delivery.doubts import Word, doubts, resolve
from stokly_sync.errors import PermanentError, TransientError
from stokly_sync.sandbox.emarsys import EmarsysSandbox
from stokly_sync.sandbox.kit import Fault
from stokly_sync.warehouse.tables import ATTEMPTS
from stokly_sync_tests.acceptance.account import add_order
from stokly_sync_tests.acceptance.benches import EmarsysBench
from stokly_sync_tests.acceptance.harness import Rig, opened
from stokly_sync_tests.fault.process import started

pytestmark = [pytest.mark.kill, pytest.mark.sandbox]

FEEDS: Final = ("orders", "refunds")
UPLOAD: Final = "/sales-data/api"
# Products and contacts pass each place once before orders do.
PLACES: Final = [
    f"send:{place}:{passage}"
    for place in ("attempt-opened", "before-call", "after-call", "before-merge")
    for passage in (3, 4)
]


@pytest.fixture
def rig(warehouse_url: str) -> Iterator[Rig]:
    """The product between Stokly and Emarsys on each database, with little patience for uploads."""
    with opened(EmarsysBench(), warehouse_url, environ={"EMARSYS_SALES_TIMEOUT": "0.3"}) as made:
        yield made


def there(rig: Rig) -> EmarsysSandbox:
    return cast("EmarsysSandbox", rig.there)


def lines(rig: Rig) -> Counter[tuple[str, str, str, str]]:
    """Every line that the destination holds, with how often it holds it."""
    shown = there(rig).sales.shown()
    return Counter((line["order"], line["item"], line["quantity"], line["price"]) for line in shown)


def wanted(rig: Rig) -> Counter[tuple[str, str, str, str]]:
    """What it should hold: each line of each order, and the one of the refund, once."""
    found = lines(rig)
    return Counter(dict.fromkeys(found, 1))


def say(rig: Rig, word: Word, feed: str, keys: list[str]) -> None:
    catalogue, declared = rig.services.catalogue, rig.services.feed(rig.feed_id(feed))
    resolve(rig.services.warehouse, declared, keys, word, catalogue=catalogue, run_id="a person")


def in_doubt(rig: Rig, feed: str) -> list[str]:
    return sorted(doubt.key for doubt in doubts(rig.services.warehouse, feed=rig.feed_id(feed)))


def decide(rig: Rig, *, arrived: Mapping[str, bool]) -> None:
    """Say of everything in doubt what the destination shows."""
    for feed in FEEDS:
        keys = in_doubt(rig, feed)
        if keys:
            say(rig, "arrived" if arrived[feed] else "again", feed, keys)


@pytest.mark.parametrize("place", PLACES)
def test_an_upload_killed_at_any_step_is_counted_once(rig: Rig, place: str) -> None:
    process = started(rig.env, "emarsys", crash_at=place)
    process.join(timeout=60)
    assert process.exitcode == EXIT_STATUS
    rig.sync().fine()
    assert lines(rig) == wanted(rig), "nothing is sent again by itself"
    held = lines(rig)
    decide(
        rig,
        arrived={"orders": any(key[2][0] != "-" for key in held), "refunds": any(key[2][0] == "-" for key in held)},
    )
    rig.sync().fine()
    assert len(lines(rig)) == 4
    assert lines(rig) == wanted(rig)
    assert {row["state"] for row in rig.ledger().values()} == {"accepted"}
    assert rig.exceptions() == set()
    rig.agrees()


def test_kill_9_while_an_upload_is_on_its_way_is_counted_once(rig: Rig) -> None:
    rig.there.faults.add(Fault(path=UPLOAD, action="pass", delay=3.0, times=1))
    process = started({**rig.env, "EMARSYS_SALES_TIMEOUT": "60"}, "emarsys")
    wait_for_attempt(rig)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(timeout=10)
    rig.there.faults.clear()
    rig.sync().fine()
    assert in_doubt(rig, "orders") != []
    assert rig.sync().fine().sent == {}
    wait_until(lambda: bool(lines(rig)), seconds=6)  # whoever looks before it came in would be wrong
    decide(rig, arrived={"orders": bool(lines(rig)), "refunds": False})
    rig.sync().fine()
    assert (len(lines(rig)), lines(rig)) == (4, wanted(rig))
    rig.agrees()


def wait_for_attempt(rig: Rig) -> None:
    """Wait until the upload of orders is on its way: an attempt of theirs is open."""

    def announced() -> bool:
        c = ATTEMPTS.c
        query = sa.select(sa.func.count()).where(c.feed == "emarsys/orders", c.closed_at.is_(None))
        with rig.services.warehouse.reading() as connection:
            return connection.execute(query).scalar_one() > 0

    assert wait_until(announced, seconds=30)
    time.sleep(0.7)


def wait_until(seen: Callable[[], bool], *, seconds: float) -> bool:
    """Look every few hundredths of a second; says whether it came to it."""
    end = time.monotonic() + seconds
    while not seen():
        if time.monotonic() > end:
            return False
        time.sleep(0.03)
    return True


@pytest.mark.parametrize("reply", ["late", "never"])
def test_an_answer_that_comes_late_or_never_parks_the_upload_whole(rig: Rig, reply: str) -> None:
    there(rig).set_switches(sales_reply=reply, sales_reply_times=1)
    done = rig.sync()
    assert isinstance(done.errors["orders"], TransientError)
    sent = done.loaded["orders"].sent
    assert sent is not None
    assert (sent.in_doubt, sent.accepted) == (2, 0)
    assert {rule for subject, _, rule in rig.exceptions() if subject == "emarsys/orders"} == {"DELIVERY-IN-DOUBT"}
    before = lines(rig)
    rig.clock.sleep(3600)
    assert rig.sync().fine().sent == {}
    assert rig.replay(force=True).fine().loaded["orders"].to_send == 0
    assert lines(rig) == before
    say(rig, "arrived", "orders", in_doubt(rig, "orders"))
    rig.sync().fine()
    assert (len(lines(rig)), lines(rig)) == (4, wanted(rig))
    assert rig.exceptions() == set()
    rig.agrees()


def test_what_never_arrived_is_sent_again_when_a_person_says_so(rig: Rig) -> None:
    rig.there.faults.add(Fault(path=UPLOAD, action="cut", processed=False, times=1))
    rig.sync()
    assert lines(rig) == Counter()
    say(rig, "again", "orders", in_doubt(rig, "orders"))
    assert rig.exceptions() == set()
    rig.clock.sleep(3600)
    rig.sync().fine()
    assert (len(lines(rig)), lines(rig)) == (4, wanted(rig))
    rig.agrees()


def test_in_doubt_is_a_difference_until_it_is_decided(rig: Rig) -> None:
    rig.there.faults.add(Fault(path=UPLOAD, action="cut", processed=True, times=1))
    rig.sync()
    found = {c.feed: c for c in rig.reconcile()}["emarsys/orders"]
    assert (found.agreed, found.in_doubt, found.read_back) == (False, 2, False)


def test_an_order_in_doubt_keeps_its_correction_and_its_refund_back(rig: Rig) -> None:
    rig.sync().fine()
    bought = add_order(rig.stokly, 1)
    rig.there.faults.add(Fault(path=UPLOAD, action="cut", processed=True, times=1))
    rig.sync()
    assert in_doubt(rig, "orders") == [bought]
    rig.clock.sleep(3600)
    add_order(rig.stokly, 1, quantity=5, updated=rig.clock.now())
    assert "orders" not in rig.sync().fine().sent
    say(rig, "arrived", "orders", [bought])
    assert rig.sync().fine().sent == {"orders": 1}
    assert [key[2] for key in sorted(lines(rig)) if key[0] == bought] == ["2", "3"]
    rig.agrees()


def test_only_what_is_in_doubt_can_be_decided(rig: Rig) -> None:
    rig.sync().fine()
    (key, *_) = (key for feed, key in rig.ledger() if feed == "orders")
    with pytest.raises(PermanentError, match="not in doubt"):
        say(rig, "again", "orders", [key])


def test_refused_lines_are_found_one_by_one_and_the_rest_is_counted_once(rig: Rig) -> None:
    rig.sync().fine()
    keys = [add_order(rig.stokly, number) for number in range(1, 8)]
    told: dict[str, Any] = {"status": 400, "text": "Row 2: invalid value in column order.", "times": None}
    rig.there.faults.add(Fault(path=UPLOAD, body=keys[3], content_type="text/plain", **told))
    done = rig.sync().fine()
    sent = done.loaded["orders"].sent
    assert sent is not None
    assert (sent.accepted, dict(sent.rejected)) == (6, {"EM-REJECTED": 1})
    assert lines(rig) == wanted(rig)
    assert rig.state("orders", keys[3]) == "rejected"
