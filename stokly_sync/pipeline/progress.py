"""How far a run has come, for whoever watches in the same process.

Runs of the daemon have nobody watching and pay nothing; the command line listens and draws. What happened for good is
in the run figures, not here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

Listener = Callable[[str, int, int | None], None]
"""`listener(subject, records so far, total or None)`; may be called from several threads."""

BEGINS: Final = -1
"""In place of a count: the subject is a sentence on what begins."""

_listeners: Final[list[Listener]] = []


def report(subject: str, done: int, total: int | None) -> None:
    """Tell every listener."""
    for listener in tuple(_listeners):
        listener(subject, done, total)


def announce(text: str) -> None:
    """Tell every listener what begins now."""
    report(text, BEGINS, None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Have `listener` told while the block runs."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
