"""`exceptions` and `trace`: what the dashboard shows and does, typed, against servers that answer."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from stokly_sync.cli import app
from stokly_sync.sandbox.stokly import Put
from stokly_sync_tests.acceptance.account import add_customers, add_order, now_in
from stokly_sync_tests.acceptance.benches import OmetriaBench
from stokly_sync_tests.acceptance.harness import Rig, opened

pytestmark = [pytest.mark.sandbox]


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def rows(*words: str) -> list[dict[str, Any]]:
    shown = run("exceptions", "list", "--json", *words)
    assert shown.exit_code in (0, 1), shown.output
    found: list[dict[str, Any]] = json.loads(shown.output)["rows"]
    return found


@pytest.fixture
def rig(tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    path = tmp_path / "warehouse.sqlite"
    shutil.copy(migrated_sqlite, path)
    with opened(OmetriaBench(), f"sqlite:///{path}") as made:
        for name, value in made.env.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def wrong(rig: Rig) -> tuple[Rig, str]:
    """An order whose total is five pounds too much."""
    key = add_order(rig.stokly, 1, displayTotal=Decimal("23.00"))
    rig.sync().fine()
    return rig, key


def mend(rig: Rig, key: str) -> None:
    row = {"saleOrderId": key, "displayTotal": Decimal("18.00"), "updatedAt": now_in(rig.stokly)}
    rig.stokly.mutate(Put(collection="saleorders", row=row))


def test_exceptions_are_listed_with_what_is_at_stake(wrong: tuple[Rig, str]) -> None:
    _, key = wrong
    (found,) = rows("--rule", "ST-ORDER-TOTAL")
    assert (found["subject"], found["key"], found["value"], found["currency"]) == ("stokly.orders", key, "23.00", "GBP")
    shown = run("exceptions", "list", "--team", "finance")
    assert (shown.exit_code, key in shown.output) == (1, True)
    assert run("exceptions", "list", "--state", "ignored").exit_code == 0


def test_what_waits_is_told_with_its_rule(rig: Rig) -> None:
    assert "Nothing waits." in run("exceptions", "waiting").output
    (customer,) = add_customers(rig.stokly, [7], email=None)
    add_order(rig.stokly, 1, customer={"customerId": customer})
    rig.sync().fine()
    (told,) = json.loads(run("exceptions", "waiting", "--rule", "DELIVERY-WAITS", "--json").output)["groups"]
    assert (told["feed"], told["state"], told["count"]) == ("ometria/orders", "parked", 1)
    assert "1 parked  ometria/orders  DELIVERY-WAITS" in run("exceptions", "waiting").output


def test_one_is_shown_with_advice_and_without_anything_personal(rig: Rig) -> None:
    (key,) = add_customers(rig.stokly, [7], email="zyxwvut@@example.com")
    rig.sync().fine()
    shown = run("exceptions", "show", "stokly.customers", key, "ST-CUSTOMER-EMAIL")
    assert shown.exit_code == 0, shown.output
    assert "What to do: Ask the customer" in shown.output
    assert key in shown.output
    assert "zyxwvut" not in shown.output.lower()
    assert json.loads(run("exceptions", "show", "stokly.customers", key, "ST-CUSTOMER-EMAIL", "--json").output)


def test_a_mended_record_is_read_again_passes_and_is_closed(wrong: tuple[Rig, str]) -> None:
    rig, key = wrong
    names = ("stokly.orders", key, "ST-ORDER-TOTAL")
    still = run("exceptions", "retry", *names)
    assert (still.exit_code, "1 retried, 1 still kept back" in still.output) == (1, True), still.output
    mend(rig, key)
    done = run("exceptions", "retry", *names)
    assert (done.exit_code, "1 retried, 0 still kept back" in done.output) == (0, True), done.output
    assert rows("--rule", "ST-ORDER-TOTAL") == []
    rig.load().fine()
    assert rig.state("orders", key) == "accepted"


def test_a_record_that_a_destination_keeps_back_is_read_again_and_sent_at_once(rig: Rig) -> None:
    (key,) = add_customers(rig.stokly, [7], email=None)
    rig.sync().fine()
    assert rig.state("contacts", key) == "quarantined"
    row = {"customerId": key, "email": "zyxwvut-7@example.com", "updatedAt": now_in(rig.stokly)}
    rig.stokly.mutate(Put(collection="customers", row=row))
    done = run("exceptions", "retry", "ometria/contacts", key, "OM-CONTACT-EMAIL")
    assert (done.exit_code, "0 still kept back" in done.output) == (0, True), done.output
    assert rig.state("contacts", key) == "accepted"
    assert key in rig.held("contacts")


def test_one_is_ignored_assigned_and_opened_again(wrong: tuple[Rig, str]) -> None:
    _, key = wrong
    names = ("stokly.orders", key, "ST-ORDER-TOTAL")
    assert "1 assigned to day shift" in run("exceptions", "assign", *names, "--to", "day shift").output
    assert "1 ignored" in run("exceptions", "ignore", "--all", "--rule", names[2], "--reason", "a test order").output
    (found,) = rows("--state", "ignored")
    assert (found["note"], found["assigned_to"]) == ("a test order", "day shift")
    assert "1 open again" in run("exceptions", "reopen", *names).output


def test_a_list_is_written_as_csv(wrong: tuple[Rig, str], tmp_path: Path) -> None:
    _, key = wrong
    file = tmp_path / "open.csv"
    assert run("exceptions", "export", str(file), "--team", "finance").exit_code == 0
    assert key in [row["record"] for row in csv.DictReader(io.StringIO(file.read_text("utf-8")))]
    assert key in run("exceptions", "export").output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("list", "--team", "nobody"), "Teams are"),
        (("list", "--value", "much"), "12.50"),
        (("list", "--sort", "up"), "sorted by"),
        (("retry",), "Say which"),
        (("retry", "--all"), "Say which"),
        (("retry", "one", "two"), "Name one exception"),
        (("ignore", "--reason", " ", "--all", "--team", "cx"), "Say why"),
        (("show", "stokly.orders", "1", "X"), "has no exception"),
    ],
)
@pytest.mark.usefixtures("rig")
def test_half_a_wish_is_refused_in_words(words: tuple[str, ...], said: str) -> None:
    done = run("exceptions", *words)
    assert (done.exit_code, said in done.output) == (2, True), done.output


def test_a_trace_tells_the_whole_path_of_an_order(wrong: tuple[Rig, str]) -> None:
    rig, key = wrong
    mend(rig, key)
    run("exceptions", "retry", "stokly.orders", key, "ST-ORDER-TOTAL")
    rig.load().fine()
    told = run("trace", key)
    assert told.exit_code == 0, told.output
    assert "→ Ometria order: accepted" in told.output
    assert "Ometria  order accepted: sent" in told.output
    for what in ("placed: 18.00 GBP", "kept back by ST-ORDER-TOTAL: ", "retry by ", "passes ST-ORDER-TOTAL"):
        assert what in told.output, told.output
    assert "@" not in told.output.replace("@20", "")
    path = json.loads(run("trace", key, "--json").output)
    assert path["stops"][0]["key"] == key


@pytest.mark.usefixtures("rig")
def test_a_trace_of_nothing_says_so() -> None:
    told = run("trace", "no-such-order")
    assert (told.exit_code, "Nothing is known by that" in told.output) == (1, True)
