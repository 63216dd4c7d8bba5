"""Keep memory flat and threads prompt while much is done: what the interpreter does by default suits small programs.

Documents are trees of dictionaries without cycles: reference counting frees them, and the collector only costs time,
about a quarter of a plan or of a load. While one of them runs, what exists already is set aside and the youngest
generation may grow to the size of a chunk; afterwards all is as before. Threads that compute hand over every half
millisecond instead of every five: a sender that got its answer must not wait for a whole turn, several times a call.
Arrow's own allocators hold on to what they freed; the system's gives large blocks back, once it is told to: by itself
the C library takes a block that was freed for a hint that more like it should be kept, a hundred megabytes in the end.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

import pyarrow as pa

pa.set_memory_pool(pa.system_memory_pool())
# M_MMAP_THRESHOLD of glibc, which other C libraries do not have: larger blocks are mapped, and given back when freed.
if (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
    mallopt(-3, 1 << 20)

# Enough to matter; with more, garbage that only the collector can free (frames, above all) would be held too long.
_YOUNG: Final = 30_000
_TURN_S: Final = 0.0005

_lock = Lock()
_inside = 0
_put_back: Callable[[], None] = lambda: None  # noqa: E731  # what undoes the first entry


@contextmanager
def steady() -> Iterator[None]:
    """Collect rarely and hand over often meanwhile; of several that are inside at once, the last one out undoes it."""
    global _inside, _put_back  # collector and turns are one for the process
    with _lock:
        _inside += 1
        if _inside == 1:
            _put_back = _set()
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _put_back()


def _set() -> Callable[[], None]:
    thresholds, turn = gc.get_threshold(), sys.getswitchinterval()

    def put_back() -> None:
        sys.setswitchinterval(turn)
        gc.set_threshold(*thresholds)
        gc.unfreeze()

    gc.freeze()
    gc.set_threshold(_YOUNG, *thresholds[1:])
    sys.setswitchinterval(_TURN_S)
    return put_back
