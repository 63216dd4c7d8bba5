"""What Dagster loads, as a table of contents.

    assets      pipeline/extract_assets.py      a dataset and its contract, by window
                pipeline/source_assets.py       history, nightly sweep, reference data of a source
                pipeline/feed_assets.py         plan and load of a feed
                pipeline/destination_assets.py  everything owed, daily catalogue, reconciliation
                pipeline/order_to_cash.py       each order of a channel followed to its money, by month
    partitions  pipeline/partitions.py          15 minutes in UTC, days in the brand's zone, months
    jobs        pipeline/jobs.py                one for each system and cadence
    schedules   pipeline/schedules.py           the clock
    sensors     pipeline/sensors.py             gaps, histories, failed runs, findings
    resources   pipeline/runtime.py             opened from the environment when a run starts

All of it is made from what the systems declare (`systems/<name>/extracts.py`, `feeds.py`). It loads without any
setting; the assets of a system without credentials say, when they run, which variable is missing.
"""

from __future__ import annotations

from stokly_sync.steady import steady

# Every run loads all of this in a process of its own, and a fifth of that time is the garbage collector's.
with steady():
    from stokly_sync.pipeline.build import build_defs
    from stokly_sync.settings import load
    from stokly_sync.systems import SYSTEMS

    defs = build_defs(load(), SYSTEMS)
