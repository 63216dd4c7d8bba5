"""The shape of a contact in a request: what makes a whole call badly formed.

Belongs here: structure and closed lists of words. Whether a value can be stored (an address, a data
field) is a matter of one contact and is decided in `upserts`. Source: Dotdigital API contract 2 (contacts).
"""

from collections.abc import Callable
from typing import Any

from stokly_sync.sandbox.dotdigital.problems import bad_json
from stokly_sync.sandbox.kit import NotJsonError, decode

Check = Callable[[Any], bool]

CONSENT_MEMBERS = ("text", "dateTimeConsented", "url", "ipAddress", "userAgent")
MAX_LISTS = 100

MERGE_IN_IMPORT = {"overwrite": "overwrite", "overwriteIfNotEmpty": "not-empty", "overwriteIfEmpty": "empty"}
MERGE_IN_PATCH = {"overwrite": "overwrite", "overwrite-if-not-empty": "not-empty", "overwrite-if-empty": "empty"}
"""How the two calls spell one option; the spelling of the one is refused by the other."""


def decoded(body: bytes, service: str) -> Any:
    """The JSON of a v3 request.

    Raises:
        ProblemError: 400 `badJson`.
    """
    try:
        return decode(body)
    except NotJsonError as error:
        raise bad_json(service) from error


def whole(value: Any) -> bool:
    """A JSON number without a fraction part."""
    return isinstance(value, int) and not isinstance(value, bool)


def _one_of(*words: str) -> Check:
    return lambda value: isinstance(value, str) and value in words


def _object(members: dict[str, Check], *, closed: bool = False) -> Check:
    def checked(value: Any) -> bool:
        if not isinstance(value, dict) or (closed and set(value) - set(members)):
            return False
        return all(check(value[name]) for name, check in members.items() if name in value)

    return checked


def _is_preference(value: Any) -> bool:
    return isinstance(value, dict) and whole(value.get("id")) and isinstance(value.get("isOptedIn"), bool)


_CHANNEL = _object({"status": _one_of("noSubscription", "subscribed", "unsubscribed", "suppressed")}, closed=True)
_EMAIL = _object(
    {
        "emailType": _one_of("plainText", "html"),
        "optInType": _one_of("unknown", "single", "double", "verifiedDouble"),
        "status": _one_of("subscribed", "unsubscribed", "suppressed"),
        "resubscribeOptions": lambda value: isinstance(value, dict),
    },
    closed=True,
)

MEMBERS: dict[str, Check] = {
    "identifiers": lambda value: isinstance(value, dict),
    "dataFields": lambda value: isinstance(value, dict),
    "channelProperties": _object({"email": _EMAIL, "sms": _CHANNEL, "whatsApp": _CHANNEL}, closed=True),
    "lists": lambda value: isinstance(value, list) and 1 <= len(value) <= MAX_LISTS and all(map(whole, value)),
    "preferences": lambda value: isinstance(value, list) and bool(value) and all(map(_is_preference, value)),
    "consentRecords": lambda value: isinstance(value, list),
}
"""Member of a contact -> whether its value has the documented form; members not named here are ignored."""


def check_contact(body: Any, *, required: tuple[str, ...] = (), at: str = "") -> dict[str, Any]:
    """The contact itself, when its shape is the documented one.

    Raises:
        ProblemError: 400 `contacts:badJson`, naming the member.
    """
    if not isinstance(body, dict):
        raise bad_json("contacts", (at or "contact", "An object is expected"))
    for name in required:
        if not body.get(name):
            raise bad_json("contacts", (f"{at}{name}", "Missing"))
    for name, check in MEMBERS.items():
        if name in body and not check(body[name]):
            raise bad_json("contacts", (f"{at}{name}", "Invalid value"))
    return body


def check_import(body: Any) -> dict[str, Any]:
    """The body of `PUT /contacts/v3/import`, when its shape is the documented one.

    Raises:
        ProblemError: 400 `contacts:badJson`, naming the member.
    """
    contacts = body.get("contacts") if isinstance(body, dict) else None
    if not isinstance(contacts, list) or not contacts:
        raise bad_json("contacts", ("contacts", "At least one contact is expected"))
    if body.get("mergeOption", "overwrite") not in MERGE_IN_IMPORT:
        raise bad_json("contacts", ("mergeOption", "Invalid value"))
    for position, contact in enumerate(contacts):
        at = f"contacts[{position}]."
        check_contact(contact, required=("matchIdentifier", "identifiers"), at=at)
        if not isinstance(contact["matchIdentifier"], str):
            raise bad_json("contacts", (f"{at}matchIdentifier", "Invalid value"))
    return {"mergeOption": body.get("mergeOption", "overwrite"), "contacts": contacts}


def consents_are_good(records: Any) -> bool:
    """One to five consent records, each with all five members as non-empty text."""
    return 1 <= len(records) <= 5 and all(
        isinstance(record, dict) and all(isinstance(record.get(name), str) and record[name] for name in CONSENT_MEMBERS)
        for record in records
    )
