"""The query string as PHP reads it, and `fields`, the trimming of an answer.

Belongs here: `a[b][0]=c` to nested values, and what is left of an answer under `fields`.
Source: Magento API contract 3 (`fields`), 4 (spelling of keys).
"""

import re
from typing import Any
from urllib.parse import parse_qsl

_KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_PART = re.compile(r"\[([^\[\]]*)\]")
_NAME = re.compile(r"[^\[\],]+")

Wanted = dict[str, "Wanted"]
"""Names to keep; an empty mapping below a name keeps the whole of it."""


def parse_query(query: str) -> dict[str, Any]:
    """The query as nested mappings; numbered parts are keys as well (`{"0": ...}`)."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        parted = _KEY.match(name)
        if parted is None:
            continue
        _put(found, [parted.group(1), *_PART.findall(parted.group(2))], value)
    return found


def _put(found: dict[str, Any], parts: list[str], value: str) -> None:
    for part in parts[:-1]:
        inner = found.setdefault(part or str(len(found)), {})
        if not isinstance(inner, dict):
            return
        found = inner
    found[parts[-1] or str(len(found))] = value


def parse_fields(text: str) -> Wanted | None:
    """The names that `fields` asks for; None if its brackets do not balance."""
    top: Wanted = {}
    stack, current, last = [top], top, top
    for word in re.findall(r"[^\[\],]+|[\[\],]", text):
        if _NAME.fullmatch(word):
            last = current.setdefault(word.strip(), {})
        elif word == "[":
            stack.append(last)
            current = last
        elif word == "]":
            stack.pop()
            if not stack:
                return None
            current = stack[-1]
    return top if len(stack) == 1 else None


def trimmed(answer: Any, wanted: Wanted) -> Any:
    """An answer with nothing but the wanted members; an empty array becomes null."""
    if isinstance(answer, list):
        return [trimmed(row, wanted) for row in answer] or None
    if not isinstance(answer, dict):
        return answer
    kept: dict[str, Any] = {}
    for name, inner in wanted.items():
        if name in answer:
            value = answer[name]
            kept[name] = trimmed(value, inner) if inner else (None if value == [] else value)
    return kept
