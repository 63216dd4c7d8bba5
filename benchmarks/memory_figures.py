"""Memory of the present process as the kernel counts it, for scripts that report what they needed (Linux)."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_SELF = Path("/proc/self")


def resident_mb() -> float:
    """Memory held now."""
    return _status("VmRSS")


def peak_mb() -> float:
    """Most memory held since the start or the last `forget_peak`."""
    return _status("VmHWM")


def forget_peak() -> None:
    """Let the peak count from here; where the kernel refuses, it goes on counting from the start."""
    with suppress(OSError):
        (_SELF / "clear_refs").write_text("5")


def _status(name: str) -> float:
    for line in (_SELF / "status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    return 0.0
