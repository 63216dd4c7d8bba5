"""From our errors to Dagster's: what another attempt cannot help is not tried again.

Assets try twice more after a transient failure, with growing pauses, for a destination that is down for a minute.
Single calls have their own retries in the clients; crashed processes are restarted by the instance (`dagster.yaml`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import dagster as dg

from stokly_sync.errors import StoklySyncError, TransientError

RETRIES: Final = dg.RetryPolicy(max_retries=2, delay=30, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


@contextmanager
def explained() -> Iterator[None]:
    """Turn our own errors into failures whose description is the error's sentence; others pass as they are."""
    try:
        yield
    except TransientError:
        raise
    except StoklySyncError as error:
        raise failure(error) from error


def failure(error: StoklySyncError) -> dg.Failure:
    """The failure to raise for an error; the caller raises it `from` the error."""
    return dg.Failure(description=str(error), allow_retries=isinstance(error, TransientError))
