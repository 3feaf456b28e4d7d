"""Secrets looked for in what others may see, in every form in which they could be written."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from urllib.parse import quote


def forms(secret: str) -> set[str]:
    """A secret as it could be written."""
    written = {secret, quote(secret, safe=""), quote(secret), repr(secret)[1:-1], json.dumps(secret)[1:-1]}
    plain = {base64.b64encode(secret.encode()).decode().rstrip("="), secret.encode().hex()}
    return written | plain | {secret[: len(secret) - 2]}


def leaked(told: str, secrets: Iterable[str]) -> list[str]:
    """Which secrets stand in a text, in any form.

    >>> leaked("user=me:s3cr%40t", ["s3cr@t", "other"])
    ['s3cr@t']
    """
    return [secret for secret in secrets if any(form in told for form in forms(secret))]
