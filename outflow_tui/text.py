"""The one door for foreign text: what a person or a program wrote reaches the screen as visible text only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

_OURS = frozenset("·…▾▸█▒░│●→▶✗✓━┅◂▴▁▂▃▄▅▆▇").union(map(chr, range(32, 127)))
"""What most lines are made of: our own signs, and ASCII."""
_HARMLESS = (
    r"[ -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0482\u2010-\u2027\u2190-\u21ff\u2500-\u25ff\u2713\u2717"
    r"\u3041-\u3096\u4e00-\u9fff\uac00-\ud7a3]*"
)
_UNSEEN = (
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\U00013430-\U00013440"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U0001f3fb-\U0001f3ff\U0001fffe\U0001ffff\U000e0000-\U000e0fff]"
)
"""What cannot be seen, or changes how its neighbours look, such as the colours of skins."""
_NAMES = {"\t": "    ", "\n": "\\n", "\r": "\\r", "\x1b": "\\e", "\0": "\\0", "\a": "\\a"}
MOST_MARKS = 3
"""How many marks one sign keeps; no script needs more, and hundreds would be painted over the lines around."""


def clean(text: str) -> str:
    """The text on one line, with every character that steers a terminal written out, and too many marks counted.

    >>> clean("a\\x1b[31mred\\n\\u202ehi"), clean("a" + 9 * "\\u0301") == "a" + 3 * "\\u0301" + "[+6 marks]"
    ('a\\\\e[31mred\\\\n\\\\u202ehi', True)
    """
    if (text.isascii() and text.isprintable()) or _OURS.issuperset(text) or _harmless().fullmatch(text):
        return text
    return _flood().sub(_counted, _unseen().sub(_visible, text))


# each takes a millisecond to be made, and most books never need it
@lru_cache(maxsize=1)
def _harmless() -> re.Pattern[str]:
    return re.compile(_HARMLESS)


@lru_cache(maxsize=1)
def _unseen() -> re.Pattern[str]:
    return re.compile(_UNSEEN)


@lru_cache(maxsize=1)
def _flood() -> re.Pattern[str]:
    from outflow_tui.marks import MARKS

    return re.compile(f"([{MARKS}]{{{MOST_MARKS}}})([{MARKS}]+)")


def _counted(found: re.Match[str]) -> str:
    return f"{found[1]}[+{len(found[2])} mark{'s' if len(found[2]) > 1 else ''}]"


def _visible(found: re.Match[str]) -> str:
    character = found[0]
    number = ord(character)
    return _NAMES.get(character) or (
        f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
    )


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
    """A clean text in lines of at most `width` cells, cut between words where one ends late enough.

    With each line comes what was cut away before it: a blank or nothing; of the first line None.

    >>> list(wrapped("could not convert", 9)), list(wrapped("\u6f22\u5b57\u6f22", 4))
    ([('could not', None), ('convert', ' ')], [('\u6f22\u5b57', None), ('\u6f22', '')])
    """
    start, joint, is_narrow = 0, None, text.isascii()
    while len(text) - start > width or (not is_narrow and cell_len(text[start:]) > width):
        limit = start + width if is_narrow else _reach(text, start, width)
        if limit == len(text):
            break
        blank = text.rfind(" ", start + (limit - start) * 2 // 3, limit + 1)
        end = blank if blank > start else limit
        yield text[start:end], joint
        start, joint = (end + 1, " ") if blank > start else (end, "")
    yield text[start:], joint


def _reach(text: str, start: int, width: int) -> int:
    """Where a line of at most `width` cells ends that begins at `start`; a sign keeps its marks."""
    end = min(start + width, len(text))
    while end > start + 1 and cell_len(text[start:end]) > width:
        end -= max((cell_len(text[start:end]) - width) // 2, 1)
    while end < len(text) and not cell_len(text[end]):
        end += 1
    return end
