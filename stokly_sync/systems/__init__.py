"""The wire: one folder a system, all alike; knows neither Dagster nor our database.

`transport` is what the clients share, `rows` what turns documents into rows. Each other folder exports one `SYSTEM`;
nothing above them special-cases a vendor.
"""

from stokly_sync.flow import System
from stokly_sync.systems.dotdigital import SYSTEM as DOTDIGITAL
from stokly_sync.systems.emarsys import SYSTEM as EMARSYS
from stokly_sync.systems.ometria import SYSTEM as OMETRIA
from stokly_sync.systems.stokly import SYSTEM as STOKLY

SYSTEMS: tuple[System, ...] = (STOKLY, OMETRIA, DOTDIGITAL, EMARSYS)
"""All systems, the source first; another one is a folder here and a word in this list."""
