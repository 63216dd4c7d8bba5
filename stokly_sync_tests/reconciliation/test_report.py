"""How comparisons are told: the JSON of the command line, the stored body, the sentence of the finding."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from stokly_sync.contracts.money import NANO
from stokly_sync.reconciliation import report
from stokly_sync.reconciliation.compare import Comparison, Difference, Kind, Side
from stokly_sync.reconciliation.report import SAMPLE, as_json, body_of, feed_json, finding_of, shortened, title_of

ORDERS = Comparison(
    feed="ometria/orders",
    source=Side(12, {"GBP": 1_234_567 * NANO // 100, "EUR": 5 * NANO}),
    ours=Side(10, {"GBP": 12_000 * NANO, "EUR": 5 * NANO}, {"GBP": 3 * NANO}),
    theirs=Side(9, {"GBP": 12_000 * NANO, "EUR": 5 * NANO, "USD": 1}, {"GBP": 2 * NANO}),
    differences=(Difference("o1", Kind.MISSING, "present", "absent", "OM-REJECTED"),),
    came_from="stokly",
    kept_back={"ST-ORDER-TOTAL": 1, "OM-REJECTED": 1},
    kept_back_totals={"GBP": 34_567 * NANO // 100},
)
CONTACTS = Comparison("ometria/contacts", Side(1), Side(1), Side(1), (), {}, {}, came_from="stokly")


def missing(number: int) -> Difference:
    return Difference(
        f"o{number}", Kind.MISSING, "present", "absent", None, amount=19_995 * NANO // 1000, currency="GBP"
    )


def test_the_json_of_a_destination_has_this_shape() -> None:
    told = as_json([ORDERS, CONTACTS])
    assert {name: value for name, value in told.items() if name != "feeds"} == {
        "status": "agreed",
        "counts": {
            "orders": {"stokly": 12, "expected": 10, "destination": 9},
            "contacts": {"stokly": 1, "expected": 1, "destination": 1},
        },
        "totals": {
            "orders": {
                "EUR": {"stokly": "5.00", "destination": "5.00"},
                "GBP": {"stokly": "12345.67", "destination": "12000.00"},
                "USD": {"stokly": "0.00", "destination": "0.00"},
            }
        },
        "refunds": {"orders": {"GBP": {"stokly": "3.00", "destination": "2.00"}}},
        "differences": {"explained": 3, "unexplained": 0, "in_doubt": 0},
    }
    assert told["feeds"] == {"orders": feed_json(ORDERS), "contacts": feed_json(CONTACTS)}


def test_the_json_of_a_feed_has_this_shape() -> None:
    assert feed_json(replace(ORDERS, differences=(*ORDERS.differences, missing(2)), read_back=False)) == {
        "status": "differs",
        "source": "stokly",
        "read_back": False,
        "counts": {"stokly": 12, "expected": 10, "destination": 9},
        "totals": as_json([ORDERS])["totals"]["orders"],
        "refunds": {"GBP": {"stokly": "3.00", "destination": "2.00"}},
        "differences": {
            "explained": {"OM-REJECTED": 2, "ST-ORDER-TOTAL": 1},
            "unexplained": 1,
            "unexplained_by_kind": {"missing": 1},
            "unaccounted": {},
            "in_doubt": 0,
        },
    }


def test_every_amount_is_text_with_two_places() -> None:
    lost = replace(ORDERS, kept_back_totals={"GBP": 0})
    assert feed_json(lost)["differences"]["unaccounted"] == {"GBP": "345.67"}
    assert "345.670000000" not in json.dumps(as_json([lost]))
    body = body_of(replace(ORDERS, differences=(missing(1),)))
    assert body.value["records"][0]["amount"] == "20.00"


@pytest.mark.parametrize(
    ("change", "said", "unexplained", "in_doubt"),
    [
        ({"differences": (missing(1), missing(2))}, "2 unexplained differences", 2, 0),
        ({"in_doubt": 3}, "3 records in doubt", 0, 3),
        ({"kept_back_totals": {}}, "unaccounted 345.67 GBP", 1, 0),
        ({"differences": (missing(1),), "in_doubt": 1}, "1 unexplained differences, 1 records in doubt", 1, 1),
    ],
)
def test_whatever_is_wrong_counts_and_is_said_in_one_sentence(
    change: dict[str, object], said: str, unexplained: int, in_doubt: int
) -> None:
    wrong = replace(ORDERS, **change)  # type: ignore[arg-type]
    told = as_json([CONTACTS, wrong])
    assert told["status"] == "differs"
    assert (told["differences"]["unexplained"], told["differences"]["in_doubt"]) == (unexplained, in_doubt)
    assert (told["feeds"]["contacts"]["status"], told["feeds"]["orders"]["status"]) == ("agreed", "differs")
    assert title_of(wrong) == f"ometria/orders does not agree with Stokly: {said}."


def test_unexplained_differences_are_counted_by_kind_and_member() -> None:
    differences = (
        missing(1),
        missing(2),
        Difference("o3", Kind.FIELD, "a", "b", None, field="status"),
        Difference("o4", Kind.VALUE, "1.00", "2.00", None, field="value"),
        Difference("o5", Kind.VALUE, "1.00", "2.00", "parked", field="value"),
    )
    told = feed_json(replace(ORDERS, differences=differences))["differences"]
    assert told["unexplained_by_kind"] == {"field:status": 1, "missing": 2, "value:value": 1}
    assert told["explained"]["parked"] == 1


def test_the_newest_body_lists_every_record_that_differs_those_without_an_explanation_first() -> None:
    many = tuple(missing(n) for n in range(SAMPLE + 5))
    body = body_of(replace(ORDERS, differences=(*ORDERS.differences, *many)))
    explained = [d.key for d in ORDERS.differences]
    assert [row["key"] for row in body.value["records"]] == [*(f"o{n}" for n in range(SAMPLE + 5)), *explained]
    assert body.value["differing"] == SAMPLE + 5 + len(explained)
    assert body.value["records"][0] == {
        "key": "o0",
        "kind": "missing",
        "ours": "present",
        "theirs": "absent",
        "explained_by": None,
        "field": "",
        "amount": "20.00",
        "currency": "GBP",
    }
    assert json.loads(body.text) == body.value


def test_more_records_than_are_kept_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "KEPT", 2)
    body = body_of(replace(ORDERS, differences=tuple(missing(n) for n in range(5)))).value
    assert (len(body["records"]), body["differing"], body["differences"]["unexplained"]) == (2, 5, 5)


def test_a_body_that_is_not_the_newest_any_more_keeps_its_numbers_and_its_first_records() -> None:
    body = body_of(replace(ORDERS, differences=tuple(missing(n) for n in range(SAMPLE + 5))))
    text = shortened(body.text)
    assert text is not None
    assert json.loads(text) == body.value | {"records": body.value["records"][:SAMPLE]}
    assert shortened(text) is None


def test_a_message_holds_the_first_unexplained_ones_and_counts_them_all() -> None:
    found = finding_of(replace(ORDERS, differences=tuple(missing(n) for n in range(SAMPLE + 5))))
    assert found["differences"]["unexplained"] == SAMPLE + 5
    assert [row["key"] for row in found["sample"]] == [f"o{n}" for n in range(SAMPLE)]
