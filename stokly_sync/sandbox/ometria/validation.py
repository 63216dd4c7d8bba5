"""What makes a pushed record valid: the field tables of the contract, as data.

Belongs here: which fields each record type has, which are required, and the rules on custom fields.
Does not belong here: checks at the door of the push call (`push`) and what is done with a valid record
(`store`). Only the first problem of a record is told, as the vendor tells one pair per failed record.
Source: Ometria API contract 1 (limits) and 3 (records).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from stokly_sync.sandbox.kit import encode
from stokly_sync.sandbox.ometria import checks
from stokly_sync.sandbox.ometria.checks import Check, Path, list_of, object_of, one_of

RECORD_TYPES = ("contact", "order", "product", "custom_event")
PROPERTIES_LIMIT = 1_000
"""Characters that the compact JSON of one record's `properties` must stay below (section 1)."""
EVENT_TEXT_LIMIT = 512
"""Characters of one string property of a custom event (section 1)."""
EVENT_TYPE_LIMIT = 32
"""Characters of an event type's name; what is longer is cut off, not refused (section 1)."""

NOT_VALID = "not a valid value"


@dataclass(frozen=True)
class Problem:
    """Why a record failed: the inner pair of an element of `GET /push/_errors` (section 2)."""

    error_message: str
    error_path: str

    @classmethod
    def at(cls, *path: str, message: str = NOT_VALID) -> "Problem":
        """A problem with the value found on that path below the record."""
        return cls(message, " > ".join(("root", *path)))


_LABELLED: dict[str, Check] = {"type": checks.text, "id": checks.text, "label": checks.text}
_MONEY = dict.fromkeys(("shipping", "tax", "discount", "subtotal", "grand_total"), checks.number)
_ORDER_SUM = object_of({"currency": checks.currency, **_MONEY})
_LINE_MONEY = dict.fromkeys(("unit_price", "discount", "refunded", "subtotal", "tax", "total"), checks.number)
_LINE_SUM = object_of({"currency": checks.currency, **_LINE_MONEY})
_ADDRESS = object_of(
    {
        **dict.fromkeys(("city", "state", "postcode", "firstname", "lastname"), checks.text),
        "country_code": checks.country,
    }
)
_LINE = object_of(
    {
        "product_id": checks.identifier,
        "variant_id": checks.identifier,
        "variant_options": list_of(object_of(_LABELLED, required=("type", "id"))),
        "sku": checks.text,
        "quantity": checks.whole,
        "quantity_refunded": checks.whole,
        "is_on_sale": checks.boolean,
        "totals": object_of({"base": _LINE_SUM, "local": _LINE_SUM}),
        "properties": object_of({}),
        **_LINE_MONEY,
    },
    required=("product_id", "quantity"),
    any_of=("unit_price", "subtotal"),
)
_SMS = object_of(
    {
        "allow_marketing": checks.boolean,
        "allow_transactional": checks.boolean,
        "dt_updated_marketing": checks.timestamp,
        "dt_updated_transactional": checks.timestamp,
    }
)
_LISTING = object_of(
    {
        **dict.fromkeys(("store", "title", "url", "image_url"), checks.text),
        **dict.fromkeys(("price", "special_price"), checks.number),
        "currency": checks.currency,
        "is_active": checks.boolean,
    },
    required=("store",),
)

FIELDS: dict[str, dict[str, Check]] = {
    "contact": {
        "id": checks.identifier,
        "@collection": checks.identifier,
        "email": checks.email,
        "customer_id": checks.identifier,
        "phone_number": checks.phone,
        "marketing_optin": one_of("EXPLICITLY_OPTEDIN", "EXPLICITLY_OPTEDOUT", "NOT_SPECIFIED"),
        "channels": object_of({"sms": _SMS}),
        "@force_optin": checks.boolean,
        "@merge": checks.boolean,
        "@add_to_lists": list_of(checks.whole),
        "@remove_from_lists": list_of(checks.whole),
        **dict.fromkeys(("prefix", "firstname", "middlename", "lastname", "timezone"), checks.text),
        "gender": one_of("m", "f", "o"),
        "date_of_birth": checks.calendar_date,
        "country_id": checks.country,
        "store_ids": list_of(checks.text),
        "timestamp_acquired": checks.timestamp,
        "timestamp_subscribed": checks.timestamp,
        "timestamp_unsubscribed": checks.timestamp,
    },
    "product": {
        "id": checks.identifier,
        "@merge": checks.boolean,
        **dict.fromkeys(("title", "sku", "url", "image_url"), checks.text),
        **dict.fromkeys(("price", "special_price"), checks.number),
        "currency": checks.currency,
        "special_price_dt_from": checks.timestamp,
        "special_price_dt_to": checks.timestamp,
        **dict.fromkeys(("is_variant", "is_active", "is_in_stock"), checks.boolean),
        "attributes": list_of(
            object_of({**_LABELLED, "value": checks.text}, required=("type",), any_of=("id", "value"))
        ),
        "stores": list_of(checks.text),
        "listings": list_of(_LISTING),
    },
    "order": {
        "id": checks.identifier,
        "@merge": checks.boolean,
        "timestamp": checks.timestamp,
        "status": checks.text,
        "is_valid": checks.boolean,
        **_MONEY,
        "currency": checks.currency,
        "totals": object_of({"base": _ORDER_SUM, "local": _ORDER_SUM}),
        **dict.fromkeys(("web_id", "ip_address", "channel", "store", "coupon_code"), checks.text),
        **dict.fromkeys(("payment_method", "shipping_method"), checks.text),
        "customer": object_of(
            {
                "id": checks.identifier,
                "email": checks.email,
                "firstname": checks.text,
                "lastname": checks.text,
            }
        ),
        "shipping_address": _ADDRESS,
        "billing_address": _ADDRESS,
        "lineitems": list_of(_LINE),
    },
    "custom_event": {
        "id": checks.identifier,
        "timestamp": checks.timestamp,
        "event_type": checks.identifier,
        "identity_email": checks.email,
        "identity_account_id": checks.identifier,
        "profile_id": checks.identifier,
    },
}
"""Record type -> field -> check. What is not named here (or `@type`, `properties`) is ignored."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "contact": ("id", "email"),
    "product": ("id",),
    "order": ("id", "timestamp", "grand_total"),
    "custom_event": ("id", "timestamp", "event_type"),
}
ANY_OF: dict[str, tuple[str, ...]] = {
    "custom_event": ("identity_email", "identity_account_id", "profile_id"),
}


def find_problem(record: Mapping[str, Any]) -> Problem | None:
    """The first thing wrong with the values that a record brings; what it lacks is `find_missing`'s."""
    kind = record["@type"]
    if checks.identifier(record.get("id")) is not None:
        return Problem.at("id")
    bad = checks.bad_member(record, FIELDS[kind])
    if bad is None:
        bad = _bad_properties(kind, record.get("properties"))
    return Problem.at(*bad) if bad is not None else None


def find_missing(kind: str, whole: Mapping[str, Any]) -> Problem | None:
    """The first required field that a record lacks, after merging where it was to be merged."""
    lacking = checks.missing(whole, required=REQUIRED[kind], any_of=ANY_OF.get(kind, ()))
    return Problem.at(*lacking) if lacking is not None else None


def _bad_properties(kind: str, properties: Any) -> Path | None:
    if properties is None:
        return None
    if not isinstance(properties, dict):
        return ("properties",)
    for name, value in properties.items():
        if kind == "contact" and not _is_flat(value):
            return ("properties", name)
        if kind == "custom_event" and isinstance(value, str) and len(value) > EVENT_TEXT_LIMIT:
            return ("properties", name)
    if len(encode(properties).decode()) >= PROPERTIES_LIMIT:
        return ("properties",)
    return None


def _is_flat(value: Any) -> bool:
    return value is None or isinstance(value, str | int | Decimal)
