"""The path of a request taken apart: front script, store, kind of processing, and the parts of the call.

Belongs here: `/index.php/rest/{store}/async/bulk/V1/...`. Parts are split before they are decoded, so that
an encoded slash stays inside its part. Source: Magento API contract 3, 10 (SKU in a path), 12.
"""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from starlette.types import Scope

Mode = Literal["sync", "async", "bulk"]

ALL = "all"
DEFAULT = "default"
_KEPT = "stokly_sync.sandbox.magento.address"


@dataclass(frozen=True)
class Address:
    """Where a request goes; `store` is None if the path names none."""

    raw_path: str
    store: str | None
    mode: Mode
    parts: tuple[str, ...]


def address_of(scope: Scope) -> Address | None:
    """The address of a request below `/rest`, None for any other."""
    if _KEPT not in scope:
        raw = scope.get("raw_path") or scope["path"].encode()
        scope[_KEPT] = parse_address(raw.decode("latin-1").partition("?")[0])
    found: Address | None = scope[_KEPT]
    return found


def parse_address(raw: str) -> Address | None:
    """The address that a raw path stands for."""
    parts = raw.removeprefix("/").split("/")
    if parts and parts[0] == "index.php":
        parts = parts[1:]
    if not parts or parts[0] != "rest":
        return None
    parts = parts[1:]
    if parts and parts[-1] == "":
        parts = parts[:-1]
    store = None
    if parts and parts[0] not in ("V1", "async"):
        store, parts = unquote(parts[0]), parts[1:]
    mode: Mode = "sync"
    if parts[:2] == ["async", "bulk"]:
        mode, parts = "bulk", parts[2:]
    elif parts[:1] == ["async"]:
        mode, parts = "async", parts[1:]
    return Address(raw, store, mode, tuple(unquote(part) for part in parts))
