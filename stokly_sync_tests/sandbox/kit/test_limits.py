from datetime import UTC, datetime

import pytest

from stokly_sync.sandbox.kit import FixedWindow, ManualClock, TokenBucket, retry_after_header


def test_a_fixed_window_allows_its_number_and_begins_anew() -> None:
    clock = ManualClock()
    window = FixedWindow(2, 60.0, clock=clock)
    assert [window.take().remaining for _ in range(2)] == [1, 0]
    clock.advance(45)
    refused = window.take()
    assert (refused.allowed, refused.remaining, refused.retry_after) == (False, 0, 15.0)
    clock.advance(15)
    assert window.take().allowed


def test_a_token_bucket_refills_steadily_up_to_its_burst() -> None:
    clock = ManualClock()
    bucket = TokenBucket(4, clock=clock)
    assert [bucket.take().allowed for _ in range(5)] == [True, True, True, True, False]
    clock.advance(0.25)
    assert [bucket.take().allowed for _ in range(2)] == [True, False]
    clock.advance(60)
    assert [bucket.take().allowed for _ in range(5)] == [True, True, True, True, False]


def test_a_token_bucket_says_when_the_next_call_may_come() -> None:
    clock = ManualClock()
    bucket = TokenBucket(4, 1, clock=clock)
    bucket.take()
    wait = bucket.take().retry_after
    assert wait == pytest.approx(0.25)
    clock.advance(wait)
    assert bucket.take().allowed


@pytest.mark.parametrize("limiter", [FixedWindow(1, 60.0), TokenBucket(1)], ids=["window", "bucket"])
def test_a_limiter_that_is_off_allows_everything(limiter: FixedWindow | TokenBucket) -> None:
    limiter.on = False
    assert all(limiter.take().allowed for _ in range(20))


def test_a_clock_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="only moves forward"):
        ManualClock().advance(-1)


def test_retry_after_seconds_are_rounded_up() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert retry_after_header("seconds", 0.2, now) == {"Retry-After": "1"}
    assert retry_after_header("date", 1.2, now) == {"Retry-After": "Thu, 01 Jan 2026 00:00:03 GMT"}
    assert retry_after_header("absent", 1, now) == {}
