"""Settings as a specification: where values come from, who wins, and what is said when one is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stokly_sync.errors import SettingsError
from stokly_sync.flow import Mode
from stokly_sync.settings import Settings, load

STOKLY = {"STOKLY_ACCOUNT_KEY": "acme", "STOKLY_CLIENT_ID": "id-1", "STOKLY_CLIENT_SECRET": "hidden-stokly"}
OMETRIA = {"OMETRIA_API_KEY": "hidden-ometria"}
POSTGRES = {"STOKLY_SYNC_DATABASE_URL": "postgresql://sync:hidden-database@db.example.com/sync"}

Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Write:
    """Write the settings file of the working directory."""

    def _write(text: str) -> Path:
        path = folder / "stokly_sync.toml"
        path.write_text(text, "utf-8")
        return path

    return _write


def faults(environ: dict[str, str]) -> list[str]:
    """The lines of the refusal, less its heading."""
    with pytest.raises(SettingsError) as refused:
        load(environ)
    return [line.removeprefix("  - ") for line in str(refused.value).splitlines()[1:]]


def fault(environ: dict[str, str]) -> str:
    (line,) = faults(environ)
    return line


def test_nothing_needs_to_be_set() -> None:
    settings = load({})
    assert settings.enabled == {}
    assert settings.source is None
    core = settings.core
    assert (core.env, core.brand, core.currency, str(settings.zone)) == (
        "development",
        "default",
        "GBP",
        "Europe/London",
    )
    assert core.database_url == "sqlite:///data/local/stokly_sync.db"
    assert (core.refuse_share, core.alerts) == (0.2, None)


def test_without_a_setting_windows_can_be_run_again_for_ninety_days() -> None:
    start = load({}).core.windows_from
    assert (start.hour, start.minute, start.second, start.microsecond) == (0, 0, 0, 0)
    assert timedelta(days=90) <= datetime.now(UTC) - start < timedelta(days=92)


def test_every_variable_of_stokly_and_ometria_is_read() -> None:
    given = {
        **STOKLY,
        **OMETRIA,
        **POSTGRES,
        "STOKLY_BASE_URL": "http://127.0.0.1:8001",
        "OMETRIA_BASE_URL": "http://127.0.0.1:8002/v2",
    }
    settings = load(given)
    stokly, ometria = settings.systems["stokly"], settings.systems["ometria"]
    read = {
        "STOKLY_ACCOUNT_KEY": stokly.account_key,
        "STOKLY_CLIENT_ID": stokly.client_id,
        "STOKLY_CLIENT_SECRET": stokly.client_secret.get_secret_value(),
        "STOKLY_BASE_URL": stokly.base_url,
        "OMETRIA_API_KEY": ometria.api_key.get_secret_value(),
        "OMETRIA_BASE_URL": ometria.base_url,
        "STOKLY_SYNC_DATABASE_URL": settings.core.database_url,
    }
    assert read == given
    assert list(settings.enabled) == ["stokly", "ometria"]


def test_a_system_is_on_when_its_credentials_are_set() -> None:
    assert list(load(STOKLY).enabled) == ["stokly"]
    assert list(load(OMETRIA).enabled) == ["ometria"]


def test_an_empty_variable_is_not_set() -> None:
    assert load({"OMETRIA_API_KEY": "", "STOKLY_CLIENT_ID": " ", "STOKLY_SYNC_CONFIG": ""}).enabled == {}


def test_the_environment_goes_before_the_file(write: Write) -> None:
    path = write('currency = "EUR"\ntime_zone = "Europe/Paris"\n[ometria]\nbatch = 50\nrate = 2\n')
    settings = load({"STOKLY_SYNC_CURRENCY": "USD", "OMETRIA_BATCH": "20"})
    assert (settings.core.currency, settings.core.time_zone) == ("USD", "Europe/Paris")
    assert (settings.systems["ometria"].batch, settings.systems["ometria"].rate) == (20, 2)
    assert settings.source is not None
    assert settings.source.resolve() == path


def test_the_file_may_stand_elsewhere(folder: Path) -> None:
    (folder / "other.toml").write_text('currency = "EUR"\n', "utf-8")
    assert load({"STOKLY_SYNC_CONFIG": str(folder / "other.toml")}).core.currency == "EUR"


@pytest.mark.parametrize("name", ["nowhere.toml", "."])
def test_a_named_file_must_be_there(name: str) -> None:
    with pytest.raises(SettingsError, match=r"STOKLY_SYNC_CONFIG points at .*, which is no file"):
        load({"STOKLY_SYNC_CONFIG": name})


@pytest.mark.parametrize("content", [b"currency = \n", b"a = 1\na = 2\n", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_named(folder: Path, content: bytes) -> None:
    (folder / "stokly_sync.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=r"stokly_sync\.toml is no valid TOML"):
        load({})


def test_lists_and_tables_are_json_in_the_environment() -> None:
    given = {"OMETRIA_MODES": '{"orders": "observe"}', "OMETRIA_REFUND_STATES": '["completed", "approved"]'}
    settings = load(given)
    assert settings.mode("ometria", "orders") is Mode.OBSERVE
    assert settings.systems["ometria"].refund_states == ("completed", "approved")


def test_a_feed_writes_unless_its_mode_says_otherwise(write: Write) -> None:
    write('[ometria.modes]\norders = "off"\n')
    settings = load({})
    assert settings.mode("ometria", "orders") is Mode.OFF
    assert settings.mode("ometria", "contacts") is Mode.WRITE


def test_a_time_without_a_zone_is_utc(write: Write) -> None:
    write("windows_from = 2026-03-01T00:00:00\n")
    assert load({}).core.windows_from == datetime(2026, 3, 1, tzinfo=UTC)
    moved = load({"STOKLY_SYNC_WINDOWS_FROM": "2026-03-01T02:00:00+02:00"}).core.windows_from
    assert moved == datetime(2026, 3, 1, tzinfo=UTC)
    assert moved.utcoffset() == timedelta(0)


class TestBrands:
    FILE = """
currency = "EUR"
[ometria]
rate = 2
[ometria.stores]
Web = "main"
[brands.acme]
currency = "USD"
[brands.acme.ometria]
batch = 30
[brands.acme.ometria.stores]
Shop = "acme"
[brands.other]
"""

    def test_a_brands_own_tables_lie_over_the_common_ones(self, write: Write) -> None:
        write(self.FILE)
        acme = load({"STOKLY_SYNC_BRAND": "acme"})
        ometria = acme.systems["ometria"]
        assert (acme.core.brand, acme.core.currency) == ("acme", "USD")
        assert (ometria.rate, ometria.batch, ometria.stores) == (2, 30, {"Web": "main", "Shop": "acme"})

    def test_no_brand_sees_what_belongs_to_another(self, write: Write) -> None:
        write(self.FILE)
        for settings in (load({}), load({"STOKLY_SYNC_BRAND": "other"})):
            assert settings.core.currency == "EUR"
            assert settings.systems["ometria"].batch == 100
            assert settings.systems["ometria"].stores == {"Web": "main"}

    def test_a_brands_own_variables_go_before_the_common_ones(self) -> None:
        given = {"ACME_OMETRIA_API_KEY": "own", "OMETRIA_API_KEY": "common", "OMETRIA_RATE": "3"}
        own = load({**given, "STOKLY_SYNC_BRAND": "acme"}).systems["ometria"]
        assert (own.api_key.get_secret_value(), own.rate) == ("own", 3)
        assert load(given).systems["ometria"].api_key.get_secret_value() == "common"

    def test_a_brand_that_the_file_does_not_have_is_named(self, write: Write) -> None:
        write(self.FILE)
        assert fault({"STOKLY_SYNC_BRAND": "acne"}) == (
            "Brand 'acne' has no table [brands.acne] in stokly_sync.toml; there are: acme, other"
        )

    def test_a_brands_name_must_be_fit_for_keys(self) -> None:
        assert "STOKLY_SYNC_BRAND" in fault({"STOKLY_SYNC_BRAND": "Acme & Co"})

    def test_a_wrong_value_is_looked_for_where_it_stands(self, write: Write) -> None:
        write("[brands.acme.ometria]\nbatch = 0\n")
        line = fault({"STOKLY_SYNC_BRAND": "acme", "ACME_OMETRIA_RATE": "3"})
        assert line.startswith("OMETRIA_BATCH (or batch under [brands.acme.ometria] in stokly_sync.toml): ")
        own = faults({"STOKLY_SYNC_BRAND": "acme", "ACME_OMETRIA_RATE": "fast"})
        assert any(line.startswith("ACME_OMETRIA_RATE (or rate under [ometria]") for line in own)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("curency = 'GBP'", "curency under stokly_sync.toml is not a setting; known: database_url, env, brand"),
        ("[ometria]\nbatches = 1", "batches under [ometria] in stokly_sync.toml is not a setting; known: base_url"),
        ("[shopify]\nkey = 1", "shopify under stokly_sync.toml is not a setting"),
        (
            "[ometria.confirmed]\nstage = ['order']",
            "OMETRIA_CONFIRMED (or confirmed under [ometria] in stokly_sync.toml) at stage: Extra inputs",
        ),
        ("ometria = 3", "[ometria] in stokly_sync.toml must be a table"),
        ("brands = ['acme']", "[brands] in stokly_sync.toml must be a table"),
        (
            "[stokly]\nbase_url = 'api.stok.ly'",
            "STOKLY_BASE_URL (or base_url under [stokly] in stokly_sync.toml): must",
        ),
        (
            "time_zone = 'Europe/Londn'",
            "STOKLY_SYNC_TIME_ZONE (or time_zone under stokly_sync.toml): 'Europe/Londn' is",
        ),
        ("time_zone = 'Europe'", "use a name such as Europe/London"),
        ("time_zone = '../../etc'", "use a name such as Europe/London"),
        ("currency = 'Pounds'", "STOKLY_SYNC_CURRENCY (or currency under stokly_sync.toml): String should match"),
        ("refuse_share = 0", "STOKLY_SYNC_REFUSE_SHARE (or refuse_share under stokly_sync.toml): Input should be"),
        ("[ometria]\nrate = 'quick'", "OMETRIA_RATE (or rate under [ometria] in stokly_sync.toml): Input should be"),
        ("[ometria.modes]\norder = 'off'", "there is no feed 'order'; feeds are contacts, products, stock"),
        ("[ometria.modes]\norders = 'on'", "at orders: Input should be 'write', 'observe' or 'off'"),
    ],
)
def test_a_wrong_line_of_the_file_is_named_with_its_place(write: Write, file: str, said: str) -> None:
    write(file)
    assert said in fault({})


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("OMETRIA_RATE", "quick", "OMETRIA_RATE (or rate under [ometria] in stokly_sync.toml): Input should be"),
        ("OMETRIA_MODES", "observe", "OMETRIA_MODES (or modes under [ometria] in stokly_sync.toml): Input should be"),
        ("OMETRIA_MODES", '{"order": "off"}', "there is no feed 'order'"),
        ("OMETRIA_API_KEYS", "k", "OMETRIA_API_KEYS in the environment is not a setting; OMETRIA_API_KEY is"),
        ("STOKLY_CLIENTID", "c", "STOKLY_CLIENTID in the environment is not a setting; STOKLY_CLIENT_ID is"),
        ("STOKLY_SYNC_DATABSE_URL", "x", "is not a setting; STOKLY_SYNC_DATABASE_URL is"),
        ("STOKLY_SYNC_DATABASE_URL", "mysql://db.example.com/x", "must begin with postgresql:// or sqlite:///"),
        (
            "STOKLY_SYNC_ENV",
            "prod",
            "STOKLY_SYNC_ENV (or env under stokly_sync.toml): Input should be 'development' or",
        ),
    ],
)
def test_a_wrong_variable_is_named(variable: str, value: str, said: str) -> None:
    assert said in fault({variable: value})


def test_variables_of_other_programs_are_left_alone() -> None:
    load({"OMETRIA_PORT": "tcp://10.0.0.1", "STOKLY_SERVICE_HOST": "10.0.0.1", "STOKLY_SYNC_CRASH_AT": "never"})


@pytest.mark.parametrize(
    ("given", "missing", "present"),
    [
        ({"STOKLY_CLIENT_SECRET"}, "STOKLY_ACCOUNT_KEY, STOKLY_CLIENT_ID", "STOKLY_CLIENT_SECRET"),
        ({"STOKLY_ACCOUNT_KEY", "STOKLY_CLIENT_ID"}, "STOKLY_CLIENT_SECRET", "STOKLY_ACCOUNT_KEY, STOKLY_CLIENT_ID"),
        ({"STOKLY_BASE_URL"}, "STOKLY_ACCOUNT_KEY, STOKLY_CLIENT_ID, STOKLY_CLIENT_SECRET", "STOKLY_BASE_URL"),
        ({"OMETRIA_BASE_URL"}, "OMETRIA_API_KEY", "OMETRIA_BASE_URL"),
    ],
)
def test_a_system_that_is_set_in_part_is_named(given: set[str], missing: str, present: str) -> None:
    every = {**STOKLY, **OMETRIA, "STOKLY_BASE_URL": "http://127.0.0.1:1", "OMETRIA_BASE_URL": "http://127.0.0.1:1"}
    title = "Stokly" if "STOKLY" in present else "Ometria"
    assert fault({name: every[name] for name in given}) == (
        f"{title} is set in part: {missing} missing (set it, or unset {present})"
    )


def test_what_the_file_says_of_a_system_does_not_turn_it_on(write: Write) -> None:
    write("[ometria]\nbase_url = 'https://api.example.com/v2'\nrate = 2\n[stokly]\npage_size = 100\n")
    assert load({}).enabled == {}


def test_production_needs_postgresql() -> None:
    line = fault({"STOKLY_SYNC_ENV": "production"})
    assert line == "STOKLY_SYNC_DATABASE_URL: production needs PostgreSQL; set it to postgresql://user@host/database"
    assert load({"STOKLY_SYNC_ENV": "production", **POSTGRES}).core.env == "production"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_postgresql_may_be_written_in_three_ways(scheme: str) -> None:
    url = f"{scheme}://sync@db.example.com/sync"
    assert load({"STOKLY_SYNC_DATABASE_URL": url}).core.database_url == url


@pytest.mark.parametrize(
    ("file", "variable"),
    [
        ("database_url = 'postgresql://u:hidden-file@h/d'", "STOKLY_SYNC_DATABASE_URL"),
        ("alerts = 'jsons://hooks.example.com/hidden-file'", "STOKLY_SYNC_ALERTS"),
        ("[stokly]\nclient_secret = 'hidden-file'", "STOKLY_CLIENT_SECRET"),
        ("[ometria]\napi_key = 'hidden-file'", "OMETRIA_API_KEY"),
        ("[brands.default.ometria]\napi_key = 'hidden-file'", "OMETRIA_API_KEY"),
    ],
)
def test_a_secret_in_the_file_is_refused_even_when_it_is_set_properly_too(
    write: Write, file: str, variable: str
) -> None:
    write(file)
    line = fault({**STOKLY, **OMETRIA})
    assert f"set {variable} in the environment instead, and remove it" in line
    assert "hidden-file" not in line


def test_all_faults_are_named_at_once(write: Write) -> None:
    write("colour = 'red'\ndatabase_url = 'sqlite:///x'\n[ometria]\nbatch = 0\n[stokly]\npage_size = 'all'\n")
    given = {
        "STOKLY_SYNC_TIME_ZONE": "Mars",
        "STOKLY_SYNC_CURRENCY": "x",
        "OMETRIA_RATE": "-1",
        "STOKLY_SYNC_BRAND": "?",
    }
    found = faults(given)
    named = [
        *("colour", "database_url", "STOKLY_SYNC_TIME_ZONE", "STOKLY_SYNC_CURRENCY", "STOKLY_SYNC_BRAND"),
        *("STOKLY_PAGE_SIZE", "OMETRIA_BATCH", "OMETRIA_RATE"),
    ]
    assert sorted(line.split()[0] for line in found) == sorted(named)


def test_no_secret_shows_in_what_is_printed() -> None:
    settings = load({**STOKLY, **OMETRIA, **POSTGRES, "STOKLY_SYNC_ALERTS": "jsons://hooks.example.com/hidden-hook"})
    shown = [repr(settings), str(settings), repr(settings.core), *(repr(s) for s in settings.systems.values())]
    assert not [text for text in shown if "hidden" in text]
    assert repr(settings) == "Settings(brand='default', systems=['ometria', 'stokly'])"


def test_no_secret_shows_in_a_refusal_nor_in_what_led_to_it(write: Write) -> None:
    write("[ometria]\nbatch = 0\n")
    given = {**STOKLY, **OMETRIA, "STOKLY_SYNC_DATABASE_URL": "oracle://sync:hidden-database@db.example.com"}
    with pytest.raises(SettingsError) as refused:
        load(given)
    seen: BaseException | None = refused.value
    while seen is not None:
        assert "hidden" not in str(seen)
        seen = seen.__cause__ or seen.__context__


def test_settings_cannot_be_changed_afterwards() -> None:
    settings: Settings = load({})
    with pytest.raises(ValueError, match="frozen"):
        settings.core.currency = "EUR"  # type: ignore[misc]
