from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import numpy as np

from stokly_sync.contracts.rules import Rule, catalogue
from stokly_sync.delivery.figures import DeliveryFigures
from stokly_sync.flow import Team
from stokly_sync.pipeline import metadata
from stokly_sync.pipeline.feed_assets import load_results
from stokly_sync.pipeline.services import Services

RULES = catalogue([Rule(code="ST-A", problem="A is wrong.", advice="Mend A.", owner=Team.FINANCE, requirement="X2")])


def records(shown: dict[str, Any]) -> list[dg.TableRecord]:
    return list(shown["rows"].records)


def test_numbers_are_plain_whatever_they_were() -> None:
    shown = metadata.numbers({"read": np.int64(3), "share": 0.12345, "rules": {"ST-A": 2, "ST-B": 1}, "none": None})
    assert {name: value.value for name, value in shown.items()} == {
        "read": 3,
        "share": 0.123,
        "rules": 3,
        "rules_st_a": 2,
        "rules_st_b": 1,
    }
    assert type(shown["read"].value) is int


def test_a_table_is_capped_with_the_exact_total_beside_it() -> None:
    shown = metadata.table([{"key": str(i)} for i in range(50)], ("key",))
    assert len(records(shown)) == metadata.MOST_ROWS
    assert (shown["total"].value, shown["shown"].value) == (50, metadata.MOST_ROWS)


def test_a_rule_table_says_what_is_wrong_and_what_to_do() -> None:
    shown = metadata.rule_table({"ST-A": 7}, RULES)
    row = records(shown)[0].data
    assert row == {"rule": "ST-A", "records": 7, "problem": "A is wrong.", "advice": "Mend A.", "owner": "finance"}
    assert shown["total"].value == 7


def test_a_load_of_any_destination_shows_its_calls_next_to_the_least() -> None:
    services = cast("Services", SimpleNamespace(catalogue=RULES))
    figures = DeliveryFigures("anywhere/orders", api_calls=4, least_calls=3)
    stored, _ = load_results(services, dg.AssetKey(["anywhere", "orders"]), figures, windows=1)
    shown = stored.metadata or {}
    assert (shown["api_calls"], shown["least_calls"]) == (dg.MetadataValue.int(4), dg.MetadataValue.int(3))
