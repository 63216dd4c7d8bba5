"""The count of calls a sandbox system answered, by method, path template and status.

Belongs here: counting. Bodies, keys and addresses are not kept: tests and the demo need to know how
often something was asked, not what was in it.
"""

from collections import Counter
from dataclasses import dataclass

CUT = 0
"""The status written down for a call whose connection was cut before any answer."""


@dataclass(frozen=True)
class CallKey:
    """One line of the count; `template` is the route, such as `/v2/orders/{id}`, not the path asked for."""

    method: str
    template: str
    status: int


class CallLog:
    """Counts of calls since the start or the last `reset`."""

    def __init__(self) -> None:
        self._counts: Counter[CallKey] = Counter()

    def record(self, method: str, template: str, status: int) -> None:
        """Count one answered call."""
        self._counts[CallKey(method, template, status)] += 1

    def count(self, *, method: str | None = None, template: str | None = None, status: int | None = None) -> int:
        """How many calls match every argument that was given."""
        return sum(
            number
            for key, number in self._counts.items()
            if method in (None, key.method) and template in (None, key.template) and status in (None, key.status)
        )

    def rows(self) -> list[dict[str, str | int]]:
        """The counts as `{"method", "template", "status", "calls"}`, most frequent first."""
        return [
            {"method": key.method, "template": key.template, "status": key.status, "calls": number}
            for key, number in self._counts.most_common()
        ]

    def reset(self) -> None:
        """Forget all counts."""
        self._counts.clear()
