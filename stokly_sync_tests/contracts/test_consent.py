"""What holds of consent: opt-outs from anywhere, opt-ins of the owner alone (X19)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stokly_sync.contracts.consent import Said, holding
from stokly_sync.contracts.owners import person
from stokly_sync.flow import Choice, Statement

T0 = datetime(2026, 3, 1, tzinfo=UTC)
IN, OUT = Choice.IN, Choice.OUT


def said(*told: tuple[Choice, int, str]) -> list[Said]:
    return [Said(choice, T0 + timedelta(minutes=minute), system) for choice, minute, system in told]


@pytest.mark.parametrize(
    ("told", "holds"),
    [
        ([], None),
        ([(IN, 0, "owner")], IN),
        ([(IN, 0, "other")], None),
        ([(OUT, 0, "other")], OUT),
        ([(IN, 0, "owner"), (OUT, 1, "other")], OUT),
        ([(OUT, 0, "other"), (IN, 1, "owner")], IN),
        ([(OUT, 0, "other"), (IN, 1, "other")], OUT),
        ([(IN, 0, "owner"), (OUT, 0, "other")], OUT),
        ([(IN, 2, "owner"), (OUT, 1, "owner"), (OUT, 3, "other")], OUT),
    ],
)
def test_the_newest_opt_out_holds_until_the_owner_states_a_later_opt_in(
    told: list[tuple[Choice, int, str]], holds: Choice | None
) -> None:
    found = holding(said(*told), "owner")
    assert (found.choice if found else None) == holds


told_by = st.tuples(st.sampled_from([IN, OUT]), st.integers(0, 9), st.sampled_from(["owner", "other"]))


@given(st.lists(told_by), st.randoms())
def test_the_order_in_which_statements_are_heard_does_not_matter(
    told: list[tuple[Choice, int, str]], random: object
) -> None:
    shuffled = list(told)
    getattr(random, "shuffle")(shuffled)  # noqa: B009 - a Random, which hypothesis does not type
    one, other = holding(said(*told), "owner"), holding(said(*shuffled), "owner")
    assert (one and (one.choice, one.at)) == (other and (other.choice, other.at))


def test_an_address_is_the_same_person_in_any_case_and_is_not_shown() -> None:
    assert person(" Buyer@Example.com") == person("buyer@example.com")
    assert "@" not in person("buyer@example.com")
    assert "buyer" not in repr(Statement("email", OUT, T0, email="buyer@example.com"))
