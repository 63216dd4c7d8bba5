"""Keep memory flat, and Python's collector from reading the whole process again for every few hundred documents.

Documents are trees of dictionaries without cycles: reference counting frees them, and the collector only costs time,
about a quarter of a plan or of a load. While one of them runs, what exists already is set aside and the youngest
generation may grow to the size of a chunk; afterwards all is as before. Arrow's own allocators hold on to what they
freed, some 30 MB of a load; the system's gives it back and is no slower here.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

import pyarrow as pa

pa.set_memory_pool(pa.system_memory_pool())

# Enough to matter; with more, garbage that only the collector can free (frames, above all) would be held too long.
_YOUNG: Final = 30_000

_lock = Lock()
_inside = 0
_before: tuple[int, int, int] = gc.get_threshold()


@contextmanager
def few_collections() -> Iterator[None]:
    """Collect garbage rarely meanwhile; several may be inside at once, the last one out puts things back."""
    global _inside, _before  # the collector is one for the process
    with _lock:
        _inside += 1
        if _inside == 1:
            _before = gc.get_threshold()
            gc.freeze()
            gc.set_threshold(_YOUNG, *_before[1:])
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                gc.set_threshold(*_before)
                gc.unfreeze()
