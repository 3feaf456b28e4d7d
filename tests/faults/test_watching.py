"""A password that the program tells is found, in whatever form and for however short a moment."""

from __future__ import annotations

import base64
from collections.abc import Callable
from urllib.parse import quote

import pytest

from outflow_core.errors import SourceError
from outflow_tui.lookout import Watched
from outflow_tui.poller import Looks
from tests.faults.watching import PASSWORD, watching_opened


def hex_of(secret: str) -> str:
    """A secret as a dump shows it."""
    return secret.encode().hex()


def base64_of(secret: str) -> str:
    """A secret as a header holds it."""
    return base64.b64encode(secret.encode()).decode()


@pytest.mark.parametrize("written", [str, quote, hex_of, base64_of], ids=lambda form: form.__name__)
async def test_a_password_in_the_words_of_a_source_is_found(written: Callable[[str], str]) -> None:
    words = ["Cannot log in.", f"Cannot log in, and that is a long story: {written(PASSWORD)} is refused.", "No."]

    def opens() -> Looks:
        raise SourceError(words.pop(0) if len(words) > 1 else words[0])

    with pytest.raises(AssertionError, match="a long story"):
        async with watching_opened(Watched("books", opens), seconds=0.05) as desk:
            await desk.sees("No.")


async def test_a_password_in_a_notice_is_found() -> None:
    def opens() -> Looks:
        raise SourceError("Cannot log in.")

    with pytest.raises(AssertionError, match="Written to"):
        async with watching_opened(Watched("books", opens), seconds=0.05) as desk:
            await desk.sees("Cannot log in.")
            desk.app.notify(f"Written to me:{PASSWORD}@host", timeout=0.01)
