"""Flags of adverts and variants, and the queries that find them: contract sections 3.4 and 3.5."""

import pytest

from stokly_sync_tests.sandbox.marketplacer.bench import STOCK, Bench
from stokly_sync_tests.sandbox.marketplacer.products import UPDATE, UPSERT, WHERE, made, titles

pytestmark = pytest.mark.sandbox

DELETE = "mutation ($id: ID!) { advertDelete(input: {id: $id}) { status errors { messages } } }"
ALL = """
    query ($since: ISO8601DateTime, $vetted: Boolean) {
      allAdverts(updatedSince: $since, vetted: $vetted) {
        totalCount
        nodes {
          __typename
          ... on Advert { id title }
          ... on UnpublishedAdvert { id details { title } }
          ... on DeletedAdvert { id }
        }
      }
    }
"""


def test_variants_that_are_not_displayable_are_hidden_unless_asked_for(bench: Bench) -> None:  # 3.4, 10.6
    bench.do("adverts", variants=[{"sku": "SHOWN"}, {"sku": "HIDDEN", "published": False}, {"sku": "X", "price": None}])
    query = """query ($all: Boolean) { advertsWhere(title: "Sample") { nodes {
        hidden: variants { totalCount nodes { sku } } all: variants(displayableOnly: $all) { totalCount }
    } } }"""
    (advert,) = bench.ask(query, all=False)["advertsWhere"]["nodes"]
    assert advert["hidden"] == {"totalCount": 1, "nodes": [{"sku": "SHOWN"}]}
    assert advert["all"] == {"totalCount": 3}


def test_a_variant_is_buyable_while_there_is_stock(bench: Bench) -> None:  # 3.4
    variant = bench.listed(count_on_hand=0)
    assert bench.change(UPDATE, id=variant, attributes={})["variant"]["buyable"] is False
    assert bench.change(UPDATE, id=variant, attributes={"infiniteQuantity": True})["variant"]["buyable"] is True


@pytest.mark.parametrize(
    ("rule", "waits"), [("never", [False, False]), ("new", [True, False]), ("every_change", [True, True])]
)
def test_who_must_be_approved_is_a_switch(bench: Bench, rule: str, waits: list[bool]) -> None:  # 3.4
    bench.system.set_switches(vetting=rule)
    advert = made(bench)
    assert (advert["requiresVetting"], advert["vetted"], advert["online"]) == (waits[0], not waits[0], not waits[0])
    bench.do("adverts/vet", advert=advert["legacyId"], accept=True)
    assert titles(bench, status="DISPLAYED") == ["Mug"]
    bench.change(UPDATE, id=advert["variants"]["nodes"][0]["id"], attributes={"countOnHand": 1})
    assert titles(bench, status="NOT_DISPLAYED") == (["Mug"] if waits[1] else [])


def test_a_rejected_listing_looks_published_and_is_not_online(bench: Bench) -> None:  # 3.4
    advert = made(bench)
    bench.do("adverts/vet", advert=advert["legacyId"], accept=False, reason="Blurred picture")
    (shown,) = bench.ask(WHERE, rejected=True)["advertsWhere"]["nodes"]
    assert (shown["published"], shown["online"], shown["vettingRejectedReason"]) == (True, False, "Blurred picture")
    query = "mutation ($id: ID!) { advertVettingResubmit(input: {advertId: $id}) { status errors { messages } } }"
    bench.change(query, id=advert["id"])
    assert titles(bench, rejected=True) == []


def test_adverts_where_without_a_filter_finds_nothing(bench: Bench) -> None:  # 3.5, 10.5
    bench.listed()
    assert bench.ask("{ advertsWhere(first: 5) { totalCount } }") == {"advertsWhere": {"totalCount": 0}}


def test_adverts_are_found_by_the_skus_of_their_variants(bench: Bench) -> None:  # 3.5, 9
    bench.do("adverts", title="Two", variants=[{"sku": "A"}, {"sku": "B"}])
    bench.do("adverts", title="One", variants=[{"sku": "C"}])
    found = bench.ask(WHERE, skus=["A", "B", "C", "NONE"])["advertsWhere"]
    assert (found["totalCount"], [node["title"] for node in found["nodes"]]) == (2, ["Two", "One"])
    assert titles(bench, skus=["a"]) == []
    bench.system.set_switches(sku_match="any_case")
    assert titles(bench, skus=["a"]) == ["Two"]


def test_every_filter_narrows(bench: Bench) -> None:  # 3.5
    advert = made(bench)
    assert titles(bench, title="mu", legacy=[advert["legacyId"]]) == ["Mug"]
    assert titles(bench, title="mu", legacy=[advert["legacyId"] + 1]) == []
    query = """query ($brand: [ID!], $taxon: [ID!], $q: String, $since: ISO8601DateTime) {
        advertsWhere(taxonIdsWithDescendants: $taxon, q: $q, createdSince: $since, brandIds: $brand) { totalCount }
    }"""
    root = bench.ask("{ taxons { nodes { id } } }")["taxons"]["nodes"][0]["id"]
    assert bench.ask(query, taxon=[root], q="MUG")["advertsWhere"]["totalCount"] == 1
    assert bench.ask(query, taxon=[root], q="NONE")["advertsWhere"]["totalCount"] == 0
    assert bench.ask(query, since="2100-01-01T00:00:00Z")["advertsWhere"]["totalCount"] == 0


def test_all_adverts_tells_published_unpublished_and_deleted_apart(bench: Bench) -> None:  # 3.5
    live, off, gone = made(bench), made(bench, title="Off", attemptAutoPublish=False), made(bench, title="Gone")
    bench.change(DELETE, id=gone["id"])
    found = bench.ask(ALL)["allAdverts"]
    assert found["nodes"] == [
        {"__typename": "Advert", "id": live["id"], "title": "Mug"},
        {"__typename": "UnpublishedAdvert", "id": off["id"], "details": {"title": "Off"}},
        {"__typename": "DeletedAdvert", "id": gone["id"]},
    ]


def test_a_deleted_advert_is_readable_for_thirty_days_and_cannot_be_written(bench: Bench) -> None:  # 3.4
    advert = made(bench)
    variant = advert["variants"]["nodes"][0]["id"]
    bench.change(DELETE, id=advert["id"])
    (shown,) = bench.ask(WHERE, skus=["MUG"])["advertsWhere"]["nodes"]
    assert (shown["published"], shown["online"], shown["variants"]["nodes"]) == (False, False, [])
    assert bench.refusal(STOCK, id=variant, n=1) == f"No object found for variantId: {variant}"
    assert bench.refusal(UPSERT, input={"advertId": advert["id"], "attributes": {}}).startswith("No object found")
    bench.clock.advance(30 * 86_400)
    assert (titles(bench, skus=["MUG"]), bench.ask(ALL)["allAdverts"]["totalCount"]) == ([], 0)


def test_a_change_of_a_variant_counts_as_one_of_its_advert(bench: Bench) -> None:  # 3.5, 7
    first, _second = bench.listed("A"), bench.listed("B")
    bench.clock.advance(100)
    now = bench.clock.now().isoformat()
    assert bench.ask(ALL, since=now)["allAdverts"]["totalCount"] == 0
    bench.change(STOCK, id=first, n=1)
    assert bench.ask(ALL, since=now)["allAdverts"]["totalCount"] == 1
    assert bench.ask(ALL, vetted=False)["allAdverts"]["totalCount"] == 0
