"""Stokly as a whole: declarations that fit together, and the demo account's planted defects, each under its rule."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import pytest

from stokly_sync.contracts.datasets import DATASETS
from stokly_sync.contracts.rules import Effect, catalogue
from stokly_sync.contracts.schema import refuse_if_most_fail, validate
from stokly_sync.errors import ContractBroken, TransientError
from stokly_sync.flow import Scope, Window
from stokly_sync.sandbox.kit.faults import Fault
from stokly_sync.sandbox.seeds import load_seed
from stokly_sync.sandbox.stokly.disturbances import Drift
from stokly_sync.systems import SYSTEMS
from stokly_sync.systems.stokly import SYSTEM, StoklySettings
from stokly_sync.systems.stokly.extracts import extracts
from stokly_sync.systems.stokly.rules import RULES

DATASET_OF = {
    "items": "stokly.items",
    "saleorders": "stokly.orders",
    "customers": "stokly.customers",
    "refunds": "stokly.refunds",
    "dispatches": "stokly.dispatches",
}
# These compare rows with each other, which is not done while reading.
BETWEEN_ROWS = {"ST-SKU-DUPLICATE", "ST-REFUND-OVER"}


def read_all(system: Any, client: Any) -> dict[str, set[tuple[str, str]]]:
    now = system.clock.now()
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for extract in extracts(client.settings):
        scope = Scope(Window(now - timedelta(days=400), now), baseline=True)
        for page in extract.read(client, scope):
            valid = validate(DATASETS[extract.dataset], extract.rows(page.documents, page.requested_at))
            found[extract.dataset] |= {(p.key, p.rule) for p in valid.problems}
    return found


VARIANTS: list[dict[str, Any]] = [
    {},
    {"embedded_items": True, "updated_at_filters": [], "customers_updated_at": False},
    {"display_line_members": False},
    {"embedded_items": True, "display_line_members": False, "line_price": "line", "display_line_price": "line"},
    {"embedded_items": True, "nice_id": "text", "other_dates": "javascript", "item_dates": "iso"},
    {"embedded_items": True, "max_size": 100, "exchange_rate": "base_by_document"},
]


@pytest.mark.parametrize("switches", VARIANTS, ids=lambda s: " ".join(s) or "as proposed")
@pytest.mark.slow
def test_each_planted_defect_is_found_under_its_rule_and_nothing_else_is(
    account: Any, connect: Any, switches: dict[str, Any]
) -> None:
    system = account(seed=load_seed("demo", today=date.today()), **switches)  # noqa: DTZ011 - as the sandbox does
    planted: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for defect in system.seeded.planted:
        if defect.rule.startswith("ST-") and defect.rule not in BETWEEN_ROWS:
            planted[DATASET_OF[defect.dataset]].add((defect.key, defect.rule))
    found = read_all(system, connect(system))
    assert {name: problems for name, problems in found.items() if problems} == dict(planted)


def test_every_rule_of_the_contract_is_in_the_catalogue_and_says_what_to_do() -> None:
    rules = catalogue(RULES)
    ours = [dataset for name, dataset in DATASETS.items() if name.startswith("stokly.")]
    used = {rule.code for dataset in ours for table in dataset.tables for rule in table.rules}
    used |= {code for d in ours for code in (d.type_rule, d.money_rule, d.time_rule)}
    used |= {code for d in ours for _, code in d.unique}
    assert used | {"ST-REFUND-OVER"} <= set(rules)
    for rule in RULES:
        assert rule.effect is Effect.QUARANTINE or not rule.code.startswith("ST-")
        assert rule.problem.endswith(".")
        assert rule.advice.endswith(".")


def test_every_dataset_is_read_once_and_after_what_it_looks_at() -> None:
    names = [e.dataset for e in extracts(StoklySettings())]
    assert sorted(names) == sorted(name for name in DATASETS if name.startswith("stokly."))
    for extract in extracts(StoklySettings()):
        assert all(names.index(before) < names.index(extract.dataset) for before in extract.after)


def test_stokly_is_the_first_of_the_systems() -> None:
    assert SYSTEMS[0] is SYSTEM


DRIFTS = [
    pytest.param(Drift(collection="saleorders", member="displayTotal", change="retype", to="object"), id="re-typed"),
    pytest.param(Drift(collection="saleorders", member="currency", change="remove"), id="gone"),
]


@pytest.mark.parametrize("drift", DRIFTS)
def test_a_change_of_most_rows_stops_the_load_and_names_the_member(account: Any, connect: Any, drift: Drift) -> None:
    system = account(seed=load_seed("demo", today=date.today()), embedded_items=True)  # noqa: DTZ011
    system.drift(drift)
    client = connect(system)
    now = system.clock.now()
    extract = next(e for e in extracts(client.settings) if e.dataset == "stokly.orders")
    page = next(iter(extract.read(client, Scope(Window(now - timedelta(days=400), now), baseline=True))))
    problems = validate(DATASETS["stokly.orders"], extract.rows(page.documents, page.requested_at)).problems
    with pytest.raises(ContractBroken, match=drift.member):
        refuse_if_most_fail("stokly.orders", read=len(page.documents), problems=problems, share=0.2)


def test_a_new_member_on_all_rows_breaks_nothing(account: Any, connect: Any) -> None:
    system = account(seed=load_seed("minimal", today=date.today()))  # noqa: DTZ011
    system.drift(Drift(collection="saleorders", member="loyalty", change="add", value={"tier": "gold"}))
    assert not any(read_all(system, connect(system)).values())


def test_a_server_that_stays_down_ends_the_reading_loudly(account: Any, connect: Any) -> None:
    system = account(seed=load_seed("minimal", today=date.today()))  # noqa: DTZ011
    system.faults.add(Fault(path="/v2/saleorders", status=503, times=None))
    with pytest.raises(TransientError, match="503"):
        read_all(system, connect(system))


def test_nothing_personal_and_no_secret_is_logged_while_reading(
    account: Any, connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    system = account(seed=load_seed("demo", today=date.today()))  # noqa: DTZ011
    for status in (500, 429):
        system.faults.add(Fault(path="/v0/customers", status=status))
    with caplog.at_level("DEBUG"):
        read_all(system, connect(system))
    assert "attempt 1" in caplog.text
    for hidden in ("@", "sandbox-secret", "Bearer", "eyJ"):
        assert hidden not in caplog.text
