"""Choices that Stokly's customers state, by members that nobody has proven (X19)."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from stokly_sync.systems.stokly import StoklySettings
from stokly_sync.systems.stokly.consent import said

NAMED = StoklySettings(consent_members={"email": "newsletter"})


def stated(extra: str | None, settings: StoklySettings = NAMED, **changes: Any) -> list[str]:
    row = {"customer_id": "C1", "email": "c1@example.com", "extra": extra, "live": True, **changes}
    return [one.choice.value for one in said(settings, pd.DataFrame([row]))]


@pytest.mark.parametrize(
    ("value", "choice"),
    [
        ("true", ["in"]),
        ('"Yes"', ["in"]),
        ("1", ["in"]),
        ("false", ["out"]),
        ('"opted out"', ["out"]),
        ("null", []),
        ('"perhaps"', []),
        ("[true]", []),
    ],
)
def test_yes_and_no_are_choices_and_all_else_is_none(value: str, choice: list[str]) -> None:
    assert stated(f'{{"newsletter": {value}}}') == choice


def test_without_the_setting_nothing_is_stated() -> None:
    assert stated('{"newsletter": true}', StoklySettings()) == []


def test_a_member_that_is_not_there_and_a_customer_who_is_gone_state_nothing() -> None:
    assert stated('{"other": true}') == []
    assert stated(None) == []
    assert stated('{"newsletter": true}', live=False) == []
