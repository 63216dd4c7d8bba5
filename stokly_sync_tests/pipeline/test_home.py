from __future__ import annotations

import os
from pathlib import Path

import dagster as dg
import pytest
import yaml

from stokly_sync.pipeline import home


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(home.VARIABLE, "to be put back at the end")
    monkeypatch.delenv(home.VARIABLE)


def test_without_a_file_the_home_is_made_below_the_working_directory(tmp_path: Path) -> None:
    assert home.find_home() == tmp_path / "data" / "local"
    with dg.DagsterInstance.get() as instance:
        assert instance.get_runs() == []


def test_a_folder_with_a_dagster_yaml_is_the_home_and_the_file_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    assert home.find_home() == tmp_path
    assert os.environ[home.VARIABLE] == str(tmp_path)
    assert (tmp_path / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"


def test_a_home_apart_keeps_every_folder_below_itself(tmp_path: Path) -> None:
    text = home.apart(tmp_path / "demo")
    assert "data/local/dagster" not in text.replace(str(tmp_path), "")
    assert yaml.safe_load(text)["storage"]["custom"]["config"]["base_dir"] == str(tmp_path / "demo" / "dagster")


def test_a_workspace_is_written_where_there_is_none(tmp_path: Path) -> None:
    module = yaml.safe_load(home.workspace(tmp_path).read_text())["load_from"][0]["python_module"]
    assert module == {"module_name": "stokly_sync.definitions", "location_name": "stokly_sync"}
