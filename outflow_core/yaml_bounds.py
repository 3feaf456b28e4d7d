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
MERGE: Final = "tag:yaml.org,2002:merge"
Parser = _Parser
_TEXT: Final = "tag:yaml.org,2002:str"


def check_events(path: Path, text: str) -> None:
    """Refuse nesting that would exhaust the stack of the recursive composer."""
    depth = 0
    for event in yaml.parse(text, Loader=Parser):
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
    check_events(path, text)
    try:
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


def weigh(value: Any, path: Path) -> None:
    """ConfigError when a configuration holds too many values or is nested too deeply, all its files in place."""
    _weigh(value, path, 0, {})


def _weigh(value: Any, path: Path, depth: int, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """How many values there are and how deep they go, each shared one counted wherever it stands.

    What aliases of an include stand for is known only when all files are in place.
    """
    if not isinstance(value, (dict, list, tuple, set)):
        return 1, 0
    if id(value) not in known:
        if depth >= MAX_DEPTH:
            raise ConfigError(f"{path}: nested more than {MAX_DEPTH} levels deep, with all that it includes.")
        items: Iterable[Any] = value.values() if isinstance(value, dict) else value
        inside = [_weigh(item, path, depth + 1, known) for item in items]
        known[id(value)] = 1 + sum(size for size, _ in inside), 1 + max((height for _, height in inside), default=0)
    size, height = known[id(value)]
    if size > MAX_VALUES:
        raise ConfigError(f"{path}: stands for more than {MAX_VALUES:,} values, with all that it includes.")
    if depth + height > MAX_DEPTH:
        raise ConfigError(f"{path}: nested more than {MAX_DEPTH} levels deep, with all that it includes.")
    return size, height


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
