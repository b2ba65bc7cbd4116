"""Values as users type them: dates in the forms that XNAT takes, numbers of any size."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal

from connectomedb.schema.model import Value, ValueType
from connectomedb.schema.values import parse_value

_DATES = ("%m/%d/%Y", "%Y%m%d", "%Y.%m.%d", "%m.%d.%Y", "%d-%b-%Y", "%B %d, %Y")
_TIMES = ("%I:%M:%S %p", "%I:%M %p", "%H:%M:%S", "%H:%M:%S.%f", "%H:%M", "%H%M%S")
_MOMENTS = ("%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S.%f")


def parse_operand(text: str, value_type: ValueType) -> Value:
    """A value as users type it: dates also as `03/20/2020`, an integer field also against `33.5`.

    Raises   ValueError
    """
    if value_type == "string":
        return text
    bare = text.strip()
    if value_type == "integer":
        # Any integer may be compared with, also one that no column holds.
        if re.fullmatch(r"[+-]?[0-9]+", bare):
            return int(bare)
        number = parse_value(bare, "float")
        exact = Decimal(bare)
        return int(exact) if exact == exact.to_integral_value() else number
    if value_type == "date":
        return _parse_date(bare)
    if value_type == "time":
        return _parse_time(bare)
    if value_type == "dateTime":
        for pattern in _MOMENTS:
            try:
                return datetime.strptime(bare, pattern)
            except ValueError:
                continue
        try:
            return datetime.combine(_parse_date(bare), time())
        except ValueError:
            pass
        try:
            return parse_value(bare, "dateTime")
        except ValueError:
            return text  # compared with the printed form: INSERT_DATE is a text in older documents
    return parse_value(bare, value_type)


def _parse_time(text: str) -> time:
    for pattern in _TIMES:
        try:
            return datetime.strptime(text, pattern).time()
        except ValueError:
            continue
    raise ValueError(f"{text!r} is no time; write 10:10:10 or 08:08:07.999")


def _parse_date(text: str) -> date:
    for pattern in ("%Y-%m-%d", *_DATES):
        try:
            return datetime.strptime(text, pattern).date()
        except ValueError:
            continue
    raise ValueError(f"{text!r} is no date; write 2020-03-20 or 03/20/2020")
