"""Settings that belong to no single system: the database, the brand, what all flows share.

Belongs here: what every process needs, whatever systems are on. A system's own settings stand in its folder, and how
a value gets from the file or the environment into a model stands in `sources`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from stokly_sync.contracts.consent import CHANNELS
from stokly_sync.flow import Team

ENVIRONMENT_PREFIX: Final = "STOKLY_SYNC_"
DEFAULT_DATABASE: Final = "sqlite:///data/local/stokly_sync.db"


class Core(BaseModel):
    """Settings that belong to no single system; from `STOKLY_SYNC_<FIELD>` or the top of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: str = Field(
        DEFAULT_DATABASE,
        repr=False,
        description="Warehouse and Dagster storage: SQLite or PostgreSQL URL; from the environment alone.",
    )
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
    consent_owners: dict[str, str] = Field(
        default_factory=dict,
        description="System whose opt-ins count, by channel (email, sms); of a channel without one nothing is sent.",
    )
    alerts: SecretStr | None = Field(
        None,
        description="Where messages about problems go: Apprise addresses, blanks between them; none logs them only.",
    )
    alerts_finance: SecretStr | None = Field(None, description="The same for what finance owns.")
    alerts_operations: SecretStr | None = Field(None, description="The same for what operations owns.")
    alerts_ecommerce: SecretStr | None = Field(None, description="The same for what ecommerce owns.")
    alerts_marketing: SecretStr | None = Field(None, description="The same for what marketing owns.")
    alerts_cx: SecretStr | None = Field(None, description="The same for what CX owns.")
    alert_reminder_hours: float = Field(24.0, ge=0, description="A problem that lasts is told again so often; 0 never.")
    alert_quarantine: int = Field(
        50, ge=1, description="New exceptions of a dataset or feed within a day from which on its owner is told."
    )
    dagster_url: str = Field("http://127.0.0.1:3000", description="Address of the Dagster UI, for links in messages.")
    dashboard_url: str = Field(
        "http://127.0.0.1:3001",
        description="Address at which people open the dashboard, for links in messages; empty where none is served. "
        "https makes its cookie leave by https alone.",
    )
    dashboard_users: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="Who may sign in to the dashboard: name and hash, made by stokly-sync dashboard --hash.",
    )
    dashboard_session_key: SecretStr | None = Field(
        None, description="Signs the dashboard's sessions; without it a restart signs everybody out."
    )

    @field_validator("database_url")
    @classmethod
    def _known_engine(cls, value: str) -> str:
        if not re.match(r"(sqlite|postgres|postgresql(\+psycopg2)?)://", value):
            raise ValueError("must begin with postgresql:// or sqlite:///")
        return value

    @field_validator("consent_owners")
    @classmethod
    def _known_channels(cls, value: dict[str, str]) -> dict[str, str]:
        unknown = sorted(set(value) - set(CHANNELS))
        if unknown:
            raise ValueError(f"there is no channel {unknown[0]!r}; channels are {', '.join(CHANNELS)}")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{value!r} is no time zone; use a name such as Europe/London") from error
        return value

    @field_validator("windows_from")
    @classmethod
    def _utc(cls, value: datetime) -> datetime:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def alerts_of(self, team: Team) -> str:
        """The addresses of a team; empty where none are set."""
        urls: SecretStr | None = getattr(self, f"alerts_{team.value}")
        return urls.get_secret_value() if urls else ""
