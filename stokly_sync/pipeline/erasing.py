"""Erasing a person with the settings' clients: every system that is set up is asked, calls counted as any other."""

from __future__ import annotations

from stokly_sync.flow import Forgotten, Lane, Person, System
from stokly_sync.operations.erasing import Eraser
from stokly_sync.pipeline.services import Services


def eraser(services: Services, *, actor: str) -> Eraser:
    """What `stokly-sync erase` works with."""
    declared = services.declared

    def forget(system: System, person: Person) -> Forgotten:
        if system.forget is None:
            raise TypeError(f"{system.name} offers no call to forget anybody")
        return system.forget(services.client(system.name, Lane.FAST), person)

    systems = [system for name, system in declared.systems.items() if name in declared.enabled]
    return Eraser(services.warehouse, tuple(declared.feeds.values()), systems, forget, actor)
