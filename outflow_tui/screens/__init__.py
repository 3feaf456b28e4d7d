"""Screens: each shows one thing, says what it wants to know, and hands wishes to the app."""
