"""What is read from the marketplace: all of it, once, with either key; nothing that is hidden is lost (P1, P3, P6)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.contracts.schema import validate
from stokly_sync.errors import CredentialsError, NotOffered, PermissionDenied, TransientError
from stokly_sync.flow import Rows, Scope, Window
from stokly_sync.landing.grid import EARLIEST
from stokly_sync.sandbox.kit import Fault
from stokly_sync.sandbox.marketplacer import portal
from stokly_sync.systems.marketplacer.extracts import extracts
from stokly_sync.systems.marketplacer.probing import probe
from stokly_sync.systems.marketplacer.readback import read_products, read_stock
from stokly_sync.systems.marketplacer.reference import reference
from stokly_sync_tests.systems.marketplacer.bench import Bench, documents
from stokly_sync_tests.systems.marketplacer.made import pounds, row

pytestmark = pytest.mark.sandbox


def read(bench: Bench, name: str, scope: Scope | None = None, **given: Any) -> Rows:
    """A dataset read and held against its contract."""
    client = bench.client(**given)
    (extract,) = [e for e in extracts(client.settings) if e.dataset == f"marketplacer.{name}"]
    found = documents(extract.read(client, scope or bench.window()))
    return validate(DATASETS[extract.dataset], extract.rows(found, bench.now))


def frame(bench: Bench, name: str, scope: Scope | None = None, **given: Any) -> Any:
    rows = read(bench, name, scope, **given)
    assert rows.problems == []
    return rows.frames[f"marketplacer.{name}"]


@pytest.mark.parametrize("formatted_only", [False, True])
@pytest.mark.parametrize("seller", [False, True])
def test_an_order_is_the_same_with_either_key_and_with_or_without_pence(
    bench: Bench, seller: bool, formatted_only: bool
) -> None:
    bench.system.set_switches(formatted_only=formatted_only)
    bench.list("A", "B")
    bench.order(("A", 2), ("B", 1), postage_cents=300)
    rows = read(bench, "orders", seller=seller)
    assert rows.problems == []
    order = row(rows.frames["marketplacer.orders"])
    assert (order["state"], pounds(order["total"]), pounds(order["tax"])) == ("open", "39.00", "6.50")
    assert (pounds(order["shipping"]), pounds(order["shipping_tax"])) == ("2.50", "0.50")
    assert (pounds(order["commission"]), pounds(order["commission_tax"])) == ("5.40", "1.08")
    assert (order["parent_number"] is None) is seller
    lines = rows.frames["marketplacer.order_lines"]
    assert lines["line_total"].sum() + order["shipping"] + order["shipping_tax"] == order["total"]


def test_a_window_reads_what_was_updated_in_it(bench: Bench) -> None:
    bench.list("A")
    early = bench.order(("A", 1))
    bench.clock.advance(7200)
    late = bench.order(("A", 1))
    assert frame(bench, "orders")["number"].tolist() == [str(late.number)]
    portal.despatch(bench.system.operator, portal.Despatch(invoice=early.number))
    assert set(frame(bench, "orders")["number"]) == {str(early.number), str(late.number)}


def test_the_baseline_goes_on_where_it_stopped(bench: Bench) -> None:
    bench.list("A", units=100)
    for _ in range(5):
        bench.order(("A", 1))
        bench.clock.advance(60)
    client = bench.client(page_size=2)
    (extract,) = [e for e in extracts(client.settings) if e.dataset == "marketplacer.orders"]
    span = Window(EARLIEST, bench.now)
    pages = list(extract.read(client, Scope(span, baseline=True)))
    assert [len(page.documents) for page in pages] == [2, 2, 1]
    again = documents(extract.read(client, Scope(span, baseline=True, cursor=pages[0].cursor)))
    assert {d["id"] for d in documents(iter(pages))} == {d["id"] for page in pages[:1] for d in page.documents} | {
        d["id"] for d in again
    }


def test_only_the_sellers_own_part_is_taken_where_one_is_set(bench: Bench) -> None:
    bench.list("A")
    bench.list("B", seller=2)
    mine, other = bench.order(("A", 1)), bench.order(("B", 1), seller=2)
    assert len(frame(bench, "orders")) == 2
    store = frame(bench, "orders").set_index("number")["store"]
    assert frame(bench, "orders", seller_id=store[str(mine.number)])["number"].tolist() == [str(mine.number)]
    assert set(frame(bench, "listings", seller_id=store[str(other.number)])["sku"]) == {"B"}
    assert set(frame(bench, "stock_levels", seller_id=store[str(mine.number)])["sku"]) == {"A"}


def test_hidden_variants_are_read_too(bench: Bench) -> None:
    bench.list("A", published=False)
    bench.list("B")
    found = frame(bench, "listings").set_index("sku")
    assert set(found.index) == {"A", "B"}
    assert (found.loc["A", "on_sale"], found.loc["B", "on_sale"]) == (False, True)
    assert set(frame(bench, "stock_levels")["sku"]) == {"A", "B"}


def test_an_advert_with_more_variants_than_a_page_loses_none(bench: Bench) -> None:
    bench.list(*(f"SKU-{i:03}" for i in range(230)))
    assert len(frame(bench, "listings")) == 230
    assert len(frame(bench, "stock_levels", page_size=50)) == 230


def test_a_window_reads_listings_that_changed(bench: Bench) -> None:
    bench.list("A")
    bench.clock.advance(7200)
    bench.list("B")
    assert set(frame(bench, "listings")["sku"]) == {"B"}
    whole = Scope(Window(bench.now - timedelta(hours=1), bench.now), sweep=True)
    assert set(frame(bench, "listings", whole)["sku"]) == {"A", "B"}


def test_a_listing_that_waits_for_approval_says_so(bench: Bench) -> None:
    advert = bench.list("A")
    portal.judge(bench.system.operator, portal.Verdict(advert=advert.number, accept=False, reason="No picture"))
    assert frame(bench, "listings")["why_not"].tolist() == ["rejected by the operator: No picture"]


def test_requests_are_read_while_they_are_open_and_amendments_once_they_are_paid(bench: Bench) -> None:
    bench.list("A")
    invoice = bench.order(("A", 3))
    for until in ("AWAITING", "REFUNDED"):
        asked = portal.Complaint(invoice=invoice.number, quantity=1, until=until)
        portal.complain(bench.system.operator, asked)
    found = frame(bench, "refunds")
    assert sorted(found["state"]) == ["completed", "requested"]
    assert found["live"].all()
    whole = frame(bench, "refunds", Scope(Window(EARLIEST, bench.now), sweep=True))
    # The request that was paid is there as well, and not live: its amendment is the refund.
    assert sorted(zip(whole["state"], whole["live"], strict=True)) == [
        ("completed", False),
        ("completed", True),
        ("requested", True),
    ]


@pytest.mark.parametrize("amounts", ["net", "gross"])
def test_payouts_add_up_however_their_parts_are_told(bench: Bench, amounts: str) -> None:
    bench.system.set_switches(remittance_amounts=amounts)
    bench.list("A")
    invoice = bench.order(("A", 2))
    portal.complain(bench.system.operator, portal.Complaint(invoice=invoice.number, quantity=1))
    payout = portal.Payout(invoices=[invoice.number], amendments=[a.number for a in invoice.amendments])
    portal.pay_out(bench.system.operator, payout)
    rows = read(bench, "remittances")
    assert rows.problems == []
    lines = rows.frames["marketplacer.remittance_lines"]
    assert lines["payout"].sum() == row(rows.frames["marketplacer.remittances"])["payout"]
    assert (lines["gross"] - lines["commission"] - lines["commission_tax"] - lines["payout"]).sum() == 0


def test_a_payout_that_is_off_by_a_penny_is_kept_out(bench: Bench) -> None:
    bench.list("A")
    invoice = bench.order(("A", 2))
    portal.pay_out(bench.system.operator, portal.Payout(invoices=[invoice.number], off_by=1))
    assert [p.rule for p in read(bench, "remittances").problems] == ["MP-REMITTANCE-SUM"]


def test_payouts_are_not_offered_to_a_seller(bench: Bench) -> None:
    with pytest.raises(NotOffered, match="for operators"):
        read(bench, "remittances", seller=True)


def test_there_are_no_payouts_where_the_feature_is_off(bench: Bench) -> None:
    bench.system.set_switches(remittances=False)
    assert frame(bench, "remittances").empty


def test_payouts_are_not_offered_to_a_key_without_the_right(bench: Bench) -> None:
    bench.system.set_switches(missing_scopes=["remittanceAdvices"])
    with pytest.raises(NotOffered, match="scope"):
        read(bench, "remittances")


def test_a_missing_scope_is_named(bench: Bench) -> None:
    bench.system.set_switches(missing_scopes=["invoices"])
    with pytest.raises(PermissionDenied, match="lacks a scope"):
        read(bench, "orders")


@pytest.mark.parametrize(
    ("given", "advice"),
    [({}, "MARKETPLACER_BASIC_USER"), ({"basic_user": "u", "basic_password": "wrong"}, "HTTP Basic")],
)
def test_http_basic_that_is_missing_or_wrong_is_named(bench: Bench, given: dict[str, Any], advice: str) -> None:
    bench.system.set_switches(basic_user="u", basic_password="sesame")
    with pytest.raises(CredentialsError, match=advice):
        read(bench, "orders", **given)
    bench.list("A")
    assert len(frame(bench, "listings", basic_user="u", basic_password="sesame")) == 1


def test_a_wrong_key_is_not_called_expired(bench: Bench) -> None:
    with pytest.raises(CredentialsError, match="missing, mistyped or really expired"):
        read(bench, "orders", api_key="wrong-key-of-nobody")


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "absent"])
def test_the_rate_windows_are_waited_out(bench: Bench, status: int, form: str) -> None:
    bench.list("A")
    bench.system.set_switches(per_key=3, too_many=status, retry_after=form)
    bench.system.set_limits(True)
    client = bench.client()
    for _ in range(3):
        assert len(list(read_stock(client))) == 1
    list(read_products(client))
    assert bench.slept
    assert bench.slept[0] == 60.0 if form == "absent" else bench.slept[0] <= 10.0


def test_a_server_that_stays_down_is_given_up_as_transient(bench: Bench) -> None:
    bench.system.faults.add(Fault(path="/graphql", status=502, times=None))
    with pytest.raises(TransientError, match="502"):
        read(bench, "orders")


def test_the_read_back_counts_variants_and_not_adverts(bench: Bench) -> None:
    bench.list("A", "B", None)
    client = bench.client()
    products = [facts.frame for facts in read_products(client)]
    assert sorted(products[0]["key"]) == ["A", "B"]
    assert products[0]["price"].tolist() == ["12", "12"]
    assert [f.frame["count_on_hand"].tolist() for f in read_stock(client)] == [["10", "10"]]


def test_carriers_brands_and_taxons_are_the_vocabulary(bench: Bench) -> None:
    found = reference(bench.client())
    assert {"carriers", "brands", "taxons", "members"} == found.keys()
    assert "Royal Mail" in {carrier["name"] for carrier in found["carriers"]}


@pytest.mark.parametrize("seller", [False, True])
def test_the_doctor_holds_every_request_against_the_servers_schema(bench: Bench, seller: bool) -> None:
    lines = list(probe(bench.client(seller=seller)))
    assert [line.subject for line in lines if not line.ok] == []
    assert any("requests fit" in line.finding for line in lines)


def test_the_doctor_names_what_does_not_fit(bench: Bench) -> None:
    client = bench.client(members={"line_cost": "nowhereCents"}, carriers={"DPD": "Pigeon"})
    wrong = {line.subject: line.finding for line in probe(client) if not line.ok}
    assert "nowhereCents" in wrong["Marketplacer schema: orders"]
    assert wrong["Marketplacer carriers"] == "not there: Pigeon"


def test_the_doctor_says_first_that_the_key_is_wrong(bench: Bench) -> None:
    (line,) = probe(bench.client(api_key="wrong-key-of-nobody"))
    assert not line.ok
