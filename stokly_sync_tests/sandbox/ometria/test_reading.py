"""What can be read back: contract section 4, and the refund sums of section 3."""

import pytest

from stokly_sync_tests.sandbox.ometria.bench import Bench, contact, event, line, order, product

pytestmark = pytest.mark.sandbox


def ids(rows: list[dict[str, str]]) -> list[str]:
    return [row["id"] for row in rows]


@pytest.mark.parametrize("path", ["/products", "/orders", "/contacts/stokly"])
@pytest.mark.parametrize(("limit", "expected"), [(None, 10), (25, 25), (250, 250), (251, 250)])
def test_a_page_has_10_rows_unless_asked_and_250_at_most(
    bench: Bench, path: str, limit: int | None, expected: int
) -> None:
    make = {"/products": product, "/orders": order, "/contacts/stokly": contact}[path]
    bench.store(*(make(f"R{n}") for n in range(260)))
    query = {} if limit is None else {"limit": limit}
    assert ids(bench.get(path, **query)) == [f"R{n}" for n in range(expected)]


def test_offset_pages_reach_every_row_once_and_end_with_an_empty_page(bench: Bench) -> None:
    bench.store(*(product(f"P{n}") for n in range(25)))
    pages = [ids(bench.get("/products", limit=10, offset=offset)) for offset in (0, 10, 20, 30)]
    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert [name for page in pages for name in page] == [f"P{n}" for n in range(25)]


@pytest.mark.parametrize(
    "query", [{"limit": "many"}, {"limit": "-1"}, {"limit": "0"}, {"offset": "x"}, {"orderby": "name"}]
)
def test_a_parameter_that_cannot_be_read_is_400(bench: Bench, query: dict[str, str]) -> None:
    assert bench.call("GET", "/orders", params=query).status_code == 400


def test_rows_come_by_internal_id_or_by_update_time(bench: Bench) -> None:
    bench.store(product("P1"), product("P2"))
    bench.store(product("P1", title="changed"))
    assert ids(bench.get("/products")) == ["P1", "P2"]
    assert ids(bench.get("/products", orderby="timestamp_update")) == ["P2", "P1"]


def test_variants_are_hidden_unless_they_are_asked_for(bench: Bench) -> None:
    bench.store(product("P1"), product("P1-RED", is_variant=True))
    assert ids(bench.get("/products")) == ["P1"]
    assert ids(bench.get("/products", includeVariants="true")) == ["P1", "P1-RED"]
    assert bench.get("/products/P1-RED")["is_variant"] is True


def test_products_can_be_asked_for_by_activity(bench: Bench) -> None:
    bench.store(product("P1"), product("P2", is_active=False))
    assert ids(bench.get("/products", active="true")) == ["P1"]
    assert ids(bench.get("/products", active="false")) == ["P2"]
    assert bench.call("GET", "/products", params={"active": "maybe"}).status_code == 400


def test_an_order_tells_its_refund_sums(bench: Bench) -> None:
    bench.store(product())
    refunded = line(quantity=3, quantity_refunded=2, refunded=20)
    bench.store(order(status="partial_refund", lines=[refunded, line()]))
    row = bench.get("/orders/O1")
    assert (row["total_refunded"], row["total_unit_quantity"], row["total_unit_quantity_refunded"]) == (
        20,
        4,
        2,
    )


def test_money_is_read_back_digit_by_digit(bench: Bench) -> None:
    body = b'[{"@type":"order","id":"O1","timestamp":"2026-01-01T10:00:00Z","grand_total":12.500000001}]'
    assert bench.call("POST", "/push", data=body).status_code == 202
    bench.clock.advance(1)
    assert b'"grand_total":12.500000001' in bench.call("GET", "/orders/O1").content


def test_a_contact_tells_its_profile_and_its_history(bench: Bench) -> None:
    bench.store(contact())
    first = bench.get("/contacts/stokly/C1")
    bench.store(contact(firstname="Customer"))
    second = bench.get("/contacts/stokly/C1")
    assert (first["object_version"], second["object_version"]) == (1, 2)
    assert second["dt_object_created"] == first["dt_object_created"] < second["dt_object_updated"]
    assert second["profile_id"] == first["profile_id"]
    assert second["source"] == "stokly"


def test_an_opt_out_stands_once_among_the_unsubscribes(bench: Bench) -> None:
    bench.store(contact(marketing_optin="EXPLICITLY_OPTEDOUT"))
    bench.store(contact(marketing_optin="EXPLICITLY_OPTEDOUT", firstname="Customer"))
    (row,) = bench.get("/unsubscribes")
    assert set(row) == {"profile_id", "email_address", "type", "timestamp", "reason"}
    assert row["email_address"] == "c1@example.com"


def test_unsubscribes_are_asked_for_by_time_and_type(bench: Bench) -> None:
    bench.system.unsubscribe("one@example.com")
    bench.clock.advance(60)
    cut = bench.clock.now().isoformat()
    bench.session.post(f"{bench.root}/_sandbox/unsubscribes", json={"email": "two@example.com"}, timeout=30)
    assert [row["email_address"] for row in bench.get("/unsubscribes", since=cut)] == ["two@example.com"]
    assert [row["email_address"] for row in bench.get("/unsubscribes", before=cut)] == ["one@example.com"]
    assert bench.get("/unsubscribes", type="sms") == []
    assert bench.call("GET", "/unsubscribes", params={"since": "2026-01-01T00:00:00"}).status_code == 400


def test_totals_count_by_type_and_add_up_valid_orders_by_currency(bench: Bench) -> None:
    bench.store(contact())
    bench.store(product("P1"), product("P1-RED", is_variant=True))
    bench.store(
        order("O1", grand_total=10, lines=[line(quantity=3, refunded=5, quantity_refunded=1)]),
        order("O2", grand_total=99, is_valid=False, status="cancelled"),
        order("O3", grand_total=7, currency="EUR"),
        order("O4", grand_total=1),
    )
    bench.store(event())
    assert bench.inspect("totals") == {
        "contacts": {"stokly": 1},
        "products": {"parents": 1, "variants": 1},
        "orders": {"all": 4, "valid": 3},
        "events": 1,
        "grand_total": {"EUR": "7.00", "GBP": "11.00"},
        "refunded": {"GBP": "5.00"},
        "quantity": 6,
        "quantity_refunded": 1,
    }
