"""From our errors to Dagster's: what another attempt cannot help is not tried again.

Assets try twice more after a transient failure, with growing pauses, for a destination that is down for a minute.
Single calls have their own retries in the clients; crashed processes are restarted by the instance (`dagster.yaml`).
Dagster's policy would retry anything, a mistake in our own code included, so all but transient errors forbid it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

import dagster as dg

from stokly_sync.errors import StoklySyncError, TransientError

RETRIES: Final = dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)

_patient: Final = ContextVar("patient", default=True)


@contextmanager
def impatient() -> Iterator[None]:
    """Within the block, in this thread, transient errors fail a step at once: whoever waits decides what to do."""
    token = _patient.set(False)
    try:
        yield
    finally:
        _patient.reset(token)


@contextmanager
def explained() -> Iterator[None]:
    """Turn errors into failures: our own with their sentence, unforeseen ones with their class and cause."""
    try:
        yield
    except dg.Failure:
        raise
    except StoklySyncError as error:
        if isinstance(error, TransientError) and _patient.get():
            raise
        raise dg.Failure(description=str(error), allow_retries=False) from error
    except Exception as error:
        # The error's own text may quote a row; it stands in the cause, and only its class in the description.
        raise dg.Failure(
            description=f"{type(error).__name__}: an error that nobody foresaw; the cause below says where.",
            allow_retries=False,
        ) from error
