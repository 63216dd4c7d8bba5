"""The worlds of the sales channels, and all their rules.

In the first everything is written that can be. In the second refunds are raised on either side, the marketplace's
because their feed only observes; the marketplace is told which items are offered, and products may be made there.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Final

from stokly_sync.sandbox.marketplacer.furniture import OUR_SELLER
from stokly_sync.sandbox.marketplacer.ids import global_id
from stokly_sync.sandbox.seeds.account import MAGENTO, MARKETPLACER, SHOP, STANDARD_TAX, WAREHOUSE
from stokly_sync.sandbox.seeds.words import midnight
from stokly_sync_tests.acceptance.harness import TODAY
from stokly_sync_tests.rules import inwards, magento, marketplacer
from stokly_sync_tests.rules.floor import WEB
from stokly_sync_tests.rules.inwards import BEFORE, WATCHED, WRITING
from stokly_sync_tests.rules.marketplacer import REFUSED
from stokly_sync_tests.rules.worlds import Spec, Table

_SYSTEMS: Final = ("stokly", "magento", "marketplacer")
_FROM: Final = (midnight(TODAY) - BEFORE + timedelta(days=2)).isoformat()
_TAXON: Final = global_id("Taxon", 2)


def _told(**values: Any) -> dict[str, str]:
    """Settings as environment variables."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def _settings(*, refunds: str, **more: Any) -> dict[str, str]:
    shop = {"channel_id": MAGENTO.channel_id, "locations": {"1": WAREHOUSE}, "orders_from": _FROM, "refunds": refunds}
    seller = global_id("Seller", OUR_SELLER)
    market = {"channel_id": MARKETPLACER.channel_id, "locations": {seller: WAREHOUSE}, "orders_from": _FROM}
    return _told(
        STOKLY_MAGENTO=shop,
        STOKLY_MARKETPLACER=market,
        MAGENTO_RATE_PER_MINUTE="60000",
        MAGENTO_LOCATIONS={WAREHOUSE: "warehouse", SHOP: "shop"},
        MAGENTO_TAX_RATES={STANDARD_TAX: 20},
        MAGENTO_EXPECTED_TAGS=[WEB],
        MAGENTO_CARRIERS={"royal mail": {"code": "royalmail", "title": "Royal Mail"}},
        MARKETPLACER_RATE="75",
        MARKETPLACER_PRICE_TAX_RATE="20",
        MARKETPLACER_CHANNELS=[MARKETPLACER.channel_id],
        **more,
    )


WORLDS: Final = {
    WRITING: Spec(
        _SYSTEMS,
        _settings(refunds="create", MAGENTO_REFUNDS="create", MARKETPLACER_REFUNDS="create"),
        switches={"stokly": {"write_delay": 0.0}, "marketplacer": {"refused_skus": [REFUSED]}},
        compares=True,
    ),
    WATCHED: Spec(
        _SYSTEMS,
        _settings(
            refunds="raise",
            STOKLY_MODES={"marketplacer_refunds": "observe"},
            MARKETPLACER_ONLY_TAGS=[WEB],
            MARKETPLACER_ADVERT_UPSERT="true",
            MARKETPLACER_TAXONS={"Clothing": _TAXON},
        ),
        switches={"stokly": {"write_delay": 0.0}},
        compares=True,
    ),
}
TABLE: Final[Table] = {**inwards.TABLE, **magento.TABLE, **marketplacer.TABLE}
