"""Settings, field mapping and the declarations: what is wrong is named before anything runs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from stokly_sync.contracts.datasets import DATASETS, TABLES
from stokly_sync.contracts.mapping import CONTACT_SOURCES, ORDER_SOURCES, PRODUCT_SOURCES, mapped
from stokly_sync.contracts.rules import Effect, catalogue
from stokly_sync.flow import Lane, ReplayClass
from stokly_sync.systems.ometria import SYSTEM
from stokly_sync.systems.ometria.settings import FEEDS, OmetriaSettings
from stokly_sync_tests.systems.ometria.rows import frame


def test_the_system_is_off_without_a_key_and_on_with_one() -> None:
    assert not OmetriaSettings().configured
    assert OmetriaSettings().missing == ("api_key",)
    assert OmetriaSettings.model_validate({"api_key": "k"}).configured


def test_the_key_does_not_show() -> None:
    settings = OmetriaSettings.model_validate({"api_key": "very-secret"})
    assert "very-secret" not in repr(settings) + str(settings.model_dump())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"base_url": "api.ometria.com"}, "must be an address"),
        ({"batch": 101}, "less than or equal to 100"),
        ({"tracking_pattern": "("}, "no regular expression"),
        ({"tax_rates": {"standard": "20%"}}, "no rate in per cent"),
        ({"modes": {"order": "off"}}, "feeds are contacts"),
        ({"guests": "merge"}, "'send' or 'exclude'"),
        ({"contact_properties": {"tier": "loyalty"}}, "none of: customer_id"),
        ({"contact_properties": {"tier": "attributes.Tier"}}, "none of"),
        ({"product_properties": {"tier": {"source": "sku", "type": "money"}}}, "Input should be"),
        ({"order_properties": {f"f{i}": "number" for i in range(101)}}, "at most 100"),
        ({"unheard_of": 1}, "Extra inputs"),
    ],
)
def test_a_wrong_setting_is_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        OmetriaSettings.model_validate(given)


@pytest.mark.parametrize(
    ("source", "kind", "row", "expected"),
    [
        ("name", "text", {"name": "Mug"}, "Mug"),
        ("price", "number", {"price": "49.991666667"}, Decimal("49.991666667")),
        ("format", "whole", {"format": 1}, 1),
        ("format", "text", {"format": 1}, "1"),
        ("stocked", "flag", {"stocked": False}, False),
        ("stocked", "text", {"stocked": True}, "true"),
        ("created_at", "date", {"created_at": "2026-03-01T23:59:00Z"}, "2026-03-01"),
        ("tags", "text", {"tags": '["a","b"]'}, "a, b"),
        ("tags.season:", "text", {"tags": '["x","season: summer"]'}, "summer"),
        ("attributes.Depth", "number", {"attributes": '{"Depth":12.5}'}, Decimal("12.5")),
        ("attributes.Depth", "number", {"attributes": '{"Depth":"12.5"}'}, Decimal("12.5")),
        ("attributes.Vegan", "flag", {"attributes": '{"Vegan":"Yes"}'}, True),
        ("extra.mpn", "text", {"extra": '{"mpn":"M-1"}'}, "M-1"),
    ],
)
def test_a_property_has_the_type_that_is_set(source: str, kind: str, row: dict[str, Any], expected: object) -> None:
    settings = OmetriaSettings.model_validate({"product_properties": {"p": {"source": source, "type": kind}}})
    found = mapped(frame("stokly.items", [row]), settings.product_properties, PRODUCT_SOURCES)
    assert found.properties == [{"p": expected}]
    assert type(found.properties[0]["p"]) is type(expected)
    assert not found.misfits


@pytest.mark.parametrize(
    ("source", "row"),
    [
        ("name", {"name": None}),
        ("tags.x:", {"tags": '["y:1"]'}),
        ("attributes.A", {"attributes": None}),
        ("tags", {"tags": "[]"}),
    ],
)
def test_a_missing_value_is_left_out(source: str, row: dict[str, Any]) -> None:
    settings = OmetriaSettings.model_validate({"product_properties": {"p": source}})
    assert mapped(frame("stokly.items", [row]), settings.product_properties, PRODUCT_SOURCES).properties == [{}]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", '"dear"'),
        ("number", "true"),
        ("whole", "1.5"),
        ("flag", '"maybe"'),
        ("date", '"soon"'),
        ("text", "[1]"),
        ("number", '"NaN"'),
    ],
)
def test_a_value_that_does_not_fit_is_reported_with_its_field(kind: str, value: str) -> None:
    settings = OmetriaSettings.model_validate({"product_properties": {"p": {"source": "attributes.A", "type": kind}}})
    found = mapped(
        frame("stokly.items", [{}, {"attributes": f'{{"A":{value}}}'}]), settings.product_properties, PRODUCT_SOURCES
    )
    assert found.misfits == {1: f"the property p (from attributes.A) is no {kind}"}
    assert found.properties == [{}, {}]


def test_every_column_may_be_mapped_and_nothing_else() -> None:
    for sources, table in ((CONTACT_SOURCES, "stokly.customers"), (ORDER_SOURCES, "stokly.orders")):
        assert all(sources.has(column.name) for column in TABLES[table].columns)
        assert not sources.has("content_hash")
        assert not sources.has("attributes.Colour")
    assert PRODUCT_SOURCES.has("attributes.Colour")


def test_feeds_are_those_that_settings_know() -> None:
    assert SYSTEM.feeds is not None
    declared = SYSTEM.feeds(OmetriaSettings())
    assert {feed.name for feed in declared} == set(FEEDS)
    assert {feed.name: feed.lane for feed in declared if feed.lane is Lane.FAST}.keys() == {
        "stock",
        "dispatches",
        "consents",
    }
    assert all(feed.replay is ReplayClass.UPSERT for feed in declared)


def test_what_feeds_need_exists_and_can_be_looked_up() -> None:
    assert SYSTEM.feeds is not None
    declared = SYSTEM.feeds(OmetriaSettings())
    for feed in declared:
        DATASETS[feed.dataset].root.column(feed.key)
        seen = {feed.dataset}
        for need in feed.needs:
            table = TABLES[need.table]
            TABLES[need.of_table].column(need.of_column)
            assert need.column in (*table.key[:1], *table.indexes, table.parent_key)
            assert need.of_table in seen
            # Rows of the feed's own table are exactly the records that are due.
            assert need.table != feed.dataset
            seen.add(need.table)
        for trigger in feed.triggers:
            DATASETS[trigger.dataset].root.column(trigger.column)
        assert {gate.feed for gate in feed.gates} <= {other.name for other in declared}


def test_rules_have_sentences_and_codes_of_their_own() -> None:
    rules = catalogue(SYSTEM.rules)
    assert all(code.startswith("OM-") for code in rules)
    assert all(rule.problem.endswith(".") and rule.advice.endswith(".") for rule in rules.values())
    assert rules["OM-REJECTED"].effect is Effect.REJECT
    assert rules["OM-ORDER-NOT-CONFIRMED"].effect is Effect.PARK
