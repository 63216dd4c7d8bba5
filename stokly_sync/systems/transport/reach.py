"""Whether a server can be reached at all, and what its clock says: one request without credentials, for the doctor.

Belongs here because the same surroundings (proxies, certificates) decide as for real calls. The answer's status does
not matter: a server that refuses us is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests

from stokly_sync.errors import PermanentError, TransientError
from stokly_sync.systems.transport.wire import cause, certificate_refused, new_session

_TIMEOUT = (5.0, 15.0)


@dataclass(frozen=True)
class Reached:
    """A server's answer: how long it took, and by how much its clock is ahead of ours (to about a second)."""

    elapsed: timedelta
    ahead: timedelta | None


def reach(base_url: str, *, verify_tls: bool = True) -> Reached:
    """Ask a server for anything; raises TransientError when it is not there, PermanentError when it is not trusted."""
    with new_session(base_url, concurrency=1, verify_tls=verify_tls) as session:
        request = session.prepare_request(requests.Request("GET", base_url))
        began = datetime.now(UTC)
        try:
            response = session.send(
                request,
                timeout=_TIMEOUT,
                allow_redirects=False,
                stream=True,
                verify=session.verify,
                proxies=session.proxies,
            )
        except requests.RequestException as error:
            if certificate_refused(error):
                raise PermanentError("the server's certificate is not accepted") from error
            raise TransientError(cause(error)) from error
        ended = datetime.now(UTC)
        response.close()
    return Reached(ended - began, _ahead(response.headers.get("Date"), began, ended))


def _ahead(date: str | None, began: datetime, ended: datetime) -> timedelta | None:
    """The header has whole seconds, cut off: its time lies somewhere in that second, and somewhere in our call."""
    try:
        said = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    there = said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)
    if there > ended:
        return there - ended
    late = began - (there + timedelta(seconds=1))
    return -late if late > timedelta(0) else timedelta(0)
