"""5,000 orders of the shop within one interval, into Stokly, while stock goes on leaving for the shop.

Both sandboxes run in a process of their own with limits on. Time is scaled: what Stokly allows in a minute and how
often stock is due are both `SCALE` times what they are in production, so that forty minutes pass in four. Stock is read
from Stokly, under the same key as the orders are written, and pushed to the shop, once each interval. The forecast is
what the plan says before anything is sent.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import requests

from benchmarks.context import Context
from benchmarks.harness import child
from benchmarks.results import Line, at_least, at_most
from stokly_sync.sandbox.registry import build_systems
from stokly_sync.sandbox.seeds.account import MAGENTO, SHOP, WAREHOUSE
from stokly_sync.sandbox.serve import Sandbox

TITLE: Final = "A burst of orders from the shop, with stock going on"
ORDERS: Final = 5_000
SCALE: Final = 10
PER_MINUTE: Final = 120
"""Calls to Stokly in a minute, as the settings have it."""
SERVER: Final = 240
"""What Stokly's server allows in a minute."""
INTERVAL: Final = 300.0
"""Seconds between two pushes of stock in production."""
SKU: Final = "MUG"
_AT_ONCE: Final = 500


def run(context: Context) -> list[Line]:
    """The forecast beside the time it took, orders that were lost or doubled, calls, and the slowest push of stock."""
    orders = min(ORDERS, context.rows)
    with tempfile.TemporaryDirectory() as folder:
        systems = build_systems(("stokly", "magento"))
        with Sandbox(systems=systems, seed="minimal", limits=True) as box:
            requests.patch(
                f"{box.urls['stokly']}/_sandbox/switches", json={"limit": SERVER * SCALE}, timeout=60
            ).raise_for_status()
            env = {**box.env, **_settings(Path(folder))}
            child(["benchmarks.product.burst", "--history"], env=env)
            _place(box, orders)
            requests.delete(f"{box.urls['stokly']}/_sandbox/stats", timeout=60).raise_for_status()
            told = child(["benchmarks.product.burst", f"--interval={INTERVAL / SCALE}"], env=env).figures
            calls = requests.get(f"{box.urls['stokly']}/_sandbox/stats", timeout=60).json()["calls"]
            held = _held(systems[0])
    return _lines(orders, told, calls, held)


def _lines(orders: int, told: Mapping[str, Any], calls: list[dict[str, Any]], held: Counter[str]) -> list[Line]:
    refused = sum(row["count"] for row in calls if row["status"] == 429)
    return [
        Line("forecast of the plan, minutes of production", f"{told['forecast'] * SCALE / 60:.1f}"),
        Line("time it took, minutes of production", f"{told['seconds'] * SCALE / 60:.1f}"),
        at_most(f"orders lost, of {orders:,}", orders - len(held), 0),
        at_most("orders doubled", sum(held.values()) - len(held), 0),
        at_most("calls of the orders, times the least", told["calls"] / told["least"], 1.05),
        at_most("calls that Stokly refused as too many", refused, 0),
        at_least(
            f"records of stock that left meanwhile, one due in each of {told['pushes']} intervals",
            told["pushed"],
            told["pushes"],
        ),
        at_most("slowest of them, seconds of production", told["slowest"] * SCALE, INTERVAL, unit=" s"),
    ]


def _settings(folder: Path) -> dict[str, str]:
    file = folder / "stokly_sync.toml"
    file.write_text(f'[stokly.magento]\nchannel_id = "{MAGENTO.channel_id}"\n', "utf-8")
    return {
        "STOKLY_SYNC_CONFIG": str(file),
        "STOKLY_SYNC_DATABASE_URL": f"sqlite:///{folder / 'burst.db'}",
        "STOKLY_RATE_PER_MINUTE": str(PER_MINUTE * SCALE),
        "STOKLY_BURST": "10",
        "MAGENTO_RATE_PER_MINUTE": "6000",
        "MAGENTO_LOCATIONS": f'{{"{WAREHOUSE}": "warehouse", "{SHOP}": "shop"}}',
        # The stock of what sells is doubtful while its orders wait; it goes down at once and must go on leaving.
        "MAGENTO_STOCK_WITHOUT_ORDERS": "buffer",
        "MAGENTO_LATE_BUFFER": "0",
    }


def _place(box: Sandbox, orders: int) -> None:
    """So many guests buy a mug, whether there is one or not."""
    url = f"{box.urls['magento']}/_sandbox/orders/place-many"
    for first in range(0, orders, _AT_ONCE):
        baskets = [
            {
                "lines": [{"sku": SKU}],
                "email": f"shopper-{number:05d}@example.com",
                "paid": True,
                "ignore_stock": True,
            }
            for number in range(first, min(first + _AT_ONCE, orders))
        ]
        requests.post(url, json=baskets, timeout=600).raise_for_status()


def _held(stokly: Any) -> Counter[str]:
    """How often Stokly has each order of the burst, by the shop's number."""
    stokly.store.settle(everything=True)
    rows = stokly.store.rows("saleorders")
    return Counter(row["sourceReferenceId"] for row in rows if str(row.get("customerEmail", "")).startswith("shopper-"))
