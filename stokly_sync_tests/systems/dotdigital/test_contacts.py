"""Customers as contacts: who is one, who is kept back and why, and that no consent is ever made up (D2, X19)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from stokly_sync.contracts.datasets import TABLES
from stokly_sync.contracts.money import nano
from stokly_sync.contracts.tables import DTYPES
from stokly_sync.errors import PermanentError
from stokly_sync.flow import Built
from stokly_sync.systems.dotdigital import DotdigitalSettings
from stokly_sync.systems.dotdigital.documents import build_contacts
from stokly_sync.systems.dotdigital.documents.contacts import METRICS
from stokly_sync.systems.dotdigital.feeds import feeds
from stokly_sync.systems.dotdigital.settings import FEEDS
from stokly_sync.systems.dotdigital.setup import LONGEST_NAME, data_fields
from stokly_sync_tests.systems.dotdigital.rows import T0, body, frames, rules

SETTINGS = DotdigitalSettings()
LATER = T0 + timedelta(days=1)


def built(*customers: dict[str, Any], **tables: Any) -> Built:
    return build_contacts(frames(customers=list(customers), **tables), SETTINGS)


def test_a_contact_has_both_identifiers_and_says_nothing_of_consent() -> None:
    made = body(built({"email": " buyer@example.com ", "name": "Customer 17850", "postcode": "AB1 2CD"}))
    assert made["identifiers"] == {"email": "buyer@example.com", "stokly-id": "C1"}
    assert made["dataFields"] == {"FIRSTNAME": "Customer", "LASTNAME": "17850", "POSTCODE": "AB1 2CD"}
    assert made.keys() == {"identifiers", "dataFields"}


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"email": None}, "DD-CONTACT-EMAIL"),
        ({"email": "  "}, "DD-CONTACT-EMAIL"),
        ({"email": "no address"}, "DD-CONTACT-EMAIL"),
        ({"live": False}, "DD-CUSTOMER-DELETED"),
        ({"merged_into": "C9"}, "DD-CUSTOMER-DELETED"),
    ],
)
def test_who_cannot_be_written_to_is_kept_back(row: dict[str, Any], rule: str) -> None:
    made = built(row)
    assert rules(made) == {"C1": rule}
    assert made.documents == []


def test_of_two_customers_with_one_address_the_one_registered_first_is_the_contact() -> None:
    made = built({"customer_id": "C1", "created_at": LATER}, {"customer_id": "C2", "email": "Buyer@Example.com"})
    assert [document.key for document in made.documents] == ["C2"]
    assert rules(made) == {"C1": "DD-EMAIL-SHARED"}
    assert "C2" in made.kept_back[0].detail
    assert "@" not in made.kept_back[0].detail


def test_an_address_is_shared_also_with_a_customer_who_is_not_due() -> None:
    made = built({"created_at": LATER}, same_address=[{"customer_id": "C0"}, {"created_at": LATER}])
    assert rules(made) == {"C1": "DD-EMAIL-SHARED"}


def test_a_customer_who_is_gone_takes_nobodys_address() -> None:
    made = built({"created_at": LATER}, same_address=[{"customer_id": "C0", "live": False}])
    assert [document.key for document in made.documents] == ["C1"]


def test_names_of_data_fields_fit_and_are_distinct() -> None:
    longest = DotdigitalSettings(field_prefix="ABCDEFGH")
    names = data_fields(longest)
    assert max(map(len, names)) <= LONGEST_NAME
    assert len({name.upper() for name in names}) == len(data_fields(SETTINGS))


def with_fields(**fields: Any) -> DotdigitalSettings:
    return DotdigitalSettings.model_validate({"contact_fields": fields})


def test_custom_fields_come_from_where_the_settings_say() -> None:
    row = {"tags": '["tier:gold"]', "extra": f'{{"limit": 5, "notes": "{"x" * 2000}"}}'}
    settings = with_fields(TIER="tags.tier:", LIMIT={"source": "extra.limit", "type": "number"}, NOTES="extra.notes")
    fields = body(build_contacts(frames(customers=[row]), settings))["dataFields"]
    assert (fields["TIER"], str(fields["LIMIT"]), len(fields["NOTES"])) == ("gold", "5.00", 1000)
    assert data_fields(settings) | {"TIER": "String", "LIMIT": "Numeric"} == data_fields(settings)


def test_a_value_of_another_type_keeps_the_contact_back() -> None:
    settings = with_fields(LIMIT={"source": "extra.limit", "type": "number"})
    made = build_contacts(frames(customers=[{"extra": '{"limit": "a lot"}'}]), settings)
    assert (rules(made), made.documents) == ({"C1": "DD-FIELD-TYPE"}, [])


@pytest.mark.parametrize("name", ["A_NAME_THAT_IS_TOO_LONG", "WITH SPACE", ""])
def test_a_name_that_dotdigital_would_refuse_is_refused_before_anything_runs(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a field"):
        with_fields(**{name: "account_code"})


def test_a_field_of_ours_is_not_filled_twice() -> None:
    with pytest.raises(PermanentError, match="STOKLY_LTV"):
        data_fields(with_fields(stokly_ltv="account_code"))


def test_modes_are_of_feeds_that_exist() -> None:
    with pytest.raises(ValueError, match=FEEDS[0]):
        DotdigitalSettings.model_validate({"modes": {"nothing": "off"}})


def metrics(**changes: Any) -> pd.DataFrame:
    row = {
        "customer_id": "C1",
        "order_count": 2,
        "first_order_at": T0,
        "last_order_at": LATER,
        "currency": "GBP",
        "lifetime_value": nano("40"),
        "average_order_value": nano("20"),
        "last_order_skus": '["A","B"]',
        "version": LATER,
        **changes,
    }
    columns = TABLES[METRICS].all_columns
    return pd.DataFrame({c.name: pd.Series([row.get(c.name)], dtype=DTYPES[c.kind]) for c in columns})  # type: ignore[call-overload]


def test_a_contact_says_what_was_bought_and_is_as_new_as_that() -> None:
    made = build_contacts({**frames(customers=[{}]), METRICS: metrics()}, SETTINGS)
    assert body(made)["dataFields"] == {
        "STOKLY_LTV": Decimal("40.00"),
        "STOKLY_AOV": Decimal("20.00"),
        "STOKLY_ORDERS": 2,
        "STOKLY_CURRENCY": "GBP",
        "STOKLY_FIRST_ORDER": "2026-03-01T09:30:00Z",
        "STOKLY_LAST_ORDER": "2026-03-02T09:30:00Z",
        "STOKLY_LAST_SKUS": "A,B",
    }
    assert made.documents[0].version == LATER


def test_what_is_nought_by_now_is_told() -> None:
    gone = metrics(order_count=0, lifetime_value=0, average_order_value=None, last_order_skus=None)
    fields = body(build_contacts({**frames(customers=[{}]), METRICS: gone}, SETTINGS))["dataFields"]
    assert (fields["STOKLY_LTV"], fields["STOKLY_ORDERS"], fields["STOKLY_AOV"]) == (0, 0, 0)


def test_contacts_are_due_when_their_metrics_change() -> None:
    contacts = next(declared for declared in feeds(SETTINGS) if declared.name == "contacts")
    assert [trigger.dataset for trigger in contacts.triggers] == [METRICS]
