"""Choices of consent: who has left Ometria by themselves, and telling it what was chosen elsewhere (X19).

Belongs here: the only place that writes `marketing_optin`. Without a forced listing an explicit opt-out in any listing
wins in Ometria, so an opt-in that follows one has to be forced, which is a setting. Source: Ometria API contract 3
(contact, consent rules), 4 (unsubscribes).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Final

from stokly_sync.contracts.consent import EMAIL, LONG_AGO, SMS, Told
from stokly_sync.flow import Choice, Json, Statement
from stokly_sync.systems.ometria.client import OmetriaClient
from stokly_sync.systems.ometria.settings import OmetriaSettings

OPT_IN: Final = {Choice.IN: "EXPLICITLY_OPTEDIN", Choice.OUT: "EXPLICITLY_OPTEDOUT"}
SINCE: Final = {Choice.IN: "timestamp_subscribed", Choice.OUT: "timestamp_unsubscribed"}


def choices(client: OmetriaClient, since: datetime | None, owned: Collection[str] = ()) -> Iterator[Statement]:
    """Who has unsubscribed since then, or ever; where Ometria owns the e-mail channel also who has opted in."""
    if EMAIL in owned:
        yield from _opted_in(client, since)
    for page in client.unsubscribes(since):
        for row in page:
            email, channel = row.get("email_address"), str(row.get("type") or EMAIL).lower()
            at = _moment(row.get("timestamp"))
            if email and at is not None and channel in (EMAIL, SMS):
                yield Statement(channel, Choice.OUT, at, email=str(email), reason=str(row.get("reason") or "left"))


def _opted_in(client: OmetriaClient, since: datetime | None) -> Iterator[Statement]:
    """Explicit opt-ins of every collection but ours, in which stands what we have written. Source: contract 3, 4."""
    for page in client.contacts_elsewhere(since):
        for row in page:
            email, at = row.get("email"), _moment(row.get("timestamp_subscribed"))
            if email and row.get("marketing_optin") == OPT_IN[Choice.IN]:
                moment = LONG_AGO if at is None and since is None else at
                yield Statement(EMAIL, Choice.IN, moment, email=str(email), reason="opted in")


def _moment(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def document(told: Told, settings: OmetriaSettings) -> Json:
    """The choices of one customer, merged into the contact."""
    body: Json = {"@type": "contact", "@collection": settings.collection, "@merge": True}
    body |= {"id": told.customer, "customer_id": told.customer}
    if told.email:
        body["email"] = told.email
    if EMAIL in told.choices:
        choice, at = told.choices[EMAIL]
        body |= {"marketing_optin": OPT_IN[choice], SINCE[choice]: _stamp(at)}
        if choice is Choice.IN and settings.force_optin:
            body["@force_optin"] = True
    if SMS in told.choices:
        choice, at = told.choices[SMS]
        body["channels"] = {SMS: {"allow_marketing": choice is Choice.IN, "dt_updated_marketing": _stamp(at)}}
    return body


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
