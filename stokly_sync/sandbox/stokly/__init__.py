"""Stokly on loopback, as its contract says, with every [guess] behind a switch.

`write_routes` with `bodies`, `sales_writes`, `paper_writes` and `levels` takes what is written.
`system` is the way in; `schema`, `top_level` and `sublists` say what there is, `store` keeps it,
`filters`, `conditions` and `paging` read what is asked, `shapes` writes what is answered, `grant` lets
callers in, `disturbances` and `control` let a test or a demo step interfere.
"""

from stokly_sync.sandbox.stokly.disturbances import Delete, Dispatch, Drift, Merge, PageHook, Put, PutChildren
from stokly_sync.sandbox.stokly.store import Store
from stokly_sync.sandbox.stokly.switches import StoklySwitches
from stokly_sync.sandbox.stokly.system import StoklySandbox, build

__all__ = [
    "Delete",
    "Dispatch",
    "Drift",
    "Merge",
    "PageHook",
    "Put",
    "PutChildren",
    "StoklySandbox",
    "StoklySwitches",
    "Store",
    "build",
]
