"""Contacts: what they say, how they are found, and what is never guessed (E1, E2, E7; Emarsys API contract 1.7)."""

from __future__ import annotations

import pytest

from stokly_sync.errors import CredentialsError, PermanentError, PermissionDenied
from stokly_sync.systems.emarsys import EmarsysSettings
from stokly_sync.systems.emarsys.contacts import send_contacts
from stokly_sync.systems.emarsys.documents import build_contacts
from stokly_sync.systems.emarsys.readback import contact_facts, read_contacts
from stokly_sync.systems.transport import remember
from stokly_sync_tests.systems.emarsys.bench import ID_FIELD, Bench, contact, rules, states
from stokly_sync_tests.systems.emarsys.rows import body, frames
from stokly_sync_tests.systems.emarsys.rows import rules as kept_back
from stokly_sync_tests.systems.transport.stub import Kept

SETTINGS = EmarsysSettings()


def test_a_contact_says_who_it_is_and_what_was_bought_and_nothing_of_consent() -> None:
    customer = {"forename": " Ada ", "surname": "Example", "city": "Leeds", "postcode": "LS1", "country": "GB"}
    made = body(build_contacts(frames(customers=[customer], metrics=[{}]), SETTINGS))
    assert made == {
        "customer": "C1",
        "email": "buyer@example.com",
        "fields": {
            "first_name": "Ada",
            "last_name": "Example",
            "city": "Leeds",
            "zip_code": "LS1",
            "country": "GB",
            "lifetime_value": "42.50",
            "average_order_value": "21.25",
            "order_count": "2",
            "currency": "GBP",
            "first_order": "2026-03-01 09:30:00",
            "last_order": "2026-03-01 09:30:00",
            "last_order_skus": "SKU-1,SKU-2",
            "sku_history": "SKU-1,SKU-2,SKU-3",
        },
    }


def test_a_text_is_cut_at_what_a_short_field_holds() -> None:
    made = body(build_contacts(frames(customers=[{"forename": "A" * 90, "surname": "B"}]), SETTINGS))
    assert made["fields"]["first_name"] == "A" * 60


@pytest.mark.parametrize(
    ("customer", "rule"),
    [
        ({"email": None}, "EM-CONTACT-EMAIL"),
        ({"live": False}, "EM-CUSTOMER-DELETED"),
        ({"live": False, "merged_into": "C2"}, "EM-CUSTOMER-DELETED"),
    ],
)
def test_who_cannot_be_a_contact_is_kept_back(customer: dict[str, object], rule: str) -> None:
    assert kept_back(build_contacts(frames(customers=[customer]), SETTINGS)) == {"C1": rule}


def test_of_two_customers_with_one_address_the_earlier_one_is_the_contact() -> None:
    two = [{"customer_id": "C1"}, {"customer_id": "C2"}]
    made = build_contacts(frames(customers=[two[1]], same_address=two), SETTINGS)
    assert kept_back(made) == {"C2": "EM-EMAIL-SHARED"}


def test_a_customer_names_those_that_went_up_in_it_over_two_steps() -> None:
    gone = [{"customer_id": "C2", "merged_into": "C1", "live": False}]
    gone.append({"customer_id": "C3", "merged_into": "C2", "live": False})
    made = body(build_contacts(frames(customers=[{}], merged_away=gone), SETTINGS))
    assert made["merged"] == ["C2", "C3"]


def test_new_contacts_are_made_with_the_account_s_own_field_ids(bench: Bench) -> None:
    sent = send_contacts(bench.client(), [contact("C1", first_name="Ada", country="GB", lifetime_value="42.50")])
    assert states(sent) == {"C1": "accepted"}
    fields = bench.contact("C1").fields
    assert (fields["1"], fields["3"], fields["14"]) == ("Ada", "c1@example.com", "184")
    assert bench.value("C1", "stokly_lifetime_value") == "42.50"
    assert "31" not in fields


def test_a_country_without_a_choice_is_left_out(bench: Bench) -> None:
    assert states(send_contacts(bench.client(), [contact("C1", country="AQ")])) == {"C1": "accepted"}
    assert "14" not in bench.contact("C1").fields


def test_sending_twice_makes_one_contact_and_asks_before_each_time(bench: Bench) -> None:
    client = bench.client()
    for name in ("Ada", "Eve"):
        send_contacts(client, [contact("C1", first_name=name)])
    assert len(bench.system.store.contacts) == 1
    assert bench.contact("C1").fields["1"] == "Eve"
    assert bench.calls("/contact/checkids") == 4


def test_a_full_batch_costs_two_questions_and_one_write(bench: Bench) -> None:
    client = bench.client()
    send_contacts(client, [contact("C0")])
    bench.system.calls.reset()
    sent = send_contacts(client, [contact(f"C{n}") for n in range(1, 1001)])
    assert set(states(sent).values()) == {"accepted"}
    assert sum(int(row["calls"]) for row in bench.system.calls.rows()) == 3


def test_a_contact_that_somebody_else_made_is_found_by_its_address_and_keeps_its_choice(bench: Bench) -> None:
    made = bench.make("C1@Example.com", f31="2")
    assert states(send_contacts(bench.client(), [contact("C1")])) == {"C1": "accepted"}
    assert bench.contact("C1").id == made.id
    assert bench.contact("C1").fields["31"] == "2"
    assert len(bench.system.store.contacts) == 1


def test_a_new_address_goes_to_the_contact_of_the_customer(bench: Bench) -> None:
    client = bench.client()
    send_contacts(client, [contact("C1")])
    send_contacts(client, [contact("C1", "new@example.com")])
    assert len(bench.system.store.contacts) == 1
    assert bench.contact("C1").fields["3"] == "new@example.com"


def test_duplicates_in_the_account_are_reported_with_both_ids(bench: Bench) -> None:
    one, two = bench.make("c1@example.com"), bench.make("c1@example.com")
    (sent,) = send_contacts(bench.client(), [contact("C1")])
    assert (sent.state, sent.rule) == ("rejected", "EM-DUPLICATE")
    assert sent.reason is not None
    assert str(one.id) in sent.reason
    assert str(two.id) in sent.reason
    assert "@" not in sent.reason


def test_two_contacts_with_one_customer_id_are_duplicates_too(bench: Bench) -> None:
    bench.make("c1@example.com", "C1")
    bench.make("other@example.com", "C1")
    assert rules(send_contacts(bench.client(), [contact("C1")])) == {"C1": "EM-DUPLICATE"}


def test_the_address_of_another_customer_s_contact_is_not_taken_over(bench: Bench) -> None:
    bench.make("c1@example.com", "C9")
    sent = send_contacts(bench.client(), [contact("C1"), contact("C2")])
    assert states(sent) == {"C1": "rejected", "C2": "accepted"}
    assert rules(sent) == {"C1": "EM-EMAIL-TAKEN"}


def test_a_guest_s_contact_becomes_the_customer_s(bench: Bench) -> None:
    made = bench.make("c1@example.com", "guest:0123")
    send_contacts(bench.client(), [contact("C1")])
    assert bench.contact("C1").id == made.id


def test_a_merge_in_stokly_is_a_merge_in_emarsys_and_may_be_repeated(bench: Bench) -> None:
    client = bench.client()
    send_contacts(client, [contact("C1"), contact("C2")])
    for _ in range(2):
        assert states(send_contacts(client, [contact("C1", merged=["C2"])])) == {"C1": "accepted"}
    assert [c.fields["3"] for c in bench.system.store.contacts.values()] == ["c1@example.com"]
    assert bench.calls("/contact/merge") == 1


def test_an_opt_out_outlives_the_merge_and_an_opt_in_does_not_come_over(bench: Bench) -> None:
    for number, choice, left in ((1, "2", "2"), (3, "1", None)):
        winner, loser = f"C{number}", f"C{number + 1}"
        bench.make(f"{loser.lower()}@example.com", loser, f31=choice)
        send_contacts(bench.client(), [contact(winner, merged=[loser])])
        assert bench.contact(winner).fields.get("31") == left


def test_a_row_error_inside_200_is_that_of_its_row_alone(bench: Bench) -> None:
    bench.system.set_switches(refused=["C2"])
    sent = send_contacts(bench.client(), [contact("C1"), contact("C2"), contact("C3")])
    assert states(sent) == {"C1": "accepted", "C2": "rejected", "C3": "accepted"}
    assert rules(sent) == {"C2": "EM-REJECTED"}


@pytest.mark.parametrize("form", ["array", "object", "absent"])
def test_no_errors_is_understood_in_each_of_its_forms(bench: Bench, form: str) -> None:
    bench.system.set_switches(empty_errors=form)
    assert states(send_contacts(bench.client(), [contact("C1")])) == {"C1": "accepted"}


def test_a_contact_that_appears_meanwhile_is_looked_up_again(bench: Bench) -> None:
    bench.system.set_switches(racing=["C1"])
    assert states(send_contacts(bench.client(), [contact("C1")])) == {"C1": "accepted"}


def test_what_set_up_found_is_not_asked_for_again_by_the_next_client(bench: Bench) -> None:
    memory = Kept()
    for key in ("C1", "C2"):
        client = bench.client()
        remember(client, memory)
        assert states(send_contacts(client, [contact(key, country="GB")])) == {key: "accepted"}
    assert (bench.calls("/v3/field"), bench.calls("/field/{id}/choice/translate/{language}")) == (10, 1)
    assert bench.contact("C2").fields["14"] == bench.contact("C1").fields["14"]


def test_a_field_that_is_not_indexed_stops_the_load_with_what_to_do(bench: Bench) -> None:
    bench.system.set_switches(indexed_fields=[], external_id_field="other")
    with pytest.raises(PermanentError, match="EMARSYS_ID_FIELD_INDEXED=false"):
        send_contacts(bench.client(), [contact("C1")])


def test_without_the_index_contacts_are_found_by_address(bench: Bench) -> None:
    bench.system.set_switches(indexed_fields=[], external_id_field="other")
    client = bench.client(id_field_indexed=False)
    for _ in range(2):
        assert states(send_contacts(client, [contact("C1")])) == {"C1": "accepted"}
    assert len(bench.system.store.contacts) == 1


def test_what_is_read_back_are_the_facts_that_were_sent(bench: Bench) -> None:
    fields = {"lifetime_value": "42.50", "order_count": "2"}
    sent = [{"customer": "C1", "email": "C1@example.com", "fields": fields}]
    bench.make("somebody@example.com")
    bench.make("guest@example.com", "guest:0123")
    send_contacts(bench.client(), [contact("C1", **fields)])
    (page,) = [facts.frame for facts in read_contacts(bench.client())]
    assert page.to_dict("records") == contact_facts(sent).to_dict("records")


def test_a_token_that_ends_half_way_is_renewed_and_wrong_credentials_are_not_retried(bench: Bench) -> None:
    client = bench.client()
    send_contacts(client, [contact("C1")])
    bench.system.access.revoke_tokens()
    assert states(send_contacts(client, [contact("C1", first_name="Eve")])) == {"C1": "accepted"}
    bench.system.set_switches(refuse_tokens=True)
    with pytest.raises(CredentialsError, match="EMARSYS_CLIENT_ID"):
        send_contacts(client, [contact("C1")])


def test_a_token_is_renewed_before_it_ends(bench: Bench) -> None:
    client = bench.client()
    send_contacts(client, [contact("C1")])
    bench.clock.advance(3600 - 30)
    send_contacts(client, [contact("C1")])
    assert bench.calls("/oauth2/token") == 2


def test_wsse_works_behind_the_same_interface(bench: Bench) -> None:
    bench.system.set_switches(refuse_used_nonces=True)
    switches = bench.system.switches
    client = bench.client(auth="wsse", client_id=switches.wsse_user, client_secret=switches.wsse_secret)
    assert states(send_contacts(client, [contact("C1")])) == {"C1": "accepted"}
    assert bench.calls("/oauth2/token") == 0


def test_a_permission_that_is_missing_says_so(bench: Bench) -> None:
    bench.system.set_switches(denied=["contact.update"])
    with pytest.raises(PermissionDenied, match="API user"):
        send_contacts(bench.client(), [contact("C1")])


def test_fields_that_are_there_are_not_made_again(bench: Bench) -> None:
    for _ in range(2):
        send_contacts(bench.client(), [contact("C1")])
    names = [field.name for field in bench.system.store.fields.custom]
    assert len(names) == len(set(names)) == 9
    assert ID_FIELD in names
