"""SAP Emarsys on loopback: Core API, Sales Data API and catalogue import, as strict as the contract says.

`EmarsysSandbox` is the system, `EmarsysSwitches` what can be set about it; `build` makes one with the
contract's preferred readings.
"""

from stokly_sync.sandbox.emarsys.switches import EmarsysSwitches
from stokly_sync.sandbox.emarsys.system import EmarsysSandbox

__all__ = ["EmarsysSandbox", "EmarsysSwitches", "build"]


def build() -> EmarsysSandbox:
    """A sandbox that is empty, with its limits on."""
    return EmarsysSandbox()
