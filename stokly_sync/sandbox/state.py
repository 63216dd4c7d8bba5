"""Keeping the state of sandbox systems on disk between two processes.

Belongs here: files, their names and the rule that saved state wins over a seed. What the state is made
of belongs to each system. Files are replaced whole, so a kill leaves the previous save, never half of one.
"""

import os
from pathlib import Path
from typing import Any

from stokly_sync.sandbox.kit import SandboxSystem, decode, encode


class StateFiles:
    """One JSON file a system in one directory: `<name>.json` with the seed's name and the state."""

    def __init__(self, directory: Path, *, seed: str) -> None:
        self._directory = directory
        self._seed = seed
        self._saved: dict[str, int] = {}

    def restore(self, system: SandboxSystem) -> bool:
        """Load the saved state, if there is one, and say whether there was.

        Raises:
            ValueError: if what was saved grew from another seed than the one asked for.
        """
        path = self._path(system)
        if not path.exists():
            return False
        saved: dict[str, Any] = decode(path.read_bytes())
        if saved["seed"] != self._seed:
            raise ValueError(
                f"{path} holds the state of seed {saved['seed']!r}, not of {self._seed!r}. "
                "Ask for that seed, choose another state directory, or delete the file to start afresh."
            )
        system.load(saved["state"])
        self._saved[system.name] = system.changes
        return True

    def save(self, system: SandboxSystem) -> bool:
        """Write the state if it has changed since the last save, and say whether it was written."""
        changes = system.changes
        if self._saved.get(system.name) == changes:
            return False
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._path(system)
        fresh = path.with_suffix(".json.new")
        fresh.write_bytes(encode({"seed": self._seed, "state": system.dump()}))
        os.replace(fresh, path)  # noqa: PTH105 - the atomic replacement is the point
        self._saved[system.name] = changes
        return True

    def _path(self, system: SandboxSystem) -> Path:
        return self._directory / f"{system.name}.json"
