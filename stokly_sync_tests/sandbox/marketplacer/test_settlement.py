"""Commission, remittances and remittance advices: contract section 6."""

from typing import Any

import pytest

from stokly_sync_tests.sandbox.marketplacer.bench import Bench

pytestmark = pytest.mark.sandbox

ADVICES = """{
    remittanceAdvices(first: 10) {
        totalCount
        nodes {
            id legacyId createdAt paidAt paymentReference totalCents totalFormatted
            commissionAmountTotalCents commissionAmountTotalFormatted seller { businessName }
            remittances {
                id amountCents amountFormatted commissionAmountCents released pendingReasons createdAt
                invoice { legacyId } invoiceAmendment { legacyId lineItemAmountTotalCents } seller { businessName }
            }
        }
    }
}"""


@pytest.fixture
def sold(bench: Bench) -> Any:
    """An invoice over 24.00, of which 12.00 was refunded."""
    bench.listed("A")
    invoice = bench.invoice(("A", 2))
    bench.do("refund-requests", invoice=invoice["legacyId"], quantity=1, dispatched=True)
    return invoice


def advices(bench: Bench) -> Any:
    return bench.ask(ADVICES)["remittanceAdvices"]["nodes"]


def test_an_advice_groups_remittances_of_invoices_and_amendments(bench: Bench, sold: Any) -> None:
    bench.do("remittance-advices", invoices=[sold["legacyId"]], amendments=[1], reference="BACS-1")
    (advice,) = advices(bench)
    whole, given_back = advice["remittances"]
    # 24.00 less 15 % and 20 % tax on that; 12.00 of it was given back, with its commission.
    assert (whole["amountCents"], whole["commissionAmountCents"]) == (2400 - 360 - 72, 360)
    assert (given_back["amountCents"], given_back["commissionAmountCents"]) == (-(1200 - 180 - 36), -180)
    assert (advice["totalCents"], advice["totalFormatted"]) == (984, "£9.84")
    assert (advice["commissionAmountTotalCents"], advice["paymentReference"]) == (180, "BACS-1")
    assert (whole["invoice"], whole["invoiceAmendment"]) == ({"legacyId": sold["legacyId"]}, None)
    assert given_back["invoiceAmendment"]["lineItemAmountTotalCents"] == -1200
    assert (whole["released"], whole["pendingReasons"], whole["amountFormatted"]) == (True, [], "£19.68")
    assert advice["paidAt"] is not None
    assert "REMITTED" in bench.read(sold["legacyId"])["statusFlags"]


def test_an_advice_may_await_payment(bench: Bench, sold: Any) -> None:
    bench.do("remittance-advices", invoices=[sold["legacyId"]], paid=False)
    assert advices(bench)[0]["paidAt"] is None


def test_an_advice_may_not_add_up(bench: Bench, sold: Any) -> None:
    bench.do("remittance-advices", invoices=[sold["legacyId"]], off_by=-137)
    (advice,) = advices(bench)
    assert advice["totalCents"] == sum(row["amountCents"] for row in advice["remittances"]) - 137


def test_a_remittance_may_be_stated_before_commission(bench: Bench, sold: Any) -> None:
    bench.system.set_switches(remittance_amounts="gross")
    bench.do("remittance-advices", invoices=[sold["legacyId"]])
    (advice,) = advices(bench)
    assert (advice["remittances"][0]["amountCents"], advice["totalCents"]) == (2400, 1968)


def test_a_marketplace_without_the_feature_has_no_advices(bench: Bench, sold: Any) -> None:
    bench.do("remittance-advices", invoices=[sold["legacyId"]])
    bench.system.set_switches(remittances=False)
    assert advices(bench) == []


def test_an_advice_is_about_one_seller(bench: Bench, sold: Any) -> None:
    bench.listed("B", seller=2)
    other = bench.invoice(("B", 1), seller=2)
    for invoices in ([sold["legacyId"], other["legacyId"]], []):
        answer = bench.session.post(
            f"{bench.root}/_sandbox/remittance-advices", json={"invoices": invoices}, timeout=30
        )
        assert answer.status_code == 400
        assert "one seller" in answer.json()["message"]


def test_commission_is_what_the_switch_says_when_the_order_is_placed(bench: Bench) -> None:
    bench.listed("A")
    bench.system.set_switches(commission_rate="12.5", commission_tax_rate=0.0)
    invoice = bench.invoice(("A", 1))
    bench.system.set_switches(commission_rate="99")
    fields = "commissionAmountCents commissionAmountTaxCents commissionTaxRate"
    shown = bench.read(invoice["legacyId"], fields)
    assert [shown[name] for name in fields.split()] == [150, 0, 0.0]


def test_commission_packages_are_read_by_the_operator(bench: Bench) -> None:
    query = "{ commissionPackages { nodes { id name rate appliesToPostage } } }"
    bench.system.set_switches(commission_rate="12.5")
    (package,) = bench.ask(query)["commissionPackages"]["nodes"]
    assert (package["rate"], package["appliesToPostage"]) == ("12.5", False)
