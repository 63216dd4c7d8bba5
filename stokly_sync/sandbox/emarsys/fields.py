"""The field table of the account: system fields by number, custom fields, choices and which are indexed.

Belongs here: what fields there are. Whether a value suits one is said in `values`.
Source: Emarsys API contract 1.7 (field ids, fields, key rule).
"""

import re

import msgspec

from stokly_sync.sandbox.emarsys.choices import COUNTRIES

EMAIL = "3"
OPTIN = "31"
SOURCE = "33"
REGISTERED = "48"

CREATABLE = ("shorttext", "longtext", "largetext", "date", "url", "numeric")
FIRST_CUSTOM = 10_700
SLOTS = 500
"""Custom fields an account has room for; the vendor's number is not documented."""


class Field(msgspec.Struct):
    """One field; `choices` maps the choice id to its label."""

    id: str
    name: str
    string_id: str
    application_type: str
    read_only: bool = False
    custom: bool = False
    choices: dict[str, str] = msgspec.field(default_factory=dict)


_TEXTS = {
    1: ("First Name", "shorttext"),
    2: ("Last Name", "shorttext"),
    3: ("Email", "longtext"),
    4: ("Birth Date", "date"),
    10: ("Address", "longtext"),
    11: ("City", "shorttext"),
    12: ("State", "shorttext"),
    13: ("Zip Code", "shorttext"),
    15: ("Phone", "shorttext"),
    18: ("Company Name", "longtext"),
    37: ("Mobile", "shorttext"),
    458: ("Language Tag", "shorttext"),
}
_CHOICES = {
    5: ("Gender", {"1": "Male", "2": "Female"}),
    9: ("Title", {"1": "Dr.", "2": "Prof."}),
    14: ("Country", COUNTRIES),
    31: ("Optin", {"1": "True", "2": "False"}),
    35: ("Registration Language", {"1": "English", "2": "German", "3": "French"}),
    46: ("Salutation", {"1": "Mr.", "2": "Ms."}),
    456: ("Email Tracking Refused", {"1": "True", "2": "False"}),
    457: ("Web Tracking Refused", {"1": "True", "2": "False"}),
}
_READ_ONLY = {
    **{number: f"System {number}" for number in (0, 27, 28, 29, 30, 34, 36)},
    32: "Status",
    33: "Source",
    47: "Email Valid",
    48: "Registration Date",
}


def string_id_of(name: str) -> str:
    """The string id that a field of that name gets: lower case, words joined by underscores."""
    return re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_")


def system_fields() -> dict[str, Field]:
    """The fields of every account, by id."""
    made = [Field(str(number), name, string_id_of(name), kind) for number, (name, kind) in _TEXTS.items()]
    made += [
        Field(str(number), name, string_id_of(name), "singlechoice", choices=dict(choices))
        for number, (name, choices) in _CHOICES.items()
    ]
    made += [
        Field(str(number), name, string_id_of(name), "special", read_only=True) for number, name in _READ_ONLY.items()
    ]
    return {field.id: field for field in sorted(made, key=lambda field: int(field.id))}


class FieldTable:
    """System and custom fields; every number is also the key under which contacts hold the value."""

    def __init__(self) -> None:
        self.by_id = system_fields()

    @property
    def custom(self) -> list[Field]:
        """The custom fields, in the order of their making."""
        return [field for field in self.by_id.values() if field.custom]

    def add(self, name: str, application_type: str, *, choices: dict[str, str] | None = None) -> Field:
        """Make a custom field; choices only where the type has them."""
        last = max((int(field.id) for field in self.custom), default=FIRST_CUSTOM)
        field = Field(str(last + 1), name, string_id_of(name), application_type, custom=True, choices=choices or {})
        self.by_id[field.id] = field
        return field

    def named(self, string_id: str) -> Field | None:
        """The field with that string id."""
        return next((field for field in self.by_id.values() if field.string_id == string_id), None)

    def load(self, custom: list[Field]) -> None:
        """Replace the custom fields."""
        self.by_id = {**system_fields(), **{field.id: field for field in custom}}
