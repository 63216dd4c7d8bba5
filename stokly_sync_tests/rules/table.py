"""Every rule of the catalogue and how it is reached: the tables of all systems, and the worlds that they need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stokly_sync_tests.rules import channels, marketing
from stokly_sync_tests.rules.worlds import Spec, Table

WORLDS: Final[Mapping[str, Spec]] = {**marketing.WORLDS, **channels.WORLDS}
TABLE: Final[Table] = {**marketing.TABLE, **channels.TABLE}
