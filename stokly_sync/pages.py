"""Pages of text for people: Markdown from a template, HTML from that Markdown.

For reports that are kept, printed and sent, not for the dashboard. Jinja writes and markdown-it turns; both come with
what the project needs anyway. No facts in here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt

_STYLE: Final = """\
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1c2733 }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem } h3 { font-size: 1rem; margin-top: 1.5rem }
table { border-collapse: collapse; width: 100% } th, td { padding: .3rem .6rem; text-align: left; vertical-align: top }
th { border-bottom: 2px solid #c9d3dc; font-weight: 600 } td { border-bottom: 1px solid #e6ebf0 }
code { background: #f1f4f7; padding: 0 .25rem; border-radius: 3px }
"""
_MINUTE: Final = 60
_HOUR: Final = 3_600
_DAY: Final = 86_400


def markdown(package: str, template: str, *, zone: ZoneInfo, **values: Any) -> str:
    """A page of Markdown from a template that lies in a package; times are written in `zone`."""
    environment = Environment(
        loader=PackageLoader(package, "."),
        # Markdown, not HTML: what could be HTML in a cell is left to the one that turns it, which passes none through.
        autoescape=False,  # noqa: S701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "cell": lambda text: str(text).replace("|", "\\|").replace("\n", " "),
        "moment": lambda at: _moment(at, zone),
        "count": _count,
        "span": span,
        "number": lambda value: f"{value:,}",
    }
    return environment.get_template(template).render(**values).strip() + "\n"


def html(text: str, *, title: str) -> str:
    """A page of Markdown as one HTML document that loads nothing; HTML inside the text is shown as text."""
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    head = Environment(autoescape=True).from_string("<title>{{ title }}</title>").render(title=title)
    return f'<!doctype html>\n<html lang="en"><meta charset="utf-8">{head}<style>{_STYLE}</style>\n{body}</html>\n'


def span(seconds: float) -> str:
    """A length of time in the unit in which people would say it."""
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        return f"{seconds / _HOUR:.0f} h"
    return f"{seconds / _DAY:,.0f} days"


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def _count(counts: Mapping[str, int], name: str) -> str:
    return f"{counts.get(name, 0):,}"
