"""Choices of consent: who has left Dotdigital by themselves, and telling it what was chosen elsewhere (X19).

Belongs here: the only place that writes the status of a contact that exists. Source: Dotdigital API contract 2 (lists,
subscription; channel properties), 6 (suppressions).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from stokly_sync.contracts.consent import EMAIL, LONG_AGO, SMS, Told
from stokly_sync.errors import BatchRefused, TransientError
from stokly_sync.flow import Choice, Json, Outcome, Record, State, Statement
from stokly_sync.systems.dotdigital.client import VENDOR, DotdigitalClient
from stokly_sync.systems.dotdigital.imports import CONTACTS, imports
from stokly_sync.systems.dotdigital.reports import contact_failures
from stokly_sync.systems.dotdigital.rules import CONSENT_REFUSED
from stokly_sync.systems.dotdigital.sending import contact_body
from stokly_sync.systems.dotdigital.setup import contacts_ready
from stokly_sync.systems.transport import decode

STATUS: Final = {Choice.IN: "subscribed", Choice.OUT: "unsubscribed"}
SUPPRESSED: Final = "suppressed"
SUBSCRIBED_AT: Final = "LASTSUBSCRIBED"
"""The built-in data field with the time of the last subscription."""
AT_BIRTH: Final = timedelta(minutes=1)
"""A contact that left so soon after it was made did not leave: it was made that way."""
EARLIER: Final = timedelta(hours=1)


def choices(client: DotdigitalClient, since: datetime | None, owned: Collection[str] = ()) -> Iterator[Statement]:
    """Who has unsubscribed, complained or was suppressed since then; not who was created as unsubscribed.

    Where Dotdigital owns the e-mail channel also who is subscribed, with the time that the contact tells.
    """
    if EMAIL in owned:
        yield from _subscribed(client, since)
    born: dict[str, datetime] | None = None
    for page in client.gone(since):
        if page and born is None:
            born = _births(client, since)
        for row in page:
            contact = row.get("suppressedContact")
            email = contact.get("email") if isinstance(contact, Mapping) else None
            at = _moment(row.get("dateRemoved"))
            if not email or at is None:
                continue
            made = (born or {}).get(str(email).lower())
            if made is None or at - made > AT_BIRTH:
                yield Statement(EMAIL, Choice.OUT, at, email=str(email), reason=str(row.get("reason") or "left"))


def _subscribed(client: DotdigitalClient, since: datetime | None) -> Iterator[Statement]:
    """Contacts that are subscribed: when they consented or subscribed last, or else first seen or long ago.

    One whose time nobody tells is left out where we ourselves create contacts as subscribed. Source: contract 2.
    """
    ours = client.settings.new_contact_status == STATUS[Choice.IN]
    filters = {} if since is None else {"~modified": f"gte::{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    parts = {"data-fields": SUBSCRIBED_AT, "include": "channelProperties|consentRecords"}
    for page in client.contacts(**filters, **parts):
        for row in page:
            held = (row.get("channelProperties") or {}).get(EMAIL) or {}
            email, at = (row.get("identifiers") or {}).get("email"), _consented(row)
            if email and str(held.get("status")).lower() == STATUS[Choice.IN] and (at is not None or not ours):
                moment = LONG_AGO if at is None and since is None else at
                yield Statement(EMAIL, Choice.IN, moment, email=str(email), reason="subscribed")


def _consented(row: Json) -> datetime | None:
    """The newest time at which a contact has consented or subscribed; None where it tells none."""
    told = [record.get("dateTimeConsented") for record in row.get("consentRecords") or []]
    told.append((row.get("dataFields") or {}).get(SUBSCRIBED_AT))
    return max((at for value in told if (at := _moment(value)) is not None), default=None)


def _births(client: DotdigitalClient, since: datetime | None) -> dict[str, datetime]:
    """When contacts were made that are new since then, by address in lower case."""
    filters = {} if since is None else {"~created": f"gte::{(since - EARLIER).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    found = {}
    for page in client.contacts(**filters):
        for row in page:
            email, made = (row.get("identifiers") or {}).get("email"), _moment(row.get("created"))
            if email and made:
                found[str(email).lower()] = made
    return found


def _moment(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def document(told: Told) -> Json:
    """The choices of one customer; times are kept so that a choice made again differs, and are not sent."""
    return {
        "customer": told.customer,
        "choices": {c: {"choice": choice.value, "said_at": at.isoformat()} for c, (choice, at) in told.choices.items()},
    }


def send_consents(client: DotdigitalClient, batch: Sequence[Record]) -> list[Outcome]:
    """Write choices: a few contact by contact, many as one import that is followed to its end."""
    contacts_ready(client)
    wanted = {record.key: _statuses(decode(record.document)) for record in batch}
    if len(batch) <= client.settings.look_ups:
        return [_write(client, customer, statuses) for customer, statuses in wanted.items()]
    return _write_all(client, wanted)


def _statuses(body: Json) -> dict[str, str]:
    return {channel: STATUS[Choice(told["choice"])] for channel, told in body["choices"].items()}


def _write(client: DotdigitalClient, customer: str, wanted: Mapping[str, str]) -> Outcome:
    name = client.settings.identifier
    contact = client.contact(name, customer)
    if contact is None:
        return _refused(customer, "there is no contact of the customer")
    held = contact.get("channelProperties") or {}
    stands = {channel: str((held.get(channel) or {}).get("status", "")).lower() for channel in wanted}
    if any(status == SUPPRESSED and wanted[channel] == STATUS[Choice.IN] for channel, status in stands.items()):
        return _refused(customer, "the contact is suppressed")
    reachable = {c: s for c, s in wanted.items() if c != SMS or (contact.get("identifiers") or {}).get("mobileNumber")}
    # Who is suppressed has left more firmly than by unsubscribing.
    changes = {c: {"status": s} for c, s in reachable.items() if stands[c] not in (s, SUPPRESSED)}
    if not changes:
        return Outcome(customer, State.ACCEPTED, "stood so already, or has no such channel")
    path = f"/contacts/v3/{name}/{quote(customer, safe='')}"
    try:
        client.request("PATCH", path, json={"channelProperties": changes})
    except BatchRefused as refused:
        return _refused(customer, str(refused))
    return Outcome(customer, State.ACCEPTED)


def _write_all(client: DotdigitalClient, wanted: Mapping[str, Mapping[str, str]]) -> list[Outcome]:
    name = client.settings.identifier
    contacts: list[Json] = [
        {"matchIdentifier": name, "identifiers": {name: c}, "channelProperties": {EMAIL: {"status": statuses[EMAIL]}}}
        for c, statuses in wanted.items()
        if EMAIL in statuses
    ]
    refused: dict[str, str] = {}
    if contacts:
        kind = imports(client, CONTACTS)
        report = kind.wait(kind.start(contact_body(contacts)))
        if not report.done:
            raise TransientError(
                f"{VENDOR}: the import of {len(contacts)} choices is {report.status}; try again later."
            )
        refused = contact_failures(report.failures, name).by_customer
        written = {str(row.get(name)) for row in report.written}
        for one in contacts if report.suppressed else ():
            customer = one["identifiers"][name]
            if customer not in written and wanted[customer][EMAIL] == STATUS[Choice.IN]:
                refused.setdefault(customer, "the contact is suppressed")
    return [_refused(c, refused[c]) if c in refused else Outcome(c, State.ACCEPTED) for c in wanted]


def _refused(customer: str, reason: str) -> Outcome:
    return Outcome(customer, State.REJECTED, reason, rule=CONSENT_REFUSED.code)
