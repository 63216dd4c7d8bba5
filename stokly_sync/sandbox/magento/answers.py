"""An answer as XML, for callers that accept nothing else.

Belongs here: the one other media type of the API. Source: Magento API contract 3.
"""

from typing import Any
from xml.sax.saxutils import escape


def as_xml(content: Any) -> str:
    """The answer in a `response` element; the rows of an array are `item` elements."""
    return f'<?xml version="1.0"?>\n<response>{_inside(content)}</response>\n'


def _inside(content: Any) -> str:
    match content:
        case dict():
            return "".join(f"<{name}>{_inside(value)}</{name}>" for name, value in content.items())
        case list():
            return "".join(f"<item>{_inside(value)}</item>" for value in content)
        case bool():
            return "true" if content else "false"
        case None:
            return ""
        case _:
            return escape(str(content))
