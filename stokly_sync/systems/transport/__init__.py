"""What the clients of all systems share: session, retry, rate limit, JSON with exact numbers, redaction.

A client makes one `Transport` and calls `request`; everything that can go wrong on a wire comes out as one of the
errors of `stokly_sync.errors`. Vendors' words, paths and error tables belong into their own folders.
"""

from stokly_sync.systems.transport.answers import COMMON, Answer, Verdict, decode, encode
from stokly_sync.systems.transport.auth import Auth, NoAuth, StaticAuth, Unlimited
from stokly_sync.systems.transport.finding import found_once, remember
from stokly_sync.systems.transport.reach import Reached, reach
from stokly_sync.systems.transport.redaction import RedactingFilter, excerpt, looks_secret, redact
from stokly_sync.systems.transport.retry import Clock, RetryPolicy, retry_after
from stokly_sync.systems.transport.session import Transport, reading_only
from stokly_sync.systems.transport.unread import ListReader, Unread, whole

__all__ = [
    "COMMON",
    "Answer",
    "Auth",
    "Clock",
    "ListReader",
    "NoAuth",
    "Reached",
    "RedactingFilter",
    "RetryPolicy",
    "StaticAuth",
    "Transport",
    "Unlimited",
    "Unread",
    "Verdict",
    "decode",
    "encode",
    "excerpt",
    "found_once",
    "looks_secret",
    "reach",
    "reading_only",
    "redact",
    "remember",
    "retry_after",
    "whole",
]
