"""Reading the vendor's list of failures: whose they are, and whether some were lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stokly_sync.systems.ometria.errorlog import RING, ErrorLog, Push, explain, read_entry
from stokly_sync_tests.systems.ometria.rows import T0

PATIENCE = timedelta(seconds=30)
OURS = Push("request-1", T0)


def entry(record_id: str = "O1", *, at: Any = T0, request_id: str | None = "request-1") -> dict[str, Any]:
    return {
        "request_id": request_id,
        "record_type": "order",
        "record_id": record_id,
        "record": {"customer": {"email": "buyer@example.com"}},
        "timestamp": at.isoformat(),
        "message": {"error_message": "not a valid value", "error_path": "root > lineitems > 0"},
    }


def log_of(*elements: Any, **taking: Any) -> ErrorLog:
    log = ErrorLog()
    log.take(elements, **{"at": T0 + PATIENCE, "first_push": T0, "patience": PATIENCE, **taking})
    return log


def test_a_failure_of_our_push_is_found_with_its_path() -> None:
    assert log_of(entry()).reason(OURS, "order", "O1") == "not a valid value at root > lineitems > 0"
    assert log_of(entry()).reason(OURS, "order", "O2") is None


def test_a_failure_of_another_push_of_the_same_record_is_not_ours() -> None:
    assert log_of(entry(request_id="request-0")).reason(OURS, "order", "O1") is None


@pytest.mark.parametrize(("minutes", "ours"), [(-10, False), (0, True), (5, True)])
def test_without_a_request_id_the_time_decides(minutes: int, ours: bool) -> None:
    log = log_of(entry(request_id=None, at=T0 + timedelta(minutes=minutes)))
    assert (log.reason(OURS, "order", "O1") is not None) is ours


def test_without_a_request_id_the_type_must_fit() -> None:
    assert log_of(entry(request_id=None)).reason(OURS, "contact", "O1") is None


def test_a_full_list_of_newer_failures_may_have_lost_some() -> None:
    log = log_of(*(entry(f"X{i}") for i in range(RING)))
    assert log.may_have_missed(OURS)
    assert not log.may_have_missed(Push("later", T0 + 2 * PATIENCE))


def test_a_list_that_reaches_back_before_our_push_is_complete() -> None:
    old = entry("X", at=T0 - timedelta(minutes=1))
    assert not log_of(*(entry(f"X{i}") for i in range(RING - 1)), old).may_have_missed(OURS)


def test_a_list_that_still_holds_what_was_read_before_is_complete() -> None:
    log = log_of(*(entry(f"X{i}") for i in range(50)))
    more = [entry(f"Y{i}") for i in range(50)]
    log.take(more + [entry(f"X{i}") for i in range(50)], at=T0 + 2 * PATIENCE, first_push=T0, patience=PATIENCE)
    assert not log.may_have_missed(OURS)
    log.take([entry(f"Z{i}") for i in range(RING)], at=T0 + 3 * PATIENCE, first_push=T0, patience=PATIENCE)
    assert log.may_have_missed(Push("request-2", T0 + 2 * PATIENCE))


def test_the_short_shape_names_no_record_so_any_may_be_meant() -> None:
    short = {"error_message": "not a valid value", "error_path": "root > email"}
    assert log_of(short).may_have_missed(OURS)
    assert not log_of().may_have_missed(OURS)


def test_the_same_short_list_twice_says_nothing_new() -> None:
    short = {"error_message": "not a valid value", "error_path": "root > email"}
    log = log_of(short)
    log.lost.clear()
    log.take([short], at=T0 + 2 * PATIENCE, first_push=T0, patience=PATIENCE)
    assert not log.lost


@pytest.mark.parametrize("element", [None, "failed", [], {"message": "?"}, {}])
def test_elements_of_no_known_shape_are_passed_over(element: Any) -> None:
    assert read_entry(element) is None


@pytest.mark.parametrize(
    ("message", "path", "said"),
    [
        ("not a valid value", "root > email", "not a valid value at root > email"),
        ("'buyer@example.com' is taken", None, "… is taken"),
        ("buyer@example.com is taken", None, "[e-mail] is taken"),
        ("+447700900123 is no number", "root", "… is no number at root"),
        (None, None, "refused without a reason"),
    ],
)
def test_a_reason_never_quotes_a_value(message: str | None, path: str | None, said: str) -> None:
    assert explain(message, path) == said


def test_a_receipt_keeps_the_request_and_its_time() -> None:
    assert Push.of(OURS.receipt) == OURS
    assert Push.of(Push("", T0).receipt) == Push("", T0)


def test_a_receipt_loses_nothing_of_the_time_or_the_first_push_would_seem_older_than_itself() -> None:
    push = Push("request-1", T0.replace(microsecond=999_999))
    log = log_of(*(entry(f"X{i}", at=push.at) for i in range(RING)), first_push=push.at)
    kept = Push.of(push.receipt)
    assert kept == push
    assert log.may_have_missed(kept)


@pytest.mark.parametrize("receipt", [None, "", "request-1", "request-1@yesterday", "request-1@2026-03-01T09:30:00"])
def test_what_is_no_receipt_is_not_taken_for_one(receipt: str | None) -> None:
    assert Push.of(receipt) is None
