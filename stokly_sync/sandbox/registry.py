"""Which sandbox systems exist, by name; a further one is one line here.

Belongs here: names and how each system is made. A system is imported only when it is asked for, so that
starting one does not pay for the seeds of another.
"""

from collections.abc import Callable, Iterable
from importlib import import_module

from stokly_sync.sandbox.kit import SandboxSystem

MODULES: dict[str, str] = {
    "stokly": "stokly_sync.sandbox.stokly",
    "ometria": "stokly_sync.sandbox.ometria",
    "dotdigital": "stokly_sync.sandbox.dotdigital",
    "emarsys": "stokly_sync.sandbox.emarsys",
    "marketplacer": "stokly_sync.sandbox.marketplacer",
    "magento": "stokly_sync.sandbox.magento",
}
"""System name -> package with a function `build() -> SandboxSystem`."""


def build_systems(names: Iterable[str] | None = None) -> list[SandboxSystem]:
    """Make the named systems (all, if none are named), empty and with their limits on.

    Raises:
        ValueError: if a name is not known; the message lists the known ones.
    """
    wanted = list(MODULES) if names is None else list(names)
    unknown = [name for name in wanted if name not in MODULES]
    if unknown:
        raise ValueError(f"No sandbox is called {unknown[0]!r}. Choose from: {', '.join(MODULES)}.")
    systems: list[SandboxSystem] = []
    for name in wanted:
        build: Callable[[], SandboxSystem] = import_module(MODULES[name]).build
        systems.append(build())
    return systems
