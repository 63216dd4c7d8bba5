"""Errors, named by what another attempt would do.

Everything that talks to another system raises one of these, so that callers decide by class and never by
status code: try again (`TransientError`), do not (`PermanentError`), halve the batch (`BatchRefused`), or ask
whether it arrived (`InDoubt`). A message says what was tried, what came back and what to do next; it never holds
a secret or personal data, because it ends in logs, run events and messages to people.
"""

from __future__ import annotations


class StoklySyncError(Exception):
    """Base of all errors that are raised on purpose."""


class SettingsError(StoklySyncError):
    """A setting is wrong or missing; the message names it and where to set it."""


class PermanentError(StoklySyncError):
    """Another attempt cannot help: credentials, permission, a refused request."""


class CredentialsError(PermanentError):
    """The other system does not accept our credentials."""


class PermissionDenied(PermanentError):
    """The credentials are good, but lack the right to this resource."""


class ContractBroken(PermanentError):
    """So many rows break the contract that the source itself must have changed; nothing was stored."""


class TransientError(StoklySyncError):
    """Another attempt later may help: 429, 5xx, a lost connection on a request that changes nothing."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds that the other side asked us to wait, or None."""


class BatchRefused(StoklySyncError):
    """A batch was refused as a whole although the request itself was well formed: halve it and try again (X16)."""


class InDoubt(StoklySyncError):
    """A request that writes was sent and no answer came: it may or may not have taken effect."""


class NotOffered(PermanentError):
    """The account has no such resource: its dataset is reported as not offered, and nothing else stops."""
