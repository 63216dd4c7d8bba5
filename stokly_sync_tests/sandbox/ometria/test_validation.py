"""Which records are valid: contract sections 1 (limits on custom fields) and 3 (records)."""

from decimal import Decimal
from typing import Any

import pytest

from stokly_sync.sandbox.ometria.validation import find_missing, find_problem
from stokly_sync_tests.sandbox.ometria.bench import Record, contact, event, line, order, product


def problem_path(record: Record) -> str | None:
    found = find_problem(record) or find_missing(record["@type"], record)
    if found is None:
        return None
    assert found.error_message == "not a valid value"
    return found.error_path


def without(record: Record, name: str) -> Record:
    return {key: value for key, value in record.items() if key != name}


FULL_CONTACT = contact(
    phone_number="+442071838750",
    marketing_optin="EXPLICITLY_OPTEDIN",
    channels={"sms": {"allow_marketing": True, "dt_updated_marketing": "2026-01-01T00:00:00Z"}},
    gender="f",
    date_of_birth="1990-02-28",
    country_id="GB",
    timezone="Europe/London",
    store_ids=["till-1"],
    timestamp_acquired="2026-01-01T00:00:00.123+01:00",
    properties={"loyalty": "gold", "points": 5, "vip": True, "rate": Decimal("0.5")},
    firstname=None,
    **{"@merge": True, "@force_optin": True, "@add_to_lists": [1], "@remove_from_lists": [2]},
)
FULL_PRODUCT = product(
    price=Decimal("9.99"),
    currency="GBP",
    special_price=5,
    special_price_dt_from="2026-01-01T00:00:00Z",
    special_price_dt_to="2026-02-01T00:00:00Z",
    is_variant=False,
    is_active=True,
    is_in_stock=True,
    attributes=[{"type": "brand", "id": "7", "label": "B"}, {"type": "&category", "value": "c"}],
    stores=["web"],
    listings=[{"store": "web", "title": "T", "price": 1, "currency": "GBP", "is_active": True}],
)
SUMS = {"currency": "EUR", "shipping": 1, "tax": 1, "discount": -1, "subtotal": 1, "grand_total": 2}
FULL_ORDER = order(
    lines=[
        line(
            variant_id="P1-RED",
            variant_options=[{"type": "colour", "id": "red", "label": "Red"}],
            tax=2,
            discount=Decimal("-1.50"),
            total=12,
            is_on_sale=False,
            quantity_refunded=1,
            refunded=10,
            totals={"base": {"currency": "GBP", "unit_price": 10}, "local": {"currency": "EUR", "total": 12}},
            properties={"engraving": "x"},
        )
    ],
    totals={"base": SUMS, "local": SUMS},
    shipping_address={"city": "York", "state": "", "postcode": "YO1", "country_code": "GB"},
    coupon_code="SPRING",
)


@pytest.mark.parametrize(
    "record",
    [FULL_CONTACT, FULL_PRODUCT, FULL_ORDER, event(), event(properties={"product_id": ["P1"]})],
    ids=["contact", "product", "order", "event", "event with a product list"],
)
def test_a_record_with_every_field_of_the_page_is_valid(record: Record) -> None:
    assert problem_path(record) is None


def test_the_second_method_of_refunding_an_order_of_negative_values_is_valid() -> None:
    assert problem_path(order(grand_total=-10, lines=[line(quantity=-1, unit_price=10)])) is None


def test_a_guest_order_has_an_email_only() -> None:
    assert problem_path(order(customer={"email": "guest@example.com"})) is None


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (contact(), "id"),
        (contact(), "email"),
        (product(), "id"),
        (order(), "id"),
        (order(), "timestamp"),
        (order(), "grand_total"),
        (event(), "id"),
        (event(), "timestamp"),
        (event(), "event_type"),
        (event(), "identity_email"),
    ],
)
def test_what_is_required_must_be_there(record: Record, field: str) -> None:
    assert problem_path(without(record, field)) == f"root > {field}"
    assert problem_path({**record, field: None}) == f"root > {field}"


@pytest.mark.parametrize("identity", ["identity_email", "identity_account_id", "profile_id"])
def test_one_identity_is_enough_for_an_event(identity: str) -> None:
    value = "c1@example.com" if identity == "identity_email" else "customer-C1"
    assert problem_path({**without(event(), "identity_email"), identity: value}) is None


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-01-01T10:00:00",
        "2026-01-01",
        "2026-02-30T10:00:00Z",
        "2026-01-01 10:00:00Z",
        "2026-01-01T10:00:00+0100",
        "2026-01-01T10:00:00Zulu",
        1767261600,
    ],
    ids=["naive", "date only", "no such day", "no T", "offset without colon", "trailing text", "epoch"],
)
def test_a_timestamp_must_be_iso_with_an_offset(stamp: Any) -> None:
    assert problem_path(order(timestamp=stamp)) == "root > timestamp"


@pytest.mark.parametrize("amount", ["10.00", True, [10], {"value": 10}])
def test_an_amount_must_be_a_json_number(amount: Any) -> None:
    assert problem_path(order(grand_total=amount)) == "root > grand_total"
    assert problem_path(product(price=amount)) == "root > price"
    assert problem_path(order(lines=[line(refunded=amount)])) == "root > lineitems > 0 > refunded"


@pytest.mark.parametrize("code", ["gbp", "POUNDS", "£", "ABC", "", 826])
def test_a_currency_must_be_an_upper_case_iso_code(code: Any) -> None:
    assert problem_path(order(currency=code)) == "root > currency"
    assert problem_path(product(currency=code)) == "root > currency"
    assert problem_path(product(listings=[{"store": "web", "currency": code}])) == ("root > listings > 0 > currency")


@pytest.mark.parametrize("code", ["England", "UK", "gb", "GBR", "", 44])
def test_a_country_must_be_a_two_letter_iso_code(code: Any) -> None:
    assert problem_path(contact(country_id=code)) == "root > country_id"
    assert problem_path(order(shipping_address={"country_code": code})) == ("root > shipping_address > country_code")


@pytest.mark.parametrize("bad", ["someone@example.com", "", " ", 17, None])
def test_an_id_is_a_string_without_personal_data(bad: Any) -> None:
    for record in (contact(), product(), order(), event()):
        assert problem_path({**record, "id": bad}) == "root > id"


def test_a_customer_id_is_no_email() -> None:
    assert problem_path(contact(customer_id="a@example.com")) == "root > customer_id"
    assert problem_path(order(customer={"id": "a@example.com"})) == "root > customer > id"
    assert problem_path(event(identity_account_id="a@example.com")) == "root > identity_account_id"


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("email", "not-an-address"),
        ("email", "two@@example.com"),
        ("phone_number", "020 7183 8750"),
        ("marketing_optin", True),
        ("marketing_optin", "OPTEDIN"),
        ("@force_optin", "true"),
        ("@add_to_lists", ["1"]),
        ("gender", "female"),
        ("date_of_birth", "1990-02-30"),
        ("date_of_birth", "28/02/1990"),
        ("store_ids", "till-1"),
        ("firstname", 7),
        ("timestamp_subscribed", "2026-01-01T10:00:00"),
    ],
)
def test_a_contact_field_has_its_form(field: str, bad: Any) -> None:
    assert problem_path(contact(**{field: bad})) == "root > " + (f"{field} > 0" if field == "@add_to_lists" else field)


def test_a_consent_for_messages_has_its_form() -> None:
    sms = {"allow_marketing": "yes"}
    assert problem_path(contact(channels={"sms": sms})) == "root > channels > sms > allow_marketing"


@pytest.mark.parametrize(
    ("bad", "path"),
    [
        ({"quantity": 1, "unit_price": 1}, "product_id"),
        ({"product_id": "P1", "unit_price": 1}, "quantity"),
        ({"product_id": "P1", "quantity": 1}, "unit_price"),
        ({"product_id": "P1", "quantity": Decimal("1.5"), "unit_price": 1}, "quantity"),
        ({"product_id": "P1", "quantity": "1", "unit_price": 1}, "quantity"),
        ({"product_id": 1, "quantity": 1, "unit_price": 1}, "product_id"),
    ],
)
def test_a_line_needs_a_product_a_whole_quantity_and_a_price(bad: Record, path: str) -> None:
    assert problem_path(order(lines=[line(), bad])) == f"root > lineitems > 1 > {path}"


def test_a_subtotal_will_do_for_a_unit_price() -> None:
    assert problem_path(order(lines=[{"product_id": "P1", "quantity": 2, "subtotal": 20}])) is None


def test_a_stock_flag_is_a_boolean() -> None:
    assert problem_path(product(is_in_stock=1)) == "root > is_in_stock"


def test_an_attribute_has_a_type_and_an_id_or_value() -> None:
    assert problem_path(product(attributes=[{"id": "7"}])) == "root > attributes > 0 > type"
    assert problem_path(product(attributes=[{"type": "brand"}])) == "root > attributes > 0 > id"


@pytest.mark.parametrize("make", [contact, product, order, event])
def test_custom_fields_together_stay_below_1_kb(make: Any) -> None:
    # {"a":"…","b":"…"} is 15 characters besides the values.
    fits = {"a": "x" * 500, "b": "x" * 484}
    too_large = {"a": "x" * 500, "b": "x" * 485}
    assert problem_path(make(properties=fits)) is None
    assert problem_path(make(properties=too_large)) == "root > properties"


def test_the_size_of_custom_fields_counts_characters_not_bytes() -> None:
    assert problem_path(contact(properties={"a": "é" * 900})) is None


def test_custom_fields_of_a_contact_are_flat() -> None:
    assert problem_path(contact(properties={"address": {"city": "York"}})) == "root > properties > address"


def test_a_string_property_of_an_event_has_at_most_512_characters() -> None:
    assert problem_path(event(properties={"url": "x" * 512})) is None
    assert problem_path(event(properties={"url": "x" * 513})) == "root > properties > url"


def test_custom_fields_are_an_object() -> None:
    assert problem_path(product(properties=["a"])) == "root > properties"
