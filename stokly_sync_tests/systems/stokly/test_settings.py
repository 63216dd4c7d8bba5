"""Settings of Stokly: off until its credentials are whole, and silent about them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from stokly_sync.systems.stokly import StoklySettings

WHOLE: dict[str, Any] = {"account_key": "shop", "client_id": "client", "client_secret": SecretStr("not-a-real-one")}


def test_stokly_is_on_when_all_credentials_are_set() -> None:
    assert StoklySettings(**WHOLE).configured
    for name in WHOLE:
        part = StoklySettings(**{k: v for k, v in WHOLE.items() if k != name})
        assert not part.configured
        assert part.missing == (name,)


def test_the_secret_does_not_show() -> None:
    assert "not-a-real-one" not in repr(StoklySettings(**WHOLE))


WRONG = [("concurrency", 0), ("rate_per_minute", 0), ("page_size", 5000), ("line_amounts", "both"), ("unheard_of", 1)]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_or_unknown_setting_is_refused(name: str, value: object) -> None:
    values: dict[str, Any] = {name: value}
    with pytest.raises(ValidationError, match=name):
        StoklySettings(**values)


def test_every_setting_is_described() -> None:
    assert all(field.description for field in StoklySettings.model_fields.values())
