"""Values as the columns of the books can keep them, on each database; pure."""

from __future__ import annotations

import math
import traceback as traceback_module
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from outflow_core.masking import mask_said

NAME_LENGTH = 256
TYPE_LENGTH = 64
TRACEBACK_LENGTH = 100_000
MESSAGE_LENGTH = 10_000
_LENGTHS = {"name": NAME_LENGTH, "plugin": NAME_LENGTH, "hostname": NAME_LENGTH, "exception_type": TYPE_LENGTH}


def columns_for(dialect: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a row, cut and cleaned as the columns and the database need them."""
    return {name: _column_value(dialect, value, _LENGTHS.get(name)) for name, value in values.items()}


def json_for(dialect: str, value: Any) -> Any:
    """The value as a JSON column accepts it: PostgreSQL knows no NaN, no NUL and no half characters."""
    return _json_for_postgresql(value) if dialect == "postgresql" else value


def exception_row(error: BaseException) -> dict[str, Any]:
    """The row of an exception, as Outflow keeps it: the message is the traceback's last line."""
    text = text_for_books(mask_said(_formatted(error)))
    return {
        "exception_type": text_for_books(type(error).__name__),
        "exception_msg": text.rstrip("\n").rpartition("\n")[2][:MESSAGE_LENGTH],
        "traceback": _without_middle(text),
        "time": datetime.now(),
    }


def _formatted(error: BaseException) -> str:
    try:
        return "".join(traceback_module.format_exception(error))
    except Exception as failure:  # an odd exception is asked for its words
        return f"{type(error).__name__}: its traceback cannot be written ({type(failure).__name__})\n"


def _without_middle(text: str) -> str:
    """The text; of one that is too long its beginning and its end, and how much is missing."""
    left_out = len(text) - TRACEBACK_LENGTH
    if left_out <= 0:
        return text
    half = TRACEBACK_LENGTH // 2
    return f"{text[:half]}\n... {left_out:,} characters are left out ...\n{text[-half:]}"


def text_for_books(text: str) -> str:
    """The text as every database can keep it: NUL and lone surrogates written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _column_value(dialect: str, value: Any, length: int | None) -> Any:
    if isinstance(value, (dict, list)):
        return json_for(dialect, value)
    if isinstance(value, str) and not isinstance(value, Enum):
        return text_for_books(value)[:length]
    return value


def _json_for_postgresql(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {text_for_books(str(key)): _json_for_postgresql(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_for_postgresql(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return text_for_books(value) if isinstance(value, str) else value
