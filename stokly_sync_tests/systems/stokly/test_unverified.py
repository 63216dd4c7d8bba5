"""Both readings of every unproven thing, found out or set. Source: Stokly API contract 5."""

from __future__ import annotations

from typing import Any

import pytest

from stokly_sync.errors import NotOffered
from stokly_sync.flow import Probe
from stokly_sync.sandbox.kit.faults import Fault
from stokly_sync.systems.stokly import StoklySettings
from stokly_sync.systems.stokly.reference import probe
from stokly_sync.systems.stokly.unverified import CONSENT_MEMBER, path_of, update_filter_offered
from stokly_sync_tests.systems.stokly.made import line, order

ROWS = {"saleorders": [order(1)], "saleorders/items": [line(1)]}


def said(client: Any) -> dict[str, Probe]:
    return {line.subject: line for line in probe(client)}


@pytest.mark.parametrize("kind", ["orders", "customers", "invoices"])
@pytest.mark.parametrize("offered", [True, False])
def test_whether_changes_can_be_asked_for_is_found_out_or_set(
    account: Any, connect: Any, kind: Any, offered: bool
) -> None:
    name = "saleorders" if kind == "orders" else kind
    system = account(ROWS, updated_at_filters=[name] if offered else [])
    assert update_filter_offered(connect(system), kind) is offered
    for setting, expected in (("yes", True), ("no", False)):
        assert update_filter_offered(connect(system, **{f"{kind}_update_filter": setting}), kind) is expected


# A switch of the account, the line of the doctor that is about it, and what it must say.
VARIANTS = [
    ({}, "filter of orders by update time", "offered: changes are seen"),
    ({"updated_at_filters": []}, "filter of orders by update time", "not offered: changes are found by creation"),
    ({"absent_endpoints": ["refunds"]}, "resource refunds", "not offered"),
    ({"absent_endpoints": ["tax-classes"]}, "resource tax_classes", "not offered"),
    ({}, "resource dispatches", "offered, 0 records"),
    ({"embedded_items": True}, "lines of orders", "in the order's row"),
    ({}, "lines of orders", "one call an order"),
    ({"display_line_members": False}, "amounts of order lines", "line_amounts=auto"),
    ({}, "amounts of order lines", "explicit"),
]


@pytest.mark.parametrize(("switches", "subject", "finding"), VARIANTS)
def test_the_doctor_says_which_variant_holds(
    account: Any, connect: Any, switches: dict[str, Any], subject: str, finding: str
) -> None:
    assert finding in said(connect(account(ROWS, **switches)))[subject].finding


def test_the_doctor_stops_at_wrong_credentials_and_survives_anything_else(account: Any, connect: Any) -> None:
    system = account(ROWS)
    (only,) = said(connect(system, client_id="nobody")).values()
    assert not only.ok
    assert "STOKLY_CLIENT_ID" in only.finding
    denied = said(connect(account(ROWS, denied_paths=["/v0/customers", "/v0/refunds"])))
    assert not denied["reading customers"].ok
    assert not denied["resource refunds"].ok
    assert denied["reading orders"].ok
    system.faults.add(Fault(path="/items", status=500, times=None))
    assert not said(connect(system))["reading items"].ok


def test_every_line_that_is_not_well_says_what_to_do(account: Any, connect: Any) -> None:
    client = connect(account(absent_endpoints=["refunds", "dispatches"], denied_paths=["/v0/customers"]))
    assert all(line.advice for line in probe(client) if not line.ok)


def test_a_path_can_be_set_and_a_resource_ruled_out() -> None:
    assert path_of(StoklySettings(paths={"refunds": "/v1/refunds"}), "refunds") == "/v1/refunds"
    with pytest.raises(NotOffered, match="not_offered"):
        path_of(StoklySettings(not_offered=("refunds",)), "refunds")


def test_consent_is_not_read_from_stokly() -> None:
    assert CONSENT_MEMBER is None
