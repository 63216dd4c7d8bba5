"""The shape of one sandbox system: what the server, the tests and the demo may ask of it.

Belongs here: the shape and the state that all systems have (clock, calls, faults, switches, change
count). The routes and the rules of a vendor belong to that vendor's folder.
"""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from starlette.applications import Starlette

from stokly_sync.sandbox.kit.calls import CallLog
from stokly_sync.sandbox.kit.clock import Clock
from stokly_sync.sandbox.kit.faults import FaultPlan
from stokly_sync.sandbox.seeds.model import Planted


class SandboxSystem(ABC):
    """One vendor's system on loopback.

    A subclass sets `name`, gives its `app`, and says how to reach it (`settings_env`), how to fill it
    (`seed`) and how to keep its state (`dump`, `load`). `switches` is a mutable msgspec struct of
    everything about the system that can be set while it runs, readable and settable by HTTP too.
    """

    name: ClassVar[str]

    def __init__(self, *, switches: msgspec.Struct, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.calls = CallLog()
        self.faults = FaultPlan()
        self.switches = switches
        self.changes = 0

    @property
    @abstractmethod
    def app(self) -> Starlette:
        """The vendor's routes; paths under `/_sandbox/` are free for test-only routes of the system."""

    @abstractmethod
    def settings_env(self, base_url: str) -> dict[str, str]:
        """The environment variables that point the pipeline here; `base_url` is `http://127.0.0.1:port`."""

    @abstractmethod
    def set_limits(self, on: bool) -> None:
        """Switch every rate limit of the system on or off."""

    @abstractmethod
    def dump(self) -> Any:
        """The whole state as values that `codec.encode` can write (dicts, lists, Decimal, structs)."""

    @abstractmethod
    def load(self, state: Any) -> None:
        """Replace the state by what `dump` gave, after a round trip through JSON."""

    def seed(self, seed: str) -> None:  # noqa: B027 - a destination starts empty whatever the seed
        """Fill an empty system from the seed of that name; called only where no saved state was found."""

    def expected(self) -> list[Planted]:
        """Defects that were put in on purpose, each by the rule under which it must be reported."""
        return []

    def keep_files_in(self, directory: Path) -> None:  # noqa: B027 - most systems have no files beside their state
        """Keep files that are exchanged with the pipeline below `directory`; called before the start."""

    def touch(self) -> None:
        """Say that the state has changed, so that it gets saved."""
        self.changes += 1

    def set_switches(self, **values: Any) -> None:
        """Set some switches, checked against their types.

        Raises:
            msgspec.ValidationError: naming the switch that is unknown or has a value of the wrong type.
        """
        known = {field.name for field in msgspec.structs.fields(self.switches)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise msgspec.ValidationError(f"Sandbox {self.name} has no switch {unknown[0]!r}; it has {sorted(known)}.")
        merged = {**msgspec.to_builtins(self.switches), **values}
        checked = msgspec.convert(merged, type(self.switches))
        for name in values:
            setattr(self.switches, name, getattr(checked, name))
