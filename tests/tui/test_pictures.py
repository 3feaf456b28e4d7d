"""Every screen looks as somebody saw it when it was last looked at: see `baselines`, and `make screenshots`."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from rich.style import Style

from outflow_tui import keys
from tests.tui.pictures import differences, picture_of, sheet
from tests.tui.views import BASELINES, VIEWS, View, pictures

ANEW = "Look at it in a browser; is it meant: make screenshots."


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
async def test_a_view_looks_as_it_did(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    drawn = await pictures(view)
    told = differences(view.file.read_text(encoding="utf-8"), drawn)
    assert not told, "\n".join([f"{view.name} looks otherwise than {view.file.name}. {ANEW}", *told])


def test_every_screen_has_its_picture_and_every_picture_its_screen() -> None:
    assert {name for name in keys.SCREENS if name not in {view.name for view in VIEWS}} == {"Everywhere"}
    assert {path.name for path in BASELINES.iterdir()} == {view.file.name for view in VIEWS}


def test_a_difference_is_told_by_its_line_in_words_and_in_looks() -> None:
    def drawn(words: str, style: str) -> str:
        return sheet({"dark 9x2": picture_of([[Segment("same")], [Segment(words, Style.parse(style))]], 9)})

    assert differences(drawn("✓ done", "red"), drawn("✓ done", "red")) == []
    assert differences(drawn("✓ done", "red"), drawn("x lost", "red")) == [
        "dark-9x2, line 2:",
        "  was |✓ done|",
        "  now |x lost|",
    ]
    assert differences(drawn("✓ done", "red"), drawn("✓ done", "bold red"))[2:] == [
        "  looked '✓ done' #be3f48",
        "  looks  '✓ done' #be3f48 bold",
    ]
