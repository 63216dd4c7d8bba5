"""From the file and the environment into typed models, and every fault in words.

Belongs here: which table and which variable a setting is read from, and how to name them when it is wrong. A fault
names places and never repeats what was given for a secret. What a setting means is said by the model that declares it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel, SecretStr, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

from stokly_sync.errors import SettingsError
from stokly_sync.settings.core import ENVIRONMENT_PREFIX, Core
from stokly_sync.systems import SYSTEMS

# Dagster's storage reads the environment alone, and the URL may hold a password.
_ENVIRONMENT_ONLY: Final = frozenset({"database_url"})
# Close enough to be a slip of the pen; other programs may share the environment and its prefixes.
_ALIKE: Final = 0.85


@dataclass(frozen=True)
class Place:
    """Where the settings of one model stand, to read them and to say so."""

    model: type[BaseModel]
    prefixes: tuple[str, ...]
    section: str
    table: dict[str, Any]
    own: frozenset[str]
    """Names that stand in the brand's own table."""
    brand: str
    path: Path

    def table_of(self, name: str) -> str:
        """The table of the file in which a setting stands or belongs."""
        parts = [*(("brands", self.brand) if name in self.own else ()), *((self.section,) if self.section else ())]
        return f"[{'.'.join(parts)}] in {self.path}" if parts else str(self.path)

    def variable(self, name: str, env: Mapping[str, str]) -> str:
        """The variable that sets a setting, or the one that would."""
        names = [f"{prefix}{name.upper()}" for prefix in self.prefixes]
        return next((found for found in names if found in env), names[-1])


def config_path(env: Mapping[str, str]) -> Path:
    """The settings file, which need not exist unless it was named; raises SettingsError when that one does not."""
    named = env.get(f"{ENVIRONMENT_PREFIX}CONFIG")
    path = Path(named or "stokly_sync.toml")
    if named and not path.is_file():
        raise SettingsError(f"{ENVIRONMENT_PREFIX}CONFIG points at {named}, which is no file.")
    return path


def read(path: Path) -> dict[str, Any]:
    """The file as TOML, nothing where there is none; raises SettingsError when it cannot be read."""
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is no valid TOML: {error}") from error


def places_of(file: dict[str, Any], env: Mapping[str, str], path: Path, faults: list[str]) -> dict[str, Place]:
    """The core under the empty name and every system, the brand's own tables laid over the common ones."""
    brand = env.get(f"{ENVIRONMENT_PREFIX}BRAND", str(file.get("brand", "default")))
    brands = _table(file.pop("brands", {}), f"[brands] in {path}", faults)
    if brands and brand not in {"default", *brands}:
        known = ", ".join(sorted(brands))
        faults.append(f"Brand {brand!r} has no table [brands.{brand}] in {path}; there are: {known}")
    own = _table(brands.get(brand, {}), f"[brands.{brand}] in {path}", faults)
    names = {system.name for system in SYSTEMS}
    core = {k: v for k, v in (file | own).items() if k not in names} | {"brand": brand}
    places = {"": Place(Core, (ENVIRONMENT_PREFIX,), "", core, frozenset(own), brand, path)}
    for system in SYSTEMS:
        name, upper = system.name, system.name.upper()
        mine = _table(own.get(name, {}), f"[brands.{brand}.{name}] in {path}", faults)
        table = _overlay(_table(file.get(name, {}), f"[{name}] in {path}", faults), mine)
        prefixes = (f"{brand.upper()}_{upper}_", f"{upper}_") if brand != "default" else (f"{upper}_",)
        places[name] = Place(system.settings, prefixes, name, table, frozenset(mine), brand, path)
    return places


def _table(value: Any, where: str, faults: list[str]) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    faults.append(f"{where} must be a table")
    return {}


def _overlay(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _overlay(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def checked(place: Place, env: Mapping[str, str], faults: list[str]) -> Any:
    """Build one settings model, environment over file, or None; faults are appended in plain words."""
    fields = place.model.model_fields
    for name in place.table:
        if name not in fields:
            faults.append(f"{name} under {place.table_of(name)} is not a setting; known: {', '.join(fields)}")
        elif name in _ENVIRONMENT_ONLY or _is_secret(place.model, name):
            why = f"may hold a secret: set {place.variable(name, env)} in the environment instead, and remove it"
            faults.append(f"{name} under {place.table_of(name)} {why}")
    faults += _misspelt(place, env)
    known = {name: value for name, value in place.table.items() if name in fields}
    try:
        return _with_environment(place.model, env, place.prefixes)(**known)
    except ValidationError as error:
        for item in error.errors(include_input=False, include_url=False):
            name, *inner = [str(part) for part in item["loc"]] or ["settings"]
            within = f" at {'.'.join(inner)}" if inner else ""
            where = f"{place.variable(name, env)} (or {name} under {place.table_of(name)}){within}"
            faults.append(f"{where}: {item['msg'].removeprefix('Value error, ')}")
    return None


def _misspelt(place: Place, env: Mapping[str, str]) -> list[str]:
    fields = [name.upper() for name in place.model.model_fields]
    faults = []
    for prefix in place.prefixes:
        for variable in sorted(env):
            name = variable.removeprefix(prefix)
            if name == variable or name in fields or (place.section and variable.startswith(ENVIRONMENT_PREFIX)):
                continue
            if meant := get_close_matches(name, fields, n=1, cutoff=_ALIKE):
                faults.append(f"{variable} in the environment is not a setting; {prefix}{meant[0]} is")
    return faults


def _with_environment(model: type[BaseModel], env: Mapping[str, str], prefixes: tuple[str, ...]) -> type[BaseModel]:
    """The same model, reading `<PREFIX><FIELD>` from `env` before what it is given."""

    class Base(BaseSettings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            del env_settings, dotenv_settings, file_secret_settings  # they read the process's own environment
            return (*(_Environment(settings_cls, prefix, env) for prefix in prefixes), init_settings)

    return create_model(model.__name__, __base__=(model, Base))


class _Environment(EnvSettingsSource):
    """Reads one prefix from a given mapping instead of the process's environment."""

    def __init__(self, settings_cls: type[BaseSettings], prefix: str, env: Mapping[str, str]) -> None:
        self._given = {name.lower(): value for name, value in env.items()}
        super().__init__(settings_cls, case_sensitive=False, env_prefix=prefix)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._given

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """JSON decoded; what is none stays text, for the model to refuse it by the name of its field."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


def _is_secret(model: type[BaseModel], name: str) -> bool:
    annotation = model.model_fields[name].annotation
    return annotation is SecretStr or SecretStr in get_args(annotation)
