"""The empty Textual app: one word, so that its first frame can be seen; with an argument a timer of so many seconds."""

import sys

from textual.app import App
from textual.screen import Screen


class Ready(Screen[None]):
    """One word."""

    def render(self) -> str:
        """The word that is waited for."""
        return "ready"

    def on_mount(self) -> None:
        """Start the timer, if one is asked for."""
        if len(sys.argv) > 1:
            self.set_interval(float(sys.argv[1]), lambda: None)


class EmptyApp(App[None]):
    """Nothing else."""

    def get_default_screen(self) -> Screen[None]:
        """The one screen."""
        return Ready()


EmptyApp().run()
