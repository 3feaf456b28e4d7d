"""The answers for scripts and pipes: plain objects for JSON, aligned text for people; no screen."""

from outflow_tui.reports.differences import diff_text
from outflow_tui.reports.objects import (
    as_json,
    block_object,
    cause_object,
    diff_object,
    line_object,
    shape_object,
)

__all__ = ["as_json", "block_object", "cause_object", "diff_object", "diff_text", "line_object", "shape_object"]
