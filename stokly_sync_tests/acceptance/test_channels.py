"""A channel alone, as a person would start it: `sync --only <channel> --json` against addresses from the environment.

A new order goes to Stokly, stock goes back, both sides agree; a second run sends nothing. In processes of their own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from stokly_sync.sandbox.seeds.account import MAGENTO, MARKETPLACER, SHOP, WAREHOUSE
from stokly_sync.sandbox.serve import Sandbox

pytestmark = [pytest.mark.acceptance, pytest.mark.sandbox, pytest.mark.slow, pytest.mark.timeout(600)]

COMMAND: Final = (sys.executable, "-c", "from stokly_sync.cli import app; app()", "sync", "--json")
SETTINGS: Final = {
    "magento": {
        "MAGENTO_LOCATIONS": json.dumps({WAREHOUSE: "warehouse", SHOP: "shop"}),
        "MAGENTO_PRICES_WITH_TAX": "true",
        "MAGENTO_TAX_RATES": '{"*": 20}',
    },
    "marketplacer": {"MARKETPLACER_PRICE_TAX_RATE": "20"},
}
ORDER: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "magento": ("orders/place", {"lines": [{"sku": "MUG"}], "paid": True}),
    "marketplacer": ("orders", {"lines": [{"sku": "MUG"}]}),
}
CHANNELS: Final = {"magento": MAGENTO.channel_id, "marketplacer": MARKETPLACER.channel_id}


@pytest.mark.parametrize("channel", ["magento", "marketplacer"])
def test_a_channel_alone_is_synced_by_addresses_from_the_environment(
    channel: str, tmp_path: Path, migrated_sqlite: Path
) -> None:
    shutil.copy(migrated_sqlite, tmp_path / "warehouse.sqlite")
    with Sandbox(systems=["stokly", channel], seed="minimal", limits=False) as box:
        place, basket = ORDER[channel]
        if channel == "marketplacer":
            put_on_sale(box)
        requests.post(f"{box.urls[channel]}/_sandbox/{place}", json=basket, timeout=60).raise_for_status()
        env = {**os.environ, **box.env, **SETTINGS[channel], "STOKLY_RATE_PER_MINUTE": "6000"}
        env |= {"STOKLY_SYNC_DATABASE_URL": f"sqlite:///{tmp_path / 'warehouse.sqlite'}"}
        env |= {"DAGSTER_HOME": str(tmp_path / "home")}
        (tmp_path / "home").mkdir()
        first, second = sync(env, tmp_path, channel), sync(env, tmp_path, channel)
        kept: Any = box.systems["stokly"]
        held = [row for row in kept.store.rows("saleorders") if row["sourceId"] == CHANNELS[channel]]
    assert {name: found["status"] for name, found in first["reconciliations"].items()} == {
        "stokly": "agreed",
        channel: "agreed",
    }
    assert first["feeds"][f"stokly/{channel}_orders"]["accepted"] == 1
    numbers = [row["sourceReferenceId"] for row in held]
    assert len(numbers) == len(set(numbers))
    assert {feed: counts["to_send"] for feed, counts in second["feeds"].items() if counts["to_send"]} == {}
    assert second["reconciliations"].keys() == first["reconciliations"].keys()


def put_on_sale(box: Sandbox) -> None:
    """List what the seed's retailer sells, which the marketplace does not have by itself."""
    for sku in ("MUG", "PLATE"):
        advert = {"title": sku, "variants": [{"sku": sku, "count_on_hand": 5}]}
        requests.post(f"{box.urls['marketplacer']}/_sandbox/adverts", json=advert, timeout=60).raise_for_status()


def sync(env: dict[str, str], folder: Path, channel: str) -> dict[str, Any]:
    command = [*COMMAND, "--only", channel]
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    printed: dict[str, Any] = json.loads(done.stdout)
    return printed
