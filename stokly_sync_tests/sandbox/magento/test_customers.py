"""Customers: contract section 16."""

from typing import Any

import pytest

from stokly_sync_tests.sandbox.magento.bench import Bench

pytestmark = pytest.mark.sandbox

ADDRESS = {
    "firstname": "Sample",
    "lastname": "Customer",
    "street": ["1 Sample Street"],
    "city": "Leeds",
    "postcode": "LS1 0AA",
    "country_id": "GB",
    "telephone": "01632 960001",
}
NEW = {"email": "a@example.com", "firstname": "Sample", "lastname": "Customer", "addresses": [ADDRESS]}


def post(bench: Bench, **more: Any) -> Any:
    return bench.ask("POST", "/customers", {"customer": {**NEW, **more}})


def test_a_new_customer_has_text_ids_of_default_addresses_and_a_consent(bench: Bench) -> None:
    made = post(bench, extension_attributes={"is_subscribed": True})
    (address,) = made["addresses"]
    assert made["default_billing"] == made["default_shipping"] == str(address["id"])
    assert (address["customer_id"], address["default_billing"]) == (made["id"], True)
    assert made["extension_attributes"] == {"is_subscribed": True}
    assert made["group_id"] == 1


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"email": "A@example.com"}, "A customer with the same email address already exists in an associated website."),
        ({"email": "nonsense"}, '"Email" is not a valid email address.'),
        (
            {"firstname": "", "lastname": ""},
            '"First Name" is a required value.\n"Last Name" is a required value.',
        ),
    ],
)
def test_what_a_save_refuses(bench: Bench, more: dict[str, str], text: str) -> None:
    post(bench)
    assert bench.refusal("POST", "/customers", {"customer": {**NEW, **more}})[:2] == (400, text)


def test_put_keeps_what_was_not_sent(bench: Bench) -> None:
    number = post(bench)["id"]
    bench.clock.advance(60)
    changed = bench.ask("PUT", f"/customers/{number}", {"customer": {"firstname": "Other"}})
    assert (changed["firstname"], changed["email"], len(changed["addresses"])) == ("Other", "a@example.com", 1)
    assert changed["updated_at"] > changed["created_at"]


def test_customers_are_searched_by_attribute_names(bench: Bench) -> None:
    post(bench)
    post(bench, email="b@example.com", addresses=[{**ADDRESS, "postcode": "N1 0AA"}])
    for field, value in (("entity_id", "2"), ("email", "B@example.com"), ("billing_postcode", "N1 0AA")):
        assert [row["id"] for row in bench.find("/customers/search", (field, "eq", value))["items"]] == [2]
    assert bench.refusal("GET", "/customers")[:2] == (404, "Request does not match any route.")


def test_an_order_does_not_move_its_customer(bench: Bench) -> None:
    bench.goods("S1")
    made = post(bench)
    bench.clock.advance(60)
    assert bench.place(("S1", 1), customer_id=made["id"])["billing_address"]["city"] == "Leeds"
    assert bench.ask("GET", f"/customers/{made['id']}") == made


def test_a_customer_can_be_deleted(bench: Bench) -> None:
    number = post(bench)["id"]
    assert bench.ask("DELETE", f"/customers/{number}") is True
    assert bench.refusal("GET", f"/customers/{number}")[0] == 404


def test_groups_begin_with_those_who_are_not_logged_in(bench: Bench) -> None:
    found = bench.find("/customerGroups/search", sort="id")["items"]
    assert [row["code"] for row in found] == ["NOT LOGGED IN", "General", "Wholesale", "Retailer"]
