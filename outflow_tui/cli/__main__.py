"""`python -m outflow_tui.cli`, the same as `outflow-tui`."""

import sys

from outflow_tui.cli import main

sys.exit(main())
