"""The one table of keys: the footer, the help screen and the README are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from textual.binding import Binding, BindingType


def _key(keys: str, action: str, label: str, tooltip: str, *, hidden: bool = False, priority: bool = False) -> Binding:
    return Binding(keys, action, label, tooltip=tooltip, show=not hidden, priority=priority)


APP: list[BindingType] = [
    _key("question_mark", "help", "keys", "Show the keys of this screen"),
    _key("ctrl+f", "search_books", "find", "Search all runs: inputs, names, errors, values", priority=True),
    _key("r", "read_now", "read", "Read now instead of at the next tick", hidden=True),
    _key("p", "pause", "pause", "Hold the view still, or go on", hidden=True),
    _key("E", "save_as", "save", "Save what is on the screen, or a failure report", hidden=True),
    _key("ctrl+l", "redraw", "redraw", "Draw the screen anew, over what others wrote", hidden=True, priority=True),
    _key("ctrl+z", "suspend_process", "stop", "Back to the shell; there 'fg' comes back", hidden=True, priority=True),
    _key("ctrl+p", "command_palette", "palette", "Everything that can be done here, by name", hidden=True),
    _key("ctrl+q", "quit", "quit", "End the program", hidden=True, priority=True),
]

LINES: list[BindingType] = [
    _key("down,j", "move(1)", "down", "One line down", hidden=True),
    _key("up,k", "move(-1)", "up", "One line up", hidden=True),
    _key("pagedown,ctrl+d", "page(1)", "page down", "One page down", hidden=True),
    _key("pageup,ctrl+u", "page(-1)", "page up", "One page up", hidden=True),
    _key("home,g", "jump(0)", "first", "To the first line", hidden=True),
    _key("end,G", "jump(1)", "last", "To the last line", hidden=True),
]

SIDEWAYS: list[BindingType] = [
    _key("right", "shift(8)", "right", "Long lines: look further right", hidden=True),
    _key("left", "shift(-8)", "left", "Long lines: look further left", hidden=True),
]

SEARCHING: list[BindingType] = [
    _key("n", "match(1)", "next match", "To the next match, round at the end"),
    _key("N", "match(-1)", "previous", "To the previous match", hidden=True),
    _key("escape", "end_search", "end", "End the search: n and N are free again"),
]

RUNS: list[BindingType] = [
    _key("enter", "open", "open", "Open the run: its tasks, and its first failure"),
    _key("slash", "filter", "filter", "Filter as you type (state:failed, host:a, since:2d)"),
    _key("f", "failed", "failed", "Only runs with failures, or all again"),
    _key("s", "sort", "sort", "Newest, longest, most failed, by command, by state", hidden=True),
    _key("S", "reverse", "reverse", "Turn the order round", hidden=True),
    _key("space", "mark", "mark", "Mark the run for a comparison, or unmark it"),
    _key("d", "diff", "diff", "Compare the marked runs, or the mark and this run"),
    _key("w", "worked", "changed", "What differs from the last success of this command"),
    _key("c", "configuration", "config", "Show the configuration of this run", hidden=True),
    _key("t", "wait_for", "tell me", "Ring and notify when this run ends, or not", hidden=True),
    _key("escape", "clear", "clear", "Take away the filter, then the marks", hidden=True),
    _key("q", "app.quit", "quit", "End the program"),
]

RUN: list[BindingType] = [
    _key("n,right_square_bracket", "failure(1)", "next failed", "To the next failed task, wherever it is"),
    _key("N,left_square_bracket", "failure(-1)", "previous", "To the previous failed task", hidden=True),
    _key("enter", "traceback", "whole", "The selected block on the whole screen"),
    _key("a", "app.libraries", "libraries", "Show frames of libraries and marks, or hide them", hidden=True),
    _key("y", "copy", "copy", "Copy the traceback to the terminal's clipboard", hidden=True),
    _key("Y", "report('copy')", "report", "Copy a failure report to paste into an issue", hidden=True),
    _key("u", "neighbour(-1)", "upstream", "Upstream: to what this block waited for", hidden=True),
    _key("o", "neighbour(1)", "downstream", "Downstream: to what waited for this block", hidden=True),
    _key("slash", "search", "search", "Look for a text in the details as you type", hidden=True, priority=True),
    _key("e", "edit", "edit", "Open where it failed, or the frame here, in $EDITOR", hidden=True),
    _key("2", "failures", "failures", "The failed tasks grouped by cause"),
    _key("3", "timeline", "timeline", "When each task ran, how many at once, which slow"),
    _key("w", "worked", "changed", "What differs from the last success of this command"),
    _key("4,c", "configuration", "config", "Show the configuration of this run"),
    _key("t", "wait_for", "tell me", "Ring and notify when this run ends, or not", hidden=True),
    _key("tab", "other_side", "side", "Between the tasks and the details", hidden=True, priority=True),
    _key("q,escape", "app.back", "back", "Back to the runs"),
]

TASK_TREE: list[BindingType] = [
    _key("l,right", "unfold", "unfold", "Unfold the workflow", hidden=True),
    _key("h,left", "fold", "fold", "Fold the workflow, or go to its parent", hidden=True),
    _key("space", "fold_or_unfold", "toggle", "Fold or unfold the workflow", hidden=True),
]

TRACEBACK: list[BindingType] = [
    _key("n,right_square_bracket", "failure(1)", "next failed", "To the next failed task"),
    _key("N,left_square_bracket", "failure(-1)", "previous", "To the previous failed task", hidden=True),
    _key("a", "app.libraries", "libraries", "Show frames of libraries and marks, or hide them", hidden=True),
    _key("y", "copy", "copy", "Copy the traceback to the terminal's clipboard"),
    _key("Y", "report('copy')", "report", "Copy a failure report to paste into an issue"),
    _key("u", "neighbour(-1)", "upstream", "Upstream: to what this block waited for", hidden=True),
    _key("o", "neighbour(1)", "downstream", "Downstream: to what waited for this block", hidden=True),
    _key("slash", "search", "search", "Look for a text as you type", priority=True),
    _key("e", "edit", "edit", "Open where it failed, or the frame here, in $EDITOR"),
    _key("q,escape,enter", "app.back", "back", "Back to the run"),
]

FAILURES: list[BindingType] = [
    _key("enter", "open", "open", "Go to the first task of this cause"),
    _key("3", "timeline", "timeline", "When each task ran, how many at once, which slow"),
    _key("4,c", "configuration", "config", "Show the configuration of this run"),
    _key("1,q,escape", "app.back", "back", "Back to the tasks"),
]

NEIGHBOURS: list[BindingType] = [
    _key("enter", "open", "open", "Go to this block"),
    _key("q,escape", "app.back", "back", "Back to where you were"),
]

TIMELINE: list[BindingType] = [
    _key("enter", "open", "open", "Go to this task in the run, where its traceback is"),
    _key("n,right_square_bracket", "failure(1)", "next failed", "To the next failed task"),
    _key("N,left_square_bracket", "failure(-1)", "previous", "To the previous failed task", hidden=True),
    _key("s", "sort", "sort", "By start, by host, by name, or the longest first"),
    _key("2", "failures", "failures", "The failed tasks grouped by cause"),
    _key("4,c", "configuration", "config", "Show the configuration of this run"),
    _key("t", "wait_for", "tell me", "Ring and notify when this run ends, or not", hidden=True),
    _key("q,escape,1", "app.back", "back", "Back to the tasks"),
]

CONFIGURATION: list[BindingType] = [
    _key("slash", "search", "search", "Look for a text as you type", priority=True),
    _key("q,escape", "app.back", "back", "Back"),
]

FOLDS: list[BindingType] = [
    _key("space", "fold_or_unfold", "toggle", "Fold or unfold what is inside"),
    _key("l", "unfold", "unfold", "Unfold what is inside", hidden=True),
    _key("h", "fold", "fold", "Fold what is inside, or go to what is around", hidden=True),
    _key("L", "fold_all(False)", "unfold all", "Unfold everything", hidden=True),
    _key("H", "fold_all(True)", "fold all", "Fold everything", hidden=True),
]

DIFF: list[BindingType] = [
    _key("x", "swap", "swap", "Compare the other way round"),
    _key("a", "equal", "all values", "Show the values too that are the same, or hide them"),
    _key("slash", "search", "search", "Look for a text as you type", priority=True),
    _key("q,escape", "app.back", "back", "Back"),
]

SAVE: list[BindingType] = [
    _key("t", "save('txt')", "text", "Text: all lines of it, as they are"),
    _key("m", "save('md')", "Markdown", "Markdown: the same, as code to paste"),
    _key("J", "save('json')", "JSON", "JSON: what is behind it, for programs"),
    _key("s", "save('svg')", "SVG", "SVG: a picture of the window"),
    _key("f", "save('report')", "report", "A failure report: Markdown to paste into an issue"),
    _key("enter", "choose", "save", "Save in the way under the cursor", hidden=True),
    _key("q,escape", "app.back", "back", "Back"),
]

SEARCH_ALL: list[BindingType] = [
    _key("enter", "open", "open", "Go there: the task in its run, or the value"),
    _key("slash", "type", "words", "Back to the line in which is typed"),
    _key("q,escape", "app.back", "back", "Back"),
]

TABLE: list[BindingType] = [
    _key("right,l", "column(1)", "next run", "The columns one run further on", priority=True),
    _key("left,h", "column(-1)", "previous", "The columns one run back", priority=True),
    _key("slash", "search", "search", "Look for a text as you type", priority=True),
    _key("q,escape", "app.back", "back", "Back"),
]

HELP: list[BindingType] = [
    _key("slash", "search", "search", "Look for a text as you type", priority=True),
    _key("q,escape,question_mark,enter", "app.back", "back", "Back"),
]

SCREENS: dict[str, list[list[BindingType]]] = {
    "Runs": [RUNS, LINES],
    "Run": [RUN, TASK_TREE, LINES],
    "Traceback": [TRACEBACK, LINES, SIDEWAYS],
    "Failures": [FAILURES, LINES],
    "Timeline": [TIMELINE, LINES],
    "Upstream, downstream": [NEIGHBOURS, LINES],
    "Configuration": [CONFIGURATION, FOLDS, LINES, SIDEWAYS],
    "Difference": [DIFF, LINES, SIDEWAYS],
    "Several configurations": [TABLE, LINES],
    "Search all runs": [SEARCH_ALL, LINES],
    "Save": [SAVE, LINES],
    "Searching": [SEARCHING],
    "Everywhere": [APP],
}


def _with_ids(name: str, table: list[BindingType]) -> None:
    """Give each binding the name by which a user's settings know it: `runs.filter`, `run.next-failed`."""
    table[:] = [replace(binding, id=f"{name}.{binding.description.replace(' ', '-')}") for binding in bindings(table)]


def bindings(table: list[BindingType]) -> list[Binding]:
    """The bindings of a table; all of ours are written out, none is a bare tuple."""
    return [binding for binding in table if isinstance(binding, Binding)]


for _name, _tables in {
    **SCREENS,
    "Lines": [LINES],
    "Sideways": [SIDEWAYS],
    "Tasks": [TASK_TREE],
    "Folds": [FOLDS],
    "Help": [HELP],
}.items():
    _with_ids(_name.split()[-1].lower(), _tables[0])


def ids() -> list[str]:
    """What a user's settings may give other keys to."""
    found = (binding.id or "" for tables in SCREENS.values() for table in tables for binding in bindings(table))
    return list(dict.fromkeys(found))


def described(table: list[BindingType], keymap: Mapping[str, str] = MappingProxyType({})) -> list[tuple[str, str]]:
    """The keys of a table and what each does, as people write them; `keymap` holds the user's own.

    >>> described(HELP)[-1]
    ('q, esc, ?, enter', 'Back')
    >>> described(HELP, {"help.back": "f1"})[-1]
    ('f1', 'Back')
    """
    return [(shown(keymap.get(binding.id or "", binding.key)), binding.tooltip) for binding in bindings(table)]


def shown(keys: str) -> str:
    """The keys of a binding as people write them."""
    return ", ".join(_SHOWN.get(key, key) for key in keys.split(","))


def long_name(key: str) -> str:
    """A key as Textual names it.

    >>> long_name("?"), long_name("esc"), long_name("ctrl+s")
    ('question_mark', 'escape', 'ctrl+s')
    """
    return next((name for name, short in _SHOWN.items() if short == key), key)


_SHOWN = {
    "question_mark": "?", "slash": "/", "escape": "esc", "right_square_bracket": "]", "left_square_bracket": "[",
    "pagedown": "page down", "pageup": "page up",
}  # fmt: skip


def as_markdown() -> str:
    """The keys of all screens as the README shows them."""
    lines = []
    for name, tables in SCREENS.items():
        lines += [f"| {name} | |", "| --- | --- |"]
        lines += [f"| `{pressed}` | {what} |" for table in tables for pressed, what in described(table)]
        lines.append("")
    return "\n".join(lines).rstrip()
