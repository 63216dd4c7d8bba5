"""The catalogue: its rows, and its file, which is never partial (E5; Emarsys API contract 3)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stokly_sync.errors import PermanentError, TransientError
from stokly_sync.flow import Document
from stokly_sync.sandbox.emarsys.catalogue import poll_catalogue
from stokly_sync.systems.emarsys import EmarsysSettings
from stokly_sync.systems.emarsys.catalogue import current, publish
from stokly_sync.systems.emarsys.documents import build_products
from stokly_sync.systems.emarsys.readback import product_facts, read_products
from stokly_sync_tests.systems.emarsys.bench import Bench
from stokly_sync_tests.systems.emarsys.rows import T0, body, frames, rules

SETTINGS = EmarsysSettings(product_url="https://shop.example.com/{sku}", default_image="https://shop.example.com/x.png")


def built(item: dict[str, Any], stock: dict[str, Any] | None = None) -> dict[str, Any]:
    return body(build_products(frames(items=[item], stock=[stock or {}]), SETTINGS))


def products(*skus: str, **more: str) -> list[Document]:
    return [Document(sku, {**built({"sku": sku, "item_id": sku}), "item": sku, **more}, T0) for sku in skus]


def test_a_row_says_what_is_sold_where_and_whether_there_is_any() -> None:
    item = {"type_name": "Gifts", "manufacturer": "Maker", "images": '["https://img.example.com/1.png"]'}
    assert built({**item, "sku": "SKU/1"}, {"sku": "SKU/1"}) == {
        "item": "SKU/1",
        "title": "Mug",
        "link": "https://shop.example.com/SKU%2F1",
        "image": "https://img.example.com/1.png",
        "category": "Gifts",
        "available": "true",
        "price": "10.00",
        "description": "",
        "brand": "Maker",
        "c_currency": "GBP",
    }


@pytest.mark.parametrize(
    ("item", "stock", "available"),
    [
        ({}, {"available": 0}, "false"),
        ({}, {"available": -3}, "false"),
        ({"live": False}, {}, "false"),
        ({"stocked": False}, {"available": 0}, "false"),
        ({}, {"available": 1}, "true"),
    ],
)
def test_what_cannot_be_bought_stays_as_not_available(
    item: dict[str, Any], stock: dict[str, Any], available: str
) -> None:
    assert built(item, stock)["available"] == available


def test_a_sale_that_leaves_some_in_stock_changes_nothing() -> None:
    assert built({}, {"available": 5}) == built({}, {"available": 4})


def test_a_sku_that_no_file_can_carry_is_kept_back() -> None:
    assert rules(build_products(frames(items=[{"sku": "A\tB"}]), SETTINGS)) == {"A\tB": "EM-SKU-TEXT"}


def test_the_published_file_is_taken_by_the_vendor_whole(bench: Bench) -> None:
    odd = products("A,1", 'B "2"', "C", title='A "quoted", one')
    publish(bench.client(), iter([odd[:2], odd[2:]]))
    taken = poll_catalogue(bench.system)
    assert (taken.done, taken.rows, taken.error) == (True, 3, "")
    assert sorted(bench.system.catalogue.products) == ["A,1", 'B "2"', "C"]


def test_nothing_but_the_file_is_left_in_the_folder(bench: Bench) -> None:
    publish(bench.client(), iter([products("A")]))
    assert [file.name for file in bench.system.catalogue_folder.iterdir()] == ["catalogue.csv"]


@pytest.mark.parametrize(
    "wrong",
    [products("A", "A"), products("A", title=""), products("A", price="-1"), products("A", available="maybe"), []],
    ids=["twice", "no title", "negative price", "neither true nor false", "nothing"],
)
def test_a_file_that_breaks_a_rule_is_not_published_and_the_old_one_stands(bench: Bench, wrong: list[Document]) -> None:
    client = bench.client()
    publish(client, iter([products("OLD")]))
    with pytest.raises(PermanentError, match="nothing was published"):
        publish(client, iter([wrong]))
    assert poll_catalogue(bench.system).rows == 1
    assert [file.name for file in bench.system.catalogue_folder.iterdir()] == ["catalogue.csv"]


def test_a_source_that_breaks_off_leaves_the_old_file(bench: Bench) -> None:
    client = bench.client()
    publish(client, iter([products("OLD")]))

    def breaking() -> Any:
        yield products("A")
        raise TransientError("the database is gone")

    with pytest.raises(TransientError):
        publish(client, breaking())
    assert poll_catalogue(bench.system).rows == 1


def test_a_folder_may_be_any_address_that_fsspec_knows(bench: Bench) -> None:
    client = bench.client(catalogue_url="memory://shop/feeds")
    assert current(client) is False
    publish(client, iter([products("A")]))
    (page,) = read_products(client)
    assert page.frame["key"].tolist() == ["A"]


def test_a_folder_that_cannot_be_written_says_so_without_its_password(bench: Bench, tmp_path: Path) -> None:
    blocked = tmp_path / "secret-password"
    blocked.write_text("a file, not a folder")
    with pytest.raises(TransientError) as refused:
        publish(bench.client(catalogue_url=f"{blocked.as_uri()}/deeper"), iter([products("A")]))
    assert "secret-password" not in str(refused.value)


@pytest.mark.parametrize("without", [{"catalogue_url": None}, {"product_url": ""}])
def test_what_is_not_set_is_named(bench: Bench, without: dict[str, Any]) -> None:
    with pytest.raises(PermanentError, match=f"EMARSYS_{next(iter(without)).upper()}"):
        publish(bench.client(**without), iter([products("A")]))


def test_a_file_of_another_day_is_not_current(bench: Bench) -> None:
    client = bench.client()
    assert current(client) is False
    publish(client, iter([products("A")]))
    bench.clock.advance(max(0.0, (datetime.now(UTC) - bench.clock.now()).total_seconds()))
    assert current(client) is True
    bench.clock.advance(2 * 86_400)
    assert current(client) is False


def test_what_is_read_back_are_the_facts_that_were_published(bench: Bench) -> None:
    made = products("A", "B")
    publish(bench.client(), iter([made]))
    (page,) = read_products(bench.client())
    assert page.frame.to_dict("records") == product_facts([document.body for document in made]).to_dict("records")
