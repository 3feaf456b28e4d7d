"""Colours besides Textual's own themes: two that are told apart without red and green (after Okabe and Ito)."""

from __future__ import annotations

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
