"""Every rule of the catalogue is reached by a planted defect, stands on the dashboard with owner and advice, and in the
manual. A rule that is added without a way to reach it fails here."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path
from urllib.parse import urlencode

import pytest

from stokly_sync.contracts.rules import Rule
from stokly_sync.dashboard.access import access_for
from stokly_sync.dashboard.words import team
from stokly_sync.pipeline.by_hand import desk_of
from stokly_sync.pipeline.declared import all_rules
from stokly_sync.systems import SYSTEMS
from stokly_sync_tests.dashboard.site import Visitor, served
from stokly_sync_tests.rules.table import TABLE, WORLDS
from stokly_sync_tests.rules.worlds import Kept, kept_back, lived

CATALOGUE = all_rules(SYSTEMS)
MANUAL = Path(__file__).parents[2] / "docs" / "operations"


def test_every_rule_of_the_catalogue_is_planted_and_nothing_else() -> None:
    assert set(TABLE) == set(CATALOGUE)
    assert {plant.world for plant in TABLE.values()} == set(WORLDS)


def test_every_rule_stands_in_the_manual_of_its_owner_with_its_advice() -> None:
    pages = {rule.owner: (MANUAL / f"{rule.owner.value}.md").read_text("utf-8") for rule in CATALOGUE.values()}
    for rule in CATALOGUE.values():
        assert f"| `{rule.code}` | {rule.problem} | {rule.advice} |" in pages[rule.owner]


@pytest.mark.sandbox
@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", WORLDS)
def test_every_planted_rule_keeps_its_record_back_and_is_shown(
    name: str, tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(migrated_sqlite, tmp_path / "warehouse.sqlite")
    access = access_for(host="127.0.0.1", url="http://127.0.0.1:3001", users={}, session_key=None)
    with lived(name, WORLDS[name], TABLE, f"sqlite:///{tmp_path / 'warehouse.sqlite'}") as (world, planted):
        kept = kept_back(world.services)
        missing = {rule: keys - {one.key for one in kept.get(rule, [])} for rule, keys in planted.items()}
        wrong = {rule: keys - {None} for rule, keys in missing.items() if keys - {None} or rule not in kept}
        assert wrong == {}, "planted, and not kept back by the rule"
        with served(desk_of(world.services), access) as address:
            visitor = Visitor(address)
            for rule, keys in planted.items():
                chosen = next(one for one in kept[rule] if one.key in keys or keys == {None})
                _is_shown(visitor, CATALOGUE[rule], chosen)


def _is_shown(visitor: Visitor, rule: Rule, kept: Kept) -> None:
    """The list of the rule has the record, and its page says what is wrong, whose it is, and what to do."""
    if kept.listed:
        asked = {"rule": rule.code, "state": kept.state, "owner": "all"}
        page = {"subject": kept.subject, "key": kept.key, "rule": rule.code}
        _says(visitor, f"/?{urlencode(asked)}", rule.problem, rule.code, kept.key, team(rule.owner))
        _says(visitor, f"/exception?{urlencode(page)}", rule.problem, rule.advice, kept.key, team(rule.owner))
    else:
        asked = {"rule": rule.code, "feed": kept.subject}
        _says(visitor, f"/waiting?{urlencode(asked)}", rule.problem, rule.advice, kept.key, team(rule.owner))


def _says(visitor: Visitor, path: str, *words: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 200, path
    main = answer.text[answer.text.index("<main>") :]
    text = _plain(html.unescape(re.sub(r"<[^>]+>", " ", main)))
    assert [word for word in words if _plain(word) not in text] == [], path


def _plain(text: str) -> str:
    """Every run of white space once, as a page shows it."""
    return " ".join(text.split())
