"""The catalogue import: contract section 3."""

from pathlib import Path
from typing import Any

import pytest

from stokly_sync.sandbox.emarsys.catalogue import poll_catalogue
from stokly_sync.sandbox.kit import Fault
from stokly_sync_tests.sandbox.emarsys.bench import MERCHANT, Bench

pytestmark = pytest.mark.sandbox

HEADER = "item,title,link,image,category,available,price,c_stock,title_de"


def product(item: str = "SKU-1", **more: str) -> str:
    row = {
        "item": item,
        "title": f"Product {item}",
        "link": f"https://example.com/{item}",
        "image": f"https://example.com/{item}.jpg",
        "category": "Home>Kitchen",
        "available": "true",
        "price": "9.99",
        "c_stock": "4",
        "title_de": "",
        **more,
    }
    return ",".join(row.values())


def publish(bench: Bench, *products: str, header: str = HEADER, end: str = "\n") -> None:
    path = bench.system.catalogue_folder / "catalogue.csv"
    path.write_text("\n".join((header, *products)) + end, encoding="utf-8")


def poll(bench: Bench, **asked: str) -> dict[str, Any]:
    answer = bench.do("catalogue/poll", asked)
    assert answer.status_code == 200, answer.text
    outcome: dict[str, Any] = answer.json()
    return outcome


def items(bench: Bench) -> list[str]:
    return [row["item"] for row in bench.inspect("catalogue/products")]


def test_the_file_in_the_published_folder_is_imported_with_counts(bench: Bench) -> None:
    folder = bench.system.settings_env("http://127.0.0.1:1")["EMARSYS_CATALOGUE_URL"]
    assert folder == bench.system.catalogue_folder.as_uri()
    publish(bench, product("SKU-1"), product("SKU-2", available="false"))
    outcome = poll(bench)
    assert (outcome["error"], outcome["rows"], outcome["available"], outcome["added"]) == ("", 2, 1, 2)
    assert len(outcome["sha256"]) == 64
    assert items(bench) == ["SKU-1", "SKU-2"]


def test_every_import_replaces_the_whole_catalogue(bench: Bench) -> None:
    publish(bench, product("SKU-1"), product("SKU-2"), product("SKU-3"))
    poll(bench)
    bench.system.set_switches(sales_columns=["item", "price", "order", "timestamp", "customer", "quantity"])
    bench.upload("item,price,order,timestamp,customer,quantity\nSKU-3,1,SO-1,2026-01-02,C1,1\n", merchant=MERCHANT)
    publish(bench, product("SKU-2", price="8.00"), product("SKU-4"))
    outcome = poll(bench)
    counts = {name: outcome[name] for name in ("rows", "added", "changed", "gone", "gone_with_sales")}
    assert counts == {"rows": 2, "added": 1, "changed": 1, "gone": 2, "gone_with_sales": 1}
    assert items(bench) == ["SKU-2", "SKU-4"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (product(available="yes"), "Row 3: invalid value in column available."),
        (product(price="9,99").replace("9,99", '"9,99"'), "Row 3: invalid value in column price."),
        (product(price="-1"), "Row 3: invalid value in column price."),
        (product(link="example.com"), "Row 3: invalid value in column link."),
        (product(title=""), "Row 3: invalid value in column title."),
        (product("SKU-9"), "Row 3: item appears twice."),
        ("SKU-1,Product", "Row 3: 2 columns instead of 9."),
    ],
)
def test_a_file_with_one_bad_row_is_refused_whole(bench: Bench, line: str, problem: str) -> None:
    publish(bench, product("SKU-1"))
    poll(bench)
    publish(bench, product("SKU-9"), line)
    assert poll(bench)["error"] == problem
    assert items(bench) == ["SKU-1"]


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (HEADER.replace("available", "Available"), "Row 1: column available is missing."),
        (HEADER.replace("c_stock", "stock"), "Row 1: column stock is not known."),
        (HEADER.replace("c_stock", "price"), "Row 1: a column appears twice."),
    ],
)
def test_a_wrong_header_is_refused(bench: Bench, header: str, problem: str) -> None:
    publish(bench, product(), header=header)
    assert poll(bench)["error"] == problem


def test_only_the_documented_columns_can_be_made_the_required_ones(bench: Bench) -> None:
    bench.system.set_switches(catalogue_columns=["item", "title", "link"])
    publish(bench, "SKU-1,Product,https://example.com/1", header="item,title,link")
    assert poll(bench)["error"] == ""


@pytest.mark.parametrize("end", ["", "\nSKU-2,Prod"])
def test_a_partial_file_is_refused(bench: Bench, end: str) -> None:
    publish(bench, product("SKU-1"), product("SKU-2"))
    poll(bench)
    publish(bench, product("SKU-1"), end=end)
    assert "partial" in poll(bench)["error"]
    assert items(bench) == ["SKU-1", "SKU-2"]


def test_a_missing_file_leaves_the_catalogue_as_it_was(bench: Bench) -> None:
    publish(bench, product("SKU-1"))
    poll(bench)
    (bench.system.catalogue_folder / "catalogue.csv").unlink()
    assert poll(bench)["error"] == "There is no file at the source."
    assert items(bench) == ["SKU-1"]


def test_the_history_keeps_every_import(bench: Bench) -> None:
    publish(bench, product("SKU-1"))
    poll(bench)
    publish(bench, product("SKU-1"), end="")
    poll(bench)
    assert [bool(row["error"]) for row in bench.inspect("catalogue/imports")] == [False, True]
    totals = bench.inspect("totals")["catalogue"]
    assert totals == {"items": 1, "available": 1, "imports": 1, "refused": 1}


def test_another_source_is_a_path_or_a_file_url(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "feed with space.csv"
    path.write_text(f"{HEADER}\n{product('SKU-7')}\n", encoding="utf-8")
    bench.system.set_switches(catalogue_source=path.as_uri())
    assert poll(bench)["rows"] == 1
    assert poll(bench, source=str(path))["rows"] == 1
    assert poll_catalogue(bench.system).done


def test_a_source_may_be_an_http_url_even_of_this_very_server(bench: Bench) -> None:
    outcome = poll(bench, source=f"{bench.root.replace('//', '//user:pass@')}/healthcheck")
    assert outcome["error"] == "The file is partial: its last line does not end."
    good = f"{HEADER}\n{product('SKU-8')}\n"
    bench.system.faults.add(Fault(path="/feed.csv", status=200, text=good, content_type="text/csv"))
    assert poll(bench, source=f"{bench.root}/feed.csv")["rows"] == 1
    assert poll(bench, source=f"{bench.root}/feed.csv")["error"] == "The source answered 404."


def test_an_http_answer_that_breaks_off_is_refused(bench: Bench) -> None:
    bench.system.faults.add(Fault(path="/healthcheck", action="truncate"))
    outcome = poll(bench, source=f"{bench.root}/healthcheck")
    assert outcome["error"]
    assert items(bench) == []
