"""The command line: the screen, and the same answers for scripts.

Every command imports only what it needs: the screen costs no script its start, nor a script the screen.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from outflow_core.answers import give_up
from outflow_core.errors import OutflowError
from outflow_tui import start
from outflow_tui.cli import parsers
from outflow_tui.cli.arguments import TROUBLE
from outflow_tui.cli.commands import COMMANDS
from outflow_tui.cli.printing import warn


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; the exit status is 0, 2 on trouble, or what the command's help tells."""
    words = parsers.command_first(list(sys.argv[1:] if arguments is None else arguments))
    if sys.stdout is None or sys.stderr is None:  # closed by the caller: there is nobody to tell
        return TROUBLE
    start.begin()
    try:
        return _run(words)
    except OutflowError as error:
        warn(" ".join(str(error).split("\n")))
        return TROUBLE
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        give_up(sys.stdout)
        return 0
    except OSError as error:
        from outflow_core.faults import refused

        warn(f"{refused(error)}.")
        return TROUBLE
    except Exception as error:  # its message, and what stands in its frames, is not for everybody's eyes
        from outflow_core.faults import PLEASE, fault

        warn(f"{fault(error)}. {PLEASE}.")
        return TROUBLE
    finally:
        start.over()


def _run(words: Sequence[str]) -> int:
    command = COMMANDS.get(words[0]) if words else None
    if command is not None:
        from outflow_core.interrupts import heard_at_once

        options = parsers.command_parser(command).parse_args(words[1:])
        with heard_at_once():
            return command.answer(options)
    from outflow_tui.cli.screen import show_screen

    return show_screen(parsers.screen_parser().parse_args(words))
