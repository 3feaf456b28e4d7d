"""A safe YAML loader that knows `!include`; every error says file, line and column.

A path after `!include` is relative to the file it stands in; with `*`, `?` or `[` in it the result
is the list of all matching files in the order of their names. No object is constructed, no URL
opened, and size, depth and aliases are bounded before anything is built.
"""

from __future__ import annotations

import glob
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import yaml

from outflow_core.errors import ConfigError

try:
    from yaml import CSafeLoader as _Parser
except ImportError:  # libyaml is not in every build of PyYAML; the pure parser gives the same nodes
    from yaml import SafeLoader as _Parser  # type: ignore[assignment]

MAX_BYTES: Final = 10_000_000
MAX_DEPTH: Final = 60
MAX_VALUES: Final = 1_000_000
MAX_FILES: Final = 1_000
MAX_CHAIN: Final = 30


@dataclass(slots=True)
class _Read:
    """How much was read for one configuration, all its includes together."""

    files: int = 0
    characters: int = 0

    def count(self, first: Path, text: str) -> None:
        """Count one more file; ConfigError when it was one too many."""
        self.files += 1
        self.characters += len(text)
        if self.files > MAX_FILES:
            raise ConfigError(f"{first}: includes more than {MAX_FILES} files.")
        if self.characters > MAX_BYTES:
            raise ConfigError(f"{first}: larger than {MAX_BYTES // 1_000_000} MB with all that it includes.")


def load_yaml(path: Path) -> Any:
    """The content of a YAML file with its includes put in place.

    Raises ConfigError, naming file, line and column, for whatever cannot be read.
    """
    value = _load(path, (), _Read())
    _weigh(value, path, 0, {})
    return value


def _load(path: Path, chain: tuple[Path, ...], read: _Read) -> Any:
    here = _resolved(path, chain)
    if here in chain:
        circle = " -> ".join(str(step) for step in (*chain[chain.index(here) :], here))
        raise ConfigError(f"{chain[-1]}: !include goes round in a circle: {circle}; take one of them out.")
    if len(chain) >= MAX_CHAIN:
        raise ConfigError(f"{chain[0]}: a chain of more than {MAX_CHAIN} files that include each other.")
    text = read_text(path, chain)
    read.count((*chain, path)[0], text)
    try:
        _check_events(path, text)
        loader = _loader_class(path, (*chain, here), read)(text)
        try:
            node = loader.get_single_node()
            return None if node is None else _build(loader, node, path)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise ConfigError(_describe(path, text, error, chain)) from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{path}: not readable as YAML: {error}{_included_from(chain)}") from None


def _resolved(path: Path, chain: tuple[Path, ...]) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # Python 3.12 and older report a circle of symbolic links as RuntimeError
        raise ConfigError(f"{path}: its symbolic links go round in a circle{_included_from(chain)}") from None


def read_text(path: Path, chain: tuple[Path, ...] = ()) -> str:
    """The text of a configuration file, or a ConfigError in words."""
    try:
        with path.open("rb") as file:  # a device has no size to ask for beforehand
            content = file.read(MAX_BYTES + 1)
        text = content.decode("utf-8-sig") if len(content) <= MAX_BYTES else None
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file{_included_from(chain)}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text (byte {error.start}){_included_from(chain)}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}{_included_from(chain)}") from None
    if text is None:
        raise ConfigError(f"{path}: larger than {MAX_BYTES // 1_000_000} MB, which no configuration file should be.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _included_from(chain: tuple[Path, ...]) -> str:
    return f" (included from {', included from '.join(str(step) for step in reversed(chain))})" if chain else ""


def _describe(path: Path, text: str, error: yaml.MarkedYAMLError, chain: tuple[Path, ...]) -> str:
    mark = error.problem_mark or error.context_mark
    place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
    problem = error.problem or error.context or "not YAML"
    line = "".join(text.split("\n")[mark.line : mark.line + 1]) if mark else ""
    indent = line[: len(line) - len(line.lstrip())]
    hint = "; YAML is indented with spaces, not tabs" if "\t" in indent else ""
    return f"{place}: {problem}{hint}{_included_from(chain)}"


def _check_events(path: Path, text: str) -> None:
    """Refuse nesting that would exhaust the stack of the recursive composer."""
    depth = 0
    for event in yaml.parse(text, Loader=_Parser):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise ConfigError(f"{_place(path, event)}: nested more than {MAX_DEPTH} levels deep.")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _place(path: Path, marked: Any) -> str:
    return f"{path}:{marked.start_mark.line + 1}:{marked.start_mark.column + 1}"


def _build(loader: Any, node: yaml.Node, path: Path) -> Any:
    _measure(node, path, {})
    return loader.construct_document(node)


def _measure(node: yaml.Node, path: Path, sizes: dict[int, int]) -> int:
    """How many values the node stands for once its aliases are written out; each node is visited once."""
    known = sizes.get(id(node))
    if known is not None:
        if known == 0:
            raise ConfigError(f"{_place(path, node)}: an alias stands inside its own anchor.")
        return known
    sizes[id(node)] = 0
    size = 1
    if isinstance(node, yaml.MappingNode):
        _refuse_duplicates(node, path)
        size += sum(_measure(value, path, sizes) + 1 for _, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        size += sum(_measure(item, path, sizes) for item in node.value)
    if size > MAX_VALUES:
        raise ConfigError(f"{_place(path, node)}: its aliases stand for more than {MAX_VALUES:,} values.")
    sizes[id(node)] = size
    return size


def _refuse_duplicates(node: yaml.MappingNode, path: Path) -> None:
    seen: dict[tuple[str, str], yaml.Node] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ConfigError(f"{_place(path, key)}: a key must be a plain value, not a list or a mapping.")
        if key.tag == "tag:yaml.org,2002:merge":
            continue
        first = seen.setdefault((key.tag, key.value), key)
        if first is not key:
            line = first.start_mark.line + 1
            raise ConfigError(f"{_place(path, key)}: the key {key.value!r} stands here twice (first in line {line}).")


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


def _loader_class(path: Path, chain: tuple[Path, ...], read: _Read) -> type:
    """A loader of its own for each file: `!include` has to know in which file it stands."""

    class Loader(_Parser):
        def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
            try:
                return super().construct_object(node, deep)
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
                kind = node.tag.rpartition(":")[2]
                raise ConfigError(f"{_place(path, node)}: {str(node.value)[:80]!r} is no valid {kind}.") from None

    def include(loader: Any, node: yaml.Node) -> Any:
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            raise ConfigError(f"{_place(path, node)}: !include wants the path of one file.")
        name = node.value.strip()
        if "://" in name:
            raise ConfigError(f"{_place(path, node)}: !include reads files, not the URL {name!r}.")
        try:
            return _included(name, path.parent, chain, read)
        except ConfigError as error:
            if f"{path}:" in str(error):
                raise
            raise ConfigError(f"{_place(path, node)}: !include {name}: {error}") from None

    def refuse(loader: Any, suffix: str, node: yaml.Node) -> Any:
        raise ConfigError(f"{_place(path, node)}: the tag {node.tag!r} is not allowed; only !include is.")

    Loader.add_constructor("!include", include)
    Loader.add_multi_constructor("", refuse)
    return Loader


def _included(name: str, folder: Path, chain: tuple[Path, ...], read: _Read) -> Any:
    if not glob.has_magic(name) or _is_there(folder / name):
        return _load(folder / name, chain, read)
    found = sorted(islice(glob.iglob(str(folder / name), recursive=True), MAX_FILES + 1))
    if not found:
        raise ConfigError(f"no file matches {folder / name}")
    return [_load(Path(match), chain, read) for match in found]


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a pattern can be longer than any name may be
        return False
