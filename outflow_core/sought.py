"""A text that is looked for in the books: a pattern for the database, and the exact place; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

LONGEST = 200
"""How many characters of what was typed are looked for; nobody types more."""
MOST_PIECES = 8
"""LIKE tries all ways to place the pieces: of a text in many of them the first ones do."""
BEFORE, AFTER = 40, 120
"""How much is shown around what was found."""

_PLAIN = re.compile(r"[A-Za-z0-9 /:+~,;@()_-]+")
"""Whatever else there is may be written as an escape, or stand between the names of a path."""
_UUID_BEGINS = re.compile(r"[0-9a-f][0-9a-f-]{3,35}")
_NUMBER = re.compile(r"[-+]?[0-9.]+(?:[eE][-+]?[0-9]*)?")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a text on one line, and from where to where in it stands what was sought."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Sought:
    """Words as they were typed. Capitals count only when there are some."""

    words: str

    @classmethod
    def of(cls, typed: str) -> Sought:
        """What is meant by what was typed."""
        return cls(typed.strip()[:LONGEST])

    @property
    def is_exact(self) -> bool:
        """Whether small and capital letters are told apart."""
        return any(letter.isupper() for letter in self.words)

    @cached_property
    def pattern(self) -> str:
        r"""A LIKE pattern, escaped by a backslash, that fits every text in which the words stand, and some others.

        >>> Sought("fit.a_b='é'x").pattern, Sought("é").pattern
        ('%fit%a\\_b%x%', '%')
        """
        pieces = _PLAIN.findall(self.words)[:MOST_PIECES]
        return "%".join(["", *(piece.replace("_", "\\_") for piece in pieces), ""]) or "%"

    @property
    def may_begin_a_uuid(self) -> bool:
        """Whether a uuid can begin so; in the middle of one everything short stands somewhere.

        >>> [Sought(words).may_begin_a_uuid for words in ("a58af447-de", "1", "fit")]
        [True, False, False]
        """
        return bool(_UUID_BEGINS.fullmatch(self.words))

    @property
    def is_foreign(self) -> bool:
        """Whether there are letters beyond ASCII and nothing else that a database could look for."""
        return self.pattern == "%" and not self.words.isascii()

    @property
    def is_number(self) -> bool:
        """Whether this may be a part of a number, which databases write in their own ways."""
        return bool(_NUMBER.fullmatch(self.words.rpartition("=")[2].strip()))

    @cached_property
    def _place(self) -> re.Pattern[str]:
        letters = self.words if self.is_exact else folded(self.words)
        return re.compile(re.escape(letters))

    def excerpt(self, text: str, *, skip: int = 0) -> Excerpt | None:
        """Where the words first stand in a text, from character `skip` on; None when they do not."""
        found = self._place.search(text if self.is_exact else folded(text), skip)
        if found is None:
            return None
        start, end = found.span()
        first = 0 if start <= BEFORE else start - BEFORE // 2
        last = min(len(text), max(end, first + AFTER))
        return Excerpt(text[first:last], start - first, end - first)

    def stands_in(self, text: str) -> bool:
        """Whether the words stand in a text."""
        return self._place.search(text if self.is_exact else folded(text)) is not None

    def is_in_value(self, name: str, text: str) -> bool:
        """Whether the words are in a value, not in the name alone under which it stands."""
        return self.stands_in(text) or ("=" in self.words and self.stands_in(f"{name}={text}"))

    @cached_property
    def _likely(self) -> re.Pattern[str]:
        pieces = _PLAIN.findall(self.words)[:MOST_PIECES]
        return re.compile(".*".join(map(re.escape, pieces)), re.DOTALL | re.IGNORECASE)

    def may_stand_in(self, text: str) -> bool:
        """Whether the words may stand in a text before its escapes are read."""
        return self._likely.search(text) is not None


def folded(words: str) -> str:
    """The text in small letters, of the same length, so that places in it are places in the text.

    >>> folded("Frame İ"), folded("ΟΔΟΣ")
    ('frame İ', 'οδοσ')
    """
    small = words.lower()
    if len(small) != len(words):
        small = "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in words)
    return small.replace("ς", "σ")
