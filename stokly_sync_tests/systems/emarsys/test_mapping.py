"""Custom fields by configuration: of contacts, of sales data, and of the catalogue (X22)."""

from __future__ import annotations

from typing import Any

import pytest

from stokly_sync.systems.emarsys import EmarsysSettings
from stokly_sync.systems.emarsys.catalogue import publish
from stokly_sync.systems.emarsys.contacts import send_contacts
from stokly_sync.systems.emarsys.documents import build_contacts, build_orders, build_products, build_refunds
from stokly_sync.systems.emarsys.sales import send_sales
from stokly_sync_tests.systems.emarsys.bench import Bench, record
from stokly_sync_tests.systems.emarsys.rows import body, frames, order_frames, rules

COLUMNS = ("item", "price", "order", "timestamp", "customer", "quantity", "s_channel_kind", "f_discount")
ORDERS: dict[str, Any] = {
    "order_fields": {"s_channel_kind": "source_type", "f_discount": {"source": "discount", "type": "number"}},
    "sales_columns": COLUMNS,
}


def test_a_custom_field_of_contacts_is_made_with_its_type_and_filled(bench: Bench) -> None:
    mapping = {"tier": "tags.tier:", "points": {"source": "extra.points", "type": "whole"}}
    settings = EmarsysSettings.model_validate({"contact_fields": mapping})
    customer = {"tags": '["tier:gold"]', "extra": '{"points":12}'}
    made = body(build_contacts(frames(customers=[customer]), settings))
    send_contacts(bench.client(contact_fields=mapping), [record("C1", made)])
    assert (bench.value("C1", "tier"), bench.value("C1", "points")) == ("gold", "12")
    kinds = {field.name: field.application_type for field in bench.system.store.fields.custom}
    assert (kinds["tier"], kinds["points"]) == ("longtext", "numeric")


def test_custom_columns_of_sales_data_are_filled_for_orders_and_refunds(bench: Bench) -> None:
    bench.system.set_switches(sales_columns=list(COLUMNS))
    settings = EmarsysSettings.model_validate(ORDERS)
    found = order_frames({"discount": "1.50"}, refunds=[{}], refund_lines=[{}])
    sold, back = body(build_orders(found, settings)), body(build_refunds(found, settings))
    send_sales(bench.client(**ORDERS), [record("O1", sold), record("R1", back)])
    assert {(line["s_channel_kind"], line["f_discount"]) for line in bench.system.sales.shown()} == {
        ("magento_two", "1.5")
    }


def test_custom_columns_of_the_catalogue_stand_behind_the_others(bench: Bench) -> None:
    mapping = {"c_colour": "attributes.Colour"}
    settings = EmarsysSettings.model_validate(
        {"product_fields": mapping, "product_url": "https://shop.example.com/{sku}"}
    )
    (made,) = build_products(frames(items=[{"attributes": '{"Colour":"Blue"}'}], stock=[{}]), settings).documents
    publish(bench.client(product_fields=mapping), iter([[made]]))
    header, row = (bench.system.catalogue_folder / "catalogue.csv").read_text().splitlines()
    assert (header.rpartition(",")[2], row.rpartition(",")[2]) == ("c_colour", "Blue")


def test_a_value_of_another_type_keeps_its_record_back() -> None:
    whole = {"source": "name", "type": "whole"}
    contacts = EmarsysSettings.model_validate({"contact_fields": {"points": whole}})
    assert rules(build_contacts(frames(customers=[{"name": "Ada"}]), contacts)) == {"C1": "EM-FIELD-TYPE"}
    products = EmarsysSettings.model_validate({"product_fields": {"c_points": whole}})
    made = build_products(frames(items=[{}]), products)
    assert rules(made) == {"SKU-1": "EM-FIELD-TYPE"}
    assert [document.key for document in made.documents] == ["SKU-1"], "a row that is left out would be deleted there"
    columns = ("item", "price", "order", "timestamp", "customer", "quantity", "i_number")
    orders = {"order_fields": {"i_number": {"source": "city", "type": "whole"}}, "sales_columns": columns}
    found = order_frames({"city": "Leeds"})
    assert rules(build_orders(found, EmarsysSettings.model_validate(orders))) == {"O1": "EM-FIELD-TYPE"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"contact_fields": {"Tier": "name"}},
        {"contact_fields": {"tier": "nowhere"}},
        {"product_fields": {"colour": "name"}},
        {"order_fields": {"f_city": "city"}},
        {"order_fields": {"x_city": "city"}},
    ],
    ids=["capital letters", "no such source", "no c_", "f_ is a number", "no such prefix"],
)
def test_a_mapping_is_checked_when_settings_are_read(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        EmarsysSettings.model_validate(wrong)
