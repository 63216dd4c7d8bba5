"""What settings refuse, in words (P1 to P5)."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from stokly_sync_tests.systems.marketplacer.made import settings


def test_the_system_is_on_with_address_and_key() -> None:
    assert not settings().configured
    assert settings().missing == ("url", "api_key")
    assert settings(url="https://shop.example.com/graphql", api_key="k").configured
    assert settings(url="https://shop.example.com/graphql").url == "https://shop.example.com"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"url": "shop.example.com"}, "must be an address"),
        ({"basic_user": "shop"}, "belongs together with basic_user"),
        ({"basic_password": "sesame"}, "belongs together with basic_user"),
        ({"page_size": 501}, "less than or equal to 500"),
        ({"advert_upsert": True}, "needs taxon_id"),
        ({"members": {"line_price": "x"}}, "there is no member 'line_price'"),
        ({"accounts": {"bank": "1"}}, "there is no role 'bank'"),
        ({"modes": {"orders": "off"}}, "there is no feed 'orders'"),
    ],
)
def test_a_wrong_setting_is_named(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        settings(**given)
