"""What was built, sent and read back is the same, fact for fact (O8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from stokly_sync.contracts.money import nano
from stokly_sync.flow import Feed, Frames, State
from stokly_sync.sandbox.kit import Fault
from stokly_sync.systems.ometria import SYSTEM, readback
from stokly_sync_tests.systems.ometria.bench import Bench, contact, record
from stokly_sync_tests.systems.ometria.rows import frames, order_frames

pytestmark = pytest.mark.sandbox
Feeds = Callable[[str], Feed]

ORDER = order_frames(
    {"number": "1001", "city": "Leeds", "total": "30.005"},
    items=[{"parent_item_id": "P"}, {"item_id": "P", "sku": "PARENT", "format": 2}],
    refunds=[{}],
    refund_lines=[{}],
)
ITEMS = frames(
    items=[{"price": "49.991666667"}, {"item_id": "I2", "sku": "SKU-2", "parent_item_id": "I1", "price": None}]
)
STOCK = frames(stock=[{"available": -1}], items=[{}])
DISPATCHES = frames(dispatches=[{}], orders=[{}], customers=[{}])


def load(bench: Bench, feed: Feed, tables: Frames) -> list[dict[str, Any]]:
    """Build, send and settle; all must be accepted."""
    client = bench.client()
    built = feed.build(tables)
    assert not built.kept_back
    sent = feed.send(client, [record(document.body) for document in built.documents])
    assert feed.settle is not None
    settled = feed.settle(client, sent)
    assert [outcome.state for outcome in settled] == [State.ACCEPTED] * len(built.documents), settled
    return [document.body for document in built.documents]


def read(bench: Bench, feed: Feed) -> pd.DataFrame:
    assert feed.read_back is not None
    return pd.concat([facts.frame for facts in feed.read_back(bench.client(read_page=1))], ignore_index=True)


@pytest.mark.parametrize(
    ("name", "tables"),
    [
        ("contacts", frames(customers=[{"country": "GB"}, {"customer_id": "C2"}])),
        ("products", ITEMS),
        ("orders", ORDER),
    ],
)
def test_facts_of_our_documents_equal_those_read_back(bench: Bench, feed: Feeds, name: str, tables: Frames) -> None:
    bodies = load(bench, feed(name), tables)
    declared = feed(name)
    assert declared.facts is not None
    ours, theirs = declared.facts(bodies), read(bench, declared)
    columns = ["key", "value", "refunded", "currency", *declared.compared]
    pd.testing.assert_frame_equal(ours[columns], theirs[columns])
    assert ours[list(declared.compared)].notna().to_numpy().any()


def test_stock_reaches_the_product_without_touching_it(bench: Bench, feed: Feeds) -> None:
    load(bench, feed("products"), frames(items=[{}]))
    load(bench, feed("stock"), STOCK)
    (found,) = bench.client().products()
    assert (found[0]["is_in_stock"], found[0]["title"]) == (False, "Mug")
    assert read(bench, feed("stock"))["is_in_stock"].tolist() == ["false"]


def test_products_without_known_stock_are_no_facts_about_stock(bench: Bench, feed: Feeds) -> None:
    load(bench, feed("products"), frames(items=[{}]))
    assert read(bench, feed("stock")).empty


def test_variants_are_read_back_with_their_parents(bench: Bench, feed: Feeds) -> None:
    load(bench, feed("products"), ITEMS)
    assert set(read(bench, feed("products"))["key"]) == {"SKU-1", "SKU-2"}


def test_order_facts_are_exact_money(bench: Bench, feed: Feeds) -> None:
    load(bench, feed("orders"), ORDER)
    (row,) = read(bench, feed("orders")).to_dict("records")
    assert (row["value"], row["refunded"], row["currency"]) == (nano("30.00"), nano("12.00"), "GBP")
    assert (row["lines"], row["units"], row["customer"], row["status"]) == ("1", "2", "C1", "partial_refund")


def test_a_collection_that_does_not_exist_yet_holds_nothing(bench: Bench, feed: Feeds) -> None:
    declared = feed("contacts")
    assert declared.read_back is not None
    assert list(declared.read_back(bench.client())) == []


def test_an_address_is_compared_as_a_digest_without_regard_to_case() -> None:
    one = readback.contact_facts([{"id": "C1", "email": "Buyer@Example.com "}])
    two = readback.contact_facts([{"id": "C1", "email": "buyer@example.com"}])
    pd.testing.assert_frame_equal(one, two)
    assert not one["email_digest"].str.contains("buyer").any()


def test_numbers_in_quotes_and_odd_values_are_read_as_far_as_they_go() -> None:
    frame = readback.order_facts(
        [
            {"id": "O1", "grand_total": "12.50", "lineitems": [{"quantity": "2", "refunded": "1.25"}, None]},
            {"id": "O2", "grand_total": "a lot", "lineitems": None, "customer": None},
            {"id": "O3", "grand_total": 10**30},
        ]
    )
    assert frame["value"].tolist() == [nano("12.50"), pd.NA, pd.NA]
    assert frame["refunded"].tolist() == [nano("1.25"), 0, 0]
    assert frame["units"].tolist() == ["2", "0", "0"]


def test_every_document_passes_the_vendors_checks(bench: Bench, feed: Feeds) -> None:
    load(
        bench,
        feed("products"),
        frames(
            items=[{}, {"item_id": "P", "sku": "PARENT", "format": 2, "images": '["https://img.example.com/1.jpg"]'}]
        ),
    )
    load(
        bench, feed("contacts"), frames(customers=[{"name": "Ann O'Thér", "phone": "+44 7700 900123", "country": "GB"}])
    )
    load(bench, feed("orders"), ORDER)
    load(
        bench,
        feed("orders"),
        order_frames({"order_id": "O2", "currency": "EUR", "base_total": "25.00", "customer_id": None}),
    )
    load(bench, feed("dispatches"), DISPATCHES)
    assert bench.system.store.ignored == {}
    assert bench.system.store.unknown_lines == []


def test_the_doctor_finds_a_good_account_well(bench: Bench, feed: Feeds) -> None:
    load(bench, feed("contacts"), frames(customers=[{}]))
    assert SYSTEM.probe is not None
    found = {probe.subject: probe for probe in SYSTEM.probe(bench.client())}
    assert all(probe.ok for probe in found.values())
    assert found["Ometria collection stokly"].finding == "1 contacts"


def test_the_doctor_names_a_wrong_key_and_asks_no_further(bench: Bench) -> None:
    assert SYSTEM.probe is not None
    (found,) = SYSTEM.probe(bench.client(api_key="wrong"))
    assert not found.ok
    assert "OMETRIA_API_KEY" in found.advice
    assert "wrong" not in found.finding


def test_the_doctor_names_a_missing_right(bench: Bench) -> None:
    bench.system.set_switches(denied=["/orders"])
    assert SYSTEM.probe is not None
    bad = [probe.subject for probe in SYSTEM.probe(bench.client()) if not probe.ok]
    assert bad == ["Ometria GET /orders"]


def test_the_doctor_compares_custom_fields_with_a_record_there(bench: Bench) -> None:
    client = bench.client(contact_properties={"tier": "tags.tier:", "code": "account_code"})
    client.push([contact("C1", properties={"tier": "gold"}).document])
    bench.clock.advance(1)
    assert SYSTEM.probe is not None
    found = {probe.subject: probe.finding for probe in SYSTEM.probe(client)}
    assert found["Ometria custom fields of contacts"] == "2 mapped; not on the record looked at: code"


def test_prices_with_vat_need_rates(bench: Bench) -> None:
    assert SYSTEM.probe is not None
    bad = [probe.subject for probe in SYSTEM.probe(bench.client(price_includes_vat=True)) if not probe.ok]
    assert bad == ["Ometria prices"]


def test_a_read_back_that_breaks_off_raises_instead_of_reporting_less(bench: Bench, feed: Feeds) -> None:
    load(bench, feed("products"), ITEMS)
    bench.system.faults.add(Fault(path="/products", query="offset=1", status=404, times=None))
    with pytest.raises(Exception, match="404"):
        read(bench, feed("products"))
