"""Every setting of the product, typed and checked before anything runs (X14, X20).

Settings come from one TOML file (`stokly_sync.toml` in the working directory, or where `STOKLY_SYNC_CONFIG` points;
not needed for the defaults) with the environment over it. Each system declares its own part in
`systems/<name>/settings.py`; its fields are read from `<SYSTEM>_<FIELD>`, for example `OMETRIA_API_KEY`. Secrets come
from the environment alone: one that stands in the file is refused. A brand's own values stand under
`[brands.<brand>]` in the file and under `<BRAND>_<SYSTEM>_<FIELD>` in the environment.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, create_model, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

from stokly_sync.errors import SettingsError
from stokly_sync.flow import Mode, System
from stokly_sync.systems import SYSTEMS

ENVIRONMENT_PREFIX = "STOKLY_SYNC_"
DEFAULT_DATABASE = "sqlite:///data/local/stokly_sync.db"


class Core(BaseModel):
    """Settings that belong to no single system; from `STOKLY_SYNC_<FIELD>` or the top of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: str = Field(DEFAULT_DATABASE, description="Warehouse and Dagster storage: SQLite or PostgreSQL URL.")
    env: Literal["development", "production"] = Field("development", description="Production refuses SQLite.")
    brand: str = Field("default", pattern=r"^[a-z][a-z0-9_]{0,30}$", description="Which brand this process serves.")
    time_zone: str = Field("Europe/London", description="The brand's zone, for days and reports.")
    currency: str = Field("GBP", pattern=r"^[A-Z]{3}$", description="The brand's base currency, ISO 4217.")
    windows_from: datetime = Field(
        default_factory=lambda: (
            datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=90)
        ),
        description="First interval window that can be re-run or backfilled, UTC. Earlier is the baseline's.",
    )
    refuse_share: float = Field(
        0.2, gt=0, le=1, description="Share of rows that may break the contract before a load stops."
    )
    alert_webhook: SecretStr | None = Field(None, description="Where findings are posted as JSON; none logs them only.")
    dagster_url: str = Field("http://127.0.0.1:3000", description="Address of the Dagster UI, for links in messages.")

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{value!r} is no time zone; use a name such as Europe/London") from error
        return value

    @field_validator("windows_from")
    @classmethod
    def _utc(cls, value: datetime) -> datetime:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


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
    env = dict(os.environ if environ is None else environ)
    path = config or _config_path(env)
    file = _read(path)
    brand = env.get(f"{ENVIRONMENT_PREFIX}BRAND", str(file.get("brand", "default")))
    tables = _for_brand(file, brand)
    faults: list[str] = []
    core = _checked(Core, tables["core"], env, (ENVIRONMENT_PREFIX,), path, "", faults)
    systems = {}
    for system in SYSTEMS:
        upper = system.name.upper()
        prefixes = (f"{brand.upper()}_{upper}_", f"{upper}_") if brand != "default" else (f"{upper}_",)
        table = tables["systems"].get(system.name, {})
        systems[system.name] = _checked(system.settings, table, env, prefixes, path, system.name, faults)
    if core is not None:
        _refuse_embedded_in_production(core, faults)
    faults += _half_set(systems)
    if faults or core is None:
        raise SettingsError("Settings are not usable:\n" + "\n".join(f"  - {f}" for f in faults))
    return Settings(core, systems, path if path.exists() else None)


def _config_path(env: Mapping[str, str]) -> Path:
    named = env.get(f"{ENVIRONMENT_PREFIX}CONFIG")
    path = Path(named or "stokly_sync.toml")
    if named and not path.is_file():
        raise SettingsError(f"{ENVIRONMENT_PREFIX}CONFIG points at {named}, which is no file.")
    return path


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is no valid TOML: {error}") from error


def _for_brand(file: dict[str, Any], brand: str) -> dict[str, dict[str, Any]]:
    """Split the file into core and systems, the brand's own tables laid over the common ones."""
    brands = file.pop("brands", {})
    if brand != "default" and brand not in brands:
        known = ", ".join(sorted(brands)) or "none"
        raise SettingsError(f"Brand {brand!r} has no table [brands.{brand}] in the settings file; there are: {known}.")
    merged = _overlay(file, brands.get(brand, {}))
    names = {s.name for s in SYSTEMS}
    core = {k: v for k, v in merged.items() if k not in names}
    return {"core": core | {"brand": brand}, "systems": {k: v for k, v in merged.items() if k in names}}


def _overlay(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _overlay(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _checked(
    model: type[BaseModel],
    table: dict[str, Any],
    env: Mapping[str, str],
    prefixes: tuple[str, ...],
    path: Path,
    section: str,
    faults: list[str],
) -> Any:
    """Build one settings model, environment over file; faults are appended in plain words."""
    where = f"[{section}] in {path}" if section else str(path)
    for name in table:
        if name not in model.model_fields:
            faults.append(f"{name} under {where} is not a setting; known: {', '.join(model.model_fields)}")
        elif _is_secret(model, name):
            faults.append(f"{name} under {where} is a secret: set {prefixes[-1]}{name.upper()} instead, and remove it")
    try:
        return _with_environment(model, env, prefixes)(**table)
    except ValidationError as error:
        for item in error.errors(include_input=False, include_url=False):
            if item["type"] == "extra_forbidden":
                continue
            name = ".".join(str(part) for part in item["loc"])
            faults.append(f"{prefixes[-1]}{name.upper()} (or {name} under {where}): {item['msg']}")
    return None


def _with_environment(model: type[BaseModel], env: Mapping[str, str], prefixes: tuple[str, ...]) -> type[BaseModel]:
    """The same model, reading `<PREFIX><FIELD>` from `env` before what it is given."""

    class Base(BaseSettings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            **_: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (*(_Environment(settings_cls, prefix, env) for prefix in prefixes), init_settings)

    return create_model(model.__name__, __base__=(model, Base))


class _Environment(EnvSettingsSource):
    """Reads one prefix from a given mapping instead of the process's environment; empty means not set."""

    def __init__(self, settings_cls: type[BaseSettings], prefix: str, env: Mapping[str, str]) -> None:
        self._given = {k.lower(): v for k, v in env.items() if v != ""}
        super().__init__(settings_cls, case_sensitive=False, env_prefix=prefix)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._given


def _is_secret(model: type[BaseModel], name: str) -> bool:
    annotation = model.model_fields[name].annotation
    return annotation is SecretStr or SecretStr in get_args(annotation)


def _refuse_embedded_in_production(core: Core, faults: list[str]) -> None:
    if core.env == "production" and core.database_url.startswith("sqlite"):
        faults.append(
            f"{ENVIRONMENT_PREFIX}DATABASE_URL: production needs PostgreSQL; set it to postgresql://user@host/database"
        )


def _half_set(systems: Mapping[str, Any]) -> list[str]:
    """Credentials of which only a part is set: certainly a mistake, so named before anything runs."""
    faults = []
    for system in SYSTEMS:
        model = systems[system.name]
        if model is None or model.configured:
            continue
        secrets = [name for name in type(model).model_fields if _is_secret(type(model), name)]
        missing = getattr(model, "missing", ())
        if missing and any(getattr(model, name) is not None for name in secrets):
            names = ", ".join(f"{system.name.upper()}_{name.upper()}" for name in missing)
            faults.append(f"{system.title} is set in part: {names} missing (set them, or unset the others)")
    return faults
