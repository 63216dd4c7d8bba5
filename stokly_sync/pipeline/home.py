"""Where Dagster lives on this machine, for commands that are not started by Dagster itself.

`DAGSTER_HOME` decides. Without it: the working directory where it holds a `dagster.yaml`, else `data/local` below it,
which then gets a small one. So the runs of the command line show in the interface that is started in the same place.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

VARIABLE: Final = "DAGSTER_HOME"
STATE: Final = Path("data/local")
LOCATION: Final = "stokly_sync"
"""Name of the code location: the state of schedules and sensors is kept under it."""

_OWN_FILE: Final = Path(__file__).resolve().parents[2] / "dagster.yaml"
_SMALL: Final = """\
# Written by stokly-sync, which found no dagster.yaml here. The project's own file holds the full settings.
storage:
  custom:
    module: stokly_sync.pipeline.instance_storage
    class: InstanceStorage
    config:
      base_dir: data/local/dagster
local_artifact_storage:
  module: dagster.core.storage.root
  class: LocalArtifactStorage
  config:
    base_dir: data/local/dagster
compute_logs:
  module: dagster.core.storage.local_compute_log_manager
  class: LocalComputeLogManager
  config:
    base_dir: data/local/dagster/compute_logs
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 6
  pools:
    default_limit: 1
    granularity: op
run_monitoring:
  enabled: true
  max_runtime_seconds: 7200
  free_slots_after_run_end_seconds: 300
"""


def find_home() -> Path:
    """The folder that is or becomes `DAGSTER_HOME` of this process; sets the variable and makes what is missing."""
    given = os.environ.get(VARIABLE)
    if given:
        home = Path(given).resolve()
    elif Path("dagster.yaml").is_file():
        home = Path.cwd()
    else:
        home = STATE.resolve()
    return use_home(home)


def use_home(home: Path, *, template: str | None = None) -> Path:
    """Make `home` the `DAGSTER_HOME` of this process and its children, with a `dagster.yaml` in it."""
    home.mkdir(parents=True, exist_ok=True)
    file = home / "dagster.yaml"
    if not file.is_file():
        file.write_text(template if template is not None else _SMALL, "utf-8")
    os.environ[VARIABLE] = str(home)
    return home


def apart(home: Path) -> str:
    """Text of a `dagster.yaml` that keeps everything below `home`, after the project's own where there is one."""
    text = _OWN_FILE.read_text("utf-8") if _OWN_FILE.is_file() else _SMALL
    return text.replace("base_dir: data/local/dagster", f"base_dir: {home / 'dagster'}")


def workspace(home: Path) -> Path:
    """A workspace file for `dagster dev`: the project's own in the working directory, else one in `home`."""
    own = Path("workspace.yaml")
    if own.is_file():
        return own
    file = home / "workspace.yaml"
    module = f"      module_name: {LOCATION}.definitions\n      location_name: {LOCATION}\n"
    file.write_text(f"load_from:\n  - python_module:\n{module}", "utf-8")
    return file
