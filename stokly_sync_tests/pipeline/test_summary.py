from __future__ import annotations

from collections import Counter

from stokly_sync.pipeline.summary import Exit, FeedFigures, Summary


def feed(**counts: int) -> FeedFigures:
    figures = FeedFigures(read=10, to_send=6, accepted=6, unchanged=1, quarantined=Counter({"A": 2}))
    figures.excluded["B"] = 1
    for name, value in counts.items():
        setattr(figures, name, value)
    return figures


def summary(figures: FeedFigures, *, status: str = "agreed", failures: tuple[str, ...] = ()) -> Summary:
    return Summary({}, {"ometria/orders": figures}, {"ometria": {"status": status}}, {}, failures)


def test_a_sum_that_closes_and_sides_that_agree_are_status_0() -> None:
    assert feed().closes
    assert summary(feed()).exit is Exit.AGREED


def test_a_record_in_doubt_is_status_1() -> None:
    assert summary(feed(accepted=5, in_doubt=1)).exit is Exit.DIFFERS


def test_a_record_that_is_not_accounted_for_is_status_1() -> None:
    assert not feed(read=11).closes
    assert summary(feed(read=11)).exit is Exit.DIFFERS


def test_sides_that_differ_are_status_1() -> None:
    assert summary(feed(), status="differs").exit is Exit.DIFFERS


def test_a_rejected_record_that_explains_its_difference_is_status_0() -> None:
    assert summary(feed(accepted=5, rejected=1)).exit is Exit.AGREED


def test_anything_that_failed_is_status_2() -> None:
    assert summary(feed(), failures=("stokly_windows: no",)).exit is Exit.COULD_NOT_RUN


def test_the_json_closes_by_itself() -> None:
    plain = feed().as_json()
    kept = sum(sum(plain[name].values()) for name in ("quarantined", "excluded", "parked"))
    sent = sum(plain[name] for name in ("accepted", "rejected", "submitted", "in_doubt", "still_planned"))
    assert plain["to_send"] == sent
    assert plain["read"] == sent + plain["unchanged"] + plain["held"] + kept
