"""Made-up configuration files: mutations of real ones, and scraps put together; the same for the same seed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

ROOT = Path(__file__).parents[2]
LONGEST = 300_000
Change = Callable[[Random, str], str]

OWN = (
    (
        "yml",
        "databases:\n  default: &base\n    dialect: postgresql\n    address: '[::1]:5432'\n    database: books\n"
        '    user: "me:${HOME:-x}"\n    options: {connect_timeout: 5, keepalives: yes}\n  other:\n    <<: *base\n'
        "    service: x\njournal: ~/j\nmodels: [a.b]\nmigrations: m\nsecrets: {a: [1, 2]}\n",
    ),
    (
        "yml",
        "<<: !include part.yml\nlist: [!include part.yml, !include '*.yml', !include '**/p*']\nb: !include list.yml\n",
    ),
    (
        "yml",
        "a: !!set {1, 2}\nb: !!omap [c: 1]\nd: !!binary aGk=\ne: 2001-01-01 10:00:00 +02:00\nf: 1:30:59\ng: |\n  x\n",
    ),
    ("json", '{"databases": {"default": {"dialect": "sqlite", "path": "~/x.db"}}, "n": [1e3, -0, "\\ud83d\\ude00"]}'),
    (
        "toml",
        "journal = false\n[databases.default]\ndialect = 'sqlite'\npath = \"a.db\"\n[[x]]\na.b = {c = 1979-05-27}\n",
    ),
)
SIGNS = (
    *(
        "!!python/object:x ",
        "!!int ",
        "!!float ",
        "!!timestamp ",
        "!!binary ",
        "!!set ",
        "!!omap ",
        "!!pairs ",
        "!!null ",
    ),
    *(
        "!!bool ",
        "!<!include> ",
        "<<: ",
        "&a ",
        "*a",
        "*base",
        "? ",
        ": ",
        "- ",
        "|\n",
        "[",
        "]",
        "{",
        "}",
        ",",
        "'",
        '"',
    ),
    *(
        "\n",
        "\n  ",
        "\t",
        "#",
        "%TAG ! x:\n",
        "%YAML 1.9\n",
        "---\n",
        "...\n",
        "\0",
        "\ufeff",
        "\x85",
        "\u2028",
        "\x07",
    ),
    *("[[", "]]", "=", '"""', "${", "$${", "~/", "../", "\ud800"),
)
"""What steers a parser."""
WORDS = (
    *("!include part.yml", "!include list.yml", "!include circle.yml", "!include fifo.yml", "!include folder"),
    *(
        "!include zero.yml",
        "!include loop.yml",
        "!include '**'",
        "!include '**/**/**/x'",
        "!include '*'",
        "!include ../*",
    ),
    *("!include /dev/zero", "!include /dev/tty", "!include /proc/self/mem", "!include http://x", "!include"),
    *('"\\ud800"', '"\\udcff"', '"\\0"', "0x" + "f" * 5_000, "1" + ":59" * 500, "7" * 5_000, "-.inf", ".nan", "1e999"),
    *(
        "9999-99-99",
        "2001-02-30",
        "0001-01-01T00:00:00-23:59",
        "12:60",
        "~",
        "yes",
        "1_0",
        "0o7",
        "017",
        "''",
        "{}",
        "[]",
    ),
    *(
        "{a: 1, a: 2}",
        "{1: a, 0x1: b}",
        "[*a, *a]",
        "&a [*a]",
        "&a x",
        "*a",
        "{<<: *base}",
        "!!set {1, [2]}",
        "!!int x",
    ),
    *("${X}", "${HOME}", "${X:-", "databases", "default", "dialect", "sqlite", "postgresql", "options", "user", "a:b"),
    *(
        "sslrootcert",
        "schema",
        "service",
        "path",
        "'~nobody/x'",
        "a.a.a",
        "{dialect: sqlite}",
        "[[[[[1]]]]]",
        "x" * 20_000,
    ),
)
"""What may stand where a value or a key stands."""


def inputs(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """So many files: a name, which tells the format, and the bytes."""
    random, real = Random(seed), _real_files()
    for _ in range(count):
        suffix, text = random.choice(real) if random.random() < 0.7 else ("yml", _flow(random, 0))
        for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
            text = random.choice(CHANGES)(random, text)[:LONGEST]
        content = text.encode("utf-8", "surrogatepass")
        yield f"config.{suffix}", _as_bytes(random, content) if random.random() < 0.1 else content


def make_surroundings(folder: Path) -> None:
    """What the inputs include: files, a circle, a pipe, a folder, a device, and links in a circle."""
    (folder / "part.yml").write_text("{x: 1, y: {z: !include list.yml}}")
    (folder / "list.yml").write_text("[1, &a b, *a]")
    (folder / "circle.yml").write_text("a: [!include circle.yml]")
    os.mkfifo(folder / "fifo.yml")
    (folder / "folder" / "p").mkdir(parents=True)
    (folder / "folder" / "round").symlink_to(folder / "folder")
    (folder / "zero.yml").symlink_to("/dev/zero")
    (folder / "loop.yml").symlink_to("loop.yml")


def _real_files() -> list[tuple[str, str]]:
    """The repository's own configuration, what its documents show, and files with one of everything."""
    shown = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "CONFIGURATION.md").read_text(encoding="utf-8"), re.S)
    return [*OWN, ("yml", (ROOT / "config.yml").read_text(encoding="utf-8")), *(("yml", text) for text in shown)]


def _flow(random: Random, depth: int) -> str:
    """A value of YAML, put together as its grammar has it."""
    anchor = random.choice(("", "", "", "&a ", "&base ", "!!set ", "!!omap ", "!!str "))
    kind = random.random()
    if depth > 4 or (kind < 0.4 and depth):
        return random.choice(("*a", f"{anchor}1", anchor + random.choice(WORDS)))
    inside = [_flow(random, depth + 1) for _ in range(random.randint(0, 4))]
    if kind < 0.6:
        return f"{anchor}[{', '.join(inside)}]"
    keys = [random.choice(("a", "b", "databases", "default", "<<", *WORDS)) for _ in inside]
    return f"{anchor}{{{', '.join(f'{key}: {value}' for key, value in zip(keys, inside, strict=True))}}}"


def _place(random: Random, text: str) -> tuple[int, int]:
    """Some stretch of the text, mostly a short one."""
    start = random.randint(0, len(text))
    return start, min(len(text), start + int(random.expovariate(0.1)))


def _other_word(random: Random, text: str) -> str:
    places = [found.span() for found in re.finditer(r"[\w.~/$!*&-]+", text)]
    start, end = random.choice(places or [(0, 0)])
    return text[:start] + random.choice(WORDS) + text[end:]


def _sign(random: Random, text: str) -> str:
    start, end = _place(random, text)
    return text[:start] + random.choice(SIGNS) + text[end if random.random() < 0.3 else start :]


def _scraps(random: Random, text: str) -> str:
    return text + "".join(random.choices((*SIGNS, *WORDS), k=random.randint(1, 9)))


def _without(random: Random, text: str) -> str:
    start, end = _place(random, text)
    return text[:start] + text[end:]


def _times(random: Random, text: str) -> int:
    return random.choice((2, 2, 70, 700)) if len(text) < LONGEST // 100 else 2


def _line_again(random: Random, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at = random.randrange(len(lines))
    return "".join([*lines[:at], *[lines[at]] * _times(random, text), *lines[at:]])


def _again(random: Random, text: str) -> str:
    start, end = _place(random, text)
    return text[:end] + text[start:end] * _times(random, text) + text[end:]


def _elsewhere(random: Random, text: str) -> str:
    start, end = _place(random, text)
    place = random.randint(0, len(text))
    return text[:place] + text[start:end] + text[place:]


def _other_ends(random: Random, text: str) -> str:
    return text.replace("\n", random.choice(("\r\n", "\r", "\x85", "\n\n", "")))


CHANGES: tuple[Change, ...] = (
    *[_other_word] * 6,
    *(_sign, _sign, _scraps, _without, _line_again, _again, _elsewhere, _other_ends),
)


def _as_bytes(random: Random, content: bytes) -> bytes:
    """Another encoding, or some bytes that are none."""
    if random.random() < 0.5:
        encoding = random.choice(("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig"))
        return content.decode("utf-8", "replace").encode(encoding, "replace")
    place = random.randint(0, len(content))
    return content[:place] + random.randbytes(random.randint(1, 4)) + content[place + 1 :]
