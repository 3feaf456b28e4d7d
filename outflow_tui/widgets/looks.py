"""A look of the style sheet, found out when something is first drawn in it.

Textual works out all component classes of a widget whenever it works out its styles; of the many
looks of a list few are ever seen.
"""

from __future__ import annotations

from textual.css.styles import RenderStyles
from textual.dom import DOMNode
from textual.widget import Widget


def look_of(widget: Widget, name: str) -> RenderStyles:
    """What the style sheet says of a part of a widget with this class; good until the widget's styles change."""
    part = DOMNode(classes=name)
    part._attach(widget)
    widget.app.stylesheet.apply(part, animate=False)
    return part.styles
