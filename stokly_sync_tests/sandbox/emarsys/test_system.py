"""The sandbox as a system: how it is reached, what it keeps, and that every part can be counted."""

import gc
from pathlib import Path

import pytest
import requests

from stokly_sync.sandbox.emarsys import EmarsysSandbox
from stokly_sync.sandbox.kit import decode, encode
from stokly_sync.sandbox.serve import Sandbox
from stokly_sync_tests.sandbox.emarsys.bench import Bench

pytestmark = pytest.mark.sandbox


def test_settings_name_the_three_hosts_and_their_credentials(tmp_path: Path) -> None:
    system = EmarsysSandbox()
    system.keep_files_in(tmp_path)
    assert system.settings_env("http://127.0.0.1:1") == {
        "EMARSYS_BASE_URL": "http://127.0.0.1:1",
        "EMARSYS_TOKEN_URL": "http://127.0.0.1:1/oauth2/token",
        "EMARSYS_CLIENT_ID": "sandbox-emarsys-client",
        "EMARSYS_CLIENT_SECRET": "sandbox-emarsys-secret",
        "EMARSYS_SALES_URL": "http://127.0.0.1:1",
        "EMARSYS_SALES_TOKEN": "sandbox-emarsys-sales-token",
        "EMARSYS_MERCHANT_ID": "sandbox-merchant",
        "EMARSYS_CATALOGUE_URL": (tmp_path / "emarsys-catalogue").as_uri(),
        "EMARSYS_PRODUCT_URL": "https://shop.example.com/products/{sku}",
        "EMARSYS_DEFAULT_IMAGE": "https://shop.example.com/picture.png",
        "EMARSYS_HISTORY_FROM": "2000-01-01T00:00:00Z",
    }
    assert (tmp_path / "emarsys-catalogue").is_dir()


def test_a_temporary_folder_goes_with_the_sandbox() -> None:
    system = EmarsysSandbox()
    folder = system.catalogue_folder
    assert folder.is_dir()
    del system
    gc.collect()
    assert not folder.exists()


def test_the_whole_state_survives_a_restart(bench: Bench) -> None:
    field = bench.field()
    number = bench.contact("a@example.com", **{field: "C1", "31": 1})
    found = bench.ask("POST", "/contactlist", {"key_id": "3", "name": "Ours", "external_ids": ["a@example.com"]})["id"]
    event = bench.ask("POST", "/event", {"name": "Dispatched"})["id"]
    trigger = {"key_id": "3", "external_id": "a@example.com", "trigger_id": "T1"}
    bench.ask("POST", f"/event/{event}/trigger", trigger)
    bench.upload("item,price,order,timestamp,customer,quantity\nSKU-1,1,SO-1,2026-01-02,C1,1\n")
    before = bench.inspect("totals")
    bench.system.load(decode(encode(bench.system.dump())))
    assert bench.inspect("totals") == before
    assert bench.put({field: "C1", "1": "First"}, key=field)["ids"] == [str(number)]
    assert bench.ask("GET", f"/contactlist/{found}/count") == 1
    bench.ask("POST", f"/event/{event}/trigger", trigger)
    assert bench.inspect("totals")["triggers_dropped"] == 1
    assert bench.field("Another") != field


def test_state_and_catalogue_folder_are_kept_in_the_state_folder(tmp_path: Path) -> None:
    for expected in (0, 1):
        system = EmarsysSandbox()
        with Sandbox(systems=[system], state_dir=tmp_path, limits=False) as sandbox:
            assert (tmp_path / "emarsys-catalogue").as_uri() == sandbox.env["EMARSYS_CATALOGUE_URL"]
            root = sandbox.urls["emarsys"]
            assert requests.get(f"{root}/_sandbox/totals", timeout=30).json()["contacts"] == expected
            headers = {"Authorization": f"Bearer {system.access.issue()}"}
            body = {"contacts": [{"3": "a@example.com"}]}
            url = f"{root}/api/v3/contact?create_if_not_exists=1"
            assert requests.put(url, json=body, headers=headers, timeout=30).status_code == 200


def test_calls_are_counted_by_route(bench: Bench) -> None:
    bench.contact("a@example.com")
    bench.contact("b@example.com")
    assert bench.system.calls.count(method="PUT", template="/api/v3/contact/", status=200) == 2
