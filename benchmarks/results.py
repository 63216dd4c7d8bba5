"""Lines of results: what was measured, beside what, and whether it reaches the target; as text and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One line: `figure` is the value in words; `target` and `met` only where something is to be reached."""

    what: str
    figure: str
    target: str = ""
    met: bool | None = None

    @property
    def verdict(self) -> str:
        """The target with whether it is met."""
        return self.target if self.met is None else f"{self.target}: {'met' if self.met else 'MISSED'}"


@dataclass(frozen=True)
class Report:
    """The results of one benchmark."""

    name: str
    title: str
    lines: Sequence[Line]

    def text(self) -> str:
        """Aligned columns for a terminal."""
        width = max((len(line.what) for line in self.lines), default=0)
        figure = max((len(line.figure) for line in self.lines), default=0)
        body = (f"  {line.what:<{width}}  {line.figure:<{figure}}  {line.verdict}".rstrip() for line in self.lines)
        return "\n".join([f"{self.name}: {self.title}", *body])

    def markdown(self) -> str:
        """A heading and a table."""
        rows = [f"| {line.what} | {line.figure} | {line.verdict} |" for line in self.lines]
        return "\n".join([f"### {self.title}", "", "| what | figure | target |", "| --- | --- | --- |", *rows])


def at_least(what: str, value: float, target: float, *, wanted: float | None = None, unit: str = "") -> Line:
    """A line whose value must reach a target; `wanted` is where we would like to be."""
    text = f"at least {target:g}{unit}" + (f" ({wanted:g}{unit} wanted)" if wanted else "")
    return Line(what, f"{value:.2f}{unit}", text, value >= target)


def at_most(what: str, value: float, target: float, *, unit: str = "") -> Line:
    """A line whose value must stay at or under a target."""
    return Line(what, f"{value:.2f}{unit}", f"at most {target:g}{unit}", value <= target)
