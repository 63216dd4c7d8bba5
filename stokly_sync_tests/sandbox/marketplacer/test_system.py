"""The sandbox as a system: how it is reached, what it keeps, its seeds, and the defects that can be planted."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from stokly_sync.sandbox.kit import ManualClock, decode, encode
from stokly_sync.sandbox.marketplacer import DEFECTS, MarketplacerSandbox, MarketplacerSwitches, build
from stokly_sync.sandbox.marketplacer.flags import status_flags
from stokly_sync.sandbox.marketplacer.order_reads import invoice_tax, invoice_total
from stokly_sync.sandbox.marketplacer.seeding import KNOWN_AFTER, NOT_LISTED, STALE
from stokly_sync.sandbox.marketplacer.totals import totals
from stokly_sync.sandbox.seeds import Seed, demo_seed
from stokly_sync.sandbox.seeds.account import MARKETPLACER
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync_tests.sandbox.marketplacer.bench import STOCK, Bench

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def demo() -> MarketplacerSandbox:
    """The sandbox as the demo starts with it; tests only look at it."""
    system = MarketplacerSandbox(clock=ManualClock(NOW))
    system.seed("demo")
    return system


@pytest.fixture(scope="module")
def stokly() -> Seed:
    """Stokly's side of the same day."""
    return demo_seed(NOW.date())


def of_channel(stokly: Seed) -> list[Any]:
    return [row for row in stokly.collections["saleorders"] if row["sourceId"] == MARKETPLACER.channel_id]


@pytest.mark.parametrize("role", ["operator", "seller"])
def test_settings_name_the_host_and_a_key(role: Any) -> None:
    switches = MarketplacerSwitches(settings_role=role)
    assert MarketplacerSandbox(switches=switches).settings_env("http://127.0.0.1:1") == {
        "MARKETPLACER_URL": "http://127.0.0.1:1",
        "MARKETPLACER_API_KEY": switches.operator_key if role == "operator" else switches.seller_key,
    }


def test_a_fresh_sandbox_has_reference_data_and_nothing_for_sale() -> None:
    found = totals(build().operator)
    assert (found["adverts"], found["invoices"]) == (0, 0)
    assert len(build().store.state.taxons) == 4


@pytest.mark.sandbox
def test_the_whole_state_survives_a_restart(bench: Bench) -> None:
    variant = bench.listed("A", price="12.50")
    invoice = bench.invoice(("A", 2))
    bench.do("shipments", invoice=invoice["legacyId"])
    bench.do("refund-requests", invoice=invoice["legacyId"], quantity=1, dispatched=True)
    bench.do("remittance-advices", invoices=[invoice["legacyId"]], amendments=[1])
    bench.do("defects", defects=["rogue_listing"])
    before, saved = bench.inspect("totals"), encode(bench.system.dump())
    bench.system.load(decode(saved))
    assert (bench.inspect("totals"), encode(bench.system.dump())) == (before, saved)
    assert bench.inspect("defects")[0]["name"] == "rogue_listing"
    assert bench.change(STOCK, id=variant, n=1)["variant"]["sku"] == "A"
    assert bench.invoice(("A", 1))["legacyId"] > invoice["legacyId"]
    line = invoice["lineItems"][0]["id"]
    assert bench.ask("query ($id: ID!) { node(id: $id) { __typename } }", id=line)["node"] == {"__typename": "LineItem"}


@pytest.mark.sandbox
def test_state_is_kept_in_the_state_folder(tmp_path: Path) -> None:
    for expected in (0, 1):
        with Sandbox(systems=["marketplacer"], state_dir=tmp_path, seed="empty") as sandbox:
            root = sandbox.urls["marketplacer"]
            assert requests.get(f"{root}/_sandbox/totals", timeout=30).json()["adverts"] == expected
            requests.post(f"{root}/_sandbox/adverts", json={"variants": [{"sku": "A"}]}, timeout=30)


@pytest.mark.sandbox
def test_calls_are_counted_by_route(bench: Bench) -> None:
    bench.ask("{ __typename }")
    assert bench.system.calls.count(method="POST", template="/graphql", status=200) == 1


@pytest.mark.sandbox
def test_a_deed_that_cannot_be_done_says_why(bench: Bench) -> None:
    bench.do("adverts", variants=[], legacy_id=7)
    deeds: list[tuple[str, Any, str]] = [
        ("orders", {"lines": [{"sku": "NONE"}]}, "Nothing of SKU 'NONE'"),
        ("orders", {"lines": []}, "An order has lines"),
        ("orders", {"basket": []}, "unknown field"),
        ("adverts", {"variants": [], "legacy_id": 7}, "number 7 already"),
        ("adverts/vet", {"advert": 99, "accept": True}, "nothing with the number 99"),
        ("defects", {"defects": ["none"]}, "rogue_listing"),
        ("defects", {"defects": ["case_twin"]}, "start it with a seed"),
    ]
    for deed, body, told in deeds:
        answer = bench.session.post(f"{bench.root}/_sandbox/{deed}", json=body, timeout=30)
        assert (answer.status_code, told in answer.json()["message"]) == (400, True), answer.text


def test_a_part_of_the_accounts_items_is_on_sale_under_the_numbers_that_stokly_knows(
    demo: MarketplacerSandbox, stokly: Seed
) -> None:
    items = {row["sku"]: row for row in stokly.collections["items"] if "sku" in row}
    rows = [row for row in stokly.collections["listings"] if row["channelId"] == MARKETPLACER.channel_id]
    references = {row["sku"]: int(row["referenceId"]) for row in rows}
    variants = demo.store.state.variants
    assert {variant.sku for variant in variants.values()} == {
        sku for sku in references if items[sku]["format"] != 2 and sku not in NOT_LISTED
    }
    for variant in variants.values():
        assert variant.sku is not None
        item = items[variant.sku]
        assert variant.number == references[variant.sku]
        assert variant.price == (item["salePrice"] * Decimal("1.2")).quantize(Decimal("0.01"))
        off = variant.count_on_hand - max(0, item["available"])
        assert off == (2 if variant.number % STALE == 0 else 0)
    assert totals(demo.operator)["adverts_online"] == totals(demo.operator)["adverts"]


def test_every_order_of_the_channel_has_its_invoice_to_the_penny(demo: MarketplacerSandbox, stokly: Seed) -> None:
    invoices = demo.store.state.invoices
    orders = of_channel(stokly)
    assert sorted(invoices) == sorted(int(order["sourceReferenceId"]) for order in orders)
    for order in orders:
        invoice = invoices[int(order["sourceReferenceId"])]
        assert Decimal(invoice_total(invoice)) / 100 == order["displayTotal"]
        assert Decimal(invoice_tax(invoice) or 0) / 100 == order["displayTax"] + order["displayShippingTax"]


def test_what_was_despatched_of_late_is_not_on_the_marketplace_yet(demo: MarketplacerSandbox, stokly: Seed) -> None:
    numbers = {order["saleOrderId"]: int(order["sourceReferenceId"]) for order in of_channel(stokly)}
    rows = [row for row in stokly.collections["dispatches"] if row["saleOrderId"] in numbers]
    old = {row["trackingNumber"] for row in rows if datetime.fromisoformat(row["dispatchedAt"]) + KNOWN_AFTER <= NOW}
    known = {parcel.tracking_number for invoice in demo.store.state.invoices.values() for parcel in invoice.shipments}
    assert known == old
    assert len(old) < len(rows)


def test_every_refund_of_the_channel_is_an_amendment_to_the_penny(demo: MarketplacerSandbox, stokly: Seed) -> None:
    numbers = {order["saleOrderId"]: int(order["sourceReferenceId"]) for order in of_channel(stokly)}
    rows = [row for row in stokly.collections["refunds"] if row.get("saleOrderId") in numbers]
    expected = sorted((numbers[row["saleOrderId"]], -row["displayTotal"]) for row in rows)
    found = sorted(
        (invoice.number, Decimal(amendment.line_item_amount_total_cents) / 100)
        for invoice in demo.store.state.invoices.values()
        for amendment in invoice.amendments
    )
    assert found == expected


def test_what_was_paid_out_adds_up_and_was_sent_in_full(demo: MarketplacerSandbox) -> None:
    assert demo.store.state.advices
    for advice in demo.store.state.advices.values():
        assert advice.total_cents == sum(remittance.amount_cents for remittance in advice.remittances)
        for remittance in advice.remittances:
            if remittance.invoice is not None:
                shown = status_flags(demo.store, demo.store.state.invoices[remittance.invoice])
                assert {"SENT", "REMITTED"} <= set(shown)


def test_the_same_day_gives_the_same_marketplace(demo: MarketplacerSandbox) -> None:
    again = MarketplacerSandbox(clock=ManualClock(NOW))
    again.seed("demo")
    assert encode(again.dump()) == encode(demo.dump())


def test_a_transactions_file_puts_nothing_on_sale(tmp_path: Path) -> None:
    path = tmp_path / "transactions.csv"
    path.write_text("InvoiceNo\n", "utf-8")
    system = build()
    system.seed(str(path))
    assert totals(system.operator)["adverts"] == 0


def test_no_defect_is_there_unless_asked_for(demo: MarketplacerSandbox) -> None:
    assert demo.planted == []
    assert {advert.vetting_rejected for advert in demo.store.state.adverts.values()} == {False}


def test_every_defect_can_be_planted_beside_the_others(stokly: Seed) -> None:
    system = MarketplacerSandbox(clock=ManualClock(NOW))
    system.seed("demo")
    keys = {defect.name: defect.key for defect in system.plant(DEFECTS)}
    state = system.store.state
    skus = {row["sku"] for row in stokly.collections["items"] if "sku" in row}
    listed = {variant.sku: variant for variant in state.variants.values()}
    assert keys["rogue_listing"] in listed
    assert keys["rogue_listing"].lower() not in {sku.lower() for sku in skus}
    assert keys["case_twin"] in listed
    assert keys["case_twin"] not in skus
    assert keys["case_twin"].swapcase() in skus
    rejected = state.adverts[listed[keys["listing_not_live"]].advert]
    assert (rejected.published, rejected.vetting_rejected, keys["listing_not_live"] in skus) == (True, True, True)
    incomplete = state.orders[state.invoices[int(keys["order_incomplete"])].order].address
    assert incomplete is not None
    assert incomplete.postcode is None
    unknown = {line.variant_sku for line in state.invoices[int(keys["order_unknown_sku"])].line_items}
    assert len(unknown - skus) == 1
    assert len(state.invoices[int(keys["refund_without_credit_note"])].amendments) == 1
    assert keys["refund_without_credit_note"] in {row["sourceReferenceId"] for row in of_channel(stokly)}
    advice = state.advices[int(keys["remittance_off"])]
    assert advice.total_cents == sum(remittance.amount_cents for remittance in advice.remittances) - 137
