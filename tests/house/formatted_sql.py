"""Values that are formatted into SQL in a module, wherever in it the text is put together."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

TAKERS = frozenset({"execute", "executemany", "executescript", "exec_driver_sql", "text", "DDL", "literal_column"}) | {
    "ExecuteSQLOp",
    "run_plain",
    "scalar",
    "scalars",
}
"""What takes SQL as text."""
QUOTES = frozenset({"quoted_name", "quoted_text"})
"""What makes a word of SQL of any text."""
_VERBS = (
    "SELECT INSERT UPDATE DELETE DROP CREATE ALTER GRANT REVOKE PRAGMA WITH SET LOCK COPY TRUNCATE VACUUM ATTACH "
    "REINDEX DO"
)
_SQL = re.compile(rf"\s*(?:{'|'.join(_VERBS.split())})\s")
_FORMATS = frozenset({"format", "replace", "join"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (ast.Module, ast.Lambda, *_FUNCTIONS)


def formatted(tree: ast.Module) -> Iterator[str]:
    """Every value that is formatted into SQL, but for constants, whose names are in capitals, and quoted words."""
    finder = _Finder(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in TAKERS:
            for argument in node.args:
                yield from finder.values(argument)
        elif _looks_like_sql(node):
            yield from finder.values(node)


class _Finder:
    """Follows names to what they were given, in their function or in the module, and calls to what is returned."""

    def __init__(self, tree: ast.Module) -> None:
        self._functions = {node.name: node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS)}
        self._scopes: dict[ast.AST, ast.AST] = {}
        self._given: dict[tuple[ast.AST, str], list[ast.AST]] = {}
        self._module = tree
        self._enter(tree, tree)
        for node in ast.walk(tree):
            for name, value in _assigned(node):
                self._given.setdefault((self._scopes[node], name), []).append(value)

    def _enter(self, node: ast.AST, scope: ast.AST) -> None:
        self._scopes[node] = scope
        for child in ast.iter_child_nodes(node):
            self._enter(child, node if isinstance(node, _SCOPES) else scope)

    def values(self, node: ast.AST, seen: frozenset[ast.AST] = frozenset()) -> Iterator[str]:
        """The values in a text that is put together."""
        if node in seen:
            return
        seen |= {node}
        if isinstance(node, ast.JoinedStr):
            parts = (part.value for part in node.values if isinstance(part, ast.FormattedValue))
            yield from (ast.unparse(part) for part in parts if not _is_safe(part))
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and not _is_number(node):
            yield from _unsafe(node.right)
            yield from self.values(node.left, seen)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            yield from self._part(node.left, seen)
            yield from self._part(node.right, seen)
        elif isinstance(node, ast.Call) and _called(node) in _FORMATS and isinstance(node.func, ast.Attribute):
            yield from self.values(node.func.value, seen)
            for argument in node.args:
                yield from self._part(argument, seen)
        else:
            for part in self._sources(node):
                yield from self.values(part, seen)

    def _part(self, node: ast.AST, seen: frozenset[ast.AST]) -> Iterator[str]:
        """The values in what is added to a text: itself, where nothing is known of it."""
        is_text = isinstance(node, (ast.Constant, ast.JoinedStr, ast.BinOp, ast.List, ast.Tuple, ast.IfExp))
        sources = [node] if is_text else list(self._sources(node))
        if not sources:
            yield from _unsafe(node)
        for source in sources:
            yield from self.values(source, seen)

    def _sources(self, node: ast.AST) -> Iterator[ast.AST]:
        """Where a text may come from that is not put together here."""
        match node:
            case ast.Name():
                scope: ast.AST = node
                while scope is not self._module:
                    scope = self._scopes[scope]
                    if found := self._given.get((scope, node.id)):
                        yield from found
                        return
            case ast.Call() if (function := self._functions.get(_called(node))) is not None:
                returns = (part for part in ast.walk(function) if isinstance(part, (ast.Return, ast.Yield)))
                yield from (part.value for part in returns if part.value is not None)
            case ast.IfExp():
                yield from (node.body, node.orelse)
            case ast.List() | ast.Tuple() | ast.Set():
                yield from node.elts
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                yield node.elt
            case ast.Starred() | ast.NamedExpr() | ast.Await() | ast.Subscript():
                yield node.value


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """The names that a statement gives something, and what; a loop gives what it goes over."""
    match node:
        case ast.Assign():
            pairs = [(target, node.value) for target in node.targets]
        case ast.AnnAssign() | ast.NamedExpr() if node.value is not None:
            pairs = [(node.target, node.value)]
        case ast.AugAssign():
            pairs = [(node.target, ast.BinOp(node.target, node.op, node.value))]
        case ast.For() | ast.AsyncFor() | ast.comprehension():
            pairs = [(node.target, node.iter)]
        case _:
            pairs = []
    for target, value in pairs:
        yield from ((name.id, value) for name in ast.walk(target) if isinstance(name, ast.Name))


def _looks_like_sql(node: ast.AST) -> bool:
    """Whether a text is put together that begins as SQL does."""
    if isinstance(node, ast.JoinedStr):
        return bool(node.values) and _begins_as_sql(node.values[0])
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mod)):
        return _begins_as_sql(node.left) or _looks_like_sql(node.left)
    is_formatted = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _called(node) in _FORMATS
    return is_formatted and _begins_as_sql(node.func.value)  # type: ignore[attr-defined]


def _begins_as_sql(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and _SQL.match(node.value) is not None


def _called(call: ast.AST) -> str:
    function = call.func if isinstance(call, ast.Call) else call
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _unsafe(node: ast.AST) -> Iterator[str]:
    if not _is_safe(node):
        yield ast.unparse(node)


def _is_number(node: ast.BinOp) -> bool:
    return isinstance(node.left, ast.Constant) and not isinstance(node.left.value, str)


def _is_safe(node: ast.AST) -> bool:
    """Whether it is a constant, or what quotes whatever it is given."""
    if isinstance(node, ast.Call):
        return _called(node) in QUOTES
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.lstrip("_").isupper())
