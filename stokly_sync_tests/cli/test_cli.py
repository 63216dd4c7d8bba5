from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from stokly_sync import demo
from stokly_sync.cli import app
from stokly_sync.contracts.rules import catalogue
from stokly_sync.demo.circle import SHOPPERS, SKUS
from stokly_sync.pipeline.declared import all_rules
from stokly_sync.pipeline.services import Services
from stokly_sync.sandbox.seeds import Planted
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync.systems import SYSTEMS
from stokly_sync.warehouse.tables import LANDED


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with Sandbox(systems=["stokly", "ometria"], seed="minimal", limits=False) as running:
        for name, value in {**running.env, "STOKLY_RATE_PER_MINUTE": "60000", "OMETRIA_RATE": "1000"}.items():
            monkeypatch.setenv(name, value)
        yield running


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_help_does_not_load_the_pipeline() -> None:
    program = (
        "import sys; from typer.testing import CliRunner; from stokly_sync.cli import app;"
        "r = CliRunner().invoke(app, ['--help']); assert r.exit_code == 0, r.output;"
        "assert not {'dagster', 'pandas'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_without_credentials_a_sync_cannot_run_and_names_the_variables() -> None:
    result = run("sync")
    assert result.exit_code == 2
    assert "STOKLY_CLIENT_SECRET" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_wrong_setting_is_named_before_anything_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STOKLY_SYNC_TIME_ZONE", "Mars/Olympus")
    result = run("sync")
    assert result.exit_code == 2
    assert "STOKLY_SYNC_TIME_ZONE" in result.stderr
    assert not (tmp_path / "data").exists()


def test_a_time_that_is_none_is_named() -> None:
    result = run("sync", "--from", "last week")
    assert result.exit_code == 2
    assert "--from 'last week' is no time" in result.stderr


@pytest.mark.sandbox
@pytest.mark.usefixtures("sandbox")
def test_a_sync_prints_one_json_object_and_nothing_else() -> None:
    result = run("sync", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    orders = found["feeds"]["ometria/orders"]
    for name in ("read", "accepted", "rejected", "quarantined", "excluded", "parked", "unchanged", "in_doubt"):
        assert name in orders
    assert orders["api_calls"] > 0
    ometria = found["reconciliations"]["ometria"]
    assert ometria["status"] == "agreed"
    assert ometria["differences"]["unexplained"] == 0
    assert {amount for sides in ometria["totals"]["orders"].values() for amount in sides} == {"stokly", "destination"}


@pytest.mark.sandbox
@pytest.mark.usefixtures("sandbox")
def test_wrong_credentials_are_status_2_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOKLY_CLIENT_SECRET", "wrong")
    result = run("sync")
    assert result.exit_code == 2
    assert "STOKLY_CLIENT_SECRET" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.sandbox
@pytest.mark.usefixtures("sandbox")
def test_the_doctor_is_well_with_the_sandbox_and_not_with_a_wrong_key(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("doctor").exit_code == 0
    monkeypatch.setenv("OMETRIA_API_KEY", "wrong")
    result = run("doctor")
    assert result.exit_code == 1
    assert "NOT WELL" in result.stdout


def test_the_doctor_names_an_alert_address_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOKLY_SYNC_ALERTS_CX", "nonsense://a-secret-value")
    result = run("doctor")
    assert result.exit_code == 1
    assert "Address 1 of STOKLY_SYNC_ALERTS_CX" in result.stdout
    assert "a-secret-value" not in result.stdout


@pytest.mark.usefixtures("sandbox")
def test_the_audit_is_written_as_a_page(tmp_path: Path) -> None:
    result = run("audit", "--html", str(tmp_path / "report.html"))
    assert result.exit_code == 0, result.output
    assert "<h1>Audit of default" in (tmp_path / "report.html").read_text("utf-8")


def test_the_health_check_is_printed_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOKLY_SYNC_DATABASE_URL", f"sqlite:///{tmp_path / 'w.db'}")
    result = run("health", "--day", "2026-05-04")
    assert result.stdout.startswith("# default: Monday 4 May 2026")


def test_the_rules_page_holds_every_rule() -> None:
    printed = json.loads(run("rules", "--json").stdout)
    assert [rule["code"] for rule in printed] == list(all_rules(SYSTEMS))
    assert catalogue(rule for system in SYSTEMS for rule in system.rules).keys() <= {rule["code"] for rule in printed}


def test_the_settings_page_names_every_variable_and_shows_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMETRIA_API_KEY", "a-secret-value")
    printed = run("settings", "--markdown").stdout
    for name in ("STOKLY_SYNC_DATABASE_URL", "STOKLY_CLIENT_SECRET", "OMETRIA_API_KEY", "OMETRIA_MODES"):
        assert f"`{name}`" in printed
    assert "a-secret-value" not in printed


def test_planted_and_reported_defects_are_compared_by_rule_and_key() -> None:
    planted = [
        Planted(rule="ST-A", dataset="items", key="1", note=""),
        Planted(rule="OM-B", dataset="x", key="2", note=""),
    ]
    reported = [
        demo.Defect("ST-A", "stokly.items", "1"),
        demo.Defect("ST-A", "stokly.items", "9"),
        demo.Defect("OM-C", "ometria/orders", "3", policy=True),
    ]
    missing, besides = demo.compared(planted, reported)
    assert [(d.rule, d.key) for d in missing] == [("OM-B", "2")]
    assert [(d.rule, d.key) for d in besides] == [("ST-A", "9")], "what a policy leaves out is no defect"


def test_the_demo_does_not_delete_a_folder_that_it_did_not_make(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "local" / "demo"
    folder.mkdir(parents=True)
    (folder / "mine.txt").write_text("mine")
    result = run("demo")
    assert result.exit_code == 2
    assert "was not made by the demo" in result.stderr
    assert (folder / "mine.txt").read_text() == "mine"


def test_two_demos_do_not_share_a_folder() -> None:
    with demo.holding(demo.FOLDER):
        result = run("demo")
    assert result.exit_code == 2
    assert "in use" in result.stderr


@pytest.mark.sandbox
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_demo_goes_round_the_circle_and_reports_every_planted_defect_and_none_besides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMETRIA_BASE_URL", "https://real.example.com")
    result = run("demo", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["demo"]["planted"] > 20
    assert found["demo"]["not_reported"] == found["demo"]["not_planted"] == []
    assert {body["status"] for body in found["reconciliations"].values()} == {"agreed"}
    assert len(found["reconciliations"]) == 6
    assert [stop for stop in found["demo"]["circle"] if stop["wanted"] != stop["found"]] == []
    begun = demo.origin()
    assert begun == demo.Origin("demo", limits=False)
    number = found["demo"]["circle"][0]["what"].split()[2].rstrip(":")
    with demo.surroundings(demo.FOLDER, seed=begun.seed, limits=begun.limits):
        assert_the_whole_story_of_the_order_is_told(number)
        assert_the_story_of_a_sku_is_told(SKUS[0])


def assert_the_whole_story_of_the_order_is_told(number: str) -> None:
    """How a guest's order was sold in Magento, went round and was refunded in part, each thing once and in order."""
    told = run("trace", number)
    assert told.exit_code == 0, told.output
    stands, _, happened = told.output.partition("What happened (UTC):\n")
    steps = [re.sub(r"^ +[-\d]{10} [:\d]{8} +(\w+) +", r"\1 ", line) for line in happened.splitlines()]
    assert_in_order(
        steps,
        *(f"Magento order {number} placed: 32.00 GBP", r"Stokly order accepted as \d+: 32.00 GBP; sent .*"),
        r"Stokly dispatch \d+ left: Royal Mail, CIRCLE000001GB",
        *(r"Stokly invoice accepted as INV-\d+: .*", r"Stokly invoice INV-\d+ read"),
        r"Magento shipment accepted as \d+: royalmail, CIRCLE000001GB; .*",
        *(r"Magento refund \d+ made: 9.00 GBP", r"Stokly refund accepted as \d+: 9.00 GBP; .*"),
        r"Stokly credit note \d+ made: 9.00 GBP",
    )
    for system, contact, refund in (
        # Ometria makes contacts of guests by itself, of their orders.
        ("Ometria", "order .*", "order"),
        ("Dotdigital", "guest's contact accepted: .*", "order"),
        ("Emarsys", "guest's contact accepted: .*", "refund"),
    ):
        wanted = (contact, "order (sent|accepted): .*", "dispatch accepted: .*", f"{refund} accepted: .*")
        own = [step for step in steps if step.startswith((system, "Magento refund"))]
        assert_in_order(own, *(f"{system} {one}" for one in wanted[:3]), "Magento refund .*", f"{system} {wanted[3]}")
    assert len(set(happened.splitlines())) == len(steps), "nothing is told twice"
    assert re.search(r"→ Magento refund: left out: made from credit memo \d+ \(MG-REFUND-ORIGIN\)", stands)
    assert stands.count(": accepted 20") == 13
    assert "@" not in told.output
    assert run("trace", SHOPPERS["magento"]).output == told.output


def assert_the_story_of_a_sku_is_told(sku: str) -> None:
    told = run("trace", sku)
    assert told.exit_code == 0, told.output
    for line in (
        *(f"Stokly: item {sku} (", f"Magento: listing {sku} (", f"Marketplacer: listing {sku} ("),
        *(f"→ {system} product: accepted 20" for system in ("Ometria", "Dotdigital", "Emarsys")),
        *(f"→ {system} product: " for system in ("Magento", "Marketplacer")),
        *(f"→ {system} stock: " for system in ("Ometria", "Magento", "Marketplacer")),
    ):
        assert told.output.count(line) == 1, line


def assert_in_order(lines: list[str], *wanted: str) -> None:
    """Each pattern is one of the lines, behind that of the pattern before it."""
    rest = iter(lines)
    for pattern in wanted:
        assert any(re.fullmatch(pattern, line) for line in rest), f"{pattern} is not told, or too early: {lines}"


@pytest.mark.sandbox
@pytest.mark.usefixtures("sandbox")
def test_a_person_is_erased_and_nobody_is_named() -> None:
    assert run("sync").exit_code == 0
    with Services.open().warehouse.reading() as conn:
        customers = LANDED["stokly.customers"].c
        query = sa.select(customers.customer_id, customers.email).where(customers.email.is_not(None)).limit(1)
        key, email = conn.execute(query).one()
    result = run("erase", key, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["complete"] is True
    assert {answer["system"]: answer["state"] for answer in found["answers"]} == {
        "stokly": "by hand",
        "ometria": "asked",
    }
    assert email not in result.output
    again = CliRunner().invoke(app, ["erase", "--email", "-"], input=f"{email}\n")
    assert again.exit_code == 0
    assert "ometria" in again.stdout
    assert email not in again.output


@pytest.mark.parametrize("words", [[], ["C1", "--email", "c1@example.com"]])
def test_one_person_is_erased_at_a_time(words: list[str]) -> None:
    result = run("erase", *words)
    assert result.exit_code == 2
    assert "Say who" in result.stderr


def test_the_doctor_is_read_by_programs_too() -> None:
    result = run("doctor", "--json")
    assert {"subject", "ok", "finding", "advice"} <= set(json.loads(result.stdout)[0])
