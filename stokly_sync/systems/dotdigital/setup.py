"""What the account must have before anything is sent: custom identifier, data fields, list and collections (D1).

Each client looks once, before its first send, unless another found all of it within a day under the same settings;
what is there already is left alone, so that it may be repeated at any time. Source: Dotdigital API contract 2
(identifiers, data fields, lists), 3 (collections).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stokly_sync.errors import PermanentError
from stokly_sync.flow import Json
from stokly_sync.systems.dotdigital.client import VENDOR, DotdigitalClient
from stokly_sync.systems.dotdigital.settings import DotdigitalSettings
from stokly_sync.systems.transport import found_once

LONGEST_NAME: Final = 20
FIELDS: Final = {
    "LTV": "Numeric",
    "CURRENCY": "String",
    "ORDERS": "Numeric",
    "AOV": "Numeric",
    "FIRST_ORDER": "Date",
    "LAST_ORDER": "Date",
    "LAST_SKUS": "String",
    "CITY": "String",
    "COUNTRY": "String",
}
"""Our data fields without their prefix, and their types."""
_TYPES: Final = {"text": "String", "number": "Numeric", "whole": "Numeric", "flag": "Boolean", "date": "Date"}
_BUILT_IN: Final = ("FIRSTNAME", "LASTNAME", "POSTCODE")
_LIST_PAGE: Final = 1000


def field_name(settings: DotdigitalSettings, name: str) -> str:
    """The name of one of our data fields, at most 20 characters."""
    return f"{settings.field_prefix}{name}"[:LONGEST_NAME]


def data_fields(settings: DotdigitalSettings) -> dict[str, str]:
    """Name and type of every data field that contacts are sent with."""
    own = {field_name(settings, name): kind for name, kind in FIELDS.items()}
    mapped = {name: _TYPES[field.type] for name, field in settings.contact_fields.items()}
    ours = {**dict.fromkeys(_BUILT_IN, "String"), **own}
    twice = {name.upper() for name in ours} & {name.upper() for name in mapped}
    if twice:
        raise PermanentError(f"{VENDOR}: contact_fields under [dotdigital] names {min(twice)}, which is ours.")
    return {**ours, **mapped}


def contacts_ready(client: DotdigitalClient) -> list[int]:
    """See to identifier, data fields and list once; gives the numbers of the lists that contacts are put on."""
    made: list[int] = found_once(client, "contacts ready", _prepare_contacts)
    return made


def collection_ready(client: DotdigitalClient, collection: Json) -> None:
    """See to a collection of insight data once; `collection` holds its name, scope and type."""
    found_once(client, f"ready {collection['collectionName']}", lambda it: _prepare_collection(it, collection))


def _prepare_contacts(client: DotdigitalClient) -> list[int]:
    name = client.settings.identifier
    answer = client.request("POST", "/configuration/v3/customIdentifiers", json={"name": name}, expect=(409, 412))
    if answer.status == 412:
        raise PermanentError(
            f"{VENDOR}: the account has no room for the custom identifier {name}; delete one that is not used, or set "
            "DOTDIGITAL_IDENTIFIER to one that is there."
        )
    _prepare_fields(client)
    return _prepare_list(client)


def _prepare_fields(client: DotdigitalClient) -> None:
    rows = client.read("/v2/data-fields", missing=[])
    held = {str(row.get("name")).upper(): str(row.get("type")) for row in rows if isinstance(row, Mapping)}
    for name, kind in data_fields(client.settings).items():
        there = held.get(name.upper())
        if there is None:
            body = {"name": name, "type": kind, "visibility": "Private"}
            answer = client.request("POST", "/v2/data-fields", json=body, expect=(400,))
            if answer.status == 400 and b"NON_UNIQUE" not in answer.body:
                raise PermanentError(f"{VENDOR}: the data field {name} cannot be created; create it as {kind} by hand.")
        elif there != kind:
            raise PermanentError(
                f"{VENDOR}: the data field {name} is {there}, not {kind}; delete it there or set "
                "DOTDIGITAL_FIELD_PREFIX to another prefix."
            )


def _prepare_list(client: DotdigitalClient) -> list[int]:
    name = client.settings.contact_list
    if not name:
        return []
    for skip in range(0, client.settings.read_calls * _LIST_PAGE, _LIST_PAGE):
        rows = client.read("/v2/address-books", params={"select": _LIST_PAGE, "skip": skip}, missing=[])
        for row in rows:
            if str(row.get("name")).lower() == name.lower():
                return [int(row["id"])]
        if len(rows) < _LIST_PAGE:
            break
    # Not repeated once it may have arrived: a second list of that name may be refused, or made.
    made = client.request("POST", "/v2/address-books", json={"name": name, "visibility": "Private"}, retry="once")
    return [int(made.data["id"])]


def _prepare_collection(client: DotdigitalClient, collection: Json) -> bool:
    path = f"/insightData/v3/collections/{collection['collectionName']}"
    query = {"collectionScope": collection["collectionScope"], "collectionType": collection["collectionType"]}
    answer = client.request("POST", path, params=query, expect=(412,))
    if answer.status == 412:
        raise PermanentError(f"{VENDOR}: the account has no room for the collection {collection['collectionName']}.")
    return True
