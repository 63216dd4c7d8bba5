"""How a call says which contacts it means: the key field, and the one contact with a key value.

Belongs here: 2004, 2005, 2008 and 2010, which every call about contacts shares.
Source: Emarsys API contract 1.7 (key rule, row error codes) and 6 (index flag).
"""

from typing import TYPE_CHECKING, Any

from stokly_sync.sandbox.emarsys.envelope import RefusedError, RowError, as_text
from stokly_sync.sandbox.emarsys.fields import EMAIL
from stokly_sync.sandbox.emarsys.store import Contact, ContactList
from stokly_sync.sandbox.emarsys.values import is_email

if TYPE_CHECKING:
    from stokly_sync.sandbox.emarsys.system import EmarsysSandbox

NO_KEY = "<NO_KEY_ID>"
INTERNAL = ("id", "uid")
BATCH = 1_000


def is_indexed(system: "EmarsysSandbox", field: str) -> bool:
    """Whether contacts can be found by this field: e-mail, and custom fields that support has indexed."""
    found = system.store.fields.by_id.get(field)
    if found is None or not found.custom:
        return field == EMAIL
    return found.string_id in {*system.switches.indexed_fields, system.switches.external_id_field}


def key_of(system: "EmarsysSandbox", given: Any) -> str:
    """The key that a call means by `key_id`: a field id, `id` or `uid`; `3` if it names none.

    Raises:
        RowError: 2004 if there is no such field, or it is not indexed.
    """
    key = as_text(given) if given is not None else EMAIL
    if key == "eid":
        external = system.store.fields.named(system.switches.external_id_field)
        key = external.id if external is not None else None
    if key in INTERNAL or (key is not None and is_indexed(system, key)):
        return key
    raise RowError(2004, f"Invalid key field id: {given}")


def call_key(system: "EmarsysSandbox", given: Any) -> str:
    """The key of a call that fails as a whole if the key is no good.

    Raises:
        RefusedError: 2004, inside HTTP 200.
    """
    try:
        return key_of(system, given)
    except RowError as error:
        raise RefusedError(error.code, error.text) from error


def key_value(key: str, given: Any) -> str:
    """The value of a key in one row.

    Raises:
        RowError: 2005 if there is none, or it cannot be one.
    """
    value = as_text(given)
    if value is None:
        raise RowError(2005, f"No value provided for key field: {key}")
    if key == EMAIL and not is_email(value):
        raise RowError(2005, f"Invalid value for key field: {key}")
    return value


def only_one(system: "EmarsysSandbox", key: str, value: str) -> Contact:
    """The contact with that key.

    Raises:
        RowError: 2008 if there is none, 2010 if there are several.
    """
    found = system.store.find(key, value)
    if not found:
        raise RowError(2008, f"No contact found with the external id: {key}")
    if len(found) > 1:
        raise RowError(2010, f"More than one contact found with the external id: {key}")
    return found[0]


def list_for(system: "EmarsysSandbox", body: dict[str, Any]) -> ContactList | None:
    """The contact list that a call names in `contact_list_id`, if it names one.

    Raises:
        RefusedError: 400 with 2020 if there is no such list.
    """
    given = body.get("contact_list_id")
    if given is None:
        return None
    number = as_text(given)
    found = system.store.lists.get(int(number)) if number is not None and number.isdecimal() else None
    if found is None:
        raise RefusedError(2020, f"Invalid contact list id: {given}")
    return found


def external_ids(body: dict[str, Any], *, limit: int, code: int) -> list[Any]:
    """The member `external_ids` of a call.

    Raises:
        RefusedError: 2003 if it is no array, `code` if it has more than `limit` elements.
    """
    given = body.get("external_ids")
    if not isinstance(given, list):
        raise RefusedError(2003, "external_ids must be an array.")
    if len(given) > limit:
        raise RefusedError(code, f"The number of ids exceeds the maximum of {limit}.")
    return given
