"""The doctor: every line is well or says what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from stokly_sync.errors import TransientError
from stokly_sync.flow import Probe
from stokly_sync.pipeline import doctor
from stokly_sync.pipeline.doctor import examine
from stokly_sync.pipeline.services import Services
from stokly_sync.systems.transport import Reached
from stokly_sync.warehouse.tables import REFERENCE
from stokly_sync_tests.delivery.kit import land

MAPPED = '{"colour": "attributes.Colour", "season": {"source": "extra.season", "type": "text"}}'
KEYS = {
    "STOKLY_ACCOUNT_KEY": "shop",
    "STOKLY_CLIENT_ID": "id",
    "STOKLY_CLIENT_SECRET": "a-dummy-secret",
    "OMETRIA_API_KEY": "a-dummy-key",
    "STOKLY_BASE_URL": "http://127.0.0.1:1",
    "OMETRIA_BASE_URL": "http://127.0.0.1:1/v2",
}


@pytest.fixture
def open_with(warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Services on a database with some settings, and nobody outside who answers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Services, "client", nobody)
    made: list[Services] = []

    def with_settings(**env: str) -> Services:
        made.append(Services.open({"STOKLY_SYNC_BRAND": "demo", "STOKLY_SYNC_DATABASE_URL": warehouse_url, **env}))
        return made[-1]

    yield with_settings
    for one in made:
        one.close()


def nobody(*_: object) -> None:
    raise TransientError("nobody answers")


def lines(services: Services) -> Mapping[str, Probe]:
    return {probe.subject: probe for probe in examine(services, {})}


def test_the_database_is_looked_at_from_reach_to_rights(open_with: Any) -> None:
    found = lines(open_with())
    assert all(found[name].ok for name in ("settings", "database", "migrations", "writing to the database"))
    assert "step" in found["migrations"].finding


def test_the_try_to_write_leaves_nothing_behind(open_with: Any) -> None:
    services = open_with()
    lines(services)
    with services.warehouse.reading() as conn:
        assert conn.execute(sa.text("SELECT count(*) FROM run_figures")).scalar_one() == 0


def test_a_system_that_is_off_says_what_would_switch_it_on(open_with: Any) -> None:
    assert "OMETRIA_API_KEY" in lines(open_with())["Ometria"].finding


def test_a_server_that_is_not_there_is_one_line_and_is_asked_nothing_more(open_with: Any) -> None:
    found = lines(open_with(**KEYS))
    assert not found["Ometria address"].ok
    assert "OMETRIA_BASE_URL" in found["Ometria address"].advice
    assert not any(name.startswith("Ometria key") for name in found)


@pytest.mark.parametrize(("seconds", "well"), [(0, True), (20, True), (-45, False), (3600, False)])
def test_a_clock_that_is_far_from_ours_is_not_well(
    open_with: Any, monkeypatch: pytest.MonkeyPatch, seconds: int, well: bool
) -> None:
    answer = Reached(timedelta(seconds=0.1), timedelta(seconds=seconds))
    monkeypatch.setattr(doctor, "reach", lambda *_, **__: answer)
    line = lines(open_with(**KEYS))["Ometria clock"]
    assert line.ok is well
    assert bool(line.advice) is not well


def test_a_mapped_field_that_no_attribute_feeds_is_named(open_with: Any) -> None:
    services = open_with(**KEYS, OMETRIA_PRODUCT_PROPERTIES=MAPPED)
    subject = "Ometria product_properties at the source"
    assert "nothing is landed yet" in lines(services)[subject].finding
    land(services.warehouse, "stokly.items", [{"item_id": "1", "attributes": '{"Colour":"red"}'}])
    line = lines(services)[subject]
    assert (line.ok, "season" in line.finding, "colour" in line.finding) == (True, True, False)
    vocabulary(services, "Size")
    line = lines(services)[subject]
    assert (line.ok, "colour (from attributes.Colour)" in line.finding) == (False, True)
    vocabulary(services, "Colour")
    assert lines(services)[subject].ok


def vocabulary(services: Services, name: str) -> None:
    """An item attribute that Stokly has."""
    body = msgspec.json.encode({"itemAttributeId": name, "name": name}).decode()
    row = {"brand": "demo", "system": "stokly", "kind": "item_attributes", "key": name}
    with services.warehouse.transaction() as conn:
        values = {**row, "valid_from": datetime.now(UTC), "hash": name, "body": body}
        conn.execute(sa.insert(REFERENCE).values(**values))
