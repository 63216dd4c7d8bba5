"""Who was erased, told without anybody: when, by whom, and what each system answered (X14).

Read from the audit trail and from the answers, which know people by digest alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from stokly_sync.operations.audit import Action
from stokly_sync.operations.desk import Desk
from stokly_sync.operations.erasing import BY_HAND, DONE, FAILED, OURS
from stokly_sync.warehouse.bulk import among
from stokly_sync.warehouse.erasures import Answer
from stokly_sync.warehouse.tables import ACTIONS, ERASURE_ANSWERS

MOST: Final = 200
"""So many people are listed, those that were erased last."""


@dataclass(frozen=True)
class Erasure:
    """One person by digest: first and last time (UTC) of the erasure, who ran it last, and what every system said."""

    person: str
    first: datetime
    last: datetime
    actor: str
    answers: Sequence[Answer]

    @property
    def failed(self) -> bool:
        """Whether the erasure has to be run again."""
        return any(answer.state == FAILED for answer in self.answers)

    @property
    def waits(self) -> bool:
        """Whether a system has not said yet that it is done."""
        return any(answer.state not in (DONE, BY_HAND) for answer in self.answers)


def erasures(desk: Desk) -> list[Erasure]:
    """The people who were erased last, the newest first."""
    a = ACTIONS.c
    mine = (a.brand == desk.brand, a.subject == OURS, a.action == Action.ERASE.value)
    last = sa.func.max(a.at)
    people = sa.select(a.key, sa.func.min(a.at), last).where(*mine).group_by(a.key)
    with desk.warehouse.reading() as conn:
        found = list(conn.execute(people.order_by(last.desc(), a.key).limit(MOST)))
        keys = [row[0] for row in found]
        ran = sa.select(a.key, a.actor).where(*mine, among(conn, a.key, keys)).order_by(a.at)
        actors = {row.key: row.actor for row in conn.execute(ran)}
        said = _answers(conn, desk.brand, keys)
    return [Erasure(key, first, at, actors[key], said.get(key, ())) for key, first, at in found]


def _answers(conn: sa.Connection, brand: str, people: Sequence[str]) -> dict[str, list[Answer]]:
    c = ERASURE_ANSWERS.c
    query = sa.select(c.person, c.system, c.state, c.answer, c.receipt).where(c.brand == brand)
    found: dict[str, list[Answer]] = {}
    for person, *answer in conn.execute(query.where(among(conn, c.person, people)).order_by(c.person, c.system)):
        found.setdefault(person, []).append(Answer(*answer))
    return found
