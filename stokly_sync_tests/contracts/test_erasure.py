"""How rows lead to people who were erased, and what is left of such rows (X14)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from stokly_sync.contracts import channels, erasure
from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.contracts.people import CUSTOMERS
from stokly_sync.contracts.sales import DISPATCHES, ORDERS, REFUNDS
from stokly_sync.contracts.tables import DTYPES, Dataset

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)


def rows(dataset: Dataset, *given: dict[str, Any]) -> pd.DataFrame:
    columns = {c.name: [row.get(c.name) for row in given] for c in dataset.root.all_columns}
    kinds = {c.name: DTYPES[c.kind] for c in dataset.root.all_columns}
    return pd.DataFrame({name: pd.Series(values, dtype=kinds[name]) for name, values in columns.items()})  # type: ignore[call-overload]


def erased(kind: str, *values: str, at: datetime = T0) -> erasure.Known:
    return {kind: {erasure.digest(kind, value): at for value in values}}


def test_an_address_has_one_digest_however_it_is_written() -> None:
    assert erasure.digest(erasure.EMAIL, " Buyer@Example.com") == erasure.digest(erasure.EMAIL, "buyer@example.com")
    assert erasure.digest("stokly.orders", "a") != erasure.digest("stokly.orders", "A")
    assert erasure.digest("stokly.orders", "1") != erasure.digest("stokly.customers", "1")


@pytest.mark.parametrize("dataset", [d for d in DATASETS.values() if any(c.personal for c in d.root.columns)])
def test_every_dataset_with_something_personal_leads_to_a_person(dataset: Dataset) -> None:
    assert erasure.leads(dataset)


def test_an_order_is_found_by_customer_by_address_and_by_its_own_key() -> None:
    root = rows(
        ORDERS,
        {"order_id": "1", "customer_id": "C1"},
        {"order_id": "2", "customer_email": "Guest@example.com"},
        {"order_id": "3"},
        {"order_id": "4", "customer_id": "C2", "customer_email": "other@example.com"},
    )
    known = {**erased(CUSTOMERS.name, "C1"), **erased(erasure.EMAIL, "guest@example.com"), **erased(ORDERS.name, "3")}
    assert erasure.about(ORDERS, root, known).tolist() == [True, True, True, False]
    assert erasure.about(ORDERS, root, known, own=True).tolist() == [False, False, True, False]


@pytest.mark.parametrize("dataset", [REFUNDS, DISPATCHES])
def test_what_belongs_to_an_order_of_theirs_is_found_through_it(dataset: Dataset) -> None:
    root = rows(dataset, {dataset.key: "R1", "order_id": "1"}, {dataset.key: "R2", "order_id": "2"})
    assert erasure.about(dataset, root, erased(ORDERS.name, "1")).tolist() == [True, False]
    assert not erasure.registered(dataset)


def test_who_was_merged_into_them_is_them() -> None:
    root = rows(CUSTOMERS, {"customer_id": "C2", "merged_into": "C1"}, {"customer_id": "C3"})
    assert erasure.about(CUSTOMERS, root, erased(CUSTOMERS.name, "C1")).tolist() == [True, False]


def test_an_order_that_a_channel_took_later_has_to_be_sent_to_somebody() -> None:
    dataset = channels.ORDERS["magento"]
    root = rows(
        dataset,
        {"order_id": "1", "customer_email": "guest@example.com", "placed_at": T0 - timedelta(days=1)},
        {"order_id": "2", "customer_email": "guest@example.com", "placed_at": T0 + timedelta(days=1)},
    )
    assert erasure.about(dataset, root, erased(erasure.EMAIL, "guest@example.com")).tolist() == [True, False]


def test_everything_personal_goes_and_the_rest_stays() -> None:
    root = rows(
        ORDERS,
        {"order_id": "1", "customer_name": "x", "postcode": "AB1", "extra": '{"note":"x"}', "total": 5},
        {"order_id": "2", "customer_name": "y", "postcode": "CD2"},
    )
    lines = pd.DataFrame({c.name: pd.Series(dtype=DTYPES[c.kind]) for c in ORDERS.children[0].all_columns})  # type: ignore[call-overload]
    mask = erasure.about(ORDERS, root, erased(ORDERS.name, "1"))
    found = erasure.bare(ORDERS, {ORDERS.name: root, ORDERS.children[0].name: lines}, mask)[ORDERS.name]
    assert [found[name].dtype for name in root] == [root[name].dtype for name in root]
    assert found[["customer_name", "postcode", "extra"]].isna().to_numpy()[0].all()
    assert (found.loc[0, "total"], found.loc[0, "order_id"]) == (5, "1")
    assert (found.loc[1, "customer_name"], found.loc[1, "postcode"]) == ("y", "CD2")
