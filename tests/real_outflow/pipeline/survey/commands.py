"""Commands of the test pipeline."""

# mypy: disable-error-code="misc"
# Outflow is not installed where the types are checked.

from outflow.core.commands import Command, RootCommand
from outflow.core.workflow import Workflow
from outflow.library.workflows import MapWorkflow

from . import tasks


@RootCommand.subcommand()
class Plain(Command):
    """Three ordinary tasks, one after the other."""

    def setup_tasks(self) -> None:
        """Chain the tasks."""
        tasks.Count() >> tasks.Scale() >> tasks.Announce()


@RootCommand.subcommand()
class Mapped(Command):
    """A map over many items, some of which may fail without failing the run."""

    def add_arguments(self) -> None:
        """Declare how many items there are and what becomes of them."""
        self.add_argument("--items", type=int, default=10, help="number of items")
        self.add_argument("--kind", choices=("int", "str", "dict"), default="int")
        self.add_argument("--pause", type=float, default=0.0, help="seconds for each item")
        self.add_argument("--fail-every", type=int, default=0, help="0: no item fails")

    def setup_tasks(self) -> None:
        """Put one task into the map and one on each side of it."""
        with MapWorkflow(map_on={"items": "item"}) as each_item:
            tasks.ProcessItem()
        tasks.ListItems() >> each_item >> tasks.Report()


@RootCommand.subcommand()
class Broken(Command):
    """A task that fails with a chained exception, behind one that succeeds."""

    def setup_tasks(self) -> None:
        """Chain the tasks."""
        tasks.Count() >> tasks.ReadFile()


class FileCommand(Command):
    """A map over files of which one may fail, or end the process."""

    def add_arguments(self) -> None:
        """Declare which step fails on which file, as `fit n2.fits`."""
        self.add_argument("--fail", default="")
        self.add_argument("--kill", default="")


@RootCommand.subcommand()
class Chained(FileCommand):
    """Two tasks for each file."""

    def setup_tasks(self) -> None:
        """Chain the tasks inside the map."""
        with MapWorkflow(map_on={"files": "file"}, no_outputs=True) as each_file:
            tasks.Fetch() >> tasks.Fit()
        tasks.ListFiles() >> each_file


@RootCommand.subcommand()
class Nested(FileCommand):
    """A task and a workflow for each file."""

    def setup_tasks(self) -> None:
        """Put a workflow into the map, defined before the task that it comes after."""
        with MapWorkflow(map_on={"files": "file"}, no_outputs=True) as each_file:
            with Workflow() as inner:
                tasks.Fit()
            tasks.Fetch() >> inner
        tasks.ListFiles() >> each_file


@RootCommand.subcommand()
class MapOfMaps(FileCommand):
    """A map over the parts of each file."""

    def setup_tasks(self) -> None:
        """Put a map into the map: it is a success whatever its items are."""
        with MapWorkflow(map_on={"files": "file"}, no_outputs=True) as each_file:
            with MapWorkflow(map_on={"parts": "part"}, no_outputs=True) as each_part:
                tasks.FitPart()
            tasks.Fetch() >> tasks.Split() >> each_part
        tasks.ListFiles() >> each_file


@RootCommand.subcommand()
class Commits(Command):
    """One task that goes on changing the states of blocks, each change a commit, and tells how that went."""

    def add_arguments(self) -> None:
        """Declare how long, how fast, and where to tell."""
        self.add_argument("--seconds", type=float, default=1.0)
        self.add_argument("--pause", type=float, default=0.0, help="seconds between two commits")
        self.add_argument("--report", default="report.json")

    def setup_tasks(self) -> None:
        """Only the one task."""
        tasks.CommitOn()
