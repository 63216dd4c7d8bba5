"""The settings file that the demo writes for itself.

Belongs here: what the sandboxes' accounts need to be told beside their credentials, as a retailer would write it: how
prices, methods, places and carriers are called on either side. What surrounds a run is in `demo`.
"""

from __future__ import annotations

from typing import Final

from stokly_sync.sandbox.seeds.account import MAGENTO, MARKETPLACER, SHOP, WAREHOUSE

_WITHOUT_LIMITS: Final = "# Written by `stokly-sync demo`: the sandboxes run without the vendors' limits, and so do we."
_WITH_LIMITS: Final = "# Written by `stokly-sync demo --limits`: rates are the defaults, as for real accounts."
_RATES: Final = {
    "stokly": "rate_per_minute = 60000\nconcurrency = 4",
    "dotdigital": "rate = 1000.0\npoll_seconds = 0.2",
    "emarsys": "rate_per_minute = 1000.0",
    "magento": "rate_per_minute = 60000\nconcurrency = 4",
    "marketplacer": "rate = 75.0\nburst = 100",
    "ometria": "rate = 1000.0\nconcurrency = 4",
}
"""Rates for sandboxes without limits, by system."""
_SETTINGS: Final = {
    "stokly": "",
    # The retailer has one shop and one warehouse that sends; the methods of payment and shipping are the known ones.
    "stokly.magento": f"""\
channel_id = "{MAGENTO.channel_id}"
# All that the sandboxes hold counts, however old.
orders_days = 365
payments = {{ checkmo = 4, free = 4 }}
shipping = {{ flatrate_flatrate = "Standard", tablerate_bestway = "Abroad" }}
locations = {{ "*" = "{WAREHOUSE}" }}""",
    "stokly.marketplacer": f"""\
channel_id = "{MARKETPLACER.channel_id}"
orders_days = 365
locations = {{ "*" = "{WAREHOUSE}" }}""",
    "dotdigital": 'contact_fields = { NOTES = "extra.notes" }',
    "emarsys": """\
contact_fields = { notes = "extra.notes" }
# Nobody gets a mail here, so that no dispatch of the seed is too old for one.
dispatch_days = 100000""",
    # Prices of the shop and of the marketplace hold VAT, Stokly's do not. A refund that one side lacks is made there.
    "magento": f"""\
prices_with_tax = true
tax_rates = {{ "*" = 20 }}
locations = {{ "{WAREHOUSE}" = "warehouse", "{SHOP}" = "shop" }}
refunds = "create"
""",
    "magento.carriers": """\
"royal mail" = { code = "royalmail", title = "Royal Mail" }
dpd = { code = "dpd", title = "DPD" }
dhl = { code = "dhl", title = "DHL" }""",
    "marketplacer": f"""\
price_tax_rate = 20
channels = ["{MARKETPLACER.channel_id}"]
default_carrier = "Royal Mail"
refunds = "create"
refunds_pay = true""",
    # A custom field from a member of Stokly that the contract does not know, so that field mapping is part of it.
    "ometria": 'contact_properties = { note = "extra.notes" }',
}
"""What each table says, whatever the limits."""


def written(*, limits: bool) -> str:
    """The text of the file; `limits` leaves the rates at their defaults."""
    rates = {} if limits else _RATES
    tables = (
        "\n".join([f"[{name}]", *(part for part in (rates.get(name, ""), told.strip()) if part)])
        for name, told in _SETTINGS.items()
    )
    return "\n\n".join([_WITH_LIMITS if limits else _WITHOUT_LIMITS, *tables]) + "\n"
