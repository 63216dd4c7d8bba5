"""The demo seed: what is planted is what it says, and everything else is clean.

The rules are written down here a second time, straight from what they mean, so that the seed is not
checked against the code that will check it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from stokly_sync.sandbox.kit import encode
from stokly_sync.sandbox.seeds import Seed, demo_seed, load_seed
from stokly_sync.sandbox.seeds.account import MAGENTO

TODAY = date(2026, 3, 31)
SEED = demo_seed(TODAY)
MONEY = re.compile(r"price|total|tax|value|balance|amount|cost|refund", re.IGNORECASE)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-z]+")
TRACKING = re.compile(r"[A-Z0-9]{8,30}")
LARGEST = Decimal(10) ** 15

Row = dict[str, Any]
Found = Iterator[tuple[str, str]]


DESTINATIONS = ("OM", "DD", "EM")


def each(rule: str, key: str, destinations: tuple[str, ...] = DESTINATIONS) -> Found:
    """A rule that several destinations have, each under a code of its own."""
    yield from ((f"{destination}-{rule}", key) for destination in destinations)


def rows(name: str) -> list[Row]:
    return SEED.collections[name]


def by_order(name: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows(name):
        found[row.get("_parent") or row.get("saleOrderId", "")].append(row)
    return found


KEYS = {
    "items": "itemId",
    "customers": "customerId",
    "saleorders": "saleOrderId",
    "refunds": "refundId",
    "credit-notes": "creditNoteId",
    "dispatches": "dispatchId",
    "invoices": "saleInvoiceId",
}
TEXT_IDS = ("taxClassId", "itemTypeId")


def member_rules(name: str, row: Row) -> Found:
    key = row[KEYS[name]]
    for member, value in row.items():
        is_money = MONEY.search(member) and not member.endswith(("Id", "Currency", "Status"))
        if is_money and not isinstance(value, int | Decimal):
            yield "ST-MEMBER-TYPE", key
        elif is_money and (abs(value) > LARGEST or Decimal(value) != round(Decimal(value), 9)):
            yield "ST-MONEY", key
        is_time = member.endswith(("At", "Date")) or member.startswith("time")
        if is_time and (not TIME.fullmatch(value) or value >= f"{TODAY}"):
            yield "ST-TIME", key
    if row.get("currency", "GBP") not in ("GBP", "EUR", "USD"):
        yield "ST-CURRENCY", key


def order_rules(row: Row, lines: list[Row], skus: dict[str, str | None]) -> Found:
    key = row["saleOrderId"]
    if not lines:
        yield "ST-ORDER-LINES", key
    parts = sum((line["displayLineTotal"] for line in lines), Decimal(0))
    parts += row["displayShippingCost"] + row["displayShippingTax"]
    if isinstance(row["displayTotal"], Decimal) and row["displayTotal"] != parts:
        yield "ST-ORDER-TOTAL", key
    if not re.fullmatch(r"[A-Z]{2}", row.get("shippingAddressCountry", "GB")):
        yield "ST-ORDER-COUNTRY", key
    if any(skus.get(line["referenceId"]) != line["itemSku"] for line in lines):
        yield from each("SKU-UNKNOWN", key)
    if row["stage"] == "removed":
        yield from each("ORDER-REMOVED", key)
    if row["paymentStatus"] != "paid" or "fraud-hold" in row.get("tags", []):
        yield from each("ORDER-NOT-CONFIRMED", key)


def customer_rules(row: Row) -> Found:
    key = row["customerId"]
    if "email" not in row:
        yield from each("CONTACT-EMAIL", key)
    elif not EMAIL.fullmatch(row["email"]):
        yield "ST-CUSTOMER-EMAIL", key
    if len(row.get("notes", "")) + sum(map(len, row.get("tags", []))) > 900:
        yield "OM-PROPERTIES-SIZE", key


def address_rules() -> Found:
    since: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in rows("customers"):
        if "email" in row:
            since[row["email"].casefold()].append((row["createdAt"], row["customerId"]))
    for same in since.values():
        for _, key in sorted(same)[1:]:
            yield from each("EMAIL-SHARED", key, ("DD", "EM"))


def item_rules() -> Found:
    holders: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in rows("items"):
        if "sku" not in row:
            yield "ST-ITEM-SKU", row["itemId"]
        else:
            holders[row["sku"].casefold()].append((row["timeCreated"], row["itemId"]))
    for same in holders.values():
        yield from (("ST-SKU-DUPLICATE", key) for _, key in sorted(same)[1:])


def money_back_rules() -> Found:
    orders = {row["saleOrderId"]: row for row in rows("saleorders")}
    refunded: Counter[str] = Counter()
    for row in rows("refunds"):
        order = orders.get(row.get("saleOrderId", ""))
        if order is None:
            yield from each("REFUND-NO-ORDER", row["refundId"])
            continue
        refunded[order["saleOrderId"]] += row["displayTotal"]
        if refunded[order["saleOrderId"]] > order["displayTotal"] or row["currency"] != order["currency"]:
            yield "ST-REFUND-OVER", row["refundId"]
    for row in rows("credit-notes"):
        if row["referenceType"] != 1 or row["referenceId"] not in orders:
            yield from each("REFUND-NO-ORDER", row["creditNoteId"], ("OM", "DD", "EM"))


def all_rules() -> Found:
    for name in KEYS:
        for row in rows(name):
            yield from member_rules(name, row)
    lines = by_order("saleorders/items")
    skus = {row["itemId"]: row.get("sku") for row in rows("items")}
    for row in rows("saleorders"):
        yield from order_rules(row, lines.get(row["saleOrderId"], []), skus)
    for row in rows("customers"):
        yield from customer_rules(row)
    yield from address_rules()
    yield from item_rules()
    yield from money_back_rules()
    for row in rows("dispatches"):
        if not TRACKING.fullmatch(row["trackingNumber"]):
            yield from each("TRACKING", row["dispatchId"], (*DESTINATIONS, "MG"))


def test_exactly_the_planted_defects_break_a_rule_and_each_no_other() -> None:
    assert Counter(all_rules()) == Counter((defect.rule, defect.key) for defect in SEED.planted)


def test_every_rule_is_planted_once_or_twice() -> None:
    planted = Counter(defect.rule for defect in SEED.planted)
    assert set(planted.values()) <= {1, 2}
    shared = ("CONTACT-EMAIL", "SKU-UNKNOWN", "TRACKING", "REFUND-NO-ORDER", "ORDER-NOT-CONFIRMED", "ORDER-REMOVED")
    assert set(planted) == {
        *(f"{destination}-{rule}" for destination in DESTINATIONS for rule in shared),
        "ST-MEMBER-TYPE",
        "ST-MONEY",
        "ST-TIME",
        "ST-CURRENCY",
        "ST-ORDER-LINES",
        "ST-ORDER-TOTAL",
        "ST-ORDER-COUNTRY",
        "ST-CUSTOMER-EMAIL",
        "ST-ITEM-SKU",
        "ST-SKU-DUPLICATE",
        "ST-REFUND-OVER",
        "OM-PROPERTIES-SIZE",
        "DD-EMAIL-SHARED",
        "EM-EMAIL-SHARED",
        "MG-TRACKING",
    }


def test_a_planted_defect_names_a_record_of_its_dataset() -> None:
    for defect in SEED.planted:
        assert defect.key in {row[KEYS[defect.dataset]] for row in rows(defect.dataset)}, defect


def test_nothing_clean_leans_on_a_defective_customer_or_item() -> None:
    bad = {defect.key for defect in SEED.planted if defect.dataset in ("items", "customers")}
    # Orders of somebody whose address an earlier customer has are that customer's.
    bad -= {defect.key for defect in SEED.planted if defect.rule == "DD-EMAIL-SHARED"}
    assert not bad & {row.get("customerId") for row in rows("saleorders")}
    assert not bad & {line["referenceId"] for line in rows("saleorders/items")}
    assert not bad & {row["itemId"] for row in rows("inventory-records")}


def test_nothing_clean_leans_on_a_defective_order() -> None:
    bad = {defect.key for defect in SEED.planted if defect.dataset == "saleorders"}
    for name in ("refunds", "dispatches", "invoices", "returns"):
        assert not bad & {row.get("saleOrderId") for row in rows(name)}, name


def test_every_reference_finds_its_record() -> None:
    lines = {line["lineId"]: line for line in rows("saleorders/items")}
    orders = {row["saleOrderId"] for row in rows("saleorders")}
    customers = {row["customerId"] for row in rows("customers")}
    assert {line["_parent"] for line in lines.values()} <= orders
    assert {row["customerId"] for row in rows("saleorders") if "customerId" in row} <= customers
    assert {row["lineId"] for name in ("refunds/items", "dispatches/items") for row in rows(name)} <= set(lines)
    assert {line["parentId"] for line in lines.values() if "parentId" in line} <= set(lines)
    parents = {"refunds": "refundId", "dispatches": "dispatchId", "invoices": "saleInvoiceId"}
    for name, key in parents.items():
        assert {row["_parent"] for row in rows(f"{name}/items")} == {row[key] for row in rows(name)}


def test_ids_and_numbers_are_unique() -> None:
    for name, key in KEYS.items():
        assert len({row[key] for row in rows(name)}) == len(rows(name))
    for name in ("saleorders", "refunds", "dispatches", "invoices", "customers"):
        assert len({row["niceId"] for row in rows(name)}) == len(rows(name)), name


def test_no_line_is_dispatched_or_refunded_beyond_what_was_ordered() -> None:
    ordered = {line["lineId"]: line["quantity"] for line in rows("saleorders/items")}
    for name in ("refunds/items", "dispatches/items"):
        moved: Counter[str] = Counter()
        for row in rows(name):
            moved[row["lineId"]] += row["quantity"]
        assert all(moved[line] <= ordered[line] for line in moved), name


def test_the_size_of_the_shop() -> None:
    assert 1480 <= len(rows("saleorders")) <= 1520
    assert len(rows("customers")) == 303
    assert 55 <= len(rows("items")) <= 70
    currencies = Counter(row["currency"] for row in rows("saleorders"))
    assert currencies.most_common(1)[0][0] == "GBP"
    assert min(currencies["EUR"], currencies["USD"]) >= 50


ODD_BUT_RIGHT: dict[str, Callable[[], object]] = {
    "negative stock": lambda: [row for row in rows("items") if row["onHand"] < 0],
    "prices of nine decimals": lambda: [
        line for line in rows("saleorders/items") if str(line["displayPrice"]).partition(".")[2] == "991666667"
    ],
    "apostrophes in names": lambda: [row for row in rows("customers") if "'" in row["name"]],
    "accents in names": lambda: [row for row in rows("customers") if not row["name"].isascii()],
    "SKU with a quote": lambda: [row for row in rows("saleorders/items") if '"' in row["itemSku"]],
    "SKU with a slash": lambda: [row for row in rows("saleorders/items") if "/" in row["itemSku"]],
    "SKU with leading zeros": lambda: [row for row in rows("items") if row.get("sku", "").startswith("00")],
    "an order of sixty lines": lambda: [lines for lines in by_order("saleorders/items").values() if len(lines) >= 60],
    "an order without value": lambda: [
        row for row in rows("saleorders") if row["displayTotal"] == 0 and row["itemStatuses"]
    ],
    "a guest with e-mail": lambda: [
        row for row in rows("saleorders") if "customerId" not in row and "customerEmail" in row
    ],
    "a guest without e-mail": lambda: [
        row
        for row in rows("saleorders")
        if row["sourceId"] == MAGENTO.channel_id and "customerName" in row and "customerEmail" not in row
    ],
    "a shared e-mail address": lambda: [
        email for email, number in Counter(row.get("email") for row in rows("customers")).items() if number == 2
    ],
    "an order dispatched in two": lambda: [
        order for order, number in Counter(row["saleOrderId"] for row in rows("dispatches")).items() if number == 2
    ],
    "an order dispatched in part": lambda: [row for row in rows("saleorders") if len(row["itemStatuses"]) == 2],
    "a discount": lambda: [row for row in rows("saleorders") if row["displayDiscount"] > 0],
    "a credit note of an order": lambda: [row for row in rows("refunds") if "creditNoteId" in row],
}


@pytest.mark.parametrize("what", ODD_BUT_RIGHT)
def test_odd_but_right_is_there_too(what: str) -> None:
    assert ODD_BUT_RIGHT[what]()


def test_the_same_day_gives_the_same_bytes() -> None:
    assert encode(demo_seed(TODAY)) == encode(SEED)


@pytest.mark.parametrize("today", [date(2024, 2, 29), date(2027, 1, 1)])
def test_all_dates_lie_within_the_time_up_to_yesterday(today: date) -> None:
    orders = demo_seed(today).collections["saleorders"]
    ordinary = sorted(row["createdAt"] for row in orders if TIME.fullmatch(row["createdAt"]))[:-1]
    assert ordinary[-1] < f"{today}"
    assert ordinary[0] >= f"{today - timedelta(days=90)}"
    assert max(row["updatedAt"] for row in orders) < f"{today}"


def test_seeds_are_found_by_name() -> None:
    assert load_seed("demo", today=TODAY).name == "demo"
    assert load_seed("minimal", today=TODAY).name == "minimal"
    assert load_seed("empty", today=TODAY) == Seed(name="empty")
    with pytest.raises(ValueError, match="No seed is called 'demos'"):
        load_seed("demos", today=TODAY)
