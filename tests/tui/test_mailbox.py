"""What pollers post, and what is held back while an editor has the terminal."""

from __future__ import annotations

from threading import Thread

from outflow_tui.mailbox import Mailbox
from outflow_tui.messages import Seen
from outflow_tui.snapshot import Snapshot


def test_what_comes_in_while_the_rest_is_handed_on_stays_the_last() -> None:
    posted: list[Seen] = []
    late = Thread(target=lambda: box.receive(1, Snapshot("new")))

    def post(seen: Seen) -> None:
        if not posted:
            late.start()
            late.join(0.2)
        posted.append(seen)

    box = Mailbox(post)
    with box.holding():
        box.receive(0, Snapshot("other"))
        box.receive(1, Snapshot("old"))
        assert not posted
    late.join()
    assert [seen.snapshot.source for seen in posted] == ["other", "old", "new"]
