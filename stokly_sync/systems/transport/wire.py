"""The requests library and its exceptions, in the few words that `session` needs.

Belongs here: making a session, and reading from its failures whether a request can have arrived and what to say about
it. Texts made here are free of secrets and of bodies that may hold people's data.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from http.cookiejar import DefaultCookiePolicy

import requests
import requests.adapters
import urllib3.exceptions
from requests.structures import CaseInsensitiveDict
from requests.utils import get_environ_proxies

from stokly_sync.systems.transport.answers import decode
from stokly_sync.systems.transport.redaction import RedactingFilter, excerpt

# The library logs each address with its query at debug level, and an address may hold an e-mail address.
logging.getLogger("urllib3.connectionpool").addFilter(RedactingFilter())


def new_session(base_url: str, *, concurrency: int, verify_tls: bool) -> requests.Session:
    """A session whose surroundings (proxies, certificate bundle) are read once.

    Reading them per call is slow, and leaving it on would let a .netrc file replace our credentials.
    """
    session = requests.Session()
    session.trust_env = False
    session.proxies = dict(get_environ_proxies(base_url))
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    session.verify = (bundle or True) if verify_tls else False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = requests.adapters.HTTPAdapter(pool_connections=1, pool_maxsize=max(1, concurrency), pool_block=True)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def addressed(
    blank: requests.PreparedRequest, headers: Mapping[str, str], body: bytes | None
) -> requests.PreparedRequest:
    """A request like `blank`, which is left as it is, with more headers and a body."""
    request = requests.PreparedRequest()
    request.method, request.url, request.hooks = blank.method, blank.url, blank.hooks
    request.headers = CaseInsensitiveDict({**blank.headers, **headers})
    if body is not None:
        request.body = body
        request.headers["Content-Length"] = str(len(body))
    return request


def exchanged(
    session: requests.Session, request: requests.PreparedRequest, *, timeout: tuple[float, float]
) -> tuple[requests.Response, bytes]:
    """Send a request and read the whole answer; redirects are not followed, cookies not kept.

    Past the session's own `send`, which looks for both after each answer.
    """
    adapter = session.get_adapter(str(request.url))
    response = adapter.send(request, timeout=timeout, verify=session.verify or False, proxies=session.proxies)
    return response, response.content


def never_sent(error: requests.RequestException) -> bool:
    """True when no connection came about, so that nothing can have arrived."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


def cause(error: requests.RequestException) -> str:
    """The kind of failure in words; the error's own text is left out, because it holds the whole URL."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the answer broke off"
    return "no connection" if never_sent(error) else f"connection lost: {type(error).__name__}"


def said(body: bytes, secrets: Sequence[str]) -> str:
    """The server's own message, redacted, for an error text."""
    try:
        data = decode(body)
    except ValueError:
        return start(body, secrets)
    message = data.get("message") or data.get("error") or data.get("error_message") if isinstance(data, dict) else None
    return f" ({excerpt(message, secrets=secrets)})" if isinstance(message, str) else ""


def start(body: bytes, secrets: Sequence[str]) -> str:
    """How a text that is no JSON begins; broken JSON is not quoted, because it may hold people's data."""
    text = body[:500].decode("utf-8", "replace").strip()
    return f", beginning {excerpt(text, secrets=secrets, length=60)!r}" if text and text[0] not in '{["' else ""


def certificate_refused(error: requests.RequestException) -> bool:
    """True when the server's certificate was not accepted: no attempt will change that."""
    return isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error)
