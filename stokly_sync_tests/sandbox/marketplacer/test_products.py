"""Reference data, making and changing products and variants: contract sections 3.1 to 3.3."""

from typing import Any

import pytest

from stokly_sync_tests.sandbox.marketplacer.bench import STOCK, Bench
from stokly_sync_tests.sandbox.marketplacer.products import UPDATE, UPSERT, made, new, titles

pytestmark = pytest.mark.sandbox

PUBLISH = """
    mutation ($id: ID!, $on: Boolean!) {
      advertPublishedUpdate(input: {advertId: $id, published: $on}) { status errors { messages } advert { published } }
    }
"""


def test_reference_data_leads_from_taxons_to_option_values(bench: Bench) -> None:  # 3.1
    query = (
        """{ taxons { nodes { displayName prototype { id } children { nodes { displayName prototype { id } } } } } }"""
    )
    (root,) = bench.ask(query)["taxons"]["nodes"]
    leaf = root["children"]["nodes"][0]
    assert root["prototype"] is None
    query = """query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Prototype { optionTypes { nodes {
        name fieldType appliedTo optional optionValues { nodes { id name displayName } }
    } } } } }"""
    (prototype,) = bench.ask(query, ids=[leaf["prototype"]["id"]])["nodes"]
    types = {row["name"]: row for row in prototype["optionTypes"]["nodes"]}
    assert {row["appliedTo"] for row in types.values()} == {"ADVERT", "VARIANT"}
    assert types["size"]["fieldType"] == "FREE_TEXT"
    assert types["colour"]["optionValues"]["nodes"][0]["displayName"] == "Blue"


def test_a_product_is_made_with_its_variants(bench: Bench) -> None:  # 3.2
    advert = made(bench, externalIds=[{"key": "stokly", "value": "I-1"}])
    (variant,) = advert.pop("variants")["nodes"]
    assert (advert["title"], advert["editablePrice"], advert["seller"]["businessName"]) == (
        "Mug",
        "349.99",
        "Demo Homeware",
    )
    assert (advert["published"], advert["displayable"], advert["online"]) == (True, True, True)
    assert advert["externalIds"] == [{"key": "stokly", "value": "I-1"}]
    assert (variant["sku"], variant["countOnHand"], variant["lowestPrice"], variant["buyable"]) == (
        "MUG",
        3,
        "349.99",
        True,
    )


def test_without_auto_publish_a_product_stays_off_the_site(bench: Bench) -> None:  # 3.2, 3.4
    advert = made(bench, attemptAutoPublish=False)
    assert (advert["published"], advert["displayable"], advert["online"]) == (False, False, False)
    assert bench.change(PUBLISH, id=advert["id"], on=True)["advert"] == {"published": True}
    assert titles(bench, status="DISPLAYED") == ["Mug"]


def test_a_seller_key_makes_its_own_products(bench: Bench) -> None:  # 1, 3.2
    given = new(bench)
    del given["sellerId"]
    assert bench.change(UPSERT, key=bench.seller, input=given)["advert"]["seller"]["businessName"] == "Demo Homeware"
    assert bench.refusal(UPSERT, input=given) == "Seller must exist"


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"title": " "}, "Title can't be blank"),
        ({"variants": []}, "Variants can't be blank"),
        ({"brandId": "x"}, "No object found for brandId: x"),
        ({"variants": [{"countOnHand": -1}]}, "Count on hand must be greater than or equal to 0"),
        ({"price": "1.00", "variants": [{"price": "-1"}]}, "Price must be greater than or equal to 0"),
    ],
)
def test_a_product_that_breaks_a_rule_is_not_made(bench: Bench, attributes: Any, message: str) -> None:  # 3.2
    assert bench.refusal(UPSERT, input=new(bench, **attributes)) == message
    assert bench.inspect("totals")["adverts"] == 0


def test_an_image_out_of_reach_is_told_with_its_address(bench: Bench) -> None:  # 3.2
    url = "https://images.example.com/gone.jpg"
    bench.system.set_switches(unreachable_images=[url])
    refusal = bench.refusal(UPSERT, input=new(bench, images=[{"sourceUrl": url}]))
    assert refusal == f"Unable to retrieve attachment: {url} (Net::OpenTimeout)"


@pytest.mark.parametrize(("rule", "left"), [("keep", ["MUG", "MUG-2"]), ("remove", ["MUG"])])
def test_whether_a_partial_list_removes_variants_is_a_switch(bench: Bench, rule: str, left: list[str]) -> None:  # 3.2
    advert = made(bench, variants=[{"sku": "MUG"}, {"sku": "MUG-2"}])
    bench.system.set_switches(partial_variants=rule)
    named = {"id": advert["variants"]["nodes"][0]["id"], "countOnHand": 9}
    again = {"advertId": advert["id"], "attributes": {"variants": [named]}}
    updated = bench.change(UPSERT, input=again)["advert"]
    assert [variant["sku"] for variant in updated["variants"]["nodes"]] == left
    assert updated["variants"]["nodes"][0]["countOnHand"] == 9
    assert updated["legacyId"] == advert["legacyId"]


def test_an_update_leaves_what_it_does_not_name(bench: Bench) -> None:  # 3.2
    advert = made(bench)
    updated = bench.change(UPSERT, input={"advertId": advert["id"], "attributes": {"title": "Cup"}})["advert"]
    assert (updated["title"], updated["editablePrice"], updated["published"]) == ("Cup", "349.99", True)


def test_stock_is_absolute(bench: Bench) -> None:  # 3.3
    variant = bench.listed(count_on_hand=10)
    for count in (4, 4, 0):
        assert bench.change(STOCK, id=variant, n=count)["variant"]["countOnHand"] == count
    writes = bench.inspect("totals")["writes"]
    assert (writes["variantUpdate"], writes["variantUpdate unchanged"]) == (3, 1)
    assert bench.refusal(STOCK, id=variant, n=-1) == "Count on hand must be greater than or equal to 0"


def test_prices_are_decimal_strings_and_read_without_trailing_zeros(bench: Bench) -> None:  # 2.4, 3.3
    variant = bench.listed()
    shown = bench.change(UPDATE, id=variant, attributes={"price": "25.00", "salePrice": "19.50"})["variant"]
    assert (shown["editablePrice"], shown["lowestPrice"]) == ("25.0", "19.5")
    assert "Could not coerce" in bench.error(UPDATE, id=variant, attributes={"price": "25 pounds"})["message"]


def test_a_sale_price_counts_while_it_runs(bench: Bench) -> None:  # 3.3
    variant = bench.listed()
    attributes: dict[str, Any] = {"salePrice": "9.00", "salePriceStartAt": "2100-01-01T00:00:00Z"}
    assert bench.change(UPDATE, id=variant, attributes=attributes)["variant"]["lowestPrice"] == "12.0"
    attributes = {"salePriceStartAt": None, "salePriceEndAt": "2001-01-01T00:00:00Z"}
    assert bench.change(UPDATE, id=variant, attributes=attributes)["variant"]["lowestPrice"] == "12.0"
    assert bench.change(UPDATE, id=variant, attributes={"salePriceEndAt": None})["variant"]["lowestPrice"] == "9.0"


def test_identity_and_external_ids_are_written_by_variant_update(bench: Bench) -> None:  # 3.3, 3.5
    variant = bench.listed()
    attributes = {"sku": "NEW", "barcode": "20001", "externalIds": [{"key": "stokly", "value": "I-1"}]}
    shown = bench.change(UPDATE, id=variant, key=bench.seller, attributes=attributes)["variant"]
    assert (shown["sku"], shown["barcode"], shown["externalIds"]) == (
        "NEW",
        "20001",
        [{"key": "stokly", "value": "I-1"}],
    )
    query = """query ($value: String, $values: [String!]) {
        externalIds(ownerType: "Variant", key: "stokly", value: $value, values: $values) {
            id key value owner { ... on Variant { id sku } }
        }
    }"""
    (found,) = bench.ask(query, value="I-1")["externalIds"]
    assert found["owner"] == {"id": variant, "sku": "NEW"}
    assert len(bench.ask(query, values=["I-1", "I-2"])["externalIds"]) == 1
    assert bench.ask(query, value="I-2")["externalIds"] == []
    bench.change(UPDATE, id=variant, attributes={"externalIds": [{"key": "stokly", "value": "I-2"}]})
    assert bench.ask(query, value="I-1")["externalIds"] == []


def test_an_external_id_is_upserted_on_anything_by_the_operator(bench: Bench) -> None:  # 1, 2.3
    bench.listed()
    invoice = bench.invoice()
    query = """mutation ($owner: ID!) {
        a: externalIdUpsert(input: {owner: $owner, key: "stokly", value: "SO-1"}) { status }
        b: externalIdUpsert(input: {owner: $owner, key: "stokly", value: "SO-2"}) { status }
        c: externalIdUpsert(input: {owner: "nothing", key: "stokly", value: "SO-3"}) { status }
    }"""
    assert [payload["status"] for payload in bench.ask(query, owner=invoice["id"]).values()] == [200, 200, 404]
    assert bench.read(invoice["legacyId"], "externalIds { value }")["externalIds"] == [{"value": "SO-2"}]


def test_a_sku_can_be_made_to_fail(bench: Bench) -> None:
    variant = bench.listed()
    bench.system.set_switches(refused_skus=["SKU-1"])
    assert bench.refusal(STOCK, id=variant, n=1) == "Variant is invalid"
    assert bench.inspect("variants")[0]["count_on_hand"] == 10


def test_a_null_leaves_what_cannot_be_null(bench: Bench) -> None:
    variant = bench.listed()
    nulls: dict[str, Any] = {"countOnHand": None, "infiniteQuantity": None, "published": None, "images": [{}]}
    assert bench.change(UPDATE, id=variant, attributes=nulls)["variant"]["countOnHand"] == 10
