"""What Magento's refusals say and mean: placeholders filled in, and advice where the words mislead.

Belongs here: reading error bodies, and the table from status and words to one of our errors. A missing right, a token
that is gone and a header that a web server has dropped all look the same on the wire, so the advice names each of them.
Source: Magento API contract 2, 5, 13.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from stokly_sync.errors import CredentialsError, PermanentError, PermissionDenied, TransientError
from stokly_sync.systems.transport import Verdict

_PLACE = re.compile(r"%(\w+)")
_SECRETS: Final = "Check MAGENTO_CONSUMER_SECRET and MAGENTO_ACCESS_TOKEN_SECRET"
_UNAUTHORISED: Final = "isn't authorized to access"


class Refused(PermanentError):
    """Magento refused a request for what it asks: `words` are its own, filled in; `limit` is set by a size limit."""

    def __init__(self, message: str, *, status: int, words: str, limit: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.words = words
        self.limit = limit


ERRORS: Final = (
    Verdict(
        401,
        CredentialsError,
        f"{_SECRETS}, and that MAGENTO_BASE_URL is the very address under which the shop knows itself: scheme, host "
        "and port are signed, so a proxy must not change them.",
        contains="signature is invalid",
    ),
    # A proxy that repeats requests repeats writes: what was refused may be the second of two.
    Verdict(401, TransientError, "A request arrived twice; look at proxies.", contains="nonce is already", done=True),
    Verdict(401, CredentialsError, "This machine's clock is more than ten minutes ahead.", contains="validating the n"),
    Verdict(401, CredentialsError, "Check MAGENTO_CONSUMER_KEY.", contains="consumer having the specified key"),
    Verdict(401, CredentialsError, "Check MAGENTO_CONSUMER_KEY.", contains="consumer key is not the correct length"),
    Verdict(
        401,
        CredentialsError,
        "Check MAGENTO_ACCESS_TOKEN: the integration may have been authorised anew, which makes new tokens.",
        contains="specified token does not exist",
    ),
    Verdict(400, CredentialsError, "Check MAGENTO_ACCESS_TOKEN.", contains="token length is invalid"),
    Verdict(
        400,
        CredentialsError,
        "This shop does not take HMAC-SHA256; it needs Magento 2.4.4 or later.",
        contains="signature method",
    ),
    Verdict(
        401,
        PermissionDenied,
        "The integration lacks the resource named, under System > Extensions > Integrations > API; or the web server "
        "drops the Authorization header.",
        contains=_UNAUTHORISED,
    ),
    Verdict(
        400,
        PermanentError,
        "The shop does not know the store scope; check MAGENTO_BASE_URL, which ends before /rest.",
        contains="specified request cannot be processed",
    ),
    Verdict(
        404,
        PermanentError,
        "The shop has no such route: check MAGENTO_BASE_URL, and that the module for it is switched on.",
        contains="does not match any route",
    ),
    Verdict(502, TransientError, "What stands before the shop gets no answer; try again later.", done=True),
    Verdict(503, TransientError, "The shop is in maintenance, or too busy; try again later.", done=True),
)
"""With four credentials: what is wrong with a signature is said, so that the general words mean a missing right."""

BEARER_ERRORS: Final = (
    Verdict(
        401,
        CredentialsError,
        "The shop takes a token alone only where Stores > Configuration > Services > OAuth > Consumer Settings allows "
        "it (it does not unless switched on); otherwise check MAGENTO_BEARER_TOKEN, and that its integration has the "
        "resource named. Better: set the four credentials of the integration and no bearer token.",
        contains=_UNAUTHORISED,
    ),
    *ERRORS,
)
"""With a token alone: the same words also mean that tokens alone are switched off, or that this one is gone."""


def filled(told: Mapping[str, Any]) -> str:
    """A message with its placeholders filled in; Magento leaves that to its clients."""
    message, given = str(told.get("message", "")), told.get("parameters")
    if isinstance(given, list):
        named: Mapping[str, Any] = {str(i): value for i, value in enumerate(given, start=1)}
    else:
        named = given if isinstance(given, Mapping) else {}
    return _PLACE.sub(lambda found: str(named.get(found[1], found[0])), message)


def words_of(data: Any) -> str | None:
    """All that an error body says, in one text; None for a body that is none of Magento's."""
    if not isinstance(data, Mapping) or "message" not in data:
        return None
    errors = data.get("errors")
    more = [filled(error) for error in errors if isinstance(error, Mapping)] if isinstance(errors, list) else []
    # The first fault is the message itself, as a part of it.
    first = filled(data)
    return "; ".join([first, *(text for text in more if text not in first)])


def limit_of(data: Any) -> int | None:
    """The size limit that a refusal names (rows of a page, or items of a list), None for any other refusal."""
    given = data.get("parameters") if isinstance(data, Mapping) else None
    most = given.get("max") if isinstance(given, Mapping) else None
    try:
        limit = int(str(most))
    except ValueError:
        return None
    return limit if limit > 0 else None
