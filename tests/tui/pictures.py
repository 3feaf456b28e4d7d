"""Pictures of screens that can be compared in words: one SVG for each view, all windows and themes on it.

What is kept is text and looks, not the markup in which some version of Textual would export them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from itertools import groupby
from xml.etree import ElementTree

from rich.cells import cell_len
from rich.color import Color, ColorType
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import DIMMED_MONOKAI

CELL, LINE = 8, 17
"""How wide and how high a cell is drawn; integers, so that every part of a line says in which column it begins."""
GAP = 24
DRAWN_BY = "Drawn by Textual "
FEW = 4
"""How many lines of a picture are told when more differ."""
_SVG = "http://www.w3.org/2000/svg"


@dataclass(frozen=True)
class Part:
    """Neighbouring cells of one look."""

    column: int
    text: str
    ink: str
    paper: str
    looks: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join([self.ink, "on", self.paper, *self.looks])


@dataclass(frozen=True)
class Picture:
    """What stands in one window, line by line."""

    width: int
    lines: tuple[tuple[Part, ...], ...]

    @property
    def paper(self) -> str:
        """The colour behind most of it."""
        area: dict[str, int] = {}
        for line in self.lines:
            for part in line:
                area[part.paper] = area.get(part.paper, 0) + cell_len(part.text)
        return max(area, key=lambda colour: area[colour])


def picture_of(strips: Iterable[Iterable[Segment]], width: int) -> Picture:
    """What was drawn, with neighbours of the same look joined."""
    return Picture(width, tuple(tuple(_parts(strip)) for strip in strips))


def _parts(strip: Iterable[Segment]) -> Iterator[Part]:
    column = 0
    segments = [segment for segment in strip if segment.text and not segment.control]
    for looks, group in groupby(segments, key=lambda segment: _looks(segment.style or Style())):
        words = "".join(segment.text for segment in group)
        yield Part(column, words, looks[0], looks[1], looks[2])
        column += cell_len(words)


def _looks(style: Style) -> tuple[str, str, tuple[str, ...]]:
    ink, paper = _colour(style.color, is_ink=True), _colour(style.bgcolor, is_ink=False)
    if style.reverse:
        ink, paper = paper, ink
    named = ("bold", "dim", "italic", "underline", "strike")
    return ink, paper, tuple(name for name in named if getattr(style, name))


def _colour(colour: Color | None, *, is_ink: bool) -> str:
    if colour is None or colour.type is ColorType.DEFAULT:
        return "#cccccc" if is_ink else "#000000"
    return colour.get_truecolor(DIMMED_MONOKAI).hex


def sheet(pictures: Mapping[str, Picture]) -> str:
    """One SVG of pictures, each by its name `theme 80x24`: a column for each theme, a row for each window."""
    themes, sizes = ([*dict.fromkeys(name.split()[place] for name in pictures)] for place in (0, 1))
    widest = max(picture.width for picture in pictures.values()) * CELL + GAP
    lines: list[str] = []
    y = GAP
    for size in sizes:
        for column, theme in enumerate(themes):
            lines += _page(f"{theme} {size}", pictures[f"{theme} {size}"], column * widest, y)
        y += len(pictures[f"{themes[0]} {size}"].lines) * LINE + 2 * GAP
    wide = widest * len(themes)
    head = f'<svg xmlns="{_SVG}" viewBox="0 0 {wide} {y}" width="{wide}" xml:space="preserve"'
    style = (
        "text{white-space:pre}.bold{font-weight:bold}.dim{opacity:.66}.italic{font-style:italic}"
        ".underline{text-decoration:underline}.strike{text-decoration:line-through}"
    )
    fonts = ' font-family="DejaVu Sans Mono,Menlo,Consolas,monospace" font-size="13.29">'
    drawn = f"<desc>{DRAWN_BY}{version('textual')}</desc>"
    return "\n".join([head + fonts, drawn, f"<style>{style}</style>", *lines, "</svg>", ""])


def _page(name: str, picture: Picture, x: int, y: int) -> Iterator[str]:
    paper = picture.paper
    yield f'<text x="{x}" y="{y - 6}">{name}</text>'
    place = f'x="{x}" y="{y}" width="{picture.width * CELL}"'
    yield f'<svg class="page" id="{name.replace(" ", "-")}" {place} fill="{paper}">'
    yield f'<rect width="100%" height="{len(picture.lines) * LINE}"/>'
    for row, line in enumerate(picture.lines):
        yield f'<g transform="translate(0 {row * LINE})">{"".join(_drawn(line, paper))}</g>'
    yield "</svg>"


def _drawn(line: Iterable[Part], paper: str) -> Iterator[str]:
    words = []
    for part in line:
        cells = cell_len(part.text)
        if part.paper != paper:
            x = f' x="{part.column * CELL}"' if part.column else ""
            yield f'<rect{x} width="{cells * CELL}" height="{LINE}" fill="{part.paper}"/>'
        looks = f' class="{" ".join(part.looks)}"' if part.looks else ""
        shown = part.text if "underline" in part.looks else part.text.rstrip()
        if shown:
            words.append(
                f'<tspan x="{part.column * CELL}" fill="{part.ink}"{looks}>{escape(shown, quote=False)}</tspan>'
            )
    if words:
        yield f'<text y="13">{"".join(words)}</text>'


def differences(before: str, after: str) -> list[str]:
    """Which lines of two sheets differ, in words and in looks; of many the first of each picture."""
    old, new = _read(before), _read(after)
    was, now = (re.findall(f"{DRAWN_BY}([^<]*)", svg) for svg in (before, after))
    said = [f"{name}: there is no such picture in the baseline" for name in new.keys() - old.keys()]
    said += [f"{name}: is not drawn any more" for name in old.keys() - new.keys()]
    for name in (name for name in new if name in old):
        said += _of_one(name, old[name], new[name])
    if said and was != now:
        said.insert(0, f"the baseline was drawn by Textual {was[0]}, this is {now[0]}: the difference may be Textual's")
    return said


def _of_one(name: str, old: list[_Row], new: list[_Row]) -> Iterator[str]:
    if len(old) != len(new):
        yield f"{name}: {len(new)} lines instead of {len(old)}"
    differing = [row for row, (was, now) in enumerate(zip(old, new, strict=False)) if was != now]
    for row in differing[:FEW]:
        was, now = old[row], new[row]
        yield f"{name}, line {row + 1}:"
        if was.words != now.words:
            yield f"  was |{was.words}|"
            yield f"  now |{now.words}|"
        else:
            yield f"      |{now.words}|"
            yield f"  looked {', '.join(look for look in was.looks if look not in now.looks) or 'the same in parts'}"
            yield f"  looks  {', '.join(look for look in now.looks if look not in was.looks) or 'the same in parts'}"
    if len(differing) > FEW:
        yield f"{name}: and {len(differing) - FEW} more lines"


@dataclass(frozen=True)
class _Row:
    """One line of a sheet, to be compared and told."""

    words: str
    looks: tuple[str, ...]


def _read(svg: str) -> dict[str, list[_Row]]:
    pages = [page for page in ElementTree.fromstring(svg).iter(f"{{{_SVG}}}svg") if page.get("class") == "page"]
    return {page.get("id", ""): [_row(line) for line in page.iter(f"{{{_SVG}}}g")] for page in pages}


def _row(line: ElementTree.Element) -> _Row:
    words, looks = "", []
    for rect in line.iter(f"{{{_SVG}}}rect"):
        looks.append(f"{_number(rect, 'width')} cells from {_number(rect, 'x')} on {rect.get('fill')}")
    for part in line.iter(f"{{{_SVG}}}tspan"):
        column, shown = _number(part, "x"), part.text or ""
        words += " " * (column - cell_len(words)) + shown
        looks.append(" ".join([repr(shown.strip()), part.get("fill", ""), part.get("class", "")]).rstrip())
    return _Row(words, tuple(looks))


def _number(element: ElementTree.Element, name: str) -> int:
    return int(element.get(name, "0")) // CELL
