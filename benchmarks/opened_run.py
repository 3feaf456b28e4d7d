"""What keys cost in a run: opened, its end, its next failure, folded, filtered; against a run of 100 tasks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.ratios import Figure, bound, of_pairs
from benchmarks.registry import Bench, figures, monitor, program
from benchmarks.start import FIRST_COMMAND
from benchmarks.wire import Wire

TREE = "reduce_frame|map_frames|load_catalog"
STEPS = {
    "open": "\r",
    "jump to its end": "G",
    "next failed task": "n",
    "to its beginning": "g",
    "fold": "jh",
    "unfold": "l",
}
LIST_ROWS = 1_000_000


def at_home(wire: Wire) -> Wire:
    """The monitor with its rows, all counted."""
    wire.until(FIRST_COMMAND)
    wire.settle(1.5)
    return wire


def answer(wire: Wire, keys: str, words: str = TREE) -> float:
    """Seconds from keys to the first words that answer them; then it comes to rest."""
    for key in keys[:-1]:
        wire.press(key)
        wire.settle(0.2)
    wire.press(keys[-1])
    seconds = wire.until(words, patience=180)
    wire.settle(0.5)
    return seconds


@figures("open-run")
def open_run(bench: Bench) -> Iterator[Figure]:
    """A run of a million tasks against one of a hundred, key by key; in both of them what is folded is not all."""
    pairs: dict[str, list[tuple[float, float]]] = {step: [] for step in STEPS}
    with ExitStack() as stack:
        many, few = (
            at_home(stack.enter_context(Wire(monitor(str(bench.books.sqlite(name)))))) for name in ("c", "maps")
        )
        for _ in range(bench.rounds(4)):
            for step, keys in STEPS.items():
                pairs[step].append((answer(few, keys), answer(many, keys)))
            for wire in (few, many):
                wire.press("q")
                wire.until(FIRST_COMMAND)
                wire.settle(0.5)
    for step, taken in pairs.items():
        warm = taken[1:] if step != "open" and len(taken) > 1 else taken
        yield of_pairs(f"(c) {step}", warm, wanted="1.2 x a run of 100 tasks", limit=1.2)


@figures("filter")
def filtered(bench: Bench) -> Iterator[Figure]:
    """A filter typed over 10,000 runs, against 100."""
    with ExitStack() as stack:
        many, few = (at_home(stack.enter_context(Wire(monitor(str(bench.books.sqlite(name)))))) for name in ("b", "a"))
        taken = []
        for _ in range(bench.rounds(5)):
            one_round = []
            for wire in (few, many):
                wire.press("/")
                wire.settle(0.3)
                one_round.append(answer(wire, "s", r"\d+ of \d+ shown"))
                wire.press("\x1b")
                wire.settle(0.3)
                wire.press("\x1b")
                wire.settle(0.3)
            taken.append((one_round[0], one_round[1]))
    yield of_pairs("(b) filter 10,000 runs, a key", taken, wanted="1.2 x 100 runs", limit=1.2)


@figures("keys")
def keys(bench: Bench) -> Iterator[Figure]:
    """A cursor key and a page key, to the frame that answers it."""
    with ExitStack() as stack:
        many, few = (
            at_home(stack.enter_context(Wire(monitor(str(bench.books.sqlite(name)))))) for name in ("d", "thousand")
        )
        bare = stack.enter_context(Wire(program("list_app", str(LIST_ROWS))))
        bare.until(TREE)
        for wire in (many, few):
            answer(wire, "\r")
        for name, key in (("cursor key", "j"), ("page key", "\x1b[6~")):
            taken = [tuple(quick(wire, key) for wire in (bare, few, many)) for _ in range(bench.rounds(15))]
            to_bare = [(row[0], row[2]) for row in taken]
            yield of_pairs(f"{name}, (d)", to_bare, wanted="1.5 x a bare render_line list", limit=1.5)
            to_few = [(row[1], row[2]) for row in taken]
            yield of_pairs(f"{name}, (d) against 1,000 tasks", to_few, wanted="1.3 x (the same)", limit=1.3)
        yield page_bytes(few, bench.rounds(5))


def quick(wire: Wire, key: str) -> float:
    """Seconds from a key to its first answer, with a short rest behind it."""
    wire.press(key)
    seconds = wire.until(TREE, patience=60)
    wire.settle(0.1)
    return seconds


def page_bytes(wire: Wire, rounds: int) -> Figure:
    """What a page key sends against what the whole screen sends."""
    wire.press("g")
    wire.settle(0.5)
    full = wire.screen_bytes()
    pages = []
    for _ in range(rounds):
        before = wire.sent
        wire.press("\x1b[6~")
        wire.settle(1.5)
        pages.append((float(full), float(wire.sent - before)))
    return of_pairs("bytes of a page key", pages, wanted="1 x the whole screen", limit=1.0, unit="bytes")


@figures("slow-line")
def slow_line(bench: Bench) -> Iterator[Figure]:
    """A terminal that takes 960 bytes a second: how much is still to come when the last key was pressed."""
    yield from _slow_line(bench, "slow line", answers=True)
    yield from _slow_line(bench, "slow line that never answers", answers=False)


def _slow_line(bench: Bench, what: str, *, answers: bool) -> Iterator[Figure]:
    with Wire(monitor(str(bench.books.sqlite("one"))), answers=answers) as wire:
        at_home(wire)
        answer(wire, "\r")
        full = wire.screen_bytes()
        for _ in range(10):
            for key in ("\x1b[6~", "\x1b[5~"):
                wire.send(key)
                wire.drain_slowly(0.2, 960)
        before = wire.sent
        wire.settle(0.5)
        left = wire.sent - before
    yield of_pairs(
        f"{what}: still to come after 20 pages in 4 s",
        [(full, left)],
        wanted="1 x the whole screen",
        limit=1.0,
        unit="bytes",
    )


@figures("memory")
def memory(bench: Bench) -> Iterator[Figure]:
    """Megabytes above the empty Textual app, at home and in the run."""
    with Wire(program("empty_app")) as wire:
        wire.until("ready")
        wire.settle(0.5)
        empty = wire.memory()
    for name in ("c", "d"):
        with Wire(monitor(str(bench.books.sqlite(name)))) as wire:
            at_home(wire)
            at_rest = wire.memory() - empty
            answer(wire, "\r")
            in_run = wire.memory() - empty
        words = "40 MB above the empty Textual app"
        yield bound(f"memory, ({name}) at home", [at_rest], wanted=words, limit=40, unit="MB", bare=empty)
        yield bound(f"memory, ({name}) in the run", [in_run], wanted=words, limit=40, unit="MB", bare=empty)
