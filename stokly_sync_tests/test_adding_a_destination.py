"""The worked example of docs/adding-a-destination.md, taken off the page and run."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from stokly_sync.contracts.rules import catalogue
from stokly_sync.delivery.figures import DeliveryFigures, PlanFigures, PlanScope
from stokly_sync.delivery.planning import plan
from stokly_sync.delivery.rules import RULES as DELIVERY_RULES
from stokly_sync.delivery.sending import deliver
from stokly_sync.flow import Feed, Lane, System, Window
from stokly_sync.landing import grid
from stokly_sync.landing.run import Reader, land_window
from stokly_sync.pipeline.build import build_defs
from stokly_sync.reconciliation.compare import Comparison
from stokly_sync.reconciliation.run import reconcile
from stokly_sync.settings import Settings, load
from stokly_sync.systems import SYSTEMS
from stokly_sync.systems.stokly.rules import RULES as STOKLY_RULES
from stokly_sync.systems.transport import Unlimited
from stokly_sync.warehouse.store import Warehouse
from stokly_sync_tests.delivery.kit import QUICK
from stokly_sync_tests.landing.source import Source

PAGE = Path(__file__).resolve().parent.parent / "docs" / "adding-a-destination.md"
START = grid.floor(datetime.now(UTC)) - timedelta(hours=2)
HOUR = Window(START, START + timedelta(hours=1))


class Acme(BaseHTTPRequestHandler):
    """Acme's API as the page describes it; the server holds contacts and the names that it refuses."""

    def do_POST(self) -> None:
        server: Any = self.server
        contacts = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert len(contacts) <= 50
        refused = {c["id"]: "the name is not allowed" for c in contacts if c["name"] in server.refused}
        server.contacts |= {c["id"]: c for c in contacts if c["id"] not in refused}
        self._answer({"refused": refused})

    def do_GET(self) -> None:
        server: Any = self.server
        page = int(parse_qs(urlparse(self.path).query)["page"][0])
        rows = [server.contacts[key] for key in sorted(server.contacts)]
        self._answer({"contacts": rows[(page - 1) * 100 : page * 100]})

    def _answer(self, body: object) -> None:
        allowed = self.headers["Authorization"] == "Bearer the-key"
        content = json.dumps(body if allowed else {"message": "no"}).encode()
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: Any) -> None: ...


@pytest.fixture
def acme() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Acme)
    server.contacts, server.refused = {}, set()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """The example, as a package made of the page's code blocks."""
    blocks = re.findall(r"```python\n# (acme/\w+\.py)\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL)
    assert len(blocks) == 6
    (tmp_path / "acme").mkdir()
    for name, code in blocks:
        (tmp_path / name).write_text(code, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    found: System = importlib.import_module("acme").SYSTEM
    yield found
    for name in [name for name in sys.modules if name.partition(".")[0] == "acme"]:
        del sys.modules[name]


class Bench:
    """Customers at a source, a warehouse, and Acme."""

    def __init__(self, warehouse: Warehouse, system: System, acme: Any) -> None:
        self.warehouse, self.rules = warehouse, catalogue([*STOKLY_RULES, *DELIVERY_RULES, *system.rules])
        self.system = system
        settings = system.settings(base_url=f"http://127.0.0.1:{acme.server_port}", api_key="the-key")
        self.client = system.connect(settings, Unlimited(), Lane.INTERVAL)
        assert system.feeds is not None
        self.feed: Feed = system.feeds(settings)[0]
        self.source = Source("stokly.customers", page=10)

    def put(self, key: str, *, minute: int = 0, **other: Any) -> None:
        at = START + timedelta(minutes=minute)
        self.source.put(customer_id=key, **{"email": f"{key}@example.com", "live": True, "updated_at": at, **other})

    def sync(self) -> tuple[PlanFigures, DeliveryFigures]:
        reader = Reader(self.warehouse, self.rules, run_id="r", windows_from=START - timedelta(days=1))
        land_window(reader, self.source.extract(), None, HOUR)
        planned = plan(self.warehouse, self.feed, catalogue=self.rules, scope=PlanScope(), run_id="r")
        told: dict[str, Any] = {"catalogue": self.rules, "run_id": "r", "options": QUICK, "calls": self.system.calls}
        sent = deliver(self.warehouse, self.feed, self.client, **told)
        planned.check()
        sent.check()
        return planned, sent

    def reconcile(self) -> Comparison:
        (found,) = reconcile(self.warehouse, [self.feed], self.client, run_id="r")
        return found


@pytest.fixture
def bench(warehouse: Warehouse, system: System, acme: Any) -> Bench:
    return Bench(warehouse, system, acme)


def test_contacts_are_sent_in_full_batches_and_agree(bench: Bench, acme: Any) -> None:
    for number in range(120):
        bench.put(f"c{number:03}", name=f"Customer {number}")
    _, sent = bench.sync()
    assert (sent.accepted, sent.api_calls, sent.least_calls) == (120, 3, 3)
    assert len(acme.contacts) == 120
    assert bench.reconcile().agreed
    planned, _ = bench.sync()
    assert planned.to_send == 0


def test_what_rules_keep_back_is_named(bench: Bench) -> None:
    bench.put("fine")
    bench.put("silent", email=None)
    bench.put("gone", live=False)
    planned, _ = bench.sync()
    assert (planned.to_send, planned.quarantined, planned.excluded) == (
        1,
        {"AC-CONTACT-EMAIL": 1},
        {"AC-CUSTOMER-DELETED": 1},
    )


def test_a_refused_contact_is_held_until_it_is_corrected(bench: Bench, acme: Any) -> None:
    acme.refused = {"Nobody"}
    bench.put("c1", name="Nobody")
    _, sent = bench.sync()
    assert sent.rejected == {"AC-REJECTED": 1}
    assert bench.sync()[0].to_send == 0
    bench.put("c1", name="Somebody", minute=1)
    assert bench.sync()[1].accepted == 1


def test_what_acme_lost_is_found(bench: Bench, acme: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stokly_sync.reconciliation.run.SECOND_LOOK_S", 0)
    bench.put("c1")
    bench.sync()
    acme.contacts.clear()
    assert [d.key for d in bench.reconcile().unexplained] == ["c1"]


def test_dagster_has_its_assets_and_jobs(system: System) -> None:
    known = load({})
    settings = Settings(known.core, {**known.systems, "acme": system.settings()}, None)
    defs = build_defs(settings, [*SYSTEMS, system])
    keys = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    assert {"acme/contacts_plan", "acme/contacts", "acme/backlog", "acme/reconciliation"} <= keys
    assert defs.resolve_job_def("acme_interval").name == "acme_interval"
