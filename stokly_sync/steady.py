"""Keep memory flat and threads prompt while much is done: what the interpreter does by default suits small programs.

Documents are trees of dictionaries without cycles: reference counting frees them, and the collector only costs time,
about a quarter of a plan or of a load. While one of them runs, what exists already is set aside and the youngest
generation may grow to the size of a chunk; afterwards all is as before. While calls are in flight, threads that compute
hand over every half millisecond instead of every five: a sender that got its answer must not wait for a whole turn,
several times a call.
Arrow's own allocators hold on to what they freed; the system's gives large blocks back, once it is told to: by itself
the C library takes a block that was freed for a hint that more like it should be kept, a hundred megabytes in the end.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
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


class _WhileInside:
    """A setting of the whole process that holds while anybody is inside; the last one out puts it back."""

    def __init__(self, change: Callable[[], Callable[[], None]]) -> None:
        self._change, self._lock, self._inside = change, Lock(), 0
        self._put_back: Callable[[], None] = lambda: None

    @contextmanager
    def entered(self) -> Iterator[None]:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._put_back = self._change()
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside:
                    self._put_back()


def _collect_rarely() -> Callable[[], None]:
    thresholds = gc.get_threshold()

    def put_back() -> None:
        gc.set_threshold(*thresholds)
        gc.unfreeze()

    gc.freeze()
    gc.set_threshold(_YOUNG, *thresholds[1:])
    return put_back


def _hand_over_often() -> Callable[[], None]:
    turn = sys.getswitchinterval()
    sys.setswitchinterval(_TURN_S)
    return lambda: sys.setswitchinterval(turn)


_RARELY: Final = _WhileInside(_collect_rarely)
_OFTEN: Final = _WhileInside(_hand_over_often)


def steady() -> AbstractContextManager[None]:
    """Collect garbage rarely meanwhile; several may be inside at once."""
    return _RARELY.entered()


def tidy() -> None:
    """Free what only the collector can, at the end of a chunk: frames, above all.

    A chunk whose documents are texts makes so few objects that the collector by itself would come too late.
    """
    gc.collect(1)


def prompt() -> AbstractContextManager[None]:
    """Let threads that compute hand over often meanwhile; several may be inside at once."""
    return _OFTEN.entered()
