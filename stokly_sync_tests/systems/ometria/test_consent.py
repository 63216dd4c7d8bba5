"""Who left Ometria by themselves, and choices that were made elsewhere (X19)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stokly_sync.contracts.consent import Told
from stokly_sync.flow import Choice
from stokly_sync.systems.ometria import OmetriaSettings
from stokly_sync.systems.ometria.consent import choices, document
from stokly_sync_tests.systems.ometria.bench import Bench

T0 = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SETTINGS = OmetriaSettings()


def told(channel: str, choice: Choice) -> Told:
    return Told("C1", "c1@example.com", {channel: (choice, T0)})


def test_who_leaves_is_read_back_with_its_time(bench: Bench) -> None:
    bench.system.unsubscribe("left@example.com")
    (one,) = choices(bench.client(), None)
    assert (one.channel, one.choice, one.email) == ("email", Choice.OUT, "left@example.com")
    assert one.said_at is not None
    assert abs(one.said_at - bench.system.clock.now()) < timedelta(seconds=1)
    assert list(choices(bench.client(), bench.system.clock.now() + timedelta(minutes=1))) == []


def test_a_choice_is_merged_into_the_contact_of_our_own_collection() -> None:
    assert document(told("email", Choice.OUT), SETTINGS) == {
        "@type": "contact",
        "@collection": "stokly",
        "@merge": True,
        "id": "C1",
        "customer_id": "C1",
        "email": "c1@example.com",
        "marketing_optin": "EXPLICITLY_OPTEDOUT",
        "timestamp_unsubscribed": "2026-03-01T09:30:00Z",
    }
    texts = document(told("sms", Choice.IN), SETTINGS)
    assert texts["channels"] == {"sms": {"allow_marketing": True, "dt_updated_marketing": "2026-03-01T09:30:00Z"}}
    assert "marketing_optin" not in texts


@pytest.mark.parametrize("choice", list(Choice))
@pytest.mark.parametrize("force", [False, True])
def test_only_an_opt_in_is_forced_and_only_where_the_settings_say_so(choice: Choice, force: bool) -> None:
    body = document(told("email", choice), OmetriaSettings(force_optin=force))
    assert ("@force_optin" in body) is (force and choice is Choice.IN)


def test_who_opts_in_is_read_back_where_ometria_owns_the_channel_and_not_what_we_wrote(bench: Bench) -> None:
    bench.system.subscribe("came@example.com")
    bench.system.subscribe("ours@example.com", collection="stokly")
    now = bench.system.clock.now()
    for since in (None, now - timedelta(minutes=1)):
        (one,) = choices(bench.client(), since, ["email"])
        assert (one.choice, one.email) == (Choice.IN, "came@example.com")
        assert one.said_at is not None
        assert abs(one.said_at - now) < timedelta(seconds=5)
        assert list(choices(bench.client(), since)) == []


def test_only_the_newest_pages_are_read_for_opt_ins(bench: Bench) -> None:
    for number in range(10):
        bench.system.subscribe(f"came.{number}@example.com")
    client = bench.client(read_page=3)
    before = client.calls
    told = list(choices(client, bench.system.clock.now() + timedelta(minutes=1), ["email"]))
    assert len(told) == 3
    assert client.calls - before == 3
