"""A person's account in the shop is deleted; what stays on orders is said. Source: Magento API contract 16."""

from __future__ import annotations

from typing import Any

import pytest

from stokly_sync.errors import PermissionDenied
from stokly_sync.flow import Person
from stokly_sync.systems.magento.erasure import ORDERS, forget
from stokly_sync_tests.systems.magento.bench import Bench

EMAIL = "shopper@example.com"


def register(bench: Bench, email: str = EMAIL) -> str:
    return str(bench.do("customers", {"email": email, "firstname": "Customer", "lastname": "1"})["id"])


def registered(bench: Bench) -> list[Any]:
    return [row["email"] for row in bench.system.store.customers]


def test_the_account_goes_by_address_and_orders_are_left_to_people(bench: Bench) -> None:
    register(bench)
    register(bench, "other@example.com")
    done = forget(bench.client(), Person(("c1",), (EMAIL,)))
    assert (done.done, done.answer, done.by_hand) == (True, "1 accounts deleted", ORDERS)
    assert registered(bench) == ["other@example.com"]


def test_an_account_that_changed_its_address_goes_by_the_id_that_orders_name(bench: Bench) -> None:
    account = register(bench, "changed@example.com")
    assert forget(bench.client(), Person((), (EMAIL,), accounts=(account,))).answer == "1 accounts deleted"
    assert registered(bench) == []


def test_who_is_not_there_and_who_is_gone_already_is_fine(bench: Bench) -> None:
    account = register(bench)
    person = Person((), (EMAIL,), accounts=(account,))
    forget(bench.client(), person)
    again = forget(bench.client(), person)
    assert (again.done, again.answer) == (True, "no account is there")


def test_a_missing_right_is_named(bench: Bench) -> None:
    register(bench)
    bench.system.set_switches(denied=["Magento_Customer::delete"])
    with pytest.raises(PermissionDenied, match="Magento_Customer::delete"):
        forget(bench.client(), Person((), (EMAIL,)))
