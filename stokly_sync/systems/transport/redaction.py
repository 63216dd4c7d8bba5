"""Secrets and personal data cut from texts that leave the process: log lines, errors, findings.

Belongs here: recognising what must not be shown, by shape (e-mail addresses, tokens), by name (`apiKey=...`) and by
value (the secrets that a client was given). What is worth logging at all is its caller's decision. Masking is meant to
err on the side of hiding: a masked order number is a nuisance, a printed token is an incident (X14).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Final

MASK: Final = "[hidden]"
EMAIL_MASK: Final = "[e-mail]"
LONGEST_EXCERPT: Final = 200
# A secret shorter than this could be part of any word; hiding it would make every text unreadable.
SHORTEST_SECRET: Final = 4

_TELLING_NAME: Final = (
    r"(?:[\w.-]*(?:secret|passw(?:or)?d|passwd|token|api[_-]?key|access[_-]?key|private[_-]?key|signature|credential"
    r"|authori[sz]ation|cookie)\w*|[\w.-]*auth)"
)
_EMAIL = re.compile(r"[^\s@\"'<>(){}\[\],;:=]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_ENCODED_EMAIL = re.compile(r"[\w.+%-]+%40[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", re.IGNORECASE)
_JWT = re.compile(r"\beyJ[\w-]{5,}(?:\.[\w-]+){1,2}")
_SCHEME = re.compile(r"\b(Bearer|Basic|OAuth)\s+[\w.~+/=:-]{4,}", re.IGNORECASE)
_QUOTED = re.compile(rf"([\"']{_TELLING_NAME}[\"']\s*[:=]\s*)(\"(?:[^\"\\]|\\.)*\"?|'[^']*'?|[^\s,}}]+)", re.IGNORECASE)
_PLAIN = re.compile(rf"(\b{_TELLING_NAME}\s*[:=]\s*)(?![\"'\[])([^\s&,;}}]+)", re.IGNORECASE)
_USERINFO = re.compile(r"(://)[^/\s@]+@")
_NAME = re.compile(_TELLING_NAME, re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


def looks_secret(name: str) -> bool:
    """True where a member's name says that its value is a secret (`apiKey`, `client_secret`, `accessToken`)."""
    return _NAME.fullmatch(name) is not None


def redact(text: str, *, secrets: Iterable[str] = ()) -> str:
    """Mask secrets and e-mail addresses in a text; `secrets` are values to hide wherever they occur."""
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, MASK)
    text = _USERINFO.sub(rf"\1{MASK}@", text)
    text = _SCHEME.sub(rf"\1 {MASK}", text)
    text = _JWT.sub(MASK, text)
    text = _QUOTED.sub(rf"\1{MASK}", text)
    text = _PLAIN.sub(rf"\1{MASK}", text)
    text = _EMAIL.sub(EMAIL_MASK, text)
    return _ENCODED_EMAIL.sub(EMAIL_MASK, text)


def excerpt(text: str, *, secrets: Iterable[str] = (), length: int = LONGEST_EXCERPT) -> str:
    """One printable line of at most `length` characters, redacted before it is cut, so no half secret survives."""
    line = _CONTROL.sub(" ", redact(text[: 20 * length], secrets=secrets)).strip()
    return line if len(line) <= length else line[: length - 1] + "…"


class RedactingFilter(logging.Filter):
    """A filter for log handlers: whatever is logged through them is redacted, arguments and tracebacks included."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = tuple(secrets)

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the record's text by its redacted form; never drops a record."""
        record.msg = redact(record.getMessage(), secrets=self._secrets)
        record.args = None
        if record.exc_info:
            trace = logging.Formatter().formatException(record.exc_info)
            record.exc_text = redact(trace, secrets=self._secrets)
        return True
