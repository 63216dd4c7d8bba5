"""The project's own files agree with each other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

import stokly_sync

ROOT = Path(__file__).parents[1]


def _pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_both_dagster_command_lines_load_one_module_under_one_name() -> None:
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    project = _pyproject()["tool"]["dg"]["project"]
    assert [entry["python_module"]["location_name"] for entry in workspace] == [project["code_location_name"]]
    assert workspace[0]["python_module"]["module_name"] == f"{project['root_module']}.definitions"


def test_the_package_and_its_metadata_name_one_version() -> None:
    assert _pyproject()["project"]["version"] == stokly_sync.__version__


def test_every_dependency_of_every_extra_is_pinned_exactly_once() -> None:
    project = _pyproject()["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    pinned = [_normal(line.split("==")[0]) for line in lines]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][\w.+!]*", line) for line in lines)
    assert len(pinned) == len(set(pinned))
    assert {_normal(re.split(r"[\[<>=~! ]", one)[0]) for one in wanted} <= set(pinned)
