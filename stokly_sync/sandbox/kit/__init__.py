"""What every sandbox system is built from: clock, JSON, call count, rate limits, faults, server layer.

Import from here; the modules below are where each piece is explained.
"""

from stokly_sync.sandbox.kit.calls import CUT, CallKey, CallLog
from stokly_sync.sandbox.kit.clock import Clock, ManualClock
from stokly_sync.sandbox.kit.codec import JsonResponse, NotJsonError, decode, encode
from stokly_sync.sandbox.kit.faults import Action, Fault, FaultPlan, RetryAfter, retry_after_header
from stokly_sync.sandbox.kit.gateway import Gateway
from stokly_sync.sandbox.kit.limits import FixedWindow, RateLimiter, Taken, TokenBucket
from stokly_sync.sandbox.kit.protocol import CuttableProtocol
from stokly_sync.sandbox.kit.system import SandboxSystem

__all__ = [
    "CUT",
    "Action",
    "CallKey",
    "CallLog",
    "Clock",
    "CuttableProtocol",
    "Fault",
    "FaultPlan",
    "FixedWindow",
    "Gateway",
    "JsonResponse",
    "ManualClock",
    "NotJsonError",
    "RateLimiter",
    "RetryAfter",
    "SandboxSystem",
    "Taken",
    "TokenBucket",
    "decode",
    "encode",
    "retry_after_header",
]
