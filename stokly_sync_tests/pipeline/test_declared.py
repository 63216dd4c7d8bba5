from __future__ import annotations

import pytest

from stokly_sync.errors import SettingsError
from stokly_sync.pipeline import progress
from stokly_sync.pipeline.declared import all_rules, declare
from stokly_sync.pipeline.services import require
from stokly_sync.settings import load
from stokly_sync.systems import SYSTEMS


def test_what_others_wait_for_stands_first() -> None:
    declared = declare(load({}), SYSTEMS)
    datasets, feeds = list(declared.extracts), list(declared.feeds)
    for extract in declared.extracts.values():
        assert all(datasets.index(other) < datasets.index(extract.dataset) for other in extract.after)
    for feed in declared.feeds.values():
        assert all(feeds.index(other) < feeds.index(feed.id) for other in feed.gate_ids)


def test_every_rule_that_a_feed_or_trigger_names_is_in_the_catalogue() -> None:
    declared, rules = declare(load({}), SYSTEMS), all_rules(SYSTEMS)
    for feed in declared.feeds.values():
        assert feed.rejected_rule in rules
        assert all(t.orphan_rule in rules for t in feed.triggers if t.orphan_rule)


def test_stock_is_run_by_the_clock_and_orders_by_window() -> None:
    declared = declare(load({}), SYSTEMS)
    assert not declared.by_window(declared.feeds["ometria/stock"])
    assert declared.by_window(declared.feeds["ometria/orders"])
    assert declared.is_catalogue(declared.feeds["ometria/products"])
    assert [s.name for s in declared.sources] == ["stokly", "magento", "marketplacer"]


def test_a_system_that_is_off_is_named_with_what_is_missing() -> None:
    settings = load({})
    with pytest.raises(SettingsError, match="OMETRIA_API_KEY"):
        require(settings, next(s for s in SYSTEMS if s.name == "ometria"))


def test_progress_reaches_whoever_listens_and_nobody_else() -> None:
    told: list[tuple[str, int, int | None]] = []
    with progress.listening(lambda *what: told.append(what)):
        progress.report("stokly.orders", 10, 20)
    progress.report("stokly.orders", 20, 20)
    assert told == [("stokly.orders", 10, 20)]
