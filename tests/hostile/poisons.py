"""Texts that would steer a terminal, a page of Markdown or a spreadsheet, if they were taken for more than text."""

from __future__ import annotations

from collections.abc import Mapping

HARMLESS = "frame"
POISONS: Mapping[str, str] = {
    "markup": "[red]frame[/red][/] [link='https://x.example']a[/link] [@click=app.quit]b[/]",
    "colours": "\x1b[31;5mred\x1b[0m",
    "clear": "\x1b[2J\x1b[H\x1bc",
    "modes": "\x1b[?1049l\x1b[?7l\x1b[?25h\x1b(0",
    "title": "\x1b]0;title\x07\x1b]2;title\x1b\\",
    "clipboard": "\x1b]52;c;cm0gLXJm\x07",
    "hyperlink": "\x1b]8;;https://x.example\x07a\x1b]8;;\x07",
    "notice": "\x1b]9;notice\x07\x1b]777;notify;a;b\x07",
    "device control": "\x1bP+q544e\x1b\\\x1b_G\x1b\\\x1b^p\x1b\\\x1bXs\x1b\\",
    "answers": "\x1b[6n\x1b[c\x05\x1b[21t",
    "eight bits": "\x9b31mred\x9d0;title\x9c\x90q\x9c\x85",
    "control": "\x00\x01\x07\x08\x08\x08\x0b\x0c\x0e\x0f\x11\x13\x18\x1a\x7f",
    "lines": "one\r\ntwo\rthree\n\n# four\n| five |\u2028six\u2029seven\tend",
    "bidi": "\u202eevil\u202c\u2066a\u2069\u200f\u200e\u061c",
    "invisible": "a\u200bb\u200c\u200d\u2060\ufeff\u00ad\u034f\u180e\u3164\uffa0\U000e0041\ufe0f\U000e0100",
    "more invisible": "\U0001d173\U0001bca0\U00013430\u070f\u2064\ufff9\ufffb\uffff\ufdd0\U0001fffe",
    "flood": "Z" + "\u0301\u0489\u0334" * 300,
    "thai flood": "\u0e01" + "\u0e47" * 300,
    "vowels": "\u1112" + "\u1161" * 300,
    "signs": "\u0915" + "\u093e" * 300,
    "skins": "\U0001f3fb" * 300,
    "flags": "\U0001f1e9\U0001f1ea" * 20 + "\U0001f1e9",
    "emoji": "\U0001f469\u200d\U0001f467\U0001f44d\U0001f3fd\u2764\ufe0f\U0001f469",
    "wide": "\u6f22\u5b57\uff21" * 40,
    "lone": "a\ud800b\udfffc\udc1b",
    "markdown": "![x](https://x.example/i.png) <img src=x onerror=y> **b** | `` ``` ~~~ [l](javascript:x) &amp; \\",
    "formula": '=HYPERLINK("https://x.example") +1 -2 @SUM',
    "shell": "$(touch owned); `touch owned`; '\"\n touch owned #",
    "option": "--config=/etc/passwd",
    "path": "../../../../tmp/owned/\x00.md",
    "empty": "",
    "blank": "\u00a0\u2003\u3000 ",
    "long": "x" * 5000,
}
"""By name; each is told where it stands by a word in front of it."""


def poisoned(kind: str, where: str) -> str:
    """A poison, with the name of the place where it stands."""
    return POISONS[kind] if kind in ("option", "formula", "path", "empty", "blank") else f"{where}{POISONS[kind]}"
