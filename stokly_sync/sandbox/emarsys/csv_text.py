"""Strict reading of the CSV that Emarsys takes, for sales uploads and for catalogue files.

Belongs here: bytes to rows, with every deviation named by its row. What a column means does not.
Source: Emarsys API contract 2.2 (CSV rules).
"""

import re
from datetime import date, datetime

_FIELD = re.compile(r'"(?P<quoted>(?:[^"]|"")*)"|(?P<plain>[^",]*)')
_FLOAT = re.compile(r"-?\d+(\.\d+)?")
_INTEGER = re.compile(r"-?\d+")
_STAMP = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

Row = list[str]


class CsvError(ValueError):
    """The file is refused with this one line; it names row (the header is row 1) and column, no value."""


def read_csv(content: bytes) -> list[Row]:
    """The rows of a file, header first; every row has as many fields as the header.

    Raises:
        CsvError: not UTF-8, no rows, a blank row, spaces around a separator, broken quotes, a wrong count.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CsvError("The file is not UTF-8.") from error
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    if len(lines) < 2:
        raise CsvError("The file has no rows.")
    rows = [_fields(line, number) for number, line in enumerate(lines, start=1)]
    width = len(rows[0])
    for number, row in enumerate(rows, start=1):
        if len(row) != width:
            raise CsvError(f"Row {number}: {len(row)} columns instead of {width}.")
    return rows


def _fields(line: str, number: int) -> Row:
    if not line:
        raise CsvError(f"Row {number}: blank.")
    if '"' not in line:
        row = line.split(",")
        if any(value != value.strip() for value in row):
            raise CsvError(f"Row {number}: space around a separator.")
        return row
    row = []
    position = 0
    while True:
        found = _FIELD.match(line, position)
        # The plain alternative matches nothing at all, so that something is always found.
        end = found.end() if found is not None else position
        if found is None or (end < len(line) and line[end] != ","):
            raise CsvError(f"Row {number}: broken quotes, or a line break in a field.")
        quoted = found["quoted"]
        if quoted is None and found["plain"] != found["plain"].strip():
            raise CsvError(f"Row {number}: space around a separator.")
        row.append(quoted.replace('""', '"') if quoted is not None else found["plain"])
        if end == len(line):
            return row
        position = end + 1


def is_float(value: str) -> bool:
    """A number with a dot as decimal mark."""
    return _FLOAT.fullmatch(value) is not None


def is_integer(value: str) -> bool:
    """A whole number."""
    return _INTEGER.fullmatch(value) is not None


def is_stamp(value: str) -> bool:
    """A UTC time `YYYY-MM-DDTHH:MM:SSZ` that exists, or a date alone."""
    return _STAMP.fullmatch(value) is not None and _exists(value)


def is_date(value: str) -> bool:
    """A date `YYYY-MM-DD` that exists."""
    return _DATE.fullmatch(value) is not None and _exists(value)


def _exists(value: str) -> bool:
    try:
        datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    except ValueError:
        return False
    return True
