"""What the account must have before anything is sent: custom fields, choices of countries, the external event.

Each client looks once, before its first use, unless another found all of it within a day under the same settings; what
is there already is left alone, so that it may be repeated at any time. Ids are the account's own and are looked up,
never assumed. Source: Emarsys API contract 1.7 (fields), 1.8.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from stokly_sync.errors import PermanentError
from stokly_sync.flow import Json
from stokly_sync.systems.emarsys.client import VENDOR, EmarsysClient
from stokly_sync.systems.emarsys.countries import names_of
from stokly_sync.systems.emarsys.documents.contacts import MAPPED
from stokly_sync.systems.emarsys.settings import EmarsysSettings
from stokly_sync.systems.transport import found_once

EMAIL: Final = "3"
COUNTRY: Final = "14"
OPT_IN: Final = "31"
OPTED_IN: Final = "1"
OPTED_OUT: Final = "2"
SYSTEM_FIELDS: Final = {
    "first_name": "1",
    "last_name": "2",
    "email": EMAIL,
    "city": "11",
    "zip_code": "13",
    "country": COUNTRY,
    "phone": "15",
}
"""Fields of every account by their string id. Source: Emarsys API contract 1.7."""
CUSTOM: Final = {
    "lifetime_value": "numeric",
    "currency": "shorttext",
    "order_count": "numeric",
    "average_order_value": "numeric",
    "first_order": "date",
    "last_order": "date",
    "last_order_skus": "largetext",
    "sku_history": "largetext",
}
"""Our custom fields without their prefix, and their types (E7)."""


_TYPES: Final = {"text": "longtext", "flag": "shorttext", "number": "numeric", "whole": "numeric", "date": "date"}


@dataclass(frozen=True)
class Fields:
    """The account's field ids by our names, and the choice ids of countries by ISO code."""

    ids: Mapping[str, str]
    countries: Mapping[str, str]

    @property
    def customer(self) -> str:
        """The field with Stokly's customer id."""
        return self.ids["customer"]

    def coded(self, values: Mapping[str, Any]) -> Json:
        """Values by our names as a contact of the wire; a country without a choice is left out."""
        row: Json = {}
        for name, value in values.items():
            told = self.countries.get(value) if name == "country" else value
            if told is not None or name != "country":
                row[self.ids[name]] = told
        return row


def custom_fields(settings: EmarsysSettings) -> dict[str, tuple[str, str]]:
    """Name in Emarsys and type of every custom field, by our name."""
    others = {name: (f"{settings.field_prefix}{name}", kind) for name, kind in CUSTOM.items()}
    mapped = {f"{MAPPED}{name}": (name, _TYPES[field.type]) for name, field in settings.contact_fields.items()}
    return {"customer": (settings.id_field, "shorttext"), **others, **mapped}


def fields_of(client: EmarsysClient) -> Fields:
    """The fields that contacts are written with; custom ones that the account lacks are created."""
    found = found_once(client, "fields", _prepare_fields)
    return Fields(found["ids"], found["countries"])


def known_fields(client: EmarsysClient) -> dict[str, str]:
    """Ids of the custom fields that are there, by our name; creates nothing."""
    held = _by_name(client.read("GET", "/field"))
    return {ours: held[name] for ours, (name, _) in custom_fields(client.settings).items() if name in held}


def event_of(client: EmarsysClient) -> str:
    """The id of the external event of dispatches: looked up by its name and created, or taken by its number.

    Raises PermanentError where a number names no event.
    """
    made: str = found_once(client, "event", _prepare_event)
    return made


def _prepare_fields(client: EmarsysClient) -> Json:
    held = _by_name(client.ask("GET", "/field"))
    ids = dict(SYSTEM_FIELDS)
    for ours, (name, kind) in custom_fields(client.settings).items():
        if name not in held:
            made = client.ask("POST", "/field", {"name": name, "application_type": kind})
            held[name] = str(made["id"])
        ids[ours] = held[name]
    choices = client.ask("GET", f"/field/{COUNTRY}/choice/translate/en")
    labels = {str(row.get("choice")): str(row.get("id")) for row in choices if isinstance(row, Mapping)}
    return {"ids": ids, "countries": names_of(labels)}


def _prepare_event(client: EmarsysClient) -> str:
    wanted = client.settings.dispatch_event
    events = {str(row.get("id")): str(row.get("name")) for row in _rows(client.ask("GET", "/event/"))}
    if wanted in events:
        return wanted
    found = next((number for number, name in events.items() if name == wanted), None)
    if found is not None:
        return found
    if wanted.isdecimal():
        raise PermanentError(
            f"{VENDOR}: there is no external event {wanted}; set EMARSYS_DISPATCH_EVENT to the id or name of one."
        )
    return str(client.ask("POST", "/event", {"name": wanted})["id"])


def _by_name(rows: Any) -> dict[str, str]:
    """Field ids by string id, and by name in lower case where that is told."""
    found: dict[str, str] = {}
    for row in _rows(rows):
        for name in (row.get("name"), row.get("string_id")):
            if name:
                found[str(name).lower()] = str(row.get("id"))
    return found


def _rows(data: Any) -> Iterable[Mapping[str, Any]]:
    return [row for row in data if isinstance(row, Mapping)] if isinstance(data, list) else []
