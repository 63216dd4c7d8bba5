"""Bodies checked against the shape of a call, as the server does before anything else looks at them.

Belongs here: which members exist, of which type, which are obligatory, and the limit of objects in an
array. Both spellings of a member are taken and come out as snake_case. Source: Magento API contract 4
(spellings), 5 (type faults), 13 (limit of an array).
"""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from stokly_sync.sandbox.magento.errors import NOT_SUPPORTED, MagentoError, required

ANY = "any"


@dataclass(frozen=True)
class Many:
    """An array of objects of one of the server's types (its PHP name, as errors spell it)."""

    of: "Shape"
    type_name: str = ""


Shape: TypeAlias = "str | dict[str, Shape] | list[Shape] | Many"
"""`int`, `float`, `string`, `bool`, `any`; an object's members; a one-element list for an array of scalars."""

_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")
_INTEGER = re.compile(r"\s*[+-]?\d+\s*")


def snake(name: str) -> str:
    """A member's name in snake_case."""
    return _HUMP.sub(r"_\1", name).lower()


def upper_camel(name: str) -> str:
    """A member's name as errors spell it: `nosuch_field` is `NosuchField`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def arguments(body: Any, shape: dict[str, Shape], *, limit: int) -> dict[str, Any]:
    """The parameters of a call from its body; those whose name ends in `!` must be there.

    Raises:
        MagentoError: 400 for what is missing, unknown inside an object, of a wrong type, or too long.
    """
    given = {snake(name): value for name, value in body.items()} if isinstance(body, dict) else {}
    found: dict[str, Any] = {}
    for marked, inner in shape.items():
        name = marked.rstrip("!")
        if snake(name) in given and given[snake(name)] is not None:
            found[snake(name)] = convert(given[snake(name)], inner, limit=limit)
        elif marked.endswith("!"):
            raise required(name)
    return found


def convert(value: Any, shape: Shape, *, limit: int) -> Any:
    """A value as the shape has it; null passes.

    Raises:
        MagentoError: 400.
    """
    if value is None or shape == ANY:
        return value
    if isinstance(shape, str):
        return scalar(value, shape)
    if isinstance(shape, dict):
        return _members(value, shape, limit=limit)
    inner = shape.of if isinstance(shape, Many) else shape[0]
    if not isinstance(value, list):
        raise _mistyped(value, f"{shape.type_name}[]" if isinstance(shape, Many) else f"{inner}[]")
    if isinstance(shape, Many) and len(value) > limit:
        raise MagentoError('Maximum items of type "%type" is %max', {"type": f"\\{shape.type_name}", "max": limit})
    return [convert(member, inner, limit=limit) for member in value]


def _members(value: Any, shape: dict[str, Shape], *, limit: int) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _mistyped(value, "object")
    found: dict[str, Any] = {}
    for name, member in value.items():
        inner = shape.get(snake(name))
        if inner is None:
            raise MagentoError(NOT_SUPPORTED, {"fieldName": upper_camel(name)})
        try:
            found[snake(name)] = convert(member, inner, limit=limit)
        except MagentoError as error:
            if not isinstance(inner, str):
                raise
            text = f'Error occurred during "{snake(name)}" processing. {error.message}'
            raise MagentoError(text) from error
    return found


def scalar(value: Any, kind: str) -> Any:
    """A scalar as PHP would cast it, if it can be cast without loss of meaning.

    Raises:
        MagentoError: 400 naming the value and the type.
    """
    if isinstance(value, dict | list):
        raise _mistyped(value, kind)
    text = str(int(value)) if isinstance(value, bool) else str(value)
    match kind:
        case "int" if _INTEGER.fullmatch(text):
            return int(text)
        case "int" if isinstance(value, Decimal) and value == value.to_integral_value():
            return int(value)
        case "float":
            return _float(value, text)
        case "string":
            return text
        case "bool" if text.lower() in ("0", "1", "true", "false", ""):
            return text.lower() in ("1", "true")
    raise _mistyped(value, kind)


def _float(value: Any, text: str) -> Decimal:
    try:
        found = Decimal(text.strip())
    except InvalidOperation:
        raise _mistyped(value, "float") from None
    if not found.is_finite():
        raise _mistyped(value, "float")
    return found


def _mistyped(value: Any, kind: str) -> MagentoError:
    told = "Array" if isinstance(value, dict | list) else value
    return MagentoError(f'The "{told}" value\'s type is invalid. The "{kind}" type was expected. Verify and try again.')
