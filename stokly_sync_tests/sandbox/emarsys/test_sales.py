"""The Sales Data API: contract section 2."""

import threading
import time

import pytest
import requests

from stokly_sync.sandbox.kit import Fault
from stokly_sync_tests.sandbox.emarsys.bench import Bench

pytestmark = pytest.mark.sandbox

HEADER = "item,price,order,timestamp,customer,quantity"
LINE = "SKU-1,19.98,SO-1,2026-01-02T03:04:05Z,C1,2"
REFUND = "SKU-1,-9.99,SO-1,2026-01-05T00:00:00Z,C1,-1"


def file(*lines: str, header: str = HEADER) -> str:
    return "\n".join((header, *lines)) + "\n"


def count(bench: Bench) -> int:
    lines: int = bench.inspect("sales/totals")["lines"]
    return lines


def test_an_upload_is_accepted_in_plain_text_and_appended(bench: Bench) -> None:  # 2.1, 2.5
    answer = bench.upload(file(LINE, REFUND))
    assert (answer.status_code, answer.text) == (200, "Upload accepted\n")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert bench.inspect("sales/totals") == {
        "lines": 2,
        "orders": 1,
        "price": "9.99",
        "quantity": "1",
        "refund_lines": 1,
        "refund_price": "-9.99",
        "duplicates": 0,
        "placeholder": 2,
        "uploads": 1,
    }
    assert bench.inspect("sales/lines")[0]["order"] == "SO-1"


def test_nothing_is_deduplicated_and_repeated_lines_are_counted(bench: Bench) -> None:  # 2.4
    for _ in range(3):
        bench.upload(file(LINE))
    totals = bench.inspect("sales/totals")
    assert (totals["lines"], totals["duplicates"], totals["price"]) == (3, 2, "59.94")
    uploads = bench.inspect("sales/uploads")
    assert [upload["number"] for upload in uploads] == [1, 2, 3]
    assert len({upload["sha256"] for upload in uploads}) == 1


def test_both_spellings_of_the_scheme_are_in_use(bench: Bench) -> None:  # 2.1
    token = bench.system.switches.merchants["sandbox-merchant"]
    assert bench.upload(file(LINE), Authorization=f"Bearer {token}").status_code == 200


def test_a_token_is_good_for_its_merchant_alone(bench: Bench) -> None:  # 2.1
    assert bench.upload(file(LINE), Authorization="bearer wrong").status_code == 401
    assert bench.upload(file(LINE), Authorization=f"bearer {bench.system.access.issue()}").status_code == 401
    assert bench.upload(file(LINE), merchant="another").status_code == 401
    bench.system.set_switches(merchants={"sandbox-merchant": "sandbox-emarsys-sales-token", "another": "other-token"})
    assert bench.upload(file(LINE), merchant="another", Authorization="bearer other-token").status_code == 200
    assert bench.inspect("sales/totals", merchant="another")["lines"] == 1
    assert bench.inspect("sales/totals", merchant="sandbox-merchant")["lines"] == 0


def test_the_body_is_raw_csv(bench: Bench) -> None:  # 2.1
    assert bench.upload(file(LINE), kind="application/json").status_code == 415


@pytest.mark.parametrize(
    "header",
    [
        "price,item,order,timestamp,customer,quantity",
        "Item,price,order,timestamp,customer,quantity",
        "item,price,order,timestamp,email,quantity",
        "item,price,order,timestamp,customer",
    ],
    ids=["order", "case", "other column", "lacking"],
)
def test_the_header_must_be_the_agreed_one_in_its_order(bench: Bench, header: str) -> None:  # 2.2
    columns = header.count(",") + 1
    answer = bench.upload(file(",".join(LINE.split(",")[:columns]), header=header))
    assert (answer.status_code, answer.text) == (400, f"Row 1: the header must be {HEADER}.\n")
    assert count(bench) == 0


def test_another_account_has_another_header(bench: Bench) -> None:  # 2.3
    columns = ["item", "order", "date", "customer", "quantity", "c_sales_amount", "s_channel", "i_no", "f_tax", "t_at"]
    bench.system.set_switches(sales_columns=columns)
    header = ",".join(columns)
    good = "SKU-1,SO-1,2026-01-02,C1,2,19.98,web,1,0.5,2026-01-02T03:04:05Z"
    assert bench.upload(file(good, header=header)).status_code == 200
    assert bench.inspect("sales/totals")["price"] == "19.98"
    assert bench.upload(file("SKU-1,SO-1,2026-01-02,C1,2,19.98,,,,", header=header)).status_code == 200
    for wrong in ("web,1.5,0.5,2026-01-02", "web,1,x,2026-01-02", "web,1,0.5,noon"):
        assert bench.upload(file(f"SKU-1,SO-1,2026-01-02,C1,2,19.98,{wrong}", header=header)).status_code == 400


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (",19.98,SO-1,2026-01-02T03:04:05Z,C1,2", "invalid value in column item"),
        ('SKU-1,"19,98",SO-1,2026-01-02T03:04:05Z,C1,2', "invalid value in column price"),
        ("SKU-1,1e3,SO-1,2026-01-02T03:04:05Z,C1,2", "invalid value in column price"),
        ("SKU-1,19.98,,2026-01-02T03:04:05Z,C1,2", "invalid value in column order"),
        ("SKU-1,19.98,SO-1,,C1,2", "invalid value in column timestamp"),
        ("SKU-1,19.98,SO-1,2026-01-02T03:04:05+01:00,C1,2", "invalid value in column timestamp"),
        ("SKU-1,19.98,SO-1,2026-02-30T03:04:05Z,C1,2", "invalid value in column timestamp"),
        ("SKU-1,19.98,SO-1,2026-01-02T03:04:05Z,,2", "invalid value in column customer"),
        ("SKU-1,19.98,SO-1,2026-01-02T03:04:05Z,C1,", "invalid value in column quantity"),
        ("SKU-1, 19.98,SO-1,2026-01-02T03:04:05Z,C1,2", "space around a separator"),
        ('"SKU,1",19.98 ,SO-1,2026-01-02T03:04:05Z,C1,2', "space around a separator"),
        ("SKU-1,19.98,SO-1,2026-01-02T03:04:05Z,C1", "5 columns instead of 6"),
        ('"SKU-1,19.98,SO-1,2026-01-02T03:04:05Z,C1,2', "broken quotes, or a line break in a field"),
        ('"SKU\n1",19.98,SO-1,2026-01-02T03:04:05Z,C1,2', "broken quotes, or a line break in a field"),
        ("", "blank"),
    ],
)
def test_a_bad_line_refuses_the_whole_upload_and_is_named(bench: Bench, line: str, problem: str) -> None:
    answer = bench.upload(file(LINE, line, REFUND))
    assert (answer.status_code, answer.text) == (400, f"Row 3: {problem}.\n")
    assert count(bench) == 0


def test_quotes_hold_commas_and_doubled_quotes(bench: Bench) -> None:  # 2.2
    bench.upload(file('"SKU ""A"", red",19.98,SO-1,2026-01-02,C1,2'))
    assert bench.inspect("sales/lines")[0]["item"] == 'SKU "A", red'


@pytest.mark.parametrize(
    "content", [b"", f"{HEADER}\n".encode(), file("SKU-\xe9,1,SO-1,2026-01-02,C1,2").encode("latin-1")]
)
def test_an_empty_or_unreadable_file_is_refused(bench: Bench, content: bytes) -> None:
    assert bench.upload(content).status_code == 400
    assert bench.inspect("sales/uploads") == []


def test_an_upload_has_a_limit_of_lines(bench: Bench) -> None:  # 2.6
    bench.system.set_switches(sales_max_lines=2)
    assert bench.upload(file(LINE, LINE)).status_code == 200
    assert bench.upload(file(LINE, LINE, LINE)).status_code == 400


def test_a_line_of_an_unknown_customer_goes_to_a_placeholder_for_good(bench: Bench) -> None:  # 2.4
    bench.upload(file(LINE))
    field = bench.field()
    bench.put({field: "C1", "3": "a@example.com"}, key=field)
    assert bench.inspect("sales/totals")["placeholder"] == 1
    bench.upload(file(LINE))
    assert bench.inspect("sales/totals")["placeholder"] == 1


def test_customers_may_be_known_by_email_instead(bench: Bench) -> None:  # 2.3
    columns = ["item", "price", "order", "timestamp", "email", "quantity"]
    bench.system.set_switches(sales_columns=columns)
    bench.contact("a@example.com")
    lines = [f"SKU-1,1,SO-1,2026-01-02,{email},1" for email in ("a@example.com", "b@example.com")]
    assert bench.upload(file(*lines, header=",".join(columns))).status_code == 200
    assert bench.inspect("sales/totals")["placeholder"] == 1


def test_an_answer_may_come_late_after_the_lines_were_taken(bench: Bench) -> None:
    bench.system.set_switches(sales_reply="late", sales_late_by=0.4, sales_reply_times=1)
    before = time.monotonic()
    assert bench.upload(file(LINE)).status_code == 200
    assert time.monotonic() - before >= 0.4
    before = time.monotonic()
    bench.upload(file(LINE))
    assert time.monotonic() - before < 0.3
    assert count(bench) == 2


def test_an_answer_may_never_come_although_the_lines_were_taken(bench: Bench) -> None:
    bench.system.set_switches(sales_reply="never", sales_reply_times=1)
    with pytest.raises(requests.ReadTimeout):
        bench.upload(file(LINE), timeout=0.3)
    assert count(bench) == 1
    assert bench.upload(file(LINE)).status_code == 200


def test_other_calls_are_answered_while_an_upload_hangs(bench: Bench) -> None:
    bench.system.set_switches(sales_reply="never", sales_reply_times=1)

    def hang() -> None:
        with pytest.raises(requests.ReadTimeout):
            bench.upload(file(LINE), timeout=0.5)

    hanging = threading.Thread(target=hang)
    hanging.start()
    assert bench.call("GET", "/field").status_code == 200
    hanging.join()


@pytest.mark.parametrize(("processed", "lines"), [(False, 0), (True, 1)])
def test_a_connection_may_be_cut_before_or_after_the_lines_are_taken(bench: Bench, processed: bool, lines: int) -> None:
    bench.system.faults.add(Fault(path="/hapi/", action="cut", processed=processed))
    with pytest.raises(requests.ConnectionError):
        bench.upload(file(LINE))
    assert count(bench) == lines


def test_an_error_may_be_answered_although_the_lines_were_taken(bench: Bench) -> None:
    bench.system.faults.add(Fault(path="/hapi/", status=503, processed=True, text="busy", content_type="text/plain"))
    assert bench.upload(file(LINE)).status_code == 503
    assert count(bench) == 1
