"""Names and values by which a contact is known: e-mail, mobile number, server's id, custom identifiers.

Belongs here: which values are possible for which identifier, and finding a contact by a path.
Source: Dotdigital API contract 2 (identifier types).
"""

import re
from typing import Any

from stokly_sync.sandbox.dotdigital.problems import contact_not_found, invalid_id
from stokly_sync.sandbox.dotdigital.store import Contact, Store

BUILT_IN = ("email", "mobileNumber", "contactId")
IDENTIFIER_NAME = re.compile(r"[-A-Za-z0-9_]{1,50}")
_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>.]+(\.[^@\s,;<>.]+)+")
_MOBILE = re.compile(r"[1-9]\d{6,14}")
LONGEST = 256


def is_email(value: Any) -> bool:
    """An e-mail address by its form."""
    return isinstance(value, str) and len(value) <= LONGEST and _EMAIL.fullmatch(value) is not None


def is_possible(name: str, value: Any) -> bool:
    """Whether the value may be one of that identifier, whoever has it."""
    match name:
        case "email":
            return is_email(value)
        case "mobileNumber":
            return isinstance(value, str) and _MOBILE.fullmatch(value) is not None
        case "contactId":
            return str(value).isdecimal() and not isinstance(value, bool)
        case _:
            return isinstance(value, str) and 1 <= len(value) <= LONGEST


def failure_code(name: str) -> str:
    """The failure code of an impossible value; only the one for e-mail is documented."""
    return "invalid" + name[0].upper() + name[1:] if name in BUILT_IN else "invalidIdentifier"


def is_known(store: Store, name: str) -> bool:
    """Whether the account has an identifier of that name."""
    return name in BUILT_IN or name in store.custom_identifiers


def check_path(store: Store, service: str, name: str, value: str) -> None:
    """Refuse a path whose identifier or value is impossible.

    Raises:
        ProblemError: 400 `<service>:invalidId`.
    """
    if not is_known(store, name) or not is_possible(name, value):
        raise invalid_id(service, name, value)


def contact_at(store: Store, service: str, name: str, value: str) -> Contact:
    """The contact that a path names.

    Raises:
        ProblemError: 400 `<service>:invalidId` or 404 `<service>:contactNotFound`.
    """
    check_path(store, service, name, value)
    contact = store.find(name, value)
    if contact is None:
        raise contact_not_found(service, name, value)
    return contact
