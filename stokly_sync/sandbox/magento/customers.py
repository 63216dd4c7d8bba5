"""Customers: rows, the calls, and the groups.

Belongs here: everything about an account. Orders do not move a customer's `updated_at`.
Source: Magento API contract 16.
"""

import re
from typing import Any

from stokly_sync.sandbox.magento.call import Call, Spec, column, columns, no_attribute
from stokly_sync.sandbox.magento.errors import MagentoError
from stokly_sync.sandbox.magento.figures import Row, shown
from stokly_sync.sandbox.magento.search import Listing
from stokly_sync.sandbox.magento.shapes import Many, Shape
from stokly_sync.sandbox.magento.store import Store, key

READ, WRITE = "Magento_Customer::customer", "Magento_Customer::manage"
GROUPS = {0: "NOT LOGGED IN", 1: "General", 2: "Wholesale", 3: "Retailer"}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_FIELDS = (
    "entity_id email updated_at created_at website_id store_id group_id firstname lastname middlename prefix dob "
    "gender taxvat created_in billing_postcode billing_city billing_country_id billing_telephone"
)


def add_customer(store: Store, row: Row, *, at: str) -> Row:
    """Keep a new customer; the first address is the default one for both uses if none says so."""
    made = store.customers.add(
        {
            "group_id": 1,
            "created_at": at,
            "updated_at": at,
            "created_in": "Default Store View",
            "store_id": 1,
            "website_id": 1,
            "disable_auto_group_change": 0,
            "_subscribed": False,
            **row,
            "addresses": [],
            "_key": key(row["email"]),
        }
    )
    _set_addresses(store, made, row.get("addresses") or [])
    return made


def find_customer(store: Store, email: str) -> Row | None:
    """The customer of that e-mail address."""
    found = store.customers.of("_key", key(email))
    return found[0] if found else None


def _set_addresses(store: Store, customer: Row, addresses: list[Row]) -> None:
    kept: list[Row] = []
    for row in addresses:
        number = row.get("id") or store.next("customer address")
        region = row.get("region") or {"region_code": None, "region": None, "region_id": 0}
        kept.append({"customer_id": customer["id"], "region": region, "region_id": 0, **row, "id": number})
    for name in ("default_billing", "default_shipping"):
        chosen = next((row for row in kept if row.get(name)), kept[0] if kept else None)
        customer[name] = str(chosen["id"]) if chosen is not None else None
        if chosen is not None:
            chosen[name] = True
    customer["addresses"] = kept


def _view(row: Row) -> Row:
    extension = {"is_subscribed": row["_subscribed"]}
    addresses = [shown(address) for address in row["addresses"]]
    return {**shown(row), "addresses": addresses, "extension_attributes": extension, "custom_attributes": []}


def _value(row: Row, field: str) -> Any:
    if field == "entity_id":
        return row["id"]
    if field.startswith("billing_"):
        default: Row = next((address for address in row["addresses"] if address.get("default_billing")), {})
        return default.get(field.removeprefix("billing_"))
    return row.get(field)


def _search(call: Call) -> Row:
    return call.page(Listing(call.store.customers, _value, no_attribute, columns(_FIELDS)), _view)


def _found(call: Call) -> Row:
    number = call.number("customerId")
    found = call.store.customers.get(number)
    if found is None:
        parameters = {"fieldName": "customerId", "fieldValue": number}
        raise MagentoError("No such entity with %fieldName = %fieldValue", parameters, status=404)
    return found


def _one(call: Call) -> Row:
    return _view(_found(call))


def _check(store: Store, row: Row, own: Row | None) -> None:
    labels = {"firstname": "First Name", "lastname": "Last Name"}
    faults = [f'"{label}" is a required value.' for name, label in labels.items() if not row.get(name)]
    if faults:
        raise MagentoError("\n".join(faults))
    if not _EMAIL.fullmatch(row.get("email") or ""):
        raise MagentoError('"Email" is not a valid email address.')
    other = find_customer(store, row["email"])
    if other is not None and other is not own:
        raise MagentoError("A customer with the same email address already exists in an associated website.")


def _post(call: Call) -> Row:
    given = call.body["customer"]
    if given.get("id"):
        return _change(call, call.store.customers.get(given["id"]), given)
    _check(call.store, given, None)
    return _view(add_customer(call.store, _columns(given), at=call.now))


def _put(call: Call) -> Row:
    return _change(call, _found(call), call.body["customer"])


def _change(call: Call, own: Row | None, given: Row) -> Row:
    """Set what was sent; addresses that were not sent stay (section 16)."""
    if own is None:
        parameters = {"fieldName": "customerId", "fieldValue": given.get("id")}
        raise MagentoError("No such entity with %fieldName = %fieldValue", parameters, status=404)
    columns_sent = _columns(given)
    _check(call.store, {**own, **columns_sent}, own)
    addresses = columns_sent.pop("addresses", None)
    changed = {**own, **columns_sent, "updated_at": call.now}
    changed["_key"] = key(changed["email"])
    call.store.customers.remove(own)
    kept = call.store.customers.add(changed)
    if addresses is not None:
        _set_addresses(call.store, kept, addresses)
    return _view(kept)


def _columns(given: Row) -> Row:
    found = {name: value for name, value in given.items() if value is not None}
    found.pop("id", None)
    found.pop("custom_attributes", None)
    extension = found.pop("extension_attributes", None) or {}
    if extension.get("is_subscribed") is not None:
        found["_subscribed"] = extension["is_subscribed"]
    return found


def _delete(call: Call) -> bool:
    call.store.customers.remove(_found(call))
    return True


def _groups(call: Call) -> Row:
    rows = [
        {"id": number, "code": name, "tax_class_id": 3, "tax_class_name": "Retail Customer"}
        for number, name in GROUPS.items()
    ]
    return call.page(Listing(rows, column, no_attribute, columns("id code tax_class_id")), dict)


_ADDRESS: dict[str, Shape] = {
    **dict.fromkeys(("id", "customer_id", "region_id"), "int"),
    **dict.fromkeys(("country_id", "company", "telephone", "fax", "postcode", "city", "vat_id", "prefix"), "string"),
    **dict.fromkeys(("firstname", "lastname", "middlename", "suffix"), "string"),
    **dict.fromkeys(("default_shipping", "default_billing"), "bool"),
    "region": {"region_code": "string", "region": "string", "region_id": "int", "extension_attributes": "any"},
    "street": ["string"],
    "extension_attributes": "any",
    "custom_attributes": "any",
}
_CUSTOMER: dict[str, Shape] = {
    **dict.fromkeys(("id", "group_id", "gender", "store_id", "website_id", "disable_auto_group_change"), "int"),
    **dict.fromkeys(("default_billing", "default_shipping", "created_at", "updated_at", "created_in"), "string"),
    **dict.fromkeys(("email", "firstname", "lastname", "middlename", "prefix", "suffix", "dob", "taxvat"), "string"),
    "addresses": Many(_ADDRESS, "Magento\\Customer\\Api\\Data\\AddressInterface"),
    "extension_attributes": {"is_subscribed": "bool", "company_attributes": "any", "assistance_allowed": "int"},
    "custom_attributes": "any",
}
_BODY: dict[str, Shape] = {"customer!": _CUSTOMER, "password": "string", "passwordHash": "string"}
_API = "Magento\\Customer\\Api"

SPECS = (
    Spec("GET", "customers/search", READ, _search),
    Spec("GET", "customers/{customerId}", READ, _one),
    Spec("POST", "customers", WRITE, _post, _BODY, f"{_API}\\AccountManagementInterface::createAccount"),
    Spec("PUT", "customers/{customerId}", WRITE, _put, _BODY, f"{_API}\\CustomerRepositoryInterface::save"),
    Spec("DELETE", "customers/{customerId}", "Magento_Customer::delete", _delete),
    Spec("GET", "customerGroups/search", "Magento_Customer::group", _groups),
)
