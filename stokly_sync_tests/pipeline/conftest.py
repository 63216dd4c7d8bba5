from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg
import pytest

from stokly_sync.pipeline.services import Services
from stokly_sync.sandbox.serve import Sandbox

FAST = {"STOKLY_RATE_PER_MINUTE": "60000", "OMETRIA_RATE": "1000"}


@dataclass
class Rig:
    """Sandboxes with the minimal seed, an empty warehouse that the environment points at, and an instance."""

    sandbox: Sandbox
    services: Services
    instance: dg.DagsterInstance


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    """The definitions as they load without any setting."""
    from stokly_sync.pipeline.build import build_defs
    from stokly_sync.settings import load
    from stokly_sync.systems import SYSTEMS

    return build_defs(load({}), SYSTEMS)


@pytest.fixture
def rig(warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    with Sandbox(systems=["stokly", "ometria"], seed="minimal", limits=False) as sandbox:
        for name, value in {**sandbox.env, **FAST, "STOKLY_SYNC_DATABASE_URL": warehouse_url}.items():
            monkeypatch.setenv(name, value)
        services = Services.open()
        with dg.DagsterInstance.ephemeral() as instance:
            yield Rig(sandbox, services, instance)
        services.close()
