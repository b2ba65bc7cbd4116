"""Values and their spellings: what a typed value looks like in XML and in tables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, time

from connectomedb.schema.model import Value, ValueType

# The Python types of each value type; a whole number is a float, too, a boolean is no number.
PYTHON_TYPES: Mapping[ValueType, frozenset[type]] = {
    "string": frozenset({str}),
    "integer": frozenset({int}),
    "float": frozenset({float, int}),
    "boolean": frozenset({bool}),
    "date": frozenset({date}),
    "time": frozenset({time}),
    "dateTime": frozenset({datetime}),
}
_TRUTH = {"1": True, "true": True, "0": False, "false": False}


def parse_value(text: str, value_type: ValueType) -> Value:
    """The value that a text spells; ValueError says why when it spells none."""
    if value_type == "string":
        return text
    text = text.strip()
    try:
        return _parse(text, value_type)
    except ValueError as error:
        raise ValueError(f"{text[:80]!r} is not a value of type {value_type}") from error


def print_value(value: Value, value_type: ValueType) -> str:
    """The table spelling: floats with a point, booleans 1 or 0, `2011-01-01 03:00:00.0`."""
    if value_type == "float" and isinstance(value, int | float):
        return _print_float(float(value))
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return _print_float(value)
    if isinstance(value, datetime):
        seconds = value.strftime("%H:%M:%S")
        return f"{value.date().isoformat()} {seconds}.{_fraction(value.microsecond) or '0'}"
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)


def xml_value(value: Value, value_type: ValueType) -> str:
    """The XML spelling: as in tables, but `2011-01-01T03:00:00`."""
    if isinstance(value, datetime):
        return value.isoformat()
    return print_value(value, value_type)


def _parse(text: str, value_type: ValueType) -> Value:
    match value_type:
        case "integer":
            if not text.isascii() or "_" in text or len(text) > 40 or abs(int(text)) >= 2**63:
                raise ValueError(text)
            return int(text)
        case "float":
            number = float(text)
            if not math.isfinite(number) or not text.isascii() or "_" in text:
                raise ValueError(text)
            return number
        case "boolean":
            if text.lower() not in _TRUTH:
                raise ValueError(text)
            return _TRUTH[text.lower()]
        case "date":
            return date.fromisoformat(text)
        case "time":
            return time.fromisoformat(text)
        case "dateTime":
            moment = datetime.fromisoformat(text)
            # Stored without a zone, in UTC.
            return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
        case _:
            return text


def _print_float(number: float) -> str:
    text = repr(number)
    mantissa, exponent, power = text.partition("e")
    return text if "." in mantissa or not exponent else f"{mantissa}.0e{power}"


def _fraction(microsecond: int) -> str:
    return f"{microsecond:06d}".rstrip("0") if microsecond else ""
