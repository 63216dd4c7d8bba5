"""Statements are kept for good, weighed for each customer, and every change leaves a trail (X19)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from stokly_sync.contracts.consent import CONSENTS
from stokly_sync.flow import Choice, Statement
from stokly_sync.landing.consent import Keeper
from stokly_sync.warehouse.bulk import merge
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import CONSENT_CHANGES, CONSENT_STATEMENTS, LANDED, LEDGER
from stokly_sync.warehouse.windows import owed

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
IN, OUT = Choice.IN, Choice.OUT


def minutes(number: int) -> datetime:
    return T0 + timedelta(minutes=number)


def keeper(warehouse: Warehouse, **owners: str) -> Keeper:
    return Keeper(warehouse, owners or {"email": "stokly"}, T0 - timedelta(days=1), "run")


def land(warehouse: Warehouse, customer: str = "C1", email: str = "c1@example.com", **changes: Any) -> None:
    row = {
        "customer_id": customer,
        "email": email,
        "live": True,
        "content_hash": "h",
        "version": T0,
        "window_start": T0,
        "landed_at": T0,
        **changes,
    }
    with warehouse.transaction() as conn:
        merge(conn, LANDED["stokly.customers"], pd.DataFrame([row], dtype=object), fixed={"brand": warehouse.brand})


def table(warehouse: Warehouse, of: sa.Table, *columns: str) -> list[tuple[Any, ...]]:
    query = sa.select(*(of.c[name] for name in columns)).where(of.c.brand == warehouse.brand)
    with warehouse.reading() as conn:
        return sorted((tuple(row) for row in conn.execute(query)), key=repr)


def holds(warehouse: Warehouse) -> dict[str, tuple[str, str]]:
    """Choice and source for e-mail by customer."""
    rows = table(warehouse, LANDED[CONSENTS.name], "customer_id", "email_choice", "email_source")
    return {customer: (choice, source) for customer, choice, source in rows}


def out(email: str, at: datetime | None = T0) -> Statement:
    return Statement("email", OUT, at, email=email, reason="left")


def stating(choice: Choice) -> Callable[[pd.DataFrame], list[Statement]]:
    """What the source's customers state, without a time."""
    return lambda rows: [Statement("email", choice, None, customer) for customer in rows["customer_id"]]


def test_an_opt_out_read_back_holds_for_the_customer_with_the_address(warehouse: Warehouse) -> None:
    land(warehouse)
    assert keeper(warehouse).take("there", [out("C1@Example.com")], asked_at=minutes(5)) == (1, 1)
    assert holds(warehouse) == {"C1": ("out", "there")}
    trail = ("customer_id", "channel", "before", "after", "system", "said_at", "run_id")
    assert table(warehouse, CONSENT_CHANGES, *trail) == [("C1", "email", None, "out", "there", T0, "run")]
    assert not any("@" in str(row) for row in table(warehouse, CONSENT_STATEMENTS, "person", "reason", "statement_id"))


def test_hearing_the_same_again_changes_nothing(warehouse: Warehouse) -> None:
    land(warehouse)
    said = [out("c1@example.com"), Statement("email", OUT, None, "C1")]
    keeper(warehouse).take("there", said, asked_at=minutes(5))
    before = table(warehouse, CONSENT_STATEMENTS, "statement_id", "seen_at")
    assert keeper(warehouse).take("there", said, asked_at=minutes(20)) == (0, 0)
    assert table(warehouse, CONSENT_STATEMENTS, "statement_id", "seen_at") == before
    assert len(table(warehouse, CONSENT_CHANGES, "change_id")) == 1


def test_an_opt_out_waits_for_its_person_to_become_a_customer(warehouse: Warehouse) -> None:
    keeper(warehouse).take("there", [out("new@example.com")], asked_at=T0)
    assert holds(warehouse) == {}
    land(warehouse, "C9", "New@example.com", landed_at=minutes(1))
    assert keeper(warehouse).look_over("stokly", None, now=minutes(2)) == 1
    assert holds(warehouse) == {"C9": ("out", "there")}


def test_an_opt_out_stays_with_the_customer_who_takes_another_address(warehouse: Warehouse) -> None:
    land(warehouse)
    keeper(warehouse).take("there", [out("c1@example.com")], asked_at=T0)
    land(warehouse, email="other@example.com", landed_at=minutes(1))
    keeper(warehouse).look_over("stokly", None, now=minutes(2))
    assert holds(warehouse) == {"C1": ("out", "there")}


def test_a_choice_without_a_time_has_that_of_its_first_sight(warehouse: Warehouse) -> None:
    land(warehouse)
    one = keeper(warehouse)
    for minute, choice in ((1, IN), (6, IN), (11, OUT), (16, IN)):
        land(warehouse, landed_at=minutes(minute))
        one.look_over("stokly", stating(choice), now=minutes(minute))
    said = table(warehouse, CONSENT_STATEMENTS, "said_at", "choice")
    assert said == [(minutes(1), "in"), (minutes(11), "out"), (minutes(16), "in")]
    assert holds(warehouse) == {"C1": ("in", "stokly")}
    changes = table(warehouse, CONSENT_CHANGES, "changed_at", "before", "after")
    assert changes == [(minutes(1), None, "in"), (minutes(11), "in", "out"), (minutes(16), "out", "in")]


def test_without_an_owner_statements_are_kept_and_nothing_is_owed(warehouse: Warehouse) -> None:
    land(warehouse)
    nobody = Keeper(warehouse, {}, T0, "run")
    assert nobody.take("there", [out("c1@example.com")], asked_at=T0) == (1, 0)
    assert nobody.look_over("stokly", None) == 0
    with warehouse.reading() as conn:
        assert owed(conn, brand=warehouse.brand, feed="x/consents", datasets=[CONSENTS.name]) == []
    assert keeper(warehouse).look_over("stokly", None, now=minutes(1)) == 1, "an owner that is set later finds them"
    with warehouse.reading() as conn:
        assert len(owed(conn, brand=warehouse.brand, feed="x/consents", datasets=[CONSENTS.name])) == 1


@pytest.mark.parametrize(("minute", "kept"), [(1, 0), (10, 1)])
def test_what_we_passed_on_ourselves_is_no_choice_made_there(warehouse: Warehouse, minute: int, kept: int) -> None:
    land(warehouse)
    keeper(warehouse).take("here", [out("c1@example.com")], asked_at=T0)
    sent = {"feed": "there/consents", "key": "C1", "entry": 0, "state": "accepted", "sent_at": T0, "accepted_at": T0}
    with warehouse.transaction() as conn:
        merge(conn, LEDGER, pd.DataFrame([{**sent, "stale": False}], dtype=object), fixed={"brand": warehouse.brand})
    told = keeper(warehouse).take("there", [out("c1@example.com", minutes(minute))], asked_at=minutes(15))
    assert told[0] == kept


def test_a_system_is_asked_from_a_little_before_its_last_answer_on(warehouse: Warehouse) -> None:
    one = keeper(warehouse)
    assert one.since("there") is None
    one.take("there", [], asked_at=T0)
    since = one.since("there")
    assert since is not None
    assert timedelta(0) < T0 - since <= timedelta(minutes=10)
    assert one.since("elsewhere") is None


def test_a_system_that_owns_a_channel_by_now_is_asked_for_everything_once(warehouse: Warehouse) -> None:
    keeper(warehouse, email="stokly").take("emarsys", [], asked_at=minutes(0))
    owner = keeper(warehouse, email="emarsys")
    assert (owner.owned("emarsys"), owner.owned("stokly")) == (("email",), ())
    assert owner.since("emarsys") is None
    owner.take("emarsys", [], asked_at=minutes(1))
    assert owner.since("emarsys") is not None
    assert keeper(warehouse, email="stokly").since("emarsys") is not None
