"""Ometria's Data API v2 on loopback, as strict, asynchronous and rate limited as its contract says.

`OmetriaSandbox` is the system, `OmetriaSwitches` what can be set about it; `build` makes one with the
contract's preferred readings.
"""

from stokly_sync.sandbox.ometria.switches import OmetriaSwitches
from stokly_sync.sandbox.ometria.system import OmetriaSandbox

__all__ = ["OmetriaSandbox", "OmetriaSwitches", "build"]


def build() -> OmetriaSandbox:
    """A sandbox that is empty, with its limits on."""
    return OmetriaSandbox()
