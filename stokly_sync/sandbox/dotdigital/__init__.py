"""Dotdigital's v3 API, and the parts of v2 that are still needed, on loopback.

`DotdigitalSandbox` is the system, `DotdigitalSwitches` what can be set about it; `build` makes one with the
contract's preferred readings.
"""

from stokly_sync.sandbox.dotdigital.switches import DotdigitalSwitches
from stokly_sync.sandbox.dotdigital.system import DotdigitalSandbox

__all__ = ["DotdigitalSandbox", "DotdigitalSwitches", "build"]


def build() -> DotdigitalSandbox:
    """A sandbox that is empty, with its limits on."""
    return DotdigitalSandbox()
