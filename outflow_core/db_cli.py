"""The command `outflow-db`: makes and changes the tables of every database of a configuration."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from outflow_core import db_verbs
from outflow_core.db_parser import db_parser
from outflow_core.errors import OutflowError
from outflow_core.faults import fault, refused
from outflow_core.interrupts import ENDED, heard_at_once


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when all is well, 2 on trouble, told in one sentence on standard error; 130 by Ctrl-C."""
    options = db_parser().parse_args(arguments)
    try:
        with heard_at_once():
            return db_verbs.VERBS[options.verb](options)
    except OutflowError as error:
        return db_verbs.complain([str(error)])
    except KeyboardInterrupt:
        db_verbs.complain(["Stopped; what was not finished yet stays as it was."])
        return ENDED
    except OSError as error:
        return db_verbs.complain([f"{refused(error)}."])
    except Exception as error:  # its message, and what stands in its frames, may hold a password
        return db_verbs.complain(
            [f"{fault(error)}. In a file of the pipeline it can be mended there; else please report it."]
        )


if __name__ == "__main__":
    sys.exit(main())
