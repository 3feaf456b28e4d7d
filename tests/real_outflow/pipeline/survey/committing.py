"""State changes by Outflow's own models in Outflow's own session, each a commit: how many went well, and how long each took."""

# mypy: ignore-errors

import time
import uuid
from datetime import datetime

from outflow.core.pipeline import context
from outflow.management.models.block import Block
from outflow.management.models.run import Run
from outflow.management.models.runtime_exception import RuntimeException
from sqlalchemy.exc import OperationalError

ITEMS = 100


class Committing:
    """Blocks made a hundred at a time, as a map makes them; each begins and ends, some fail."""

    def __init__(self, pause):
        """Nothing is committed yet."""
        self.pause = pause
        self.done = {"blocks": 0, "commits": 0, "failed": 0, "exceptions": 0, "errors": []}
        self.longest = 0.0

    def go_on(self, until):
        """One hundred blocks after the other."""
        self.run_id = context.session.query(Run.id).order_by(Run.id.desc()).first()[0]
        context.session.rollback()
        while time.monotonic() < until:
            blocks = [self.block(number) for number in range(ITEMS)]
            if self.commits(lambda: (context.session.add_all(blocks), context.session.commit())):
                self.done["blocks"] += ITEMS
                self.execute(blocks)
            for block in blocks:
                context.session.expunge(block)
        return {**self.done, "longest": self.longest}

    def block(self, number):
        """One pending item."""
        values = {"item": f'"frame_{number:03}.fits"'}
        return Block(
            uuid=str(uuid.uuid4()), type="task", plugin="survey", name="Reduce", run_id=self.run_id, input_values=values
        )

    def execute(self, blocks):
        """Begin and end each."""
        for number, block in enumerate(blocks):
            self.commits(block.start)
            self.commits(block.fail if number % 10 == 9 else block.success)
            if number % 10 == 9 and self.commits(lambda block=block: self.tell_why(block)):
                self.done["exceptions"] += 1

    def tell_why(self, block):
        """The exception of a block that failed."""
        words = {"exception_type": "ValueError", "exception_msg": "ValueError: no stars", "traceback": "ValueError: no stars"}
        context.session.add(RuntimeException(block_id=block.id, time=datetime.now(), **words))
        context.session.commit()

    def commits(self, change):
        """Whether a change went well; how long it took is kept."""
        time.sleep(self.pause)
        began = time.monotonic()
        try:
            change()
        except OperationalError as error:
            context.session.rollback()
            self.done["failed"] += 1
            self.done["errors"].append(str(error)[:200])
            return False
        finally:
            self.longest = max(self.longest, time.monotonic() - began)
        self.done["commits"] += 1
        return True
