"""What a proxy, a firewall or a tired server in front of Magento answers, as ready-made faults.

Belongs here: the answers that are not Magento's own. They are ordered like any other fault:
`system.faults.add(mishaps.maintenance())`. Source: Magento API contract 5, 13, 17.
"""

from typing import Any

from stokly_sync.sandbox.kit import Fault, RetryAfter
from stokly_sync.sandbox.magento.errors import CRASH

_HTML = "text/html; charset=UTF-8"


def too_many(*, retry_after: RetryAfter = "absent", seconds: int = 1, **more: Any) -> Fault:
    """429 from the network in front of the shop, as a page."""
    text = "<html><body><h1>429 Too Many Requests</h1></body></html>"
    return Fault(
        status=429, text=text, content_type=_HTML, retry_after=retry_after, retry_after_seconds=seconds, **more
    )


def maintenance(*, retry_after: RetryAfter = "absent", seconds: int = 1, **more: Any) -> Fault:
    """503 while the shop is being worked on, as a page."""
    text = "<html><head><title>503 Service Temporarily Unavailable</title></head><body></body></html>"
    return Fault(
        status=503, text=text, content_type=_HTML, retry_after=retry_after, retry_after_seconds=seconds, **more
    )


def crash(**more: Any) -> Fault:
    """500 as plain text, the call not processed."""
    return Fault(status=500, text=CRASH, content_type="text/plain", **more)


def slow(seconds: float, **more: Any) -> Fault:
    """The right answer, late."""
    return Fault(action="pass", delay=seconds, **more)


def cut_after_commit(**more: Any) -> Fault:
    """The call is carried out and the connection dropped before the answer."""
    return Fault(action="cut", processed=True, **more)


def cut_before(**more: Any) -> Fault:
    """The connection is dropped and nothing is carried out."""
    return Fault(action="cut", processed=False, **more)
