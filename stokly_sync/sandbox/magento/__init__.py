"""Magento Open Source 2.4 on loopback: the REST surface that an ERP connector meets, as the contract page has it.

`MagentoSandbox` is the system, `MagentoSwitches` what can be set about it; `build` makes an empty shop of
release 2.4.7 with multi-source inventory, UK VAT of 20 % and catalogue prices that include it.
"""

from stokly_sync.sandbox.magento.switches import MagentoSwitches
from stokly_sync.sandbox.magento.system import MagentoSandbox

__all__ = ["MagentoSandbox", "MagentoSwitches", "build"]


def build() -> MagentoSandbox:
    """A sandbox without products, customers and orders."""
    return MagentoSandbox()
