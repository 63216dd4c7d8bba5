"""Types of insight data: what a value is, and how a collection's first values bind all later ones.

Belongs here: the rules on JSON keys and values, and the growth of a schema. It knows no collection and no
import. Source: Dotdigital API contract 3 (key and schema rules, failure reasons).
"""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

_KEY = re.compile(r"[A-Za-z0-9_-]+")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?")
_LARGEST = 2**63 - 1


class Field(msgspec.Struct, frozen=True):
    """One field of a schema; `fields` are those of a RECORD."""

    type: str
    repeated: bool = False
    fields: dict[str, "Field"] = msgspec.field(default_factory=dict)


class JsonRefused(Exception):
    """A record's JSON is refused; `reason` is the vendor's failureReason, `path` the member."""

    def __init__(self, reason: str, path: str) -> None:
        super().__init__(f"{reason} at {path}")
        self.reason = reason
        self.path = path


def check(json: dict[str, Any], *, key_length: int, text_length: int, at: str = "") -> None:
    """Refuse keys and values that no collection takes; `at` is the path above.

    Raises:
        JsonRefused: naming the first member that is refused.
    """
    _refuse_twins(json, at)
    for key, value in json.items():
        path = f"{at}{key}"
        if not _is_key(key):
            raise JsonRefused("JsonKeyInvalidCharacters", path)
        if len(key) > key_length:
            raise JsonRefused("JsonKeyTooLong", path)
        for one in value if isinstance(value, list) else (value,):
            if isinstance(one, dict):
                check(one, key_length=key_length, text_length=text_length, at=f"{path}.")
            elif isinstance(one, list):
                raise JsonRefused("JsonContainsNestedArray", path)
            elif isinstance(one, str):
                if len(one) > text_length:
                    raise JsonRefused("JsonValueTooLong", path)
            elif one is not None and not -_LARGEST <= one <= _LARGEST:
                raise JsonRefused("JsonNumberValueTooLarge", path)


@lru_cache(maxsize=4096)
def _is_key(key: str) -> bool:
    # Remembered, because the same few keys come with every record.
    return _KEY.fullmatch(key) is not None


def _refuse_twins(json: dict[str, Any], at: str) -> None:
    """Refuse two keys that differ only by dash and underscore."""
    for key in json:
        if "-" in key and any(key != other and _folded(key) == _folded(other) for other in json):
            raise JsonRefused("JsonContainsDashUnderscoreClash", f"{at}{key}")


def _folded(key: str) -> str:
    return key.replace("-", "_")


def grown(
    fields: dict[str, Field], json: dict[str, Any], *, numbers: str, nulls: str, at: str = ""
) -> dict[str, Field]:
    """The schema after one more record: `fields` itself if the record brings nothing new, else a copy.

    Raises:
        JsonRefused: `JsonValueIncompatibleWithSchema`, naming the first member of another type.
    """
    result = fields
    for key, value in json.items():
        path = f"{at}{key}"
        if value is None and nulls == "ignore":
            continue
        known = result.get(key)
        fresh = _field(known, value, numbers=numbers, nulls=nulls, path=path)
        if fresh is not known:
            result = dict(fields) if result is fields else result
            result[key] = fresh
    return result


def _field(known: Field | None, value: Any, *, numbers: str, nulls: str, path: str) -> Field:
    repeated = isinstance(value, list)
    if known is not None and known.repeated != repeated:
        raise JsonRefused("JsonValueIncompatibleWithSchema", path)
    found = known
    for one in value if repeated else (value,):
        if one is not None or nulls == "reject":
            found = _joined(found, one, numbers=numbers, nulls=nulls, path=path, repeated=repeated)
    # An array without elements says nothing about their type, and yet the field is there: it becomes text.
    return found or Field("STRING", repeated=True)


def _joined(known: Field | None, value: Any, *, numbers: str, nulls: str, path: str, repeated: bool) -> Field:
    kind = kind_of(value, numbers=numbers)
    if kind is None:
        raise JsonRefused("JsonValueIncompatibleWithSchema", path)
    if known is None:
        below = grown({}, value, numbers=numbers, nulls=nulls, at=f"{path}.") if kind == "RECORD" else {}
        return Field(kind, repeated, below)
    if not _fits(kind, known.type):
        raise JsonRefused("JsonValueIncompatibleWithSchema", path)
    if kind != "RECORD":
        return known
    below = grown(known.fields, value, numbers=numbers, nulls=nulls, at=f"{path}.")
    return known if below is known.fields else Field("RECORD", known.repeated, below)


def _fits(kind: str, known: str) -> bool:
    return kind == known or (kind, known) in {("INTEGER", "FLOAT"), ("TIMESTAMP", "STRING")}


def kind_of(value: Any, *, numbers: str) -> str | None:
    """The type of one value; null has none."""
    match value:
        case bool():
            return "BOOLEAN"
        case int() if numbers == "strict":
            return "INTEGER"
        case int() | Decimal():
            return "FLOAT"
        case str():
            return "TIMESTAMP" if _TIME.fullmatch(value) else "STRING"
        case dict():
            return "RECORD"
        case _:
            return None


def show(fields: dict[str, Field]) -> list[dict[str, Any]]:
    """A schema as `GET .../schema` shows it."""
    return [
        {
            "name": name,
            "mode": "REPEATED" if field.repeated else "NULLABLE",
            "type": field.type,
            "fields": show(field.fields),
        }
        for name, field in fields.items()
    ]
