"""Products and prices: contract section 10, and the scope of a write in section 3."""

from typing import Any

import pytest

from stokly_sync_tests.sandbox.magento.bench import ALL, Bench, criteria

pytestmark = pytest.mark.sandbox

NEW = {"sku": "N1", "name": "New one", "attribute_set_id": 4, "price": 12.5, "status": 1, "visibility": 4}


def post(bench: Bench, **more: Any) -> Any:
    return bench.ask("POST", f"{ALL}/products", {"product": {**NEW, **more}})


def refused(bench: Bench, product: Any, *, sku: str | None = None) -> tuple[str, Any]:
    method, path = ("PUT", f"{ALL}/products/{sku}") if sku else ("POST", f"{ALL}/products")
    status, text, parameters = bench.refusal(method, path, {"product": product})
    assert status == 400
    return text, parameters


def custom(product: Any) -> dict[str, Any]:
    return {row["attribute_code"]: row["value"] for row in product["custom_attributes"]}


def test_a_new_product_is_answered_whole_and_gets_a_row_at_the_default_source(bench: Bench) -> None:
    product = post(bench, custom_attributes=[{"attribute_code": "barcode", "value": "123"}])
    assert (product["id"], product["type_id"], product["price"]) == (1, "simple", 12.5)
    assert custom(product)["barcode"] == "123"
    assert custom(product)["url_key"] == "new-one"
    assert product["extension_attributes"]["website_ids"] == [1]
    (row,) = bench.find("/inventory/source-items")["items"]
    assert row == {"sku": "N1", "source_code": "default", "quantity": 0, "status": 0}


def test_post_is_an_upsert_that_changes_only_what_is_sent(bench: Bench) -> None:
    post(bench)
    bench.clock.advance(60)
    product = bench.ask("POST", f"{ALL}/products", {"product": {"sku": "n1", "price": 9}})
    assert (product["id"], product["sku"], product["name"], product["price"]) == (1, "N1", "New one", 9)
    assert product["updated_at"] > product["created_at"]


def test_look_up_ignores_case_and_trailing_blanks(bench: Bench) -> None:
    post(bench)
    assert bench.ask("GET", "/products/n1%20")["sku"] == "N1"
    assert bench.find("/products", ("sku", "eq", "n1"))["total_count"] == 1


def test_an_encoded_slash_stays_inside_the_sku(bench: Bench) -> None:
    bench.system.set_switches(release="2.4.8")
    post(bench, sku="A/B")
    assert bench.ask("GET", "/products/A%2FB")["sku"] == "A/B"
    assert bench.refusal("GET", "/products/A%252FB")[0] == 404


def test_the_sku_of_the_path_wins_and_does_not_rename(bench: Bench) -> None:
    post(bench)
    product = bench.ask("PUT", f"{ALL}/products/N1", {"product": {"sku": "OTHER", "price": 3}})
    assert (product["sku"], product["price"]) == ("N1", 3)
    assert bench.refusal("GET", "/products/OTHER")[0] == 404


def test_a_query_on_put_without_a_sku_in_the_body_crashes(bench: Bench) -> None:  # 3
    post(bench)
    query = [("fields", "sku")]
    answer = bench.call("PUT", f"{ALL}/products/N1", {"product": {"price": 3}}, query=query)
    assert (answer.status_code, answer.text[:26]) == (500, "An error has happened duri")
    answer = bench.call("PUT", f"{ALL}/products/N1", {"product": {"sku": "N1", "price": 3}}, query=query)
    assert answer.json() == {"sku": "N1"}


def test_an_unknown_sku_on_put_without_an_attribute_set_is_refused(bench: Bench) -> None:
    assert refused(bench, {"price": 1}, sku="NO") == ("Invalid product data: %1", ["Invalid attribute set entity type"])


@pytest.mark.parametrize(
    ("product", "text", "parameters"),
    [
        ({**NEW, "name": ""}, 'The "Product Name" attribute value is empty. Set the attribute and try again.', None),
        ({**NEW, "price": None}, 'The "Price" attribute value is empty. Set the attribute and try again.', None),
        ({**NEW, "price": -1}, "Please enter a number 0 or greater in this field.", None),
        (
            {**NEW, "nosuch_field": 1},
            '"%fieldName" is not supported. Correct the field name and try again.',
            {"fieldName": "NosuchField"},
        ),
        (
            {**NEW, "price": "abc"},
            (
                'Error occurred during "price" processing. The "abc" value\'s type is invalid. '
                'The "float" type was expected. Verify and try again.'
            ),
            None,
        ),
        (
            {**NEW, "custom_attributes": [{"attribute_code": "color", "value": "Blue"}]},
            (
                'Error occurred during "color" processing. The "Blue" value\'s type is invalid. '
                'The "int" type was expected. Verify and try again.'
            ),
            None,
        ),
    ],
    ids=["name", "no price", "negative", "unknown field", "type", "label"],
)
def test_what_a_save_refuses(bench: Bench, product: Any, text: str, parameters: Any) -> None:
    assert refused(bench, product) == (text, parameters)


def test_a_url_key_is_used_once(bench: Bench) -> None:
    post(bench)
    assert refused(bench, {**NEW, "sku": "N2"}) == ("URL key for specified store already exists.", None)


def test_unknown_attributes_and_impossible_values_pass_silently(bench: Bench) -> None:
    product = post(
        bench,
        status=7,
        custom_attributes=[{"attribute_code": "nosuch", "value": "x"}, {"attribute_code": "color", "value": "9999"}],
    )
    assert product["status"] == 7
    assert "nosuch" not in custom(product)
    assert custom(product)["color"] == "9999"


def test_options_of_an_attribute_begin_with_a_blank_one(bench: Bench) -> None:
    first, second, *_ = bench.ask("GET", "/products/attributes/color/options")
    assert (first["value"], second["label"]) == ("", "Blue")


def test_a_write_without_all_creates_a_value_of_the_store_view(bench: Bench) -> None:  # 3
    post(bench)
    bench.ask("PUT", "/rest/default/V1/products/N1", {"product": {"name": "Ours"}})
    bench.ask("PUT", f"{ALL}/products/N1", {"product": {"name": "Everybody's"}})
    assert bench.ask("GET", "/products/N1")["name"] == "Ours"
    assert bench.ask("GET", "/rest/default/V1/products/N1")["name"] == "Ours"
    assert bench.ask("GET", f"{ALL}/products/N1")["name"] == "Everybody's"


def test_configurables_and_dynamic_bundles_have_price_0_and_name_their_parts(bench: Bench) -> None:
    child = bench.goods("TEE-S", visibility=1)
    bench.do("products", {"sku": "TEE", "name": "Tee", "type_id": "configurable", "_links": [child]})
    bench.bundle("BD", {"TEE-S": 1}, price="99")
    tee, bundle = bench.ask("GET", "/products/TEE"), bench.ask("GET", "/products/BD")
    assert (tee["price"], bundle["price"]) == (0, 0)
    assert tee["extension_attributes"]["configurable_product_links"] == [child]
    assert bundle["extension_attributes"]["bundle_product_options"][0]["product_links"][0]["sku"] == "TEE-S"
    assert custom(bundle)["shipment_type"] == "0"


def test_products_are_searched_by_columns_and_attributes(bench: Bench) -> None:
    post(bench, custom_attributes=[{"attribute_code": "barcode", "value": "123"}])
    bench.goods("S1")
    assert [row["sku"] for row in bench.find("/products", ("barcode", "eq", "123"))["items"]] == ["N1"]
    assert [row["sku"] for row in bench.find("/products", ("sku", "in", "s1,x"))["items"]] == ["S1"]
    assert bench.find("/products", sort="entity_id DESC", pageSize="1")["items"][0]["sku"] == "S1"


def test_a_product_can_be_deleted_once(bench: Bench) -> None:
    post(bench)
    assert bench.ask("DELETE", "/products/N1") is True
    assert bench.refusal("DELETE", "/products/N1")[0] == 404


def test_base_prices_are_saved_but_for_those_that_fail(bench: Bench) -> None:
    bench.goods("S1")
    rows = [{"sku": "nosuch", "price": 1, "store_id": 0}, {"sku": "S1", "price": 7.5, "store_id": 0}]
    failed = bench.ask("POST", "/products/base-prices", {"prices": rows})
    text = "Invalid attribute %fieldName = %fieldValue."
    assert failed == [{"message": text, "parameters": ["SKU", "nosuch"]}]
    read = bench.ask("POST", "/products/base-prices-information", {"skus": ["S1", "nosuch"]})
    assert read == [{"price": 7.5, "store_id": 0, "sku": "S1"}]


def test_special_prices_become_attributes(bench: Bench) -> None:
    bench.goods("S1")
    row = {"sku": "S1", "price": 5, "store_id": 0, "price_from": "2026-01-01 00:00:00"}
    assert bench.ask("POST", "/products/special-price", {"prices": [row]}) == []
    assert custom(bench.ask("GET", "/products/S1"))["special_price"] == "5"


def test_criteria_are_wanted_for_products_too(bench: Bench) -> None:
    assert bench.refusal("GET", "/products")[2] == {"fieldName": "searchCriteria"}
    assert bench.ask("GET", "/products", query=criteria())["items"] == []
