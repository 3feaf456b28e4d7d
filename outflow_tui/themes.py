"""Colours besides Textual's own themes: two that are told apart without red and green (after Okabe and Ito)."""

from __future__ import annotations

from collections.abc import Mapping

from textual.color import Color
from textual.theme import Theme

SAFE = Theme(
    name="safe-dark",
    primary="#56B4E9",
    secondary="#CC79A7",
    accent="#F0E442",
    success="#56B4E9",
    error="#E69F00",
    warning="#F0E442",
    background="#101418",
    surface="#161B20",
    panel="#222A32",
    foreground="#E6E6E6",
    dark=True,
)
SAFE_LIGHT = Theme(
    name="safe-light",
    primary="#0072B2",
    secondary="#CC79A7",
    accent="#7A4B00",
    success="#0072B2",
    error="#B34700",
    warning="#7A4B00",
    background="#FAFAFA",
    surface="#F0F0F0",
    panel="#DDE3E8",
    foreground="#1A1A1A",
    dark=False,
)
OWN = (SAFE, SAFE_LIGHT)


def wants_plain_colours(environment: Mapping[str, str]) -> bool:
    """Whether the terminal's own colours are to be left alone: NO_COLOR is set, or there are only 16."""
    terminal = environment.get("TERM", "")
    return bool(environment.get("NO_COLOR")) or terminal.endswith("-16color") or terminal in ("linux", "ansi", "vt100")


def inks(variables: Mapping[str, str], *, dark: bool) -> dict[str, str]:
    """Colours for words: Textual's own, but darker on a light ground, where those are too pale to be read."""
    found = {f"ink-{name}": variables[f"text-{name}"] for name in ("warning", "success", "accent")}
    if dark:
        return found
    return {
        name: colour if colour.startswith("ansi") else Color.parse(colour).darken(0.12).hex
        for name, colour in found.items()
    }
