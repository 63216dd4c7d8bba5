"""Nothing personal and no secret where it does not belong (X14, DESIGN "what must always hold" 7).

Marked values are planted in every personal member, rows are made to fail in many ways, and everything that a run leaves
behind is searched: logs at the finest level, Dagster's whole storage and captured output, findings, figures, plans,
attempts, exceptions (but for the document as received, which is kept on purpose), and the names of files.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from stokly_sync.sandbox.kit import Fault
from stokly_sync.sandbox.seeds.account import DUMMY_SECRETS
from stokly_sync.sandbox.stokly import Put
from stokly_sync.warehouse import tables
from stokly_sync_tests.acceptance.account import MARKED, add_customers, add_order, change_customer, customer
from stokly_sync_tests.acceptance.bench import Way
from stokly_sync_tests.acceptance.benches import BENCHES
from stokly_sync_tests.acceptance.harness import Rig, opened

pytestmark = [pytest.mark.acceptance, pytest.mark.sandbox]

COMMAND: Final = (sys.executable, "-c", "from stokly_sync.cli import app; app()")
# Kept on purpose, in columns that erasure knows: the document that was received, and the one that is on its way.
KEPT: Final = {("exceptions", "payload"), ("ledger", "document")}


def words(rig: Rig) -> list[str]:
    """Everything that must not be found."""
    return [*MARKED.values(), *secrets(rig), "eyJhbGciOi"]


def secrets(rig: Rig) -> list[str]:
    """Every secret of the rig's settings, and those of the seeded account."""
    models = [rig.services.settings.systems[name] for name in rig.services.settings.enabled]
    values = [value for model in models for _, value in model if isinstance(value, SecretStr)]
    return [*DUMMY_SECRETS, *(value.get_secret_value() for value in values)]


def found_in(text: str, wanted: Iterable[str]) -> set[str]:
    folded = text.casefold()
    return {word for word in wanted if word.casefold() in folded}


def trouble(rig: Rig) -> None:
    """An account whose marked people run into everything that can go wrong with them."""
    people = add_customers(rig.stokly, range(1, 40))
    for number in range(1, 30):
        add_order(rig.stokly, number, customer=customer(number))
    rig.bench.add(rig, rig.bench.follows, [60])
    email = f"{MARKED['email']}-2@@example.com"
    change_customer(rig.stokly, people[2], email=email)
    change_customer(rig.stokly, people[3], name={"first": MARKED["name"]})
    change_customer(rig.stokly, people[4], phone=[MARKED["phone"]])
    add_order(rig.stokly, 50, customer=customer(5), currency=f"{MARKED['city']}")
    add_order(rig.stokly, 51, customer=customer(6), displayTotal=f"{MARKED['phone']}")
    add_order(rig.stokly, 52, customer=customer(7), shippingAddressCountry=f"{MARKED['postcode']}")
    add_order(rig.stokly, 53, customer=customer(8), createdAt=f"{MARKED['line1']}")
    add_order(rig.stokly, 54, customer={**customer(9), "email": email})
    rig.stokly.mutate(Put(collection="customers", row={"customerId": people[5], "notes": MARKED["line1"] * 90}))
    records = people if "people" not in rig.bench.lacks else rig.bench.add(rig, rig.bench.main, range(1, 9))
    ways: tuple[Way, ...] = ("inside", "later")
    for way in (way for way in ways if way not in rig.bench.lacks):
        rig.bench.refuse(rig, way, records[6])
    rig.bench.refuse(rig, "whole", records[7])
    told = json.dumps({"message": f"bad address {MARKED['email']}-9@example.com", "error": MARKED["email"] + "@x.io"})
    rig.there.faults.add(rig.bench.fault(status=400, text=told, times=1))
    rig.there.faults.add(rig.bench.fault(status=503, text=f"<p>{MARKED['email']}-9@example.com</p>", after=1, times=1))
    rig.stokly.faults.add(Fault(path="/v0/customers", status=500, text=f"{MARKED['email']}-1@example.com", times=1))
    rig.stokly.faults.add(Fault(path="/v2/saleorders", action="truncate", times=1))


def test_logs_and_tables_hold_nothing_personal_and_no_secret(loaded: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig = loaded
    trouble(rig)
    with caplog.at_level(logging.DEBUG):
        done = rig.sync()
        rig.reconcile()
        rig.bench.add(rig, rig.bench.main, [90])
        rig.extract()
        rig.bench.revoke(rig)
        refused = rig.load()
    assert rig.exceptions(), "the account must run into trouble"
    assert refused.errors
    assert caplog.records
    wanted = words(rig)
    assert found_in("\n".join(record.getMessage() for record in caplog.records), wanted) == set()
    assert found_in(caplog.text, wanted) == set()
    assert found_in("".join(str(error) for error in [*done.errors.values(), *refused.errors.values()]), wanted) == set()
    assert found_in_tables(rig, wanted) == {}
    assert found_in(repr(rig.services), wanted) == set()


def test_landed_rows_hold_no_secret_of_a_channel(loaded: Rig) -> None:
    assert found_in_tables(loaded, secrets(loaded), names=[t.name for t in tables.METADATA.sorted_tables]) == {}


def found_in_tables(
    rig: Rig, wanted: list[str], *, names: Iterable[str] | None = None
) -> dict[tuple[str, str], set[str]]:
    """Columns of our own tables that hold one of the words; landed rows are the place where people's data belongs."""
    landed = {table.name for table in tables.LANDED.values()}
    chosen = set(names) if names is not None else {t.name for t in tables.METADATA.sorted_tables} - landed
    found: dict[tuple[str, str], set[str]] = {}
    with rig.services.warehouse.reading() as connection:
        for table in tables.METADATA.sorted_tables:
            if table.name not in chosen:
                continue
            for row in connection.execute(sa.select(table)).mappings():
                for column, value in row.items():
                    hits = found_in(str(value), wanted) if (table.name, str(column)) not in KEPT else set()
                    if hits:
                        found.setdefault((table.name, str(column)), set()).update(hits)
    return found


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_command_leaves_nothing_personal_and_no_secret_behind(tmp_path: Path) -> None:
    """Two runs through Dagster: their output, every byte of run config, tags, events and metadata, and file names."""
    with opened(BENCHES[0], f"sqlite:///{tmp_path / 'warehouse.sqlite'}") as rig:
        trouble(rig)
        (tmp_path / "home").mkdir()
        env = {**os.environ, **rig.env, "DAGSTER_HOME": str(tmp_path / "home"), "OMETRIA_QUEUE_DRAIN_WAIT": "0.2"}
        output = "".join(done.stdout + done.stderr for done in (command(env, tmp_path), command(env, tmp_path)))
        wanted = words(rig)
    assert '"feeds"' in output
    assert found_in(output, wanted) == set()
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert found_in("\n".join(str(path.relative_to(tmp_path)) for path in left), wanted) == set()
    dagster = [path for path in left if "warehouse.sqlite" not in path.name]
    # The rules that were broken are named there, so the search does reach what is stored.
    assert any(holds(path, "ST-CURRENCY") for path in dagster)
    assert {(path.name, word) for path in dagster for word in wanted if holds(path, word)} == set()


def command(env: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "sync", "--json"], env=env, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )


def holds(path: Path, word: str) -> bool:
    data = path.read_bytes()
    return any(form.encode() in data for form in (word, word.lower(), word.upper()))


def test_the_search_itself_finds_what_is_there(loaded: Rig) -> None:
    """A test that looks for nothing would always pass."""
    add_customers(loaded.stokly, [1])
    loaded.sync()
    landed: Any = tables.LANDED["stokly.customers"].name
    hits = found_in_tables(loaded, words(loaded), names=[landed])
    assert {"name", "email", "phone"} <= {column for _, column in hits}
