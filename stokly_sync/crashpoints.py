"""Named places at which a test may kill the process, to prove that nothing is lost and nothing doubled.

Unset, `STOKLY_SYNC_CRASH_AT` costs one look into the environment and does nothing. Set to `send:before-call:3` it ends
the process as `kill -9` would, without clean-up, when that place is passed for the third time. No other module decides
how a crash looks, and no production code may depend on this one having an effect.
"""

from __future__ import annotations

import os
from threading import Lock
from typing import Final

VARIABLE: Final = "STOKLY_SYNC_CRASH_AT"
EXIT_STATUS: Final = 137  # what a shell reports after SIGKILL

_passages: dict[str, int] = {}
_lock = Lock()


def crashpoint(name: str) -> None:
    """End the process here if `STOKLY_SYNC_CRASH_AT` names this place and passage (counted from 1)."""
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return
    place, _, passage = wanted.rpartition(":")
    if place != name:
        return
    with _lock:
        _passages[name] = _passages.get(name, 0) + 1
        if _passages[name] == int(passage):
            os._exit(EXIT_STATUS)
