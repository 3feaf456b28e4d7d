"""Configuration files that were made to exhaust time or memory, or to be more than data; by name."""

from __future__ import annotations

from collections.abc import Callable

Attack = tuple[str, Callable[[], str]]
"""The name of the file, and what makes its text."""

MANY = 300_000
"""So large that work by its square takes minutes, and work in proportion a second."""


def _yaml(text: Callable[[], str]) -> Attack:
    return "config.yml", text


def _toml(text: Callable[[], str]) -> Attack:
    return "config.toml", text


def _json(text: Callable[[], str]) -> Attack:
    return "config.json", text


def _laughs(levels: int, of: str) -> str:
    rest = (f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, levels))
    return f"a0: &a0 [{', '.join([of] * 10)}]\n{''.join(rest)}"


def _merges(levels: int) -> str:
    rest = (f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, levels))
    return f"a0: &a0 {{k: 1}}\n{''.join(rest)}"


def _entry(text: str) -> str:
    return f"databases: {{default: {{dialect: postgresql, database: d, {text}}}}}"


REFUSED: dict[str, Attack] = {
    "a billion laughs": _yaml(lambda: _laughs(10, "ha")),
    "a billion merges": _yaml(lambda: _merges(10)),
    "an anchor that holds itself": _yaml(lambda: "a: &a [1, *a]"),
    "an anchor that holds itself in a mapping": _yaml(lambda: "a: &a {b: {c: *a}}"),
    "a merge of itself": _yaml(lambda: "a: &a {<<: *a, b: 1}"),
    "an alias of nothing": _yaml(lambda: "a: *b"),
    "aliases in a long chain": _yaml(
        lambda: "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 10_000))
    ),
    "millions of empty mappings": _yaml(lambda: f"a: [{'{},' * 1_100_000}]"),
    "brackets without end": _yaml(lambda: "[" * MANY),
    "braces without end": _yaml(lambda: "{? " * MANY),
    "dashes without end": _yaml(lambda: "- " * MANY),
    "questions without end": _yaml(lambda: "? " * MANY),
    "10,000 levels": _yaml(lambda: "".join(f"{' ' * level}a:\n" for level in range(1_000))),
    "minutes and seconds without end": _yaml(lambda: f"a: 1{':11' * 1_000_000}"),
    "a number in base 16": _yaml(lambda: f"a: 0x{'f' * 5_000}"),
    "a number in base 8": _yaml(lambda: f"a: 07{'1' * 5_000}"),
    "a number in base 2": _yaml(lambda: f"a: 0b{'1' * 20_000}"),
    "a number in base 10": _yaml(lambda: f"a: {'7' * 5_000}"),
    "a number as key": _yaml(lambda: f"a: {{0x{'f' * 5_000}: 1}}"),
    "directives that are all compared": _yaml(
        lambda: "".join(f"%TAG !a{n}! tag:x{n}:\n" for n in range(MANY // 3)) + "--- 1"
    ),
    "a Python object": _yaml(lambda: "a: !!python/object/apply:os.system ['touch was_here']"),
    "a Python object, its tag in full": _yaml(lambda: "a: !<tag:yaml.org,2002:python/name:os.system> x"),
    "a Python object by a directive": _yaml(
        lambda: "%TAG !p! tag:yaml.org,2002:python/\n---\na: !p!object/apply:os.system ['touch was_here']"
    ),
    "a Python object in JSON": _json(lambda: '{"a": !!python/object/apply:os.system ["touch was_here"]}'),
    "a tag without end": _yaml(lambda: f"a: !{'x' * MANY} 1"),
    "a mapping as key": _yaml(lambda: "? {a: 1}\n: 2"),
    "a list as key of a set": _yaml(lambda: "a: !!set {[1]}"),
    "keys that are said twice": _yaml(lambda: "a: 1\na: 2"),
    "keys that are the same": _yaml(lambda: "a: {1: x, 0b1: y, true: z}"),
    "a time beyond the calendar": _yaml(lambda: "a: 2001-13-45 99:99:99"),
    "NUL": _yaml(lambda: "a: \0"),
    "NUL in a text": _yaml(lambda: _entry('address: "\\0"')),
    "NUL in an include": _yaml(lambda: 'a: !include "\\0"'),
    "variables without end": _yaml(lambda: _entry(f"address: '{'${a:-' * MANY}'")),
    "an address of colons": _yaml(lambda: _entry(f"address: '{':' * MANY}'")),
    "an option of a long name": _yaml(lambda: _entry(f"options: {{? {'a' * MANY} : 1}}")),
    "half a character in a path": _json(lambda: r'{"databases": {"default": {"path": "\ud800"}}}'),
    "a bind key that leads elsewhere": _yaml(lambda: "databases: {../../etc: {dialect: sqlite}}"),
    "JSON that says its last key twice": _json(
        lambda: f"{{{','.join(f'{chr(34)}k{n}{chr(34)}:1' for n in range(40_000))},{chr(34)}k39999{chr(34)}:1}}"
    ),
    "JSON that is no YAML and says a key twice": _json(lambda: '{"a": 1, "a": "\\/"}'),
    "JSON of empty lists": _json(lambda: f"[{'[],' * 1_100_000}1]"),
    "JSON of brackets": _json(lambda: "[" * MANY),
    "JSON of mappings": _json(lambda: '{"a":' * MANY),
    "JSON that is one number": _json(lambda: "7" * MANY),
    "TOML of spaces": _toml(lambda: " " * MANY + "a"),
    "TOML of lines of spaces": _toml(lambda: (" " * 1_000 + "!\n") * (MANY // 1_000)),
    "TOML of one long key": _toml(lambda: "a." * MANY + "a = 1"),
    "TOML of one long header": _toml(lambda: f"[{'a.' * MANY}a]"),
    "TOML of one long key inside": _toml(lambda: f"x = [{{b = 1, {'a.' * MANY}a = 1}}]"),
    "TOML of a number in base 16": _toml(lambda: f"a = 0x{'f' * 5_000}"),
    "TOML of brackets": _toml(lambda: f"a = {'[' * MANY}"),
    "TOML of tables in tables": _toml(lambda: f"a = {'{a = ' * MANY}"),
    "a date of the year 0": _toml(lambda: "a = 0000-01-01"),
}
"""What must be refused in words."""

READ: dict[str, Attack] = {
    "a key of megabytes": _yaml(lambda: f"? {'a' * 2_000_000}\n: 1"),
    "a text of URLs": _yaml(lambda: f"a: '{'a://b:' * MANY}'"),
    "a text of assignments": _yaml(lambda: f"a: '{'&token=' * MANY}'"),
    "a text of line ends": _yaml(lambda: f'a: "{chr(10) * MANY}"'),
    "a text of backslashes": _yaml(lambda: f'a: "{chr(92) * 2 * MANY}"'),
    "aliases of one value": _yaml(lambda: "a:\n- &a [x]\n" + "- *a\n" * 100_000),
    "one mapping merged often": _yaml(lambda: f"a: &a {{k: 1}}\nb: {{<<: [{'*a,' * 100_000} *a]}}"),
    "comments": _yaml(lambda: "#\n" * MANY + "a: 1"),
    "half a character": _json(lambda: r'{"a": "\ud800", "\udfff": 1}'),
    "a byte order mark": _yaml(lambda: "\ufeffa: 1"),
    "keys that are no text": _yaml(lambda: "{~: 1, no: 2, 1: 3, 1.5: 4, .nan: 5, 2001-01-01: 6, !!binary aGk=: 7}"),
    "numbers at their ends": _yaml(lambda: f"[.inf, -.inf, .nan, 1e999, 0x{'f' * 3_000}]".join(("a: ", ""))),
    "every kind of YAML": _yaml(lambda: "a: !!omap [x: 1]\nb: !!pairs [x: 1, x: 2]\nc: !!set {x, y}\nd: !!binary aGk="),
    "the ends of the calendar": _yaml(lambda: "a: [0001-01-01, 9999-12-31 23:59:59.999999, 12:59:59]"),
    "names that could be secrets": _yaml(lambda: "\n".join(f"pass{n}_key: 1" for n in range(20_000))),
    "TOML of deep keys": _toml(lambda: "\n".join(f"{'a.' * 50}a{n} = 1" for n in range(3_000))),
}
"""What is odd, and a configuration."""
