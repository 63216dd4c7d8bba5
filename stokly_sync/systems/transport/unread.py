"""Rows of a list whose text is kept and read only as far as somebody looks.

Turning a whole document into Python values is the dearest step of a first load, and most documents go straight into
columns. What paging needs of a row (its id, its times) is read at once; any other member reads the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from stokly_sync.systems.transport.answers import decode

_ABSENT: Final = object()


class Unread(Mapping[str, Any]):
    """A JSON object as its text; equal to, and used like, the dictionary that `decode` would give."""

    __slots__ = ("_head", "_whole", "text")

    def __init__(self, text: msgspec.Raw, head: msgspec.Struct) -> None:
        self.text = text
        self._head = head
        self._whole: dict[str, Any] | None = None

    @property
    def whole(self) -> dict[str, Any]:
        """All members, decoded."""
        if self._whole is None:
            self._whole = decode(bytes(self.text))
        return self._whole

    def get(self, name: str, default: Any = None) -> Any:
        """A member, or `default` where there is none."""
        value = getattr(self._head, name, _ABSENT) if self._whole is None else _ABSENT
        if value is _ABSENT or isinstance(value, msgspec.Raw):
            return self.whole.get(name, default)
        return default if value is msgspec.UNSET else value

    def holds_list(self, name: str) -> bool:
        """Whether a member is a list; looks at no more than its first character where the reader kept its text."""
        value = getattr(self._head, name, _ABSENT)
        if isinstance(value, msgspec.Raw):
            return bytes(memoryview(value)[:1]) == b"["
        return isinstance(self.get(name), list)

    def __getitem__(self, name: str) -> Any:
        value = self.get(name, _ABSENT)
        if value is _ABSENT:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self.whole)

    def __len__(self) -> int:
        return len(self.whole)

    def __repr__(self) -> str:
        return f"Unread({len(bytes(self.text))} bytes)"


def whole(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document as a dictionary, read or not."""
    return document.whole if isinstance(document, Unread) else dict(document)


class _Body(msgspec.Struct):
    data: list[msgspec.Raw]
    metadata: Any = None


class ListReader:
    """Reads bodies of the form `{"data": [{...}, ...], "metadata": ...}`.

    `head` names the members that are read at once, `lists` those of which it is enough to know that they are lists.
    """

    def __init__(self, head: Collection[str], lists: Collection[str] = ()) -> None:
        fields: list[tuple[str, Any, Any]] = [(name, Any, msgspec.UNSET) for name in sorted(head)]
        fields += [(name, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for name in sorted(lists)]
        self._head = msgspec.json.Decoder(msgspec.defstruct("Head", fields), float_hook=Decimal)
        self._body = msgspec.json.Decoder(_Body)

    def __call__(self, body: bytes) -> Any:
        """The decoded body with its rows unread; a body of another form is decoded whole.

        Raises ValueError when the body is no JSON.
        """
        try:
            str(body, "utf-8")  # texts that are skipped are not checked for it
            found = self._body.decode(body)
            rows = [Unread(text, self._head.decode(text)) for text in found.data]
        except msgspec.ValidationError:
            return decode(body)
        except msgspec.DecodeError as error:
            raise ValueError(str(error)) from error
        return {"data": rows, "metadata": found.metadata}
