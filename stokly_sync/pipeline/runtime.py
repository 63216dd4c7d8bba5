"""The one resource of all assets: it opens what a step needs when a run starts.

It has no fields on purpose: a field's value is stored with the definitions and shown in the interface, and no secret
may ever stand there (X14). Settings are read from the environment in the process that runs the step.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from stokly_sync.pipeline.failures import explained
from stokly_sync.pipeline.services import Services


class Runtime(dg.ConfigurableResource[Services]):
    """Hands out `Services`, opened once a run."""

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Services]:  # noqa: ARG002 - its shape
        """Open the services for a run and close them afterwards; a wrong setting fails the run with its sentence."""
        with explained():
            services = Services.open()
        try:
            yield services
        finally:
            services.close()
