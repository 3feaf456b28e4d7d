"""How large and how deep a YAML document may be, and that no key stands in it twice; reads no file.

Everything is measured on the parsed nodes, before a value is built of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any, Final

import yaml

from outflow_core.errors import ConfigError

try:
    from yaml import CSafeLoader as _Parser
except ImportError:  # libyaml is not in every build of PyYAML; the pure parser gives the same nodes
    from yaml import SafeLoader as _Parser  # type: ignore[assignment]

MAX_DEPTH: Final = 60
MAX_VALUES: Final = 1_000_000
MAX_DIGITS: Final = 4_000
"""Python refuses to write numbers of 4,300 digits, so none of them could be kept."""
MERGE: Final = "tag:yaml.org,2002:merge"
Parser = _Parser
_TEXT: Final = "tag:yaml.org,2002:str"
_MAX_BITS: Final = int(MAX_DIGITS * 3.32)
_MAX_DIRECTIVES: Final = 1_000
"""The parser compares each with all that stand before it."""
_SMALL: Final = 8
_NESTED: Final = frozenset({dict, list, tuple, set})


def check_events(path: Path, text: str) -> None:
    """Refuse nesting that would exhaust the stack of the recursive composer, and nodes that would exhaust memory."""
    if text.count("\n%") > _MAX_DIRECTIVES:
        raise ConfigError(f"{path}: more than {_MAX_DIRECTIVES:,} lines begin with %.")
    depth = values = 0
    for event in yaml.parse(text, Loader=Parser):
        if isinstance(event, yaml.NodeEvent):
            values += 1
            if values > MAX_VALUES:
                raise ConfigError(f"{place(path, event)}: more than {MAX_VALUES:,} values stand before this one.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise ConfigError(f"{place(path, event)}: nested more than {MAX_DEPTH} levels deep.")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def place(path: Path, marked: Any) -> str:
    """Where a node or an event of a file begins, as file:line:column."""
    return f"{path}:{marked.start_mark.line + 1}:{marked.start_mark.column + 1}"


def measure(node: yaml.Node, path: Path, sizes: dict[int, int]) -> int:
    """How many values the node stands for once its aliases are written out; each node is visited once."""
    known = sizes.get(id(node))
    if known is not None:
        if known == 0:
            raise ConfigError(f"{place(path, node)}: an alias stands inside its own anchor.")
        return known
    sizes[id(node)] = 0
    size = 1
    if isinstance(node, yaml.MappingNode):
        _refuse_duplicates(node, path)
        size += sum(measure(value, path, sizes) + 1 for _, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        size += sum(measure(item, path, sizes) for item in node.value)
    if size > MAX_VALUES:
        raise ConfigError(f"{place(path, node)}: its aliases stand for more than {MAX_VALUES:,} values.")
    sizes[id(node)] = size
    return size


def refuse_duplicate_keys(path: Path, text: str) -> None:
    """ConfigError, with the place, when a mapping in the text says a key twice; what is no YAML passes."""
    try:
        check_events(path, text)
        node = yaml.compose(text, Loader=Parser)
    except yaml.YAMLError:
        return
    if node is not None:
        measure(node, path, {})


def _refuse_duplicates(node: yaml.MappingNode, path: Path) -> None:
    seen: dict[tuple[str, str], yaml.Node] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError(f"{place(path, key)}: a key must be a plain value, not a list or a mapping.")
        if key.tag == MERGE:
            continue
        first = seen.setdefault((key.tag, key.value), key)
        if first is not key:
            line = first.start_mark.line + 1
            raise ConfigError(f"{place(path, key)}: the key {key.value!r} stands here twice (first in line {line}).")


def is_too_long(number: object) -> bool:
    """Whether a number has so many digits that nothing could be done with it but to hold it."""
    return isinstance(number, int) and number.bit_length() > _MAX_BITS


def weigh(value: Any, path: Path) -> None:
    """ConfigError when a configuration holds too many values, is nested too deeply, or has numbers without end.

    What aliases of an include stand for is known only when all files are in place.
    """
    if type(value) in _NESTED:
        _weigh(value, path, 0, {})
    elif is_too_long(value):
        raise _too_long(path)


def _weigh(value: Any, path: Path, depth: int, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """How many values there are and how deep they go, each shared one counted wherever it stands."""
    size, height = known.get(id(value)) or (1, 1)
    if size == 1:
        if depth >= MAX_DEPTH:
            raise _too_deep(path)
        for item in _inside(value, path):
            if type(item) in _NESTED:
                more, below = _weigh(item, path, depth + 1, known)
                size, height = size + more, max(height, below + 1)
            else:
                size += 1
                if type(item) is int and is_too_long(item):
                    raise _too_long(path)
            if size > MAX_VALUES:
                raise ConfigError(f"{path}: stands for more than {MAX_VALUES:,} values, with all that it includes.")
        if size > _SMALL:  # smaller ones are sooner counted again than looked up
            known[id(value)] = size, height
    if depth + height > MAX_DEPTH:
        raise _too_deep(path)
    return size, height


def _inside(value: Iterable[Any], path: Path) -> Iterable[Any]:
    if not isinstance(value, dict):
        return value
    if any(map(is_too_long, value)):
        raise _too_long(path)
    return value.values()


def _too_deep(path: Path) -> ConfigError:
    return ConfigError(f"{path}: nested more than {MAX_DEPTH} levels deep, with all that it includes.")


def _too_long(path: Path) -> ConfigError:
    return ConfigError(f"{path}: holds a number of more than {MAX_DIGITS:,} digits; put it in quotes.")


def refuse_equal_keys(loader: Any, node: Any, path: Path) -> None:
    """Refuse keys that are written differently and are the same, such as 1 and 0x1: one would be lost."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    seen: dict[Any, yaml.Node] = {}
    for key in [key for key, _ in pairs if key.tag not in (MERGE, _TEXT)]:
        value = loader.construct_object(key, deep=True)
        first = seen.setdefault(value, key) if isinstance(value, Hashable) else key
        if first is not key:
            words = f"the keys {first.value!r} and {key.value!r} are the same one"
            raise ConfigError(f"{place(path, key)}: {words} (first in line {first.start_mark.line + 1}).")
