"""The reference pages say what the code says, and the README's links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stokly_sync.cli import reference
from stokly_sync.flow import Team

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("page", ["settings", "rules"])
def test_a_reference_page_is_what_its_command_prints(page: str) -> None:
    made = {"settings": reference.settings, "rules": reference.rules}[page]()
    assert (ROOT / "docs" / f"{page}.md").read_text("utf-8") == made, (
        f"run: stokly-sync {page} --markdown > docs/{page}.md"
    )


@pytest.mark.parametrize("team", list(Team))
def test_a_teams_page_of_the_manual_lists_its_rules_as_they_are(team: Team) -> None:
    page = (ROOT / "docs" / "operations" / f"{team.value}.md").read_text("utf-8")
    assert reference.manual(team, page) == page, "run: stokly-sync rules --manual docs/operations"


@pytest.mark.parametrize(
    "page", sorted(p.relative_to(ROOT).as_posix() for p in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))
)
def test_links_and_pictures_lead_to_files(page: str) -> None:
    path = ROOT / page
    targets = re.findall(r"\]\(([^)#\s]+)\)", path.read_text("utf-8"))
    missing = [t for t in targets if "://" not in t and not (path.parent / t).exists()]
    assert missing == []
