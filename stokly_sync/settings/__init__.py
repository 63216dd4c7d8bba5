"""Every setting of the product, typed and checked before anything runs (X14, X20).

Settings come from one TOML file (`stokly_sync.toml` in the working directory, or where `STOKLY_SYNC_CONFIG` points;
not needed for the defaults) with the environment over it. Each system declares its own part in
`systems/<name>/settings.py`; its fields are read from `<SYSTEM>_<FIELD>`, for example `OMETRIA_API_KEY`. Secrets come
from the environment alone: one that stands in the file is refused. A brand's own values stand under
`[brands.<brand>]` in the file and under `<BRAND>_<SYSTEM>_<FIELD>` in the environment. Values that are lists or tables
are JSON in the environment. What a setting means is said where it is declared, not here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from stokly_sync.errors import SettingsError
from stokly_sync.flow import Mode, System
from stokly_sync.settings.core import DEFAULT_DATABASE, ENVIRONMENT_PREFIX, Core
from stokly_sync.settings.sources import Place, checked, config_path, places_of, read
from stokly_sync.systems import SYSTEMS

__all__ = ["DEFAULT_DATABASE", "ENVIRONMENT_PREFIX", "Core", "Settings", "load"]


class Settings:
    """Checked settings of one brand: the core, and one model for each system."""

    def __init__(self, core: Core, systems: Mapping[str, Any], source: Path | None) -> None:
        self.core = core
        self.systems = dict(systems)
        self.source = source
        """The file that was read, or None."""

    def __repr__(self) -> str:
        """Names only: values may be secret."""
        return f"Settings(brand={self.core.brand!r}, systems={sorted(self.enabled)})"

    @cached_property
    def enabled(self) -> dict[str, System]:
        """Systems whose credentials are set, by name, in the order of `SYSTEMS`."""
        return {s.name: s for s in SYSTEMS if self.systems[s.name].configured}

    def mode(self, system: str, feed: str) -> Mode:
        """The mode of a feed; `write` unless the system's `modes` say otherwise."""
        modes: Mapping[str, Mode] = getattr(self.systems[system], "modes", {})
        return Mode(modes.get(feed, Mode.WRITE))

    @property
    def zone(self) -> ZoneInfo:
        """The brand's time zone."""
        return ZoneInfo(self.core.time_zone)


def load(environ: Mapping[str, str] | None = None, *, config: Path | None = None) -> Settings:
    """Read and check all settings.

    Raises SettingsError with one line for each wrong, unknown or missing setting, and where to set it.
    """
    given = os.environ if environ is None else environ
    env = {name.upper(): value for name, value in given.items() if value.strip()}
    path = config or config_path(env)
    faults: list[str] = []
    places = places_of(read(path), env, path, faults)
    models = {section: checked(place, env, faults) for section, place in places.items()}
    core = models.pop("")
    if core is not None:
        _refuse_embedded_in_production(core, faults)
        _refuse_unknown_owners(core, faults)
    faults += _half_set(models, places, env)
    if faults or core is None:
        raise SettingsError("Settings are not usable:\n" + "\n".join(f"  - {f}" for f in faults))
    return Settings(core, models, path if path.exists() else None)


def _refuse_embedded_in_production(core: Core, faults: list[str]) -> None:
    if core.env == "production" and core.database_url.startswith("sqlite"):
        faults.append(
            f"{ENVIRONMENT_PREFIX}DATABASE_URL: production needs PostgreSQL; set it to postgresql://user@host/database"
        )


def _refuse_unknown_owners(core: Core, faults: list[str]) -> None:
    names = [system.name for system in SYSTEMS]
    faults += [
        f"{ENVIRONMENT_PREFIX}CONSENT_OWNERS: there is no system {owner!r} for {channel}; there are {', '.join(names)}"
        for channel, owner in core.consent_owners.items()
        if owner not in names
    ]


def _half_set(models: Mapping[str, Any], places: Mapping[str, Place], env: Mapping[str, str]) -> list[str]:
    """Systems of which only a part is set: certainly a mistake, so named before anything runs.

    An address in the environment counts as a part: somebody points at a server. One in the file does not, because
    the file stays when a system is turned off by taking its credentials away.
    """
    faults = []
    for system in SYSTEMS:
        model, place = models[system.name], places[system.name]
        if model is None or model.configured:
            continue
        present = [place.variable(name, env) for name in model.credentials if getattr(model, name) is not None]
        if (address := place.variable("base_url", env)) in env and address not in present:
            present.append(address)
        if present:
            missing = ", ".join(place.variable(name, env) for name in model.missing)
            faults.append(f"{system.title} is set in part: {missing} missing (set it, or unset {', '.join(present)})")
    return faults
