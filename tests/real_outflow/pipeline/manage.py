"""Command line of the test pipeline; run it in a copy, since it writes beside itself."""

import sys
from pathlib import Path

from outflow.core.pipeline import Pipeline

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Run the command named on the command line and return its exit code."""
    sys.path.insert(0, str(HERE))
    with Pipeline(root_directory=str(HERE), settings_module="settings") as pipeline:
        return int(pipeline.run())


if __name__ == "__main__":
    sys.exit(main())
