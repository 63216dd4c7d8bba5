"""First load, nothing changed, changes, and versions (X1, X5, X18)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from stokly_sync_tests.acceptance.benches import on_each
from stokly_sync_tests.acceptance.harness import Rig

pytestmark = [pytest.mark.acceptance, pytest.mark.sandbox]


@on_each
def test_the_first_load_brings_everything_over_once_and_both_sides_agree(rig_on_each: Rig) -> None:
    rig = rig_on_each
    done, bench = rig.sync().fine(), rig.bench
    wanted = {(feed, key) for feed, keys in bench.wanted(rig).items() for key in keys}
    assert {(feed, key) for feed in bench.wanted(rig) for key in rig.held(feed)} == wanted
    assert set(rig.taken(bench.main).values()) == set(rig.taken(bench.follows).values()) == {1}
    rows = {name: row["state"] for name, row in rig.ledger().items()}
    assert {rows.pop(name) for name in wanted} == {"accepted"}
    assert set(rows.values()) <= {"accepted", "excluded"}
    for one in done.loaded.values():
        assert one.plan is not None
        assert one.sent is not None
        assert one.sent.accepted == one.plan.to_send == one.sent.first_try
    rig.agrees()


def test_what_was_accepted_leaves_no_document_behind(loaded: Rig) -> None:
    assert {row["document"] for row in loaded.ledger().values()} == {None}


@on_each
def test_with_nothing_changed_nothing_is_sent_and_loading_does_not_even_ask(rig_on_each: Rig) -> None:
    rig = rig_on_each
    rig.sync().fine()
    rig.come_to_rest()
    found = rig.extract()
    assert {name: figures.changed for name, figures in found.items()} == dict.fromkeys(found, 0)
    rig.there.calls.reset()
    assert rig.load().fine().sent == {}
    assert rig.there.calls.rows() == []


@pytest.mark.needs("quiet")
def test_with_nothing_changed_a_list_of_the_source_costs_one_page(loaded: Rig) -> None:
    loaded.stokly.calls.reset()
    loaded.sync().fine()
    lists = {str(row["template"]): int(row["calls"]) for row in loaded.stokly.calls.rows() if row["method"] == "GET"}
    assert lists
    assert {path: calls for path, calls in lists.items() if "{id}" in path} == {}
    # The items' list is read for the catalogue and once more for the stock that stands in it.
    assert {path: calls for path, calls in lists.items() if calls > (2 if path.endswith("/items") else 1)} == {}


@pytest.mark.needs("changes")
def test_a_late_update_is_sent_whole_and_once(loaded: Rig) -> None:
    rig, feed = loaded, loaded.bench.changes
    late, *_ = rig.bench.wanted(rig)[feed]
    before = dict(rig.held(feed)[late])
    rig.bench.change(rig, feed, late, "Elsewhere")
    done = rig.sync().fine()
    assert done.sent == {feed: 1}
    assert rig.taken(feed)[late] == 2
    after = rig.held(feed)[late]
    assert after.keys() == before.keys()
    assert after != before
    assert rig.sync().fine().sent == {}
    rig.agrees()


def test_new_records_follow_their_first_load(loaded: Rig) -> None:
    rig, bench = loaded, loaded.bench
    (key,) = bench.add(rig, bench.main, [1])
    (other,) = bench.add(rig, bench.follows, [1])
    sent = rig.sync().fine().sent
    assert (sent[bench.main], sent[bench.follows]) == (1, 1)
    assert rig.held(bench.main)[key]
    assert rig.held(bench.follows)[other]
    rig.agrees()


@on_each
@pytest.mark.needs("changes")
def test_an_older_version_never_wins_over_a_newer_one(rig_on_each: Rig) -> None:
    rig, feed = rig_on_each, rig_on_each.bench.changes
    (late,) = rig.bench.add(rig, feed, [1])
    rig.sync().fine()
    show_again = rig.bench.keep(rig, feed, late)
    rig.clock.sleep(2)
    rig.bench.change(rig, feed, late, "Newer")
    rig.sync().fine()
    newer = rig.held(feed)[late]
    rig.come_to_rest()
    show_again()  # a cache of the vendor's, or a restored copy
    done = rig.sync().fine()
    dataset = done.landed[rig.services.feed(rig.feed_id(feed)).dataset]
    assert dataset.read >= 1
    assert dataset.changed == 0
    assert done.sent == {}
    assert rig.held(feed)[late] == newer
    assert rig.replay().fine().sent == {}
    assert rig.held(feed)[late] == newer


def test_a_change_that_says_an_older_time_is_not_taken_back_by_force(loaded: Rig) -> None:
    rig, main = loaded, loaded.bench.main
    (key,) = rig.bench.add(rig, main, [1])
    rig.bench.change(rig, main, key, "Newer name")
    rig.sync().fine()
    newer = rig.held(main)[key]
    rig.bench.change(rig, main, key, "Older name", at=rig.clock.now() - timedelta(minutes=1))
    rig.sync().fine()
    rig.replay(force=True).fine()
    assert rig.held(main)[key] == newer
