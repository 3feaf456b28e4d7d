"""Text for a terminal and for logs, in which nothing steers: what cannot be seen is written as an escape; pure."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with escapes for everything but signs and blanks.

    >>> printable("a\\x1b]0;b\\x07 \\u202e\\n\\udc9b é")
    'a\\\\x1b]0;b\\\\x07 \\\\u202e\\\\n\\\\udc9b é'
    """
    return text if text.isprintable() else "".join(map(_shown, text))


def expressed(text: str, encoding: str | None) -> str:
    """The text, with escapes for what an encoding cannot express.

    >>> expressed("aé", "ascii"), expressed("aé", "utf-8")
    ('a\\\\xe9', 'aé')
    """
    name = encoding or "ascii"
    return text.encode(name, "backslashreplace").decode(name)


def _shown(sign: str) -> str:
    return sign if sign.isprintable() else sign.encode("unicode_escape", "surrogatepass").decode("ascii")
