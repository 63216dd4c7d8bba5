"""Scheduled, reconciled data flows between Stokly and the systems around it.

Every flow has one shape: extract, contract, plan, send, confirm, reconcile. Start at `definitions.py` for
what Dagster loads, at `flow` for the words that everything speaks, and at `systems/` for one vendor. This
module holds the version and nothing else, so that importing a part never imports the whole.
"""

from typing import Final

__all__ = ["__version__"]

__version__: Final = "0.1.0"
