"""Choices of consent: who has left Emarsys by themselves, and telling it what was chosen elsewhere (X19, E4).

Belongs here: the only place that writes opt-in (field 31). Source: Emarsys API contract 1.7 (field 31, last_change),
1.9 (exports).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from stokly_sync.contracts.consent import EMAIL, LONG_AGO, Told
from stokly_sync.errors import PermanentError, TransientError
from stokly_sync.flow import Choice, Json, Outcome, Record, State, Statement
from stokly_sync.systems.emarsys.client import MANY, VENDOR, EmarsysClient
from stokly_sync.systems.emarsys.documents.common import GUEST
from stokly_sync.systems.emarsys.rules import CONSENT_REFUSED
from stokly_sync.systems.emarsys.setup import EMAIL as ADDRESS
from stokly_sync.systems.emarsys.setup import OPT_IN, OPTED_IN, OPTED_OUT, fields_of, known_fields
from stokly_sync.systems.transport import decode

VALUES: Final = {Choice.IN: 1, Choice.OUT: 2}
VIENNA: Final = ZoneInfo("Europe/Vienna")
"""The zone of the vendor's times that name none. Source: Emarsys API contract 5.10."""
POLL_SECONDS: Final = 3.0
POLLS: Final = 100
ENDS: Final = ("done", "ready")


def choices(client: EmarsysClient, since: datetime | None, owned: Collection[str] = ()) -> Iterator[Statement]:
    """Who has opted out since then, or ever, with the time of the change where the vendor tells it.

    Where Emarsys owns the e-mail channel also who has opted in: field 31 is 1, and nobody else writes that.
    """
    wanted = (OPTED_OUT, OPTED_IN) if EMAIL in owned else (OPTED_OUT,)
    customer = known_fields(client).get("customer")
    if customer is None:
        return  # nothing was ever loaded
    pages = _all_of(client, customer) if since is None else _changed(client, customer, since)
    for page in pages:
        chosen = {email: (own, choice) for email, own, choice in page if email and choice in wanted}
        times = _times(client, list(chosen))
        for email, (own, choice) in chosen.items():
            at = times.get(email.lower())
            if since is None or at is None or at >= since:
                known = own if own and not own.startswith(GUEST) else None
                yield _said(choice, at, customer=known, email=email, ever=since is None)


def _said(choice: str, at: datetime | None, *, customer: str | None, email: str, ever: bool) -> Statement:
    if choice == OPTED_OUT:
        return Statement(EMAIL, Choice.OUT, at, customer=customer, email=email, reason="opted out")
    since = LONG_AGO if at is None and ever else at
    return Statement(EMAIL, Choice.IN, since, customer=customer, email=email, reason="opted in")


def document(told: Told) -> Json:
    """The choices of one customer; times are kept so that a choice made again differs, and are not sent."""
    return {
        "customer": told.customer,
        "email": told.email,
        "choices": {c: {"choice": choice.value, "said_at": at.isoformat()} for c, (choice, at) in told.choices.items()},
    }


def send_consents(client: EmarsysClient, batch: Sequence[Record]) -> list[Outcome]:
    """Write choices of contacts that are there; nobody is created by a choice. Emarsys has e-mail's alone here."""
    wanted = {record.key: decode(record.document) for record in batch}
    told = {key: body for key, body in wanted.items() if EMAIL in body["choices"]}
    by_id = client.settings.id_field_indexed
    field = fields_of(client).customer if by_id else ADDRESS
    names = {key: str(key if by_id else body["email"]) for key, body in told.items()}
    rows = [{field: names[key], OPT_IN: VALUES[Choice(b["choices"][EMAIL]["choice"])]} for key, b in told.items()]
    failed = client.put_contacts(field, rows, create=False) if rows else {}
    return [_outcome(key, failed.get(names.get(key, ""))) for key in wanted]


def _outcome(key: str, failed: tuple[str, str] | None) -> Outcome:
    if failed is None:
        return Outcome(key, State.ACCEPTED)
    return Outcome(key, State.REJECTED, f"{failed[0]}: {failed[1]}", rule=CONSENT_REFUSED.code)


_Row = tuple[str, str, str]
"""Address, customer id and opt-in of a contact."""


def _all_of(client: EmarsysClient, customer: str) -> Iterator[list[_Row]]:
    """Every contact that we know."""
    for page in client.all_with(customer):
        for rows in client.contacts([ADDRESS, customer, OPT_IN], [str(row["id"]) for row in page]):
            yield [(str(r.get(ADDRESS) or ""), str(r.get(customer) or ""), str(r.get(OPT_IN) or "")) for r in rows]


def _changed(client: EmarsysClient, customer: str, since: datetime) -> Iterator[list[_Row]]:
    """Contacts that have changed since then, whoever changed them: an export that is followed to its end."""
    first = since.astimezone(VIENNA).date()
    last = client.clock.now().astimezone(VIENNA).date() + timedelta(days=1)
    asked: Json = {
        "distribution_method": "local",
        "origin": "all",
        "origin_id": 0,
        "time_range": [first.isoformat(), last.isoformat()],
        "contact_fields": [int(ADDRESS), int(customer), int(OPT_IN)],
        "delimiter": ",",
        "add_field_names_header": 1,
        "language": "en",
    }
    export = str(client.read("POST", "/contact/getchanges", asked)["id"])
    _wait(client, export)
    lines = list(csv.reader(io.StringIO(client.export(export))))[1:]
    rows = [(row[0], row[1], row[2]) for row in lines if len(row) == len(asked["contact_fields"])]
    for start in range(0, len(rows), MANY):
        yield rows[start : start + MANY]


def _wait(client: EmarsysClient, export: str) -> None:
    for _ in range(POLLS):
        told = client.read("GET", f"/export/{export}")
        status = str(told.get("status")) if isinstance(told, Mapping) else ""
        if status in ENDS:
            return
        if status == "error":
            raise PermanentError(f"{VENDOR}: the export of changed contacts ended with an error; try again.")
        client.clock.sleep(POLL_SECONDS)
    raise TransientError(f"{VENDOR}: the export of changed contacts takes too long; asked again by the next run.")


def _times(client: EmarsysClient, emails: Sequence[str]) -> dict[str, datetime]:
    """When the opt-in of contacts last changed, by address in lower case; absent where that is not told."""
    found: dict[str, datetime] = {}
    for start in range(0, len(emails), MANY):
        body = {"keyId": ADDRESS, "keyValues": list(emails[start : start + MANY]), "fieldId": OPT_IN}
        data = client.read("POST", "/contact/last_change", body)
        result = data.get("result") if isinstance(data, Mapping) else None
        for email, told in (result if isinstance(result, Mapping) else {}).items():
            at = _moment(told.get("time")) if isinstance(told, Mapping) else None
            if at is not None:
                found[str(email).lower()] = at
    return found


def _moment(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return (at.replace(tzinfo=VIENNA) if at.tzinfo is None else at).astimezone(UTC)
