"""Single contacts in v3: contract section 2."""

from typing import Any

import pytest

from stokly_sync_tests.sandbox.dotdigital.bench import Bench, contact, order

pytestmark = pytest.mark.sandbox

C1 = "/contacts/v3/email/c1@example.com"


def code(bench: Bench, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str]:
    answer = bench.call(method, path, body, **more)
    return answer.status_code, answer.json()["errorCode"]


def make_identifier(bench: Bench) -> None:
    bench.ok("POST", "/configuration/v3/customIdentifiers", {"name": "stokly-id"})


def test_a_contact_is_found_by_each_of_its_identifiers(bench: Bench) -> None:
    make_identifier(bench)
    given = {"email": "c1@example.com", "mobileNumber": "447123123123", "stokly-id": "42"}
    made = bench.ok("POST", "/contacts/v3", {"identifiers": given})
    assert made["identifiers"] == given
    paths = [f"email/{given['email'].upper()}", "mobileNumber/447123123123", "stokly-id/42"]
    for path in [*paths, f"contactId/{made['contactId']}"]:
        assert bench.get(f"/contacts/v3/{path}")["contactId"] == made["contactId"]


def test_an_address_with_a_plus_is_found_encoded_or_not(bench: Bench) -> None:
    bench.ok("POST", "/contacts/v3", {"identifiers": {"email": "c+1@example.com"}})
    assert bench.call("GET", "/contacts/v3/email/c%2B1%40example.com").status_code == 200


def test_nobody_under_that_identifier_is_404_with_the_item(bench: Bench) -> None:
    answer = bench.call("GET", C1)
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "contacts:contactNotFound")
    assert answer.json()["details"][0]["item"] == "c1@example.com"


@pytest.mark.parametrize("path", ["email/none", "contactId/x", "mobileNumber/+447123123123", "stokly-id/42"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_a_value_that_cannot_be_or_an_identifier_not_created_is_400(bench: Bench, method: str, path: str) -> None:
    assert code(bench, method, f"/contacts/v3/{path}", {}) == (400, "contacts:invalidId")


def test_a_new_contact_without_a_status_is_subscribed(bench: Bench) -> None:
    for method, path, body in [
        ("POST", "/contacts/v3", {"identifiers": {"email": "c1@example.com"}}),
        ("PATCH", "/contacts/v3/email/c2@example.com", {}),
    ]:
        made = bench.ok(method, path, body)
        assert (made["status"], made["channelProperties"]["email"]["status"]) == ("subscribed", "subscribed")


def test_a_status_that_is_sent_is_kept_and_later_left_alone(bench: Bench) -> None:
    made = bench.ok("PATCH", C1, {"channelProperties": {"email": {"status": "unsubscribed"}}})
    assert made["status"] == "unsubscribed"
    assert bench.ok("PATCH", C1, {"dataFields": {"FIRSTNAME": "x"}})["status"] == "unsubscribed"


@pytest.mark.parametrize(
    ("options", "status"), [({}, "subscribed"), ({"resubscribeWithNoChallenge": False}, "pendingOptIn")]
)
def test_who_was_unsubscribed_is_subscribed_by_a_write_unless_challenged(
    bench: Bench, options: dict[str, bool], status: str
) -> None:
    bench.ok("PATCH", C1, {"channelProperties": {"email": {"status": "unsubscribed"}}})
    email = {"status": "subscribed", "resubscribeOptions": options}
    assert bench.ok("PATCH", C1, {"channelProperties": {"email": email}})["status"] == status


def test_who_is_suppressed_stays_so(bench: Bench) -> None:
    bench.ok("PATCH", C1, {"channelProperties": {"email": {"status": "suppressed"}}})
    body = {"channelProperties": {"email": {"status": "subscribed"}}}
    assert bench.ok("PATCH", C1, body)["status"] == "suppressed"


def test_double_opt_in_leaves_a_new_contact_pending(bench: Bench) -> None:
    verified = {"channelProperties": {"email": {"optInType": "verifiedDouble"}}}
    assert bench.ok("PATCH", C1, verified)["status"] == "pendingOptIn"
    bench.system.set_switches(enforce_double=True)
    assert bench.ok("PATCH", "/contacts/v3/email/c2@example.com", {})["status"] == "pendingOptIn"


def test_a_contact_without_an_address_has_no_email_channel(bench: Bench) -> None:
    made = bench.ok("POST", "/contacts/v3", {"identifiers": {"mobileNumber": "447123123123"}})
    assert "email" not in made["channelProperties"]
    assert made["status"] == "noSubscription"


def test_answers_spell_words_with_capitals(bench: Bench) -> None:
    email = {"emailType": "plainText", "optInType": "double", "status": "subscribed"}
    made = bench.ok("PATCH", C1, {"channelProperties": {"email": email}})
    assert made["channelProperties"]["email"] == {
        "emailType": "PlainText",
        "optInType": "Double",
        "status": "subscribed",
    }


def test_a_patch_creates_with_201_then_updates_with_200_only_what_it_names(bench: Bench) -> None:
    first = bench.call("PATCH", C1, {"dataFields": {"FIRSTNAME": "a", "LASTNAME": "b"}})
    second = bench.call("PATCH", C1, {"dataFields": {"FIRSTNAME": "c"}})
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["dataFields"] == {"FIRSTNAME": "c", "LASTNAME": "b"}


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (None, {"FIRSTNAME": "new", "LASTNAME": "", "GENDER": "new"}),
        ("overwrite", {"FIRSTNAME": "new", "LASTNAME": "", "GENDER": "new"}),
        ("overwrite-if-not-empty", {"FIRSTNAME": "new", "LASTNAME": "old", "POSTCODE": "old", "GENDER": "new"}),
        ("overwrite-if-empty", {"FIRSTNAME": "old", "LASTNAME": "old", "POSTCODE": "old", "GENDER": "new"}),
    ],
)
def test_merge_options_say_what_empty_values_do(bench: Bench, option: str | None, expected: dict[str, str]) -> None:
    bench.ok("PATCH", C1, {"dataFields": {"FIRSTNAME": "old", "LASTNAME": "old", "POSTCODE": "old"}})
    body = {"dataFields": {"FIRSTNAME": "new", "LASTNAME": "", "POSTCODE": None, "GENDER": "new"}}
    query = {} if option is None else {"merge-option": option}
    assert bench.ok("PATCH", C1, body, params=query)["dataFields"] == expected


@pytest.mark.parametrize("option", ["overwriteIfEmpty", "merge"])
def test_the_spelling_of_the_import_is_refused_by_a_patch(bench: Bench, option: str) -> None:
    assert code(bench, "PATCH", C1, {}, params={"merge-option": option}) == (400, "contacts:badJson")


def test_an_address_is_changed_through_another_identifier(bench: Bench) -> None:
    make_identifier(bench)
    bench.ok("PATCH", "/contacts/v3/stokly-id/42", {"identifiers": {"email": "old@example.com"}})
    bench.ok("PATCH", "/contacts/v3/stokly-id/42", {"identifiers": {"email": "new@example.com"}})
    assert bench.get("/contacts/v3/email/new@example.com")["identifiers"]["stokly-id"] == "42"
    assert bench.call("GET", "/contacts/v3/email/old@example.com").status_code == 404
    assert bench.call("GET", "/v2/contacts/count").text == "1"


def test_an_identifier_of_somebody_else_is_409(bench: Bench) -> None:
    bench.ok("PATCH", C1, {})
    given = {"identifiers": {"email": "C1@example.com"}}
    assert code(bench, "POST", "/contacts/v3", given) == (409, "contacts:idAlreadyExists")
    assert code(bench, "PATCH", "/contacts/v3/email/c2@example.com", given) == (409, "contacts:idAlreadyExists")
    bench.ok("PATCH", "/contacts/v3/email/c3@example.com", {})
    assert code(bench, "PUT", "/contacts/v3/email/c3@example.com", given) == (409, "contacts:idAlreadyExists")


def test_a_contact_cannot_be_created_under_a_server_id(bench: Bench) -> None:
    assert code(bench, "PATCH", "/contacts/v3/contactId/9", {}) == (400, "contacts:invalidId")
    assert code(bench, "POST", "/contacts/v3", {"identifiers": {"contactId": 9}}) == (400, "contacts:invalidId")


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"dataFields": []},
        {"lists": []},
        {"lists": ["1"]},
        {"lists": list(range(101))},
        {"preferences": [{"id": 1}]},
        {"channelProperties": {"email": {"status": "pendingOptIn"}}},
        {"channelProperties": {"email": {"emailType": "Html"}}},
        {"channelProperties": {"email": {"state": "subscribed"}}},
        {"channelProperties": {"post": {}}},
        {"consentRecords": [{"text": "yes"}]},
        {"consentRecords": []},
    ],
)
def test_a_member_of_the_wrong_form_is_400(bench: Bench, body: Any) -> None:
    assert code(bench, "PATCH", C1, body) == (400, "contacts:badJson")
    assert bench.call("GET", C1).status_code == 404


def test_a_create_needs_identifiers(bench: Bench) -> None:
    assert code(bench, "POST", "/contacts/v3", {"dataFields": {}}) == (400, "contacts:badJson")


def test_null_is_no_identifier(bench: Bench) -> None:
    assert code(bench, "PATCH", C1, {"identifiers": {"mobileNumber": None}}) == (400, "contacts:invalidId")


@pytest.mark.parametrize(
    ("fields", "failure"),
    [
        ({"UNKNOWN": "x"}, "dataFieldNotFound"),
        ({"FIRSTNAME": "x" * 1001}, "dataFieldValueOverflow"),
        ({"FIRSTNAME": 1}, "invalidDataField"),
        ({"LTV": "1.00"}, "invalidDataField"),
        ({"LASTSUBSCRIBED": "yesterday"}, "invalidDataField"),
        ({"VIP": "true"}, "invalidDataField"),
    ],
)
def test_a_data_field_must_exist_and_have_a_value_of_its_type(
    bench: Bench, fields: dict[str, Any], failure: str
) -> None:
    bench.ok("POST", "/v2/data-fields", {"name": "LTV", "type": "Numeric"})
    bench.ok("POST", "/v2/data-fields", {"name": "VIP", "type": "Boolean"})
    assert code(bench, "PATCH", C1, {"dataFields": fields}) == (400, f"contacts:{failure}")


def test_data_fields_are_found_whatever_their_case_and_shown_as_created(bench: Bench) -> None:
    made = bench.ok("PATCH", C1, {"dataFields": {"firstName": "x"}})
    assert made["dataFields"] == {"FIRSTNAME": "x"}


def test_amounts_in_data_fields_are_read_back_digit_by_digit(bench: Bench) -> None:
    bench.ok("POST", "/v2/data-fields", {"name": "LTV", "type": "Numeric"})
    bench.ok("PATCH", C1, b'{"dataFields":{"LTV":12.500000001}}')
    assert b'"LTV":12.500000001' in bench.call("GET", C1).content


def test_a_list_that_is_unknown_or_reserved_is_refused(bench: Bench) -> None:
    assert code(bench, "PATCH", C1, {"lists": [99]}) == (400, "contacts:listNotFound")
    assert code(bench, "PATCH", C1, {"lists": [2]}) == (400, "contacts:listNotFound")


def test_a_put_loses_what_it_omits_and_never_creates(bench: Bench) -> None:
    body = {"identifiers": {"email": "c1@example.com"}, "dataFields": {"LASTNAME": "b"}}
    assert code(bench, "PUT", C1, body) == (404, "contacts:contactNotFound")
    bench.ok("PATCH", C1, {"dataFields": {"FIRSTNAME": "a"}})
    assert bench.ok("PUT", C1, body)["dataFields"] == {"LASTNAME": "b"}


def test_a_consent_record_is_kept_with_its_time(bench: Bench) -> None:
    record = {
        "text": "Yes",
        "dateTimeConsented": "2026-01-01T00:00:00Z",
        "url": "https://example.com",
        "ipAddress": "192.0.2.1",
        "userAgent": "test",
    }
    made = bench.ok("PATCH", C1, {"consentRecords": [record]})
    assert made["consentRecords"][0].items() >= record.items()


def test_a_deleted_contact_is_gone_with_its_orders(bench: Bench) -> None:
    number = bench.ok("PATCH", C1, {})["contactId"]
    bench.load_insight(order("O1"))
    assert bench.ok("DELETE", C1) == {"contactId": number}
    assert bench.call("DELETE", C1).status_code == 404
    assert bench.inspect("totals")["collections"] == {"Orders": 0}


def test_contacts_are_deleted_in_bulk_by_any_identifier(bench: Bench) -> None:
    number = bench.ok("PATCH", C1, {})["contactId"]
    bench.load(contact("C2"), contact("C3"))
    people = [{"contactId": number}, {"email": "c2@example.com"}, {"email": "c9@example.com"}, {"email": "none"}]
    answer = bench.call("POST", "/contacts/v3/delete", people)
    path = f"/contacts/v3/delete/{answer.json()['deleteId']}"
    assert (answer.status_code, bench.get(path)["status"]) == (202, "NotStarted")
    bench.clock.advance(1)
    done = bench.get(path)
    assert (done["status"], done["deleted"]) == ("Finished", people[:2])
    assert done["summary"] == {
        "requestedContacts": 4,
        "deletedContacts": 2,
        "unknownContacts": 1,
        "invalidEntries": 1,
    }
    assert bench.call("GET", "/v2/contacts/count").text == "1"


@pytest.mark.parametrize(
    ("body", "failure"),
    [([], "noContactsSpecified"), ([{}], "badJson"), ([{"email": "a@example.com"}] * 5001, "badJson")],
)
def test_a_bulk_delete_takes_1_to_5000_contacts(bench: Bench, body: list[Any], failure: str) -> None:
    assert code(bench, "POST", "/contacts/v3/delete", body) == (400, f"contacts:{failure}")


def test_too_many_bulk_deletes_at_once_are_429(bench: Bench) -> None:
    bench.system.set_switches(active_deletes=1)
    bench.ok("POST", "/contacts/v3/delete", [{"email": "a@example.com"}])
    assert code(bench, "POST", "/contacts/v3/delete", [{"email": "a@example.com"}]) == (
        429,
        "contacts:tooManyBulkDeleteJobs",
    )
