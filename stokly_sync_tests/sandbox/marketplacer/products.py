"""The queries about products that several specifications share, and a whole new product to send."""

from typing import Any

from stokly_sync_tests.sandbox.marketplacer.bench import Bench

UPSERT = """
    mutation ($input: AdvertUpsertMutationInput!) {
      advertUpsert(input: $input) {
        status errors { field messages }
        advert {
          id legacyId title published displayable online vetted requiresVetting editablePrice lowestOriginalPrice
          brand { name } taxonNullable { displayName } seller { businessName } externalIds { key value }
          variants(displayableOnly: false) {
            nodes { id sku countOnHand published displayable buyable lowestPrice editablePrice }
          }
        }
      }
    }
"""
UPDATE = """
    mutation ($id: ID, $attributes: VariantInput!) {
      variantUpdate(input: {variantId: $id, attributes: $attributes}) {
        status errors { field messages }
        variant { sku barcode countOnHand lowestPrice editablePrice buyable externalIds { key value } }
      }
    }
"""
WHERE = """
    query ($skus: [String!], $title: String, $status: AdvertStatusEnum, $rejected: Boolean, $legacy: [Int!]) {
      advertsWhere(
        variantSkus: $skus, title: $title, status: $status, rejectedViaVetting: $rejected, legacyIds: $legacy
      ) {
        totalCount
        nodes { title published displayable online vettingRejectedReason variants { nodes { sku } } }
      }
    }
"""


def new(bench: Bench, **attributes: Any) -> dict[str, Any]:
    """The input of a whole new product."""
    found = bench.ask("""{
        brands { nodes { id } } allSellers { nodes { id } }
        taxons { nodes { children { nodes { id prototype { id } } } } }
    }""")
    whole = {
        "title": "Mug",
        "brandId": found["brands"]["nodes"][0]["id"],
        "taxonId": found["taxons"]["nodes"][0]["children"]["nodes"][0]["id"],
        "price": "349.99",
        "attemptAutoPublish": True,
        "images": [{"sourceUrl": "https://images.example.com/1.jpg"}],
        "variants": [{"sku": "MUG", "countOnHand": 3}],
        **attributes,
    }
    return {"sellerId": found["allSellers"]["nodes"][0]["id"], "attributes": whole}


def made(bench: Bench, key: str | None = None, **attributes: Any) -> Any:
    return bench.change(UPSERT, key=key, input=new(bench, **attributes))["advert"]


def titles(bench: Bench, **filters: Any) -> list[str]:
    return [node["title"] for node in bench.ask(WHERE, **filters)["advertsWhere"]["nodes"]]
