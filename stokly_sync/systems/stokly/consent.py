"""Choices of consent that Stokly's customers state, by members that the settings name.

No such member is proven to exist, so without the setting nothing is stated. Source: Stokly API contract 5 #3.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pandas as pd

from stokly_sync.contracts import columns
from stokly_sync.flow import Choice, Statement
from stokly_sync.systems.stokly.settings import StoklySettings

_DICT: Final = msgspec.json.Decoder(dict[str, Any])
_WORDS: Final = {
    **dict.fromkeys(("true", "yes", "1", "in", "optin", "opted in", "opted_in", "subscribed"), Choice.IN),
    **dict.fromkeys(("false", "no", "0", "out", "optout", "opted out", "opted_out", "unsubscribed"), Choice.OUT),
}


def said(settings: StoklySettings, rows: pd.DataFrame) -> list[Statement]:
    """Choices of landed customers; a member that is not there, or says neither yes nor no, states nothing.

    Stokly does not tell when a choice was made. Customers that are gone state nothing either.
    """
    if not settings.consent_members:
        return []
    found = []
    for customer, email, extra, live in zip(
        columns.keys(rows["customer_id"]),
        columns.texts(rows["email"]),
        columns.texts(rows["extra"]),
        columns.flags(rows["live"]).tolist(),
        strict=True,
    ):
        if extra is None or not live:
            continue
        members = _DICT.decode(extra)
        for channel, member in settings.consent_members.items():
            choice = _WORDS.get(str(members.get(member)).strip().lower())
            if choice is not None:
                found.append(Statement(channel, choice, None, customer, email, f"{member} in Stokly"))
    return found
