"""Every page, with nothing in it and with something, and every button."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from datetime import timedelta

import pytest

from stokly_sync.alerts.links import BEHIND, page_of
from stokly_sync.alerts.watch import DOUBT, PAUSED, QUARANTINE
from stokly_sync.contracts.owners import person
from stokly_sync.contracts.rules import Severity
from stokly_sync.delivery.rules import WAITS
from stokly_sync.errors import TransientError
from stokly_sync.flow import Team
from stokly_sync.operations.desk import Desk
from stokly_sync.operations.listing import Ref
from stokly_sync.reconciliation import report
from stokly_sync.reconciliation.compare import Difference, Kind
from stokly_sync.reconciliation.keeping import FINDING
from stokly_sync.warehouse.findings import raise_finding
from stokly_sync_tests.alerts.test_links import finding
from stokly_sync_tests.dashboard.site import Visitor
from stokly_sync_tests.delivery.kit import T0, Destination, land, order, orders_feed, row, states
from stokly_sync_tests.operations.kit import FEED, ORDERS, erase, hands_of, kept_back, load, rejected
from stokly_sync_tests.operations.test_figures import compared, delivered

PAGES = ("/", "/waiting", "/problems", "/reconciliation", "/trust", "/where", "/plans", "/erasures")


def ref_text(*names: str) -> str:
    return json.dumps(list(names))


def read(text: str) -> str:
    """What a person reads of a page: no tags, and every run of white space once."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


@pytest.mark.parametrize("path", PAGES)
def test_a_page_without_anything_to_show_says_so(visitor: Visitor, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 200
    if path not in ("/where", "/trust"):
        assert 'class="card empty"' in answer.text


def problem(desk: Desk) -> None:
    body = {"minutes": 90, "advice": "Look whether the schedule is on."}
    with desk.warehouse.transaction() as conn:
        raise_finding(
            conn,
            brand=desk.brand,
            kind="behind",
            subject=FEED,
            problem_key="",
            title="It is late.",
            body=body,
            severity=Severity.HIGH,
            owner=Team.OPERATIONS,
        )


@pytest.fixture
def busy(desk: Desk) -> Desk:
    rejected(desk.warehouse, "1", "2")
    kept_back(desk.warehouse, "3", owner="finance", value=5 * 10**9, currency="GBP", at=T0)
    kept_back(desk.warehouse, "4", owner="finance", state="excluded")
    row(desk.warehouse, FEED, "5", state="parked", rule=WAITS, reason="its customer 7 is not there yet", planned_at=T0)
    problem(desk)
    compared(desk, day=0)
    delivered(desk, "a", hours_ago=1)
    return desk


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "3 open · 29.00 GBP at stake"),
        ("/?owner=finance", "1 open for Finance · 5.00 GBP at stake"),
        ("/?system=test", "2 open"),
        ("/?subject=stokly.orders", "1 open"),
        ("/?state=ignored", "Nothing is ignored."),
        ("/?state=excluded", "1 excluded"),
        ("/waiting", "waits 1 "),
        (f"/waiting?feed={FEED}&rule={WAITS}", "5 its customer 7 is not there yet"),
        ("/problems", "It is late. behind minutes: 90 What to do: Look whether the schedule is on."),
        ("/?rule=NO-SUCH", "Nothing matches these filters."),
        ("/?value=nonsense&age=x&owner=nobody&sort=up", "3 open"),
        ("/exception?subject=test/orders&key=1&rule=T-REJECTED", "What to do: put it right."),
        ("/exception?subject=test/orders&key=1&rule=T-REJECTED", "no such person as ***"),
        ("/reconciliation", "orders agrees"),
        ("/trust?days=1", "orders"),
        ("/plans", "test/orders sent"),
        ("/reconciliation/records?feed=test/orders", "No record differs."),
        ("/where?dataset=stokly.orders&key=1", "Test order refused no such person as *** (T-REJECTED)"),
    ],
)
def test_a_page_shows_what_there_is(visitor: Visitor, path: str, expected: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 200
    assert expected in read(answer.text)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nowhere", 404),
        ("/exception?subject=a&key=b&rule=c", 404),
        ("/where?dataset=stokly.orders&key=none", 404),
        ("/reconciliation/records?feed=none", 404),
        ("/reconciliation/records.csv?feed=none", 404),
        ("/?after=nonsense", 400),
        ("/exceptions/act", 405),
    ],
)
def test_what_is_not_there_is_said_in_words(visitor: Visitor, path: str, status: int) -> None:
    answer = visitor.get(path)
    assert answer.status_code == status
    assert "Back to the exceptions" in answer.text


@pytest.mark.usefixtures("busy")
def test_my_team_sees_its_own_first_and_all_others_on_a_click(visitor: Visitor) -> None:
    chosen = visitor.post("/team", team="finance")
    assert "1 open for Finance" in read(chosen.text)
    assert "3 open" in read(visitor.get("/?owner=all").text)
    assert "3 open" in read(visitor.post("/team", team="").text)


@pytest.mark.usefixtures("busy")
def test_filters_stay_while_a_person_acts(visitor: Visitor) -> None:
    done = visitor.post("/exceptions/act", scope="all", act="assign", person="day shift", system="test", sort="oldest")
    assert "2 exceptions assigned to day shift." in done.text
    assert done.url.endswith("/?system=test&sort=oldest")
    assert "day shift" not in visitor.get("/?owner=finance").text


@pytest.mark.usefixtures("busy")
def test_only_the_ticked_ones_are_meant(visitor: Visitor) -> None:
    refs = [ref_text(FEED, "1", "T-REJECTED")]
    done = visitor.post("/exceptions/act", scope="ticked", act="ignore", reason="known", ref=refs)
    assert "1 exception ignored" in done.text
    assert "2 open" in read(visitor.get("/").text)
    back = visitor.post("/exceptions/act", scope="ticked", act="reopen", ref=refs, state="ignored")
    assert "1 exception open again." in back.text


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"act": "ignore", "scope": "all"}, "Say why"),
        ({"act": "retry", "scope": "ticked"}, "No exception was chosen"),
        ({"act": "explode", "scope": "all"}, "Choose what to do"),
        ({"act": "retry", "scope": "ticked", "ref": "nonsense"}, "open the page again"),
        ({"act": "arrived", "scope": "all"}, "record by record"),
        ({"act": "arrived", "scope": "ticked", "ref": ref_text(FEED, "1", "T-REJECTED")}, "is not in doubt"),
    ],
)
def test_half_a_wish_is_told_and_changes_nothing(visitor: Visitor, form: dict[str, str], said: str) -> None:
    answer = visitor.post("/exceptions/act", **form)
    assert said in read(answer.text)
    assert "3 open" in read(answer.text)


def test_a_retry_says_whether_it_passed(visitor: Visitor, desk: Desk) -> None:
    rejected(desk.warehouse, "1")
    names = ref_text(FEED, "1", "T-REJECTED")
    hands_of(desk).client.reject = lambda record: True
    assert "Retried. Still kept back." in visitor.post("/exception/act", act="retry", ref=names).text
    hands_of(desk).client.reject = lambda record: False
    assert "Retried. It passes now." in visitor.post("/exception/act", act="retry", ref=names).text
    assert states(desk.warehouse) == {"1": "accepted"}


def test_what_is_personal_is_shown_on_request_and_the_page_says_that_it_was_noted(visitor: Visitor, desk: Desk) -> None:
    land(desk.warehouse, ORDERS, [order("1", customer_email="ann@example.com", number="T-BAD")])
    load(desk.warehouse, orders_feed(), Destination())
    ref = Ref(FEED, "1", "T-BAD")
    page = f"/exception?subject={ref.subject}&key={ref.key}&rule={ref.rule}"
    assert "ann@example.com" not in visitor.get(page).text
    revealed = visitor.post("/exception/act", act="reveal", ref=ref_text(*ref))
    assert "ann@example.com" in revealed.text
    assert "This was written down for local" in read(revealed.text)
    again = visitor.get(page).text
    assert "ann@example.com" not in again
    assert "reveal by local" in again


def test_a_search_leads_to_the_one_record_and_offers_several(visitor: Visitor, desk: Desk) -> None:
    rows = [order("a", number="77"), order("b", number="78", channel_reference="77")]
    land(desk.warehouse, ORDERS, rows)
    one = visitor.post("/where", words="78")
    assert one.url.endswith("/where?dataset=stokly.orders&key=b")
    several = visitor.post("/where", words="77")
    assert several.text.count("/where?dataset=stokly.orders") == 2
    assert "Nothing is known by that" in visitor.post("/where", words="99").text


def test_an_address_that_is_looked_for_stands_in_no_address_of_ours(visitor: Visitor, desk: Desk) -> None:
    land(desk.warehouse, ORDERS, [order("a", customer_email="ann@example.com", guest=person("ann@example.com"))])
    answer = visitor.post("/where", words="ann@example.com")
    assert answer.url.endswith("key=a")
    assert [r.url for r in (*answer.history, answer) if "ann" in r.url] == []
    assert "ann@example.com" not in answer.text


def test_the_list_goes_into_a_spreadsheet_as_it_is_filtered(visitor: Visitor, desk: Desk) -> None:
    for number in range(3):
        kept_back(desk.warehouse, f"={number}", at=T0 + timedelta(minutes=number))
    kept_back(desk.warehouse, "9", owner="finance")
    answer = visitor.get("/exceptions.csv?owner=operations")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["record"] for row in rows] == ["'=2", "'=1", "'=0"]


def test_every_record_that_differs_is_listed_page_by_page_and_in_a_spreadsheet(visitor: Visitor, desk: Desk) -> None:
    missing = [Difference(f"o{n}", Kind.MISSING, "present", "absent", None, amount=-(10**9)) for n in range(249)]
    parked = Difference("late", Kind.FIELD, "=a", "b", "T-GUEST", field="note")
    compared(desk, day=0, differences=(parked, *missing))
    whole = read(visitor.get("/reconciliation").text)
    assert "Records that differ (the first 20 of 250 )" in whole
    first = read(visitor.get("/reconciliation/records?feed=test/orders").text)
    assert "250 differ, 249 of them without an explanation" in first
    assert ("o0 missing at Test" in first, "o200 " in first, "next page" in first) == (True, False, True)
    last = read(visitor.get("/reconciliation/records?feed=test/orders&from=200").text)
    assert "late note =a b T-GUEST" in last
    answer = visitor.get("/reconciliation/records.csv?feed=test/orders")
    assert 'filename="differences-test-orders.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 250
    assert (rows[0]["record"], rows[0]["difference"], rows[0]["explained by"]) == ("o0", "-1.00", "")
    assert (rows[-1]["ours"], rows[-1]["explained by"]) == ("'=a", "T-GUEST")


def test_it_is_said_when_not_every_record_that_differs_is_kept(
    visitor: Visitor, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "KEPT", 2)
    compared(desk, day=0, differences=tuple(Difference(str(n), Kind.MISSING, "a", "b", None) for n in range(3)))
    address = "/reconciliation/records{}?feed=test/orders"
    assert "Only the first 2 of 3 are kept and listed." in visitor.get(address.format("")).text
    assert "-first-2-of-3.csv" in visitor.get(address.format(".csv")).headers["content-disposition"]


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        (FINDING, 'id="test-orders"'),
        (DOUBT, '<option value="test/orders" selected>'),
        (QUARANTINE, '<option value="test/orders" selected>'),
        (PAUSED, 'id="test"'),
        (BEHIND, 'id="test"'),
        ("run-failed", "<h1>Problems</h1>"),
    ],
)
def test_the_page_that_a_message_leads_to_is_there(visitor: Visitor, kind: str, shown: str) -> None:
    assert shown in visitor.get(page_of(finding(kind))).text


def test_who_was_erased_is_shown_by_digest_with_every_answer(visitor: Visitor, desk: Desk) -> None:
    land(desk.warehouse, "stokly.customers", [{"customer_id": "c1", "email": "ann@example.com", "live": True}])
    erased = erase(desk, customer="c1", forget=TransientError("it is down."))
    page = visitor.get("/erasures").text
    assert erased.person[:12] in page
    assert "run it again" in page
    assert "Test failed it is down. Run the erasure again." in read(page)
    assert "ann@" not in page
