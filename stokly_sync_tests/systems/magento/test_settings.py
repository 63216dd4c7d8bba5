"""What turns Magento on, and what is refused before anything runs. G2."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from stokly_sync.errors import SettingsError
from stokly_sync.settings import load
from stokly_sync.systems.magento import MagentoSettings

ENV = {
    "MAGENTO_BASE_URL": "https://shop.example.com/",
    "MAGENTO_CONSUMER_KEY": "consumer-key",
    "MAGENTO_CONSUMER_SECRET": "consumer-secret",
    "MAGENTO_ACCESS_TOKEN": "access-token",
    "MAGENTO_ACCESS_TOKEN_SECRET": "token-secret",
}
LOCATIONS = {"MAGENTO_LOCATIONS": '{"LOC": "default"}'}


def made(**values: Any) -> MagentoSettings:
    return MagentoSettings.model_validate(values)


def test_four_credentials_or_one_token_turn_it_on() -> None:
    assert "magento" in load({**ENV, **LOCATIONS}).enabled
    token = {"MAGENTO_BASE_URL": "https://shop.example.com", "MAGENTO_BEARER_TOKEN": "bearer-token"}
    assert "magento" in load({**token, **LOCATIONS}).enabled
    assert "magento" not in load({}).enabled


def test_credentials_in_part_are_named() -> None:
    with pytest.raises(SettingsError, match="MAGENTO_ACCESS_TOKEN_SECRET"):
        load({name: value for name, value in ENV.items() if name != "MAGENTO_ACCESS_TOKEN_SECRET"})


def test_without_a_mapped_location_nothing_starts_and_the_way_out_is_said() -> None:
    with pytest.raises(SettingsError, match=r"MAGENTO_LOCATIONS.*no location of Stokly is mapped"):
        load(ENV)
    assert "magento" in load({**ENV, "MAGENTO_MODES": '{"stock": "off"}'}).enabled


def test_a_code_alone_is_all_of_a_location() -> None:
    place = made(locations={"LOC": "default"}).locations["LOC"]
    assert (place.source, place.share) == ("default", Decimal(1))


@pytest.mark.parametrize(
    "values",
    [
        {"base_url": "shop.example.com"},
        {"locations": {"*": "default", "LOC": "other"}},
        {"locations": {"LOC": {"source": "default", "share": "1.5"}}},
        {"modes": {"orders": "write"}},
        {"tracking_pattern": "("},
        {"unheard_of": 1},
    ],
)
def test_what_makes_no_sense_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        made(**values)


def test_the_address_may_name_the_api_or_not() -> None:
    for address in ("https://shop.example.com", "https://shop.example.com/", "https://shop.example.com/rest/V1"):
        assert made(base_url=address).base_url == "https://shop.example.com"


def test_couriers_are_mapped_in_any_case_over_the_known_ones() -> None:
    settings = made(carriers={"Royal Mail": {"code": "royalmail", "title": "The post"}})
    assert (settings.carrier("ROYAL MAIL"), settings.carrier("Nobody Knows Ltd")) == (
        settings.carriers["Royal Mail"],
        None,
    )
    dhl = settings.carrier("DHL")
    assert dhl is not None
    assert (dhl.code, dhl.title) == ("dhl", "DHL")
    custom = made(unmapped_carrier="custom").carrier("Nobody Knows Ltd")
    assert custom is not None
    assert (custom.code, custom.title) == ("custom", "Nobody Knows Ltd")
