"""What Outflow has to know about the test pipeline."""

from pathlib import Path

from outflow.core.pipeline.default_settings import *  # noqa: F403

# Outflow wants a text here and a Path there.
ROOT_DIRECTORY = str(Path(__file__).resolve().parent)
TEMP_DIR = Path(ROOT_DIRECTORY) / "temporary"
PLUGINS = ["outflow.management", "survey"]
