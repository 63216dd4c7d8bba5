"""Looking once for what an account must have, whatever the system: by each client, and not again within a day.

Belongs here: when set-up is looked at. What it looks for and makes stands in each system's `setup`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from stokly_sync.errors import BatchRefused, PermanentError
from stokly_sync.flow import Memory


class Finds(Protocol):
    """A client that keeps what was found; `guard` is held meanwhile."""

    shared: dict[str, Any]
    memory: Memory | None

    @property
    def guard(self) -> AbstractContextManager[Any]:
        """A lock that the same thread may take twice."""


_Client = TypeVar("_Client", bound=Finds)


def found_once(client: _Client, what: str, prepare: Callable[[_Client], Any]) -> Any:
    """What `prepare` gives, a JSON value: from this client, else from its memory, else by asking.

    None is asked for again by the next client. Raises PermanentError where the account refuses: halving a batch would
    not help.
    """
    with client.guard:
        if what not in client.shared:
            known = client.memory.get(what) if client.memory is not None else None
            client.shared[what] = _asked(client, what, prepare) if known is None else known
        return client.shared[what]


def _asked(client: _Client, what: str, prepare: Callable[[_Client], Any]) -> Any:
    try:
        found = prepare(client)
    except BatchRefused as refused:
        raise PermanentError(str(refused)) from refused
    if client.memory is not None and found is not None:
        client.memory.put(what, found)
    return found


def remember(client: Finds, memory: Memory) -> None:
    """Let the client look at what was found lately before it asks."""
    client.memory = memory
