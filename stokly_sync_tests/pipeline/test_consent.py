"""A choice that is made in one destination is heard by the others, and leaves a trail (X19)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import cast

import dagster as dg
import pytest
import sqlalchemy as sa

from stokly_sync.contracts.consent import CONSENTS
from stokly_sync.flow import Window
from stokly_sync.landing.grid import floor
from stokly_sync.pipeline import gaps, headless
from stokly_sync.pipeline.services import Services
from stokly_sync.sandbox.dotdigital import DotdigitalSandbox
from stokly_sync.sandbox.ometria.system import OmetriaSandbox
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync.warehouse import windows
from stokly_sync.warehouse.tables import CONSENT_CHANGES

FAST = {
    "STOKLY_RATE_PER_MINUTE": "60000",
    "OMETRIA_RATE": "1000",
    "OMETRIA_QUEUE_DRAIN_WAIT": "0.5",
    "DOTDIGITAL_RATE": "1000",
    "DOTDIGITAL_POLL_SECONDS": "0.1",
}


@pytest.fixture
def sandbox(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Sandbox(systems=["stokly", "ometria", "dotdigital"], seed="minimal", limits=False) as running:
        owners = {"STOKLY_SYNC_CONSENT_OWNERS": '{"email": "stokly"}', "STOKLY_SYNC_DATABASE_URL": warehouse_url}
        for name, value in {**running.env, **FAST, **owners}.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.mark.sandbox
@pytest.mark.slow
def test_who_leaves_dotdigital_is_left_alone_by_ometria_too(sandbox: Sandbox) -> None:
    dotdigital = cast("DotdigitalSandbox", sandbox.systems["dotdigital"])
    ometria = cast("OmetriaSandbox", sandbox.systems["ometria"])
    services = Services.open()
    try:
        with dg.DagsterInstance.ephemeral() as instance:
            assert headless.sync(services, instance, headless.Request()).failures == []
            contact = next(c for c in dotdigital.store.contacts.values() if "stokly-id" in c.identifiers)
            # Made as unsubscribed just now; somebody who leaves does so later.
            contact.created -= timedelta(hours=3)
            dotdigital.unsubscribe(contact.identifiers["email"])
            assert headless.sync(services, instance, headless.Request()).failures == []
    finally:
        services.close()
    key = contact.identifiers["stokly-id"]
    ometria.settle()
    assert ometria.store.contacts["stokly"][key].fields["marketing_optin"] == "EXPLICITLY_OPTEDOUT"
    with services.warehouse.reading() as conn:
        c = CONSENT_CHANGES.c
        trail = conn.execute(sa.select(c.customer_id, c.before, c.after, c.system)).all()
    assert [tuple(row) for row in trail] == [(key, None, "out", "dotdigital")]


@pytest.mark.sandbox
@pytest.mark.usefixtures("sandbox")
def test_what_is_owed_to_a_pool_is_seen_without_the_clock() -> None:
    services = Services.open()
    try:
        assert not gaps.pool_owes(services, "ometria", "consent")
        start = floor(datetime.now(UTC))
        count = windows.WindowCount(Window(start, start + timedelta(minutes=15)), read=1, changed=1)
        with services.warehouse.transaction() as conn:
            windows.note_landed(
                conn, brand=services.warehouse.brand, dataset=CONSENTS.name, counts=[count], run_id="run"
            )
        assert gaps.pool_owes(services, "ometria", "consent")
    finally:
        services.close()
