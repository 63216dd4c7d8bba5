"""Customers as contacts: who becomes one, and what is said about them."""

from __future__ import annotations

from typing import Any

import pytest

from stokly_sync.contracts.owners import split_name
from stokly_sync.systems.ometria.documents import build_contacts
from stokly_sync.systems.ometria.documents.contacts import e164
from stokly_sync.systems.ometria.settings import OmetriaSettings
from stokly_sync_tests.systems.ometria.rows import T0, body, frames, rules

SETTINGS = OmetriaSettings()


def build(**row: Any) -> Any:
    return build_contacts(frames(customers=[row]), SETTINGS)


def test_a_contact_is_identified_by_the_customer_id_in_our_collection() -> None:
    built = build_contacts(frames(customers=[{}]), OmetriaSettings(collection="stokly_uk"))
    assert body(built) == {
        "@type": "contact",
        "@collection": "stokly_uk",
        "@merge": True,
        "id": "C1",
        "customer_id": "C1",
        "email": "buyer@example.com",
        "timestamp_acquired": "2026-03-01T09:30:00Z",
    }
    assert built.documents[0].key == "C1"
    assert built.documents[0].version == T0


def test_consent_is_never_part_of_a_contact() -> None:
    document = body(build(tags='["newsletter","opt-in"]', name="Customer 17850", phone="+447700900123"))
    assert not document.keys() & {"marketing_optin", "channels", "@force_optin", "timestamp_subscribed"}


@pytest.mark.parametrize("email", [None, "", "  "])
def test_a_customer_without_an_address_waits_for_cx(email: str | None) -> None:
    built = build(email=email)
    assert rules(built) == {"C1": "OM-CONTACT-EMAIL"}
    assert not built.documents


@pytest.mark.parametrize(
    ("row", "detail"),
    [
        ({"live": False}, "deleted in Stokly"),
        ({"live": False, "merged_into": "C2"}, "merged into another customer in Stokly"),
        # Without an address as well: nobody should be asked to repair a deleted customer.
        ({"live": False, "email": None}, "deleted in Stokly"),
    ],
)
def test_a_customer_who_is_gone_is_excluded_once(row: dict[str, Any], detail: str) -> None:
    built = build(**row)
    assert [(p.rule, p.detail) for p in built.kept_back] == [("OM-CUSTOMER-DELETED", detail)]
    assert not built.documents


@pytest.mark.parametrize(
    ("row", "first", "last"),
    [
        ({"forename": "Ann", "surname": "Other", "name": "Someone Else"}, "Ann", "Other"),
        ({"name": "Ann  B.  Other"}, "Ann B.", "Other"),
        ({"name": "Other"}, None, "Other"),
        # A company is not parted.
        ({"name": "Acme Trading Ltd", "customer_type": 1}, None, "Acme Trading Ltd"),
        ({"name": None}, None, None),
    ],
)
def test_names_are_taken_apart_only_for_people(row: dict[str, Any], first: str | None, last: str | None) -> None:
    document = body(build(**row))
    assert (document.get("firstname"), document.get("lastname")) == (first, last)
    assert split_name("", trade=False) == (None, None)


@pytest.mark.parametrize(
    ("phone", "country", "expected"),
    [
        ("+44 7700 900123", None, "+447700900123"),
        ("+44 (0)7700 900-123", "GB", "+447700900123"),
        ("07700 900123", "GB", "+447700900123"),
        # A national number without a country could be anybody's.
        ("07700 900123", None, None),
        ("07700 900123", "DE", None),
        ("0044 7700 900123", None, None),
        ("ext. 12", "GB", None),
        ("+44", "GB", None),
        (None, "GB", None),
    ],
)
def test_a_phone_number_is_sent_only_when_it_is_certain(
    phone: str | None, country: str | None, expected: str | None
) -> None:
    assert e164(phone, country) == expected


def test_mapped_properties_are_sent_with_their_type() -> None:
    settings = OmetriaSettings.model_validate(
        {"contact_properties": {"tier": "tags.tier:", "trade": {"source": "customer_type", "type": "flag"}}}
    )
    built = build_contacts(frames(customers=[{"tags": '["tier:gold"]', "customer_type": 1}]), settings)
    assert body(built)["properties"] == {"tier": "gold", "trade": True}


def test_custom_fields_over_a_thousand_characters_keep_the_contact_back() -> None:
    settings = OmetriaSettings.model_validate({"contact_properties": {"notes": "extra.notes"}})
    fits = "x" * (1_000 - len('{"notes":""}') - 1)
    built = build_contacts(
        frames(
            customers=[
                {"customer_id": "C1", "extra": f'{{"notes":"{fits}"}}'},
                {"customer_id": "C2", "extra": f'{{"notes":"{fits}x"}}'},
            ]
        ),
        settings,
    )
    assert [d.key for d in built.documents] == ["C1"]
    assert rules(built) == {"C2": "OM-PROPERTIES-SIZE"}


def test_a_value_of_another_type_keeps_the_contact_back() -> None:
    settings = OmetriaSettings.model_validate({"contact_properties": {"age": {"source": "extra.age", "type": "whole"}}})
    built = build_contacts(frames(customers=[{"extra": '{"age":"about forty"}'}]), settings)
    assert rules(built) == {"C1": "OM-PROPERTY-TYPE"}
    assert "forty" not in built.kept_back[0].detail


def test_the_event_of_a_contact_is_its_last_update() -> None:
    later = T0.replace(day=2)
    assert build(updated_at=later).documents[0].event_at == later
    assert build().documents[0].event_at == T0
