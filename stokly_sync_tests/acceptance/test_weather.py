"""A destination or a source that answers badly, late, or not at all (X6, X16, X17)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stokly_sync.errors import CredentialsError, StoklySyncError, TransientError
from stokly_sync.flow import Scope, Window
from stokly_sync.landing.grid import EARLIEST
from stokly_sync.sandbox.kit import Fault
from stokly_sync_tests.acceptance.account import add_customers
from stokly_sync_tests.acceptance.benches import on_each
from stokly_sync_tests.acceptance.harness import Rig

pytestmark = [pytest.mark.acceptance, pytest.mark.sandbox]

SEVERAL = range(1, 21)


def wanted(rig: Rig) -> dict[str, set[str]]:
    """Keys of everything that should be held, by feed."""
    return {feed: set(keys) for feed, keys in rig.bench.wanted(rig).items()}


def one_sync_is_enough(rig: Rig, keys: list[str]) -> None:
    """Everything has arrived, each record is held once, and both sides agree."""
    held = rig.held(rig.bench.main)
    assert set(keys) <= held.keys()
    assert set(rig.states(rig.bench.main).values()) == {"accepted"}
    assert rig.sync().fine().sent == {}
    rig.agrees()


@pytest.mark.parametrize(
    ("how", "at_least"),
    [
        ({"retry_after": "seconds", "retry_after_seconds": 7}, 7.0),
        ({"retry_after": "date", "retry_after_seconds": 7}, 6.0),
        ({}, 0.5),
    ],
    ids=["in seconds", "as a date", "absent"],
)
def test_too_many_requests_is_heeded_and_then_all_goes_out(loaded: Rig, how: dict[str, Any], at_least: float) -> None:
    rig = loaded
    keys = rig.bench.add(rig, rig.bench.main, SEVERAL)
    rig.extract()
    rig.clock.waits.clear()
    rig.there.faults.add(rig.bench.fault(status=429, times=1, text='{"message":"slow down"}', **how))
    done = rig.load().fine()
    assert sum(rig.clock.waits) >= at_least
    sent = done.loaded[rig.bench.main].sent
    assert sent is not None
    assert sent.accepted == len(keys)
    assert {rig.taken(rig.bench.main)[key] for key in keys} == {1}
    one_sync_is_enough(rig, keys)


@pytest.mark.parametrize("how", ["seconds", "date", "absent"])
def test_too_many_requests_at_the_source_is_heeded(rig: Rig, how: str) -> None:
    fault: dict[str, Any] = {
        "status": 429,
        "retry_after": how,
        "retry_after_seconds": 7,
        "text": '{"message":"Too many requests"}',
    }
    rig.stokly.faults.add(Fault(path="/v2/saleorders$", **fault))
    rig.sync().fine()
    assert sum(rig.clock.waits) >= 6
    rig.agrees()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_that_passes_is_not_noticed(loaded: Rig, status: int) -> None:
    rig = loaded
    keys = rig.bench.add(rig, rig.bench.main, SEVERAL)
    rig.there.faults.add(rig.bench.fault(status=status, times=2, text="<html>gateway</html>", content_type="text/html"))
    rig.stokly.faults.add(Fault(path="/v0/customers", status=status, times=2))
    rig.sync().fine()
    assert {rig.taken(rig.bench.main)[key] for key in keys} == {1}
    one_sync_is_enough(rig, keys)


@pytest.mark.parametrize("processed", [False, True], ids=["before it was processed", "after it was processed"])
@on_each
def test_a_connection_that_is_cut_loses_and_doubles_nothing(rig_on_each: Rig, processed: bool) -> None:
    rig = rig_on_each
    keys = rig.bench.add(rig, rig.bench.main, SEVERAL)
    rig.there.faults.add(rig.bench.fault(action="cut", processed=processed, times=2))
    rig.sync().fine()
    assert set(rig.held(rig.bench.main)) == wanted(rig)[rig.bench.main]
    one_sync_is_enough(rig, keys)


def test_a_source_whose_answers_break_off_is_read_again(rig: Rig) -> None:
    rig.stokly.faults.add(Fault(path="/v2/saleorders", action="truncate", times=2))
    rig.stokly.faults.add(Fault(path="/v0/items", action="cut", times=2))
    rig.sync().fine()
    rig.agrees()


def test_a_token_that_ends_half_way_is_renewed(rig: Rig) -> None:
    rig.stokly.faults.add(
        Fault(path="^/v2/saleorders/", after=1, times=1, status=401, text='{"message":"jwt expired"}')
    )
    rig.sync().fine()
    assert {feed: set(rig.held(feed)) for feed in rig.bench.wanted(rig)} == wanted(rig)
    rig.agrees()


def test_tokens_that_are_revoked_between_two_pages_are_renewed(rig: Rig) -> None:
    add_customers(rig.stokly, range(1, 1101))
    client = rig.client()
    extract = rig.services.extract("stokly.customers")
    pages = extract.read(client, Scope(Window(EARLIEST, rig.clock.now() + timedelta(days=1)), baseline=True))
    seen = {document["customerId"] for document in next(pages).documents}
    rig.stokly.revoke_tokens()
    for page in pages:
        seen |= {document["customerId"] for document in page.documents}
    assert seen == {row["customerId"] for row in rig.stokly.store.rows("customers")}


@on_each
def test_a_destination_that_is_down_for_a_run_loses_nothing(rig_on_each: Rig) -> None:
    rig = rig_on_each
    keys = rig.bench.add(rig, rig.bench.main, SEVERAL)
    rig.extract()
    rig.there.faults.add(Fault(status=503, times=None))
    done = rig.load()
    assert done.errors
    assert all(isinstance(error, TransientError) for error in done.errors.values())
    assert {rig.state(rig.bench.main, key) for key in keys} == {"planned"}
    assert not {row["state"] for row in rig.ledger().values()} & {"rejected", "in_doubt"}
    rig.there.faults.clear()
    rig.clock.sleep(600)
    rig.sync().fine()
    one_sync_is_enough(rig, keys)


def test_one_feed_that_cannot_write_stops_no_other(loaded: Rig) -> None:
    rig = loaded
    first, *_ = rig.bench.add(rig, rig.bench.main, SEVERAL)
    (other,) = rig.bench.add(rig, rig.bench.follows, [1])
    rig.extract()
    rig.there.faults.add(rig.bench.fault(body=f'"{first}"', status=503, times=None))
    done = rig.load()
    assert set(done.errors) == {rig.bench.main}
    assert other in rig.held(rig.bench.follows)
    assert set(rig.states(rig.bench.main).values()) == {"accepted", "planned"}


def test_a_destination_that_stays_down_is_left_alone_and_found_again(loaded: Rig) -> None:
    rig = loaded
    keys = rig.bench.add(rig, rig.bench.main, SEVERAL)
    rig.extract()
    rig.there.faults.add(Fault(status=503, times=None))
    for _ in range(3):
        assert rig.load().errors
    rig.there.calls.reset()
    refused = rig.load()
    assert rig.there.calls.rows() == []
    assert "left alone until" in str(refused.errors[rig.bench.main])
    rig.there.faults.clear()
    rig.clock.sleep(6 * 60)
    done = rig.load().fine()
    sent = done.loaded[rig.bench.main].sent
    assert sent is not None
    assert sent.accepted == len(keys)
    one_sync_is_enough(rig, keys)


def test_wrong_credentials_stop_loudly_and_nothing_is_lost(loaded: Rig) -> None:
    rig = loaded
    keys = rig.bench.add(rig, rig.bench.main, SEVERAL)
    rig.extract()
    rig.bench.revoke(rig)
    done = rig.load()
    error = done.errors[rig.bench.main]
    assert isinstance(caused(error), CredentialsError)
    assert rig.bench.system.upper() in str(error)
    assert {rig.state(rig.bench.main, key) for key in keys} == {"planned"}


def caused(error: BaseException) -> BaseException:
    """The first of the causes of an error."""
    while error.__cause__ is not None and isinstance(error.__cause__, StoklySyncError):
        error = error.__cause__
    return error
