"""How records are merged, completed and refused once they are valid: contract sections 1, 2, 3 and 6.2."""

import pytest

from stokly_sync_tests.sandbox.ometria.bench import Bench, contact, event, line, order, product

pytestmark = pytest.mark.sandbox


def test_the_same_id_twice_is_one_record(bench: Bench) -> None:
    bench.store(order(status="pending"))
    bench.store(order(status="complete"))
    assert [row["status"] for row in bench.get("/orders")] == ["complete"]


def test_without_merge_a_record_is_replaced(bench: Bench) -> None:
    bench.store(product(price=5, is_in_stock=True))
    bench.store({"@type": "product", "id": "P1", "is_in_stock": False})
    assert bench.get("/products/P1") == {"@type": "product", "id": "P1", "is_in_stock": False}


def test_with_merge_what_is_not_sent_is_kept(bench: Bench) -> None:
    attributes = [{"type": "brand", "id": "7", "label": "B"}]
    bench.store(product(price=5, attributes=attributes, is_in_stock=True))
    bench.store({"@type": "product", "id": "P1", "is_in_stock": False, "@merge": True, "price": None})
    row = bench.get("/products/P1")
    assert (row["is_in_stock"], row["price"], row["attributes"]) == (False, 5, attributes)
    assert "@merge" not in row


def test_with_merge_a_list_that_is_sent_replaces_the_stored_one(bench: Bench) -> None:
    bench.store(product(attributes=[{"type": "brand", "id": "7"}, {"type": "colour", "id": "red"}]))
    bench.store({"@type": "product", "id": "P1", "attributes": [{"type": "brand", "id": "8"}], "@merge": True})
    assert bench.get("/products/P1")["attributes"] == [{"type": "brand", "id": "8"}]


def test_a_merge_may_leave_out_what_is_required_if_it_is_stored(bench: Bench) -> None:
    partial = {"@type": "order", "id": "O1", "status": "cancelled", "is_valid": False, "@merge": True}
    bench.store(partial)
    assert [error["message"]["error_path"] for error in bench.errors()] == ["root > timestamp"]
    bench.store(product())
    bench.store(order())
    bench.store(partial)
    row = bench.get("/orders/O1")
    assert (row["status"], row["grand_total"]) == ("cancelled", 10)


def test_without_merge_a_partial_order_fails(bench: Bench) -> None:
    bench.store({"@type": "order", "id": "O1", "status": "cancelled", "is_valid": False})
    assert bench.call("GET", "/orders/O1").status_code == 404
    assert len(bench.errors()) == 1


def test_a_contact_is_merged_within_its_collection_only(bench: Bench) -> None:
    bench.store(contact(firstname="Customer"), contact(**{"@collection": "shop"}, lastname="17850"))
    bench.store(contact(**{"@merge": True}, lastname="One"))
    assert bench.get("/contacts/stokly/C1")["firstname"] == "Customer"
    assert "firstname" not in bench.get("/contacts/shop/C1")


def test_collections_come_into_being_on_first_use(bench: Bench) -> None:
    bench.store(contact("C1"), contact("C2"), contact("C1", **{"@collection": "shop"}))
    assert bench.get("/contacts") == [
        {"collection": "stokly", "count": 2},
        {"collection": "shop", "count": 1},
    ]


def test_a_contact_that_failed_makes_no_collection(bench: Bench) -> None:
    bench.store(contact(gender="x"))
    assert bench.get("/contacts") == []


def test_contacts_with_one_customer_id_or_one_email_share_a_profile(bench: Bench) -> None:
    bench.store(
        contact("C1", customer_id="K1", email="one@example.com"),
        contact("C2", customer_id="K1", email="two@example.com"),
        contact("C3", customer_id="K3", email="TWO@example.com"),
        contact("C4", customer_id="K4", email="four@example.com"),
    )
    profiles = [row["profile_id"] for row in bench.get("/contacts/stokly")]
    assert profiles[0] == profiles[1] == profiles[2] != profiles[3]


def test_members_that_the_vendor_does_not_know_are_dropped_and_noted(bench: Bench) -> None:
    bench.store(product(parent_id="P0", qty=3))
    assert "parent_id" not in bench.get("/products/P1")
    assert bench.inspect("ignored") == {"product.parent_id": 1, "product.qty": 1}


def test_an_event_type_is_cut_to_32_characters(bench: Bench) -> None:
    bench.store(event(event_type="x" * 40))
    assert [row["event_type"] for row in bench.inspect("events")] == ["x" * 32]


def test_more_than_100_custom_fields_of_one_type_are_refused(bench: Bench) -> None:
    bench.store(*(contact(f"C{n}", properties={f"field{n}": n}) for n in range(101)))
    assert [error["record_id"] for error in bench.errors()] == ["C100"]
    bench.store(contact("C101", properties={"field0": 1}), contact("C102"))
    assert bench.get("/contacts")[0]["count"] == 102
    bench.store(product(properties={"another": 1}))
    assert len(bench.errors()) == 1


@pytest.mark.parametrize(("policy", "lines"), [("store", 2), ("drop", 1), ("reject", None)])
def test_a_line_with_an_unknown_product_is_noted_and_treated_as_switched(
    bench: Bench, policy: str, lines: int | None
) -> None:
    bench.system.set_switches(unknown_product=policy)
    bench.store(product("P1"))
    bench.store(order(lines=[line("P1"), line("P9")]))
    assert bench.inspect("unknown-lines") == [
        {"order_id": "O1", "line": 1, "product_id": "P9", "variant_id": None, "done": policy}
    ]
    if lines is None:
        assert [error["message"]["error_path"] for error in bench.errors()] == ["root > lineitems > 1 > product_id"]
    else:
        assert len(bench.get("/orders/O1")["lineitems"]) == lines


def test_a_variant_first_seen_on_an_order_with_its_options_becomes_a_product(bench: Bench) -> None:
    options = [{"type": "colour", "id": "red", "label": "Red"}]
    bench.store(product("P1"))
    bench.store(order(lines=[line("P1", variant_id="P1-RED", variant_options=options)]))
    assert bench.get("/products/P1-RED")["is_variant"] is True
    assert bench.inspect("unknown-lines") == []


def test_an_unknown_variant_without_options_is_noted(bench: Bench) -> None:
    bench.store(product("P1"))
    bench.store(order(lines=[line("P1", variant_id="P1-RED")]))
    assert [row["variant_id"] for row in bench.inspect("unknown-lines")] == ["P1-RED"]
