"""Faults that can be ordered from a sandbox system: wrong answers, delays and cut connections.

Belongs here: what a fault is, which calls it hits and how often. Playing it out on a socket is the
affair of `gateway`. A fault is data, so that a test can order it in process and a script by HTTP.
"""

import re
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from typing import Literal

import msgspec

Action = Literal["answer", "cut", "truncate", "pass"]
RetryAfter = Literal["absent", "seconds", "date"]


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One order: which calls, from which match on and how often, and what happens to them.

    A call matches if its method is `method` (`*` = any), `path` (a regular expression) is found in its
    path, and `query` and `body` (plain substrings, empty = any) are in its raw query string and body.
    The first `after` matches pass untouched, the next `times` are hit (None = all, until cleared).

    `processed` says whether the system handles the call before the fault strikes: a cut with
    `processed=False` is a lost request, with `processed=True` a lost answer. `truncate` sends half the
    body of the real answer, always processed. `pass` only waits. `delay` is in seconds, before all else.
    """

    method: str = "*"
    path: str = ""
    query: str = ""
    body: str = ""
    after: int = 0
    times: int | None = 1
    action: Action = "answer"
    processed: bool = False
    delay: float = 0.0
    status: int = 500
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    text: str = '{"message":"Internal Server Error"}'
    content_type: str = "application/json"
    retry_after: RetryAfter = "absent"
    retry_after_seconds: int = 1

    def __post_init__(self) -> None:
        """Refuse an expression that cannot be compiled."""
        try:
            _pattern(self.path)
        except re.error as error:
            raise ValueError(f"Fault path {self.path!r} is no regular expression: {error}") from error

    def matches(self, *, method: str, path: str, query: str, body: str) -> bool:
        """Whether the call is one that this order is about."""
        return (
            self.method in ("*", method)
            and _pattern(self.path).search(path) is not None
            and self.query in query
            and self.body in body
        )


@lru_cache(maxsize=256)
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(path)


def retry_after_header(form: RetryAfter, seconds: float, now: datetime) -> dict[str, str]:
    """`Retry-After` in the asked form: whole seconds rounded up, an HTTP date (GMT), or no header at all."""
    whole = -int(-seconds // 1)
    if form == "seconds":
        return {"Retry-After": str(whole)}
    if form == "date":
        # An HTTP date has whole seconds; one more keeps it from lying in the past.
        return {"Retry-After": format_datetime(now + timedelta(seconds=whole + 1), usegmt=True)}
    return {}


class FaultPlan:
    """The orders in force, in the order in which they were given; the first that strikes wins."""

    def __init__(self) -> None:
        self._faults: list[tuple[Fault, list[int]]] = []

    def add(self, fault: Fault) -> Fault:
        """Put an order in force."""
        self._faults.append((fault, [0]))
        return fault

    def clear(self) -> None:
        """Drop every order."""
        self._faults.clear()

    @property
    def faults(self) -> list[Fault]:
        """The orders in force, struck out or not."""
        return [fault for fault, _ in self._faults]

    def strike(self, *, method: str, path: str, query: str, body: str) -> Fault | None:
        """The order that hits this call, if any; counts the match in every order that is about the call."""
        struck: Fault | None = None
        for fault, seen in self._faults:
            if not fault.matches(method=method, path=path, query=query, body=body):
                continue
            position = seen[0]
            seen[0] += 1
            due = position >= fault.after and (fault.times is None or position < fault.after + fault.times)
            if due and struck is None:
                struck = fault
        return struck
