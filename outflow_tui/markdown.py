"""Foreign text inside Markdown: in code spans and fences that it cannot leave; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from outflow_tui.text import clean

_TICKS = re.compile("`+")
_PLAIN = re.compile(r"(?!.*(?://|www\.))[A-Za-z0-9 .:,/-]*")
_KEPT = re.compile(r"[^A-Za-z0-9 ]")


def code(words: str, length: int = 300) -> str:
    """Some words on one line, as code; of more than `length` characters only the beginning.

    >>> code("frame"), code("a`b"), code("`"), code("")
    ('`frame`', '``a`b``', '`` ` ``', '(empty)')
    """
    shown = clean(words[:length]).strip() + (" ..." if len(words) > length else "")
    if not shown:
        return "(empty)"
    ticks = "`" * (_longest(shown) + 1)
    gap = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{gap}{shown}{gap}{ticks}"


def fenced(words: str, language: str = "") -> str:
    """Lines as a block of code, behind a fence that is longer than any in it.

    >>> print(fenced("a\\n````\\n# not a title"))
    `````
    a
    ````
    # not a title
    `````
    """
    body = "\n".join(clean(line) for line in words.rstrip("\n").split("\n"))
    fence = "`" * max(_longest(body) + 1, 3)
    return f"{fence}{language}\n{body}\n{fence}"


def cell(words: str, length: int = 300) -> str:
    """Some words in a cell of a table: as code, unless nothing in them could mean anything.

    >>> cell("8m31s"), cell("reduce_night"), cell("a|b")
    ('8m31s', '`reduce_night`', '<code>a&#124;b</code>')
    """
    if not words.strip() or _PLAIN.fullmatch(words):
        return words.strip()
    if "|" not in words[:length]:
        return code(words, length)
    return f"<code>{_KEPT.sub(lambda found: f'&#{ord(found[0])};', clean(words[:length]))}</code>"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, a line for each row.

    >>> print(table(("ID", "COMMAND"), [("4", "fit_all")]))
    | ID | COMMAND |
    | --- | --- |
    | 4 | `fit_all` |
    """
    lines = [list(titles), ["---"] * len(titles), *([cell(words) for words in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _longest(words: str) -> int:
    return max(map(len, _TICKS.findall(words)), default=0)


def shortened(words: str, length: int) -> str:
    """A long text without its middle, which is counted instead: how it begins and how it ends tells most.

    >>> shortened("abcdefghij" * 3, 20)
    'abcde\\n... 10 characters left out ...\\nfghijabcdefghij'
    """
    if len(words) <= length:
        return words
    head, tail = length // 4, length - length // 4
    tail = len(words) - tail
    return f"{words[:head]}\n... {tail - head:,} characters left out ...\n{words[tail:]}"
