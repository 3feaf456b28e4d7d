"""The one door for foreign text: what a person or a program wrote reaches the screen as visible text only."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len, set_cell_size

_HARMLESS = re.compile(r"[ -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0482]*")
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e0fff\ud800-\udfff]"
)
_COMBINING = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_NAMES = {"\t": "    ", "\n": "\\n", "\r": "\\r", "\x1b": "\\e", "\0": "\\0", "\a": "\\a"}


def clean(text: str) -> str:
    """The text on one line, with every character that steers a terminal written out.

    >>> clean("a\\x1b[31mred\\n\\u202ehi")
    'a\\\\e[31mred\\\\n\\\\u202ehi'
    """
    if _HARMLESS.fullmatch(text):
        return text
    return _COMBINING.sub(r"\1", _UNSEEN.sub(_visible, text))


def _visible(found: re.Match[str]) -> str:
    character = found[0]
    number = ord(character)
    return _NAMES.get(character) or (f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}")


def fit(text: str, width: int, *, ellipsis: str = "…") -> str:
    """The clean text in exactly `width` cells: cut with an ellipsis, or filled with blanks."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    kept = width - cell_len(ellipsis)
    return set_cell_size(text, kept) + ellipsis if kept > 0 else set_cell_size(text, width)


def width(text: str) -> int:
    """How many cells a clean text takes."""
    return cell_len(text)


def wrapped(text: str, width: int) -> Iterator[tuple[str, str | None]]:
    """A clean text in lines of at most `width` characters, cut between words where one ends late enough.

    With each line comes what was cut away before it: a blank or nothing; of the first line None.

    >>> list(wrapped("could not convert", 9))
    [('could not', None), ('convert', ' ')]
    """
    start, joint = 0, None
    while len(text) - start > width:
        blank = text.rfind(" ", start + width * 2 // 3, start + width + 1)
        end = blank if blank > start else start + width
        yield text[start:end], joint
        start, joint = (end + 1, " ") if blank > start else (end, "")
    yield text[start:], joint
