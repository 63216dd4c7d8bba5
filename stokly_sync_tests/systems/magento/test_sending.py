"""Products and stock against the sandbox. Source: Magento API contract 10, 11.2, 13."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from stokly_sync.errors import BatchRefused, PermanentError, TransientError
from stokly_sync.flow import Outcome, State
from stokly_sync.sandbox.magento import mishaps
from stokly_sync.systems.magento import MagentoClient
from stokly_sync.systems.magento.bulk import send_products_in_bulk, settle_products
from stokly_sync.systems.magento.readback import product_facts, read_products
from stokly_sync.systems.magento.sending import send_products, send_stock
from stokly_sync_tests.systems.magento.bench import STOCK, Bench, record


def levels(sku: str, quantity: int, source: str = "default", status: int = 1) -> dict[str, Any]:
    return {"sku": sku, "levels": [{"source_code": source, "quantity": quantity, "status": status}]}


def stock(client: MagentoClient, *documents: dict[str, Any]) -> Sequence[Outcome]:
    return send_stock(client, [record(document["sku"], document) for document in documents])


def held(bench: Bench) -> dict[str, int]:
    return {row["sku"]: int(row["quantity"]) for row in bench.look("source-items")}


@pytest.fixture
def shop(bench: Bench) -> Bench:
    for sku in ("S1", "S2", "S3"):
        bench.goods(sku, quantity=1)
    return bench


def test_many_skus_are_one_call(shop: Bench) -> None:
    client = shop.client()
    documents = [levels(f"S{n}", 10 * n) for n in (1, 2)] + [levels("S3", 0, status=0)]
    assert {outcome.state for outcome in stock(client, *documents)} == {State.ACCEPTED}
    assert held(shop) == {"S1": 10, "S2": 20, "S3": 0}
    assert shop.calls("/source-items") == 1


def test_the_shop_s_own_limit_is_read_from_its_refusal_and_kept(shop: Bench) -> None:
    shop.system.set_switches(input_limits=True, complex_array_limit=2)
    client = shop.client()
    for quantity in (5, 6):
        stock(client, *[levels(f"S{n}", quantity) for n in (1, 2, 3)])
        assert held(shop) == dict.fromkeys(("S1", "S2", "S3"), quantity)
    assert shop.calls("/source-items") == 1 + 2 + 2


def test_an_unknown_source_is_named_before_it_takes_a_batch_with_it(shop: Bench) -> None:
    with pytest.raises(PermanentError, match=r"no source elsewhere; there are default.*locations"):
        stock(shop.client(locations={"LOC": "elsewhere"}), levels("S1", 5, "elsewhere"), levels("S2", 5))
    assert held(shop) == {"S1": 1, "S2": 1, "S3": 1}
    assert shop.calls("/source-items") == 0


def test_a_row_that_is_not_acceptable_refuses_the_batch_so_that_it_is_halved(shop: Bench) -> None:
    with pytest.raises(BatchRefused, match="status"):
        stock(shop.client(), levels("S1", 5), levels("S2", 5, status=7))
    assert held(shop)["S1"] == 1


def test_a_busy_or_broken_shop_is_tried_again_because_stock_may_be_sent_twice(shop: Bench) -> None:
    for fault in (mishaps.maintenance(path=STOCK, method="POST"), mishaps.cut_after_commit(path=STOCK, method="POST")):
        shop.fault(fault)
        stock(shop.client(), levels("S1", 5))
    assert held(shop)["S1"] == 5
    shop.fault(mishaps.crash(path=STOCK, method="POST", times=None))
    with pytest.raises(TransientError):
        stock(shop.client(), levels("S1", 6))


def test_a_product_is_written_for_all_stores_under_its_sku(shop: Bench) -> None:
    shop.goods("A/B 1+x")
    body: dict[str, Any] = {"sku": "A/B 1+x", "name": "Cup", "price": Decimal("9.99"), "status": 2}
    client = shop.client()
    (outcome,) = send_products(client, [record(body["sku"], body)])
    assert outcome.state is State.ACCEPTED
    found = [row for facts in read_products(client) for row in facts.frame.to_dict("records")]
    there = next(row for row in found if row["key"] == "A/B 1+x")
    (ours,) = product_facts([body]).to_dict("records")
    assert (there["name"], there["price"], there["status"]) == (ours["name"], ours["price"], ours["status"])
    assert ours["price"] == "9.99"


def test_a_refused_product_is_rejected_with_magento_s_words_and_the_next_goes_on(shop: Bench) -> None:
    bad, good = {"sku": "S1", "price": Decimal(-1)}, {"sku": "S2", "price": Decimal(3)}
    outcomes = send_products(shop.client(), [record("S1", bad), record("S2", good)])
    assert [outcome.state for outcome in outcomes] == [State.REJECTED, State.ACCEPTED]
    assert "0 or greater" in (outcomes[0].reason or "")


def test_many_products_are_one_call_to_the_queue_and_one_question(shop: Bench) -> None:
    shop.goods("S4")
    client = shop.client()
    prices = {"S1": 5, "S2": -1, "S3": 7, "S4": 8}
    batch = [record(sku, {"sku": sku, "price": Decimal(price)}) for sku, price in prices.items()]
    taken = send_products_in_bulk(client, batch)
    assert {outcome.state for outcome in taken} == {State.SUBMITTED}
    shop.system.set_switches(drain="never")
    assert settle_products(client, taken) == []
    shop.system.set_switches(drain="asked", fates=[2])
    told = {outcome.key: outcome for outcome in settle_products(client, taken)}
    assert {key: outcome.state for key, outcome in told.items()} == {
        "S1": State.PLANNED,
        "S2": State.REJECTED,
        "S3": State.ACCEPTED,
        "S4": State.ACCEPTED,
    }
    assert "0 or greater" in (told["S2"].reason or "")
    assert client.calls == 3


def test_what_the_queue_forgot_is_sent_again_and_a_badly_formed_product_refuses_its_batch(shop: Bench) -> None:
    lost = Outcome("S1", State.SUBMITTED, receipt="00000000-0000-4000-8000-000000000000 0")
    assert settle_products(shop.client(), [lost]) == [Outcome("S1", State.PLANNED)]
    with pytest.raises(BatchRefused, match="float"):
        send_products_in_bulk(shop.client(), [record("S1", {"sku": "S1", "price": "dear"})])


def test_a_product_is_created_with_what_that_needs(shop: Bench) -> None:
    body = {"sku": "NEW", "name": "New", "price": Decimal(1), "status": 1, "type_id": "simple", "visibility": 4}
    body |= {"attribute_set_id": 4, "extension_attributes": {"website_ids": [1]}}
    (outcome,) = send_products(shop.client(), [record("NEW", body)])
    assert outcome.state is State.ACCEPTED, outcome
