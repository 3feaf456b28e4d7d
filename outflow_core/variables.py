"""`${NAME}` and `${NAME:-default}` in the values of a configuration; pure but for the environment."""

from __future__ import annotations

import os
import re

from outflow_core.errors import ConfigError

_VARIABLE = re.compile(r"(\$\$\{)|\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}")


def with_variables(where: str, text: str) -> str:
    """The text with `${NAME}` and `${NAME:-default}` replaced from the environment; `$${` stands for `${`."""

    def value(found: re.Match[str]) -> str:
        escaped, name, default = found.groups()
        if escaped:
            return "${"
        if name not in os.environ and default is None:
            raise ConfigError(
                f"{where}: the environment variable {name} is not set; set it, or write ${{{name}:-default}}."
            )
        return os.environ.get(name, default or "")

    return _VARIABLE.sub(value, text)


def comes_from_environment(text: str) -> bool:
    """Whether a variable of the environment has a part in what the text stands for."""
    return any(name in os.environ for _, name, _ in _VARIABLE.findall(text) if name)
