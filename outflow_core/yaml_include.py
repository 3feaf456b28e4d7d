"""A safe YAML loader that knows `!include`; every error says file, line and column.

A path after `!include` is relative to the file it stands in; with `*`, `?` or `[` in it the result
is the list of all matching files in the order of their names. No object is constructed, no URL
opened, and size, depth and aliases are bounded before anything is built.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from outflow_core.errors import ConfigError
from outflow_core.include_patterns import Search, is_pattern
from outflow_core.masking import mask_text
from outflow_core.yaml_bounds import MERGE, Parser, check_events, is_too_long, measure, place, refuse_equal_keys, weigh

MAX_BYTES: Final = 10_000_000
MAX_FILES: Final = 1_000
MAX_CHAIN: Final = 30
_MAX_PATH: Final = 4_096
_MAX_NUMBER: Final = 20_000
"""More characters no number has that could be kept; of some the parser's time grows with their square."""
_INT: Final = "tag:yaml.org,2002:int"


@dataclass(slots=True)
class _Read:
    """How much was read for one configuration, all its includes together."""

    files: list[Path] = field(default_factory=list)
    characters: int = 0
    search: Search = field(default_factory=Search)

    def count(self, chain: tuple[Path, ...], path: Path, text: str) -> None:
        """Count one more file; ConfigError when it was one too many."""
        first = (*chain, path)[0]
        self.files.append(path)
        self.characters += len(text)
        if len(self.files) > MAX_FILES:
            raise ConfigError(f"{first}: includes more than {MAX_FILES} files.")
        if self.characters > MAX_BYTES:
            raise ConfigError(f"{first}: larger than {MAX_BYTES // 1_000_000} MB with all that it includes.")


def load_yaml(path: Path) -> Any:
    """The content of a YAML file with its includes put in place.

    Raises ConfigError, naming file, line and column, for whatever cannot be read.
    """
    return load_yaml_and_files(path)[0]


def load_yaml_and_files(path: Path) -> tuple[Any, tuple[Path, ...]]:
    """The content of a YAML file, and all the files that it was read from."""
    read = _Read()
    value = _load(path, (), read)
    weigh(value, path)
    return value, tuple(dict.fromkeys(read.files))


def _load(path: Path, chain: tuple[Path, ...], read: _Read) -> Any:
    here = _resolved(path, chain)
    if here in chain:
        circle = " -> ".join(str(step) for step in (*chain[chain.index(here) :], here))
        raise ConfigError(f"goes round in a circle: {circle}; take one of them out.")
    if len(chain) >= MAX_CHAIN:
        raise ConfigError(f"{chain[0]}: a chain of more than {MAX_CHAIN} files that include each other.")
    text = read_text(path, chain)
    read.count(chain, path, text)
    try:
        check_events(path, text)
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
        if chain:
            _refuse_endless(path, chain)
        with open(path, "rb", opener=_opened_at_once if chain else None) as file:
            content = file.read(MAX_BYTES + 1) or b""
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


def _refuse_endless(path: Path, chain: tuple[Path, ...]) -> None:
    """What a person names may be a pipe (`<(decrypt config.yml)`); what a file includes is a file."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ConfigError(f"{path}: is a pipe, a socket or a device, not a file{_included_from(chain)}")


def _opened_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def texts_in(text: str) -> Iterator[str]:
    """The values and keys of one YAML file as they are written, those of the files it includes not among them."""
    for event in yaml.parse(text, Loader=Parser):
        if isinstance(event, yaml.ScalarEvent):
            yield event.value


def _included_from(chain: tuple[Path, ...]) -> str:
    return f" (included from {', included from '.join(str(step) for step in reversed(chain))})" if chain else ""


def _describe(path: Path, text: str, error: yaml.MarkedYAMLError, chain: tuple[Path, ...]) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
    problem = error.problem or error.context or "not YAML"
    line = "".join(text.split("\n")[mark.line : mark.line + 1]) if mark else ""
    indent = line[: len(line) - len(line.lstrip())]
    hint = "; YAML is indented with spaces, not tabs" if "\t" in indent else ""
    return f"{where}: {problem}{hint}{_included_from(chain)}"


def _build(loader: Any, node: yaml.Node, path: Path) -> Any:
    measure(node, path, {})
    return loader.construct_document(node)


def _loader_class(path: Path, chain: tuple[Path, ...], read: _Read) -> type:
    """A loader of its own for each file: `!include` has to know in which file it stands."""

    class Loader(Parser):
        def __init__(self, text: str) -> None:
            super().__init__(text)
            self.flat: set[int] = set()

        def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
            if isinstance(node, _Made):
                return node.made
            try:
                if node.tag == _INT and len(node.value) > _MAX_NUMBER:
                    raise ValueError
                made = super().construct_object(node, deep)
                if is_too_long(made):
                    raise ValueError
                return made
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
                kind = node.tag.rpartition(":")[2]
                raise ConfigError(f"{place(path, node)}: {str(node.value)[:80]!r} is no valid {kind}.") from None

        def flatten_mapping(self, node: yaml.MappingNode) -> None:
            if id(node) not in self.flat:  # a mapping that others merge comes here again, with its own merges done
                self.flat.add(id(node))
                refuse_equal_keys(self, node, path)
                _put_merged_includes(self, node)
            super().flatten_mapping(node)

    def include(loader: Any, node: yaml.Node) -> Any:
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            raise ConfigError(f"{place(path, node)}: !include wants the path of one file.")
        name = node.value.strip()
        if len(name) > _MAX_PATH:
            raise ConfigError(f"{place(path, node)}: !include wants a path, of {_MAX_PATH:,} characters at the most.")
        if "://" in name:
            raise ConfigError(f"{place(path, node)}: !include reads files, not the URL {mask_text(name)!r}.")
        try:
            return _included(name, path.parent, chain, read)
        except ConfigError as error:
            if f"{path}:" in str(error):
                raise
            raise ConfigError(f"{place(path, node)}: !include {name}: {error}") from None

    def refuse(loader: Any, suffix: str, node: yaml.Node) -> Any:
        raise ConfigError(f"{place(path, node)}: the tag {node.tag!r} is not allowed; only !include is.")

    Loader.add_constructor("!include", include)
    Loader.add_multi_constructor("", refuse)
    return Loader


class _Made(yaml.ScalarNode):
    """A node whose value was made already, in the file that it comes from."""

    def __init__(self, made: Any, place_of: yaml.Node) -> None:
        super().__init__("!made", "", place_of.start_mark, place_of.end_mark)
        self.made = made


def _put_merged_includes(loader: Any, node: yaml.MappingNode) -> None:
    """Put what is included in the place of `<<: !include x.yml`: the parser merges nodes, not values."""
    for number, (key, value) in enumerate(node.value):
        if key.tag == MERGE and isinstance(value, yaml.SequenceNode):
            value.value[:] = [_nodes_of(loader, part) for part in value.value]
        elif key.tag == MERGE:
            node.value[number] = (key, _nodes_of(loader, value))


def _nodes_of(loader: Any, node: yaml.Node) -> yaml.Node:
    """An `!include` of a mapping as a mapping of ready values; any other node as it is."""
    found = loader.construct_object(node, deep=True) if node.tag == "!include" else None
    if not isinstance(found, dict):
        return node
    pairs = [(_Made(key, node), _Made(value, node)) for key, value in found.items()]
    return yaml.MappingNode("tag:yaml.org,2002:map", pairs, node.start_mark, node.end_mark)


def _included(name: str, folder: Path, chain: tuple[Path, ...], read: _Read) -> Any:
    if not is_pattern(name) or _is_there(folder / name):
        return _load(folder / name, chain, read)
    found = read.search.matching(folder, name)
    if not found:
        raise ConfigError(f"no file matches {folder / name}")
    return [_load(match, chain, read) for match in found]


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a pattern can be longer than any name may be
        return False
