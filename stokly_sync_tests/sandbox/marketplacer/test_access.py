"""Keys, Basic, roles, scopes and rate windows: contract sections 1, 2.1, 2.2 and 2.5."""

from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from stokly_sync.sandbox.marketplacer import build
from stokly_sync_tests.sandbox.marketplacer.bench import Bench

pytestmark = pytest.mark.sandbox

WHO = "{ apiKeyPrincipal { name emailAddress seller { id businessName } } }"


def status(bench: Bench, headers: dict[str, str]) -> tuple[int, str]:
    answer = bench.post({"query": "{ apiKeyPrincipal { name } }"}, headers)
    return answer.status_code, "" if answer.status_code == 200 else answer.text


@pytest.mark.parametrize("name", ["MARKETPLACER-API-KEY", "marketplacer-api-key", "Marketplacer-Api-Key"])
def test_a_key_may_come_in_its_own_header_in_any_case(bench: Bench, name: str) -> None:  # 2.1
    assert status(bench, {name: bench.operator}) == (200, "")


def test_a_key_may_come_as_a_bearer_token(bench: Bench) -> None:  # 2.1
    assert status(bench, {"Authorization": f"Bearer {bench.seller}"}) == (200, "")


@pytest.mark.parametrize(
    "headers",
    [{}, {"MARKETPLACER-API-KEY": "wrong"}, {"Authorization": "Bearer wrong"}, {"Authorization": "Token x"}],
    ids=["none", "wrong", "wrong bearer", "no bearer"],
)
def test_no_key_and_a_wrong_key_are_both_called_expired(bench: Bench, headers: dict[str, str]) -> None:  # 2.2
    assert status(bench, headers) == (401, "API Token has expired")


def test_both_header_forms_at_once_are_refused(bench: Bench) -> None:  # 2.1
    both = {"Authorization": f"Bearer {bench.operator}", "MARKETPLACER-API-KEY": bench.operator}
    assert status(bench, both)[0] == 401
    bench.system.set_switches(refuse_two_keys=False)
    assert status(bench, both) == (200, "")


def test_behind_basic_the_key_comes_in_its_own_header(bench: Bench) -> None:  # 2.1, 2.2
    bench.system.set_switches(basic_user="site", basic_password="secret")
    key = {"MARKETPLACER-API-KEY": bench.operator}
    basic = requests.Request("POST", bench.root, auth=("site", "secret")).prepare().headers["Authorization"]
    assert status(bench, key) == (401, "Unauthorized")
    assert status(bench, {"Authorization": f"Bearer {bench.operator}"}) == (401, "Unauthorized")
    assert status(bench, {"Authorization": basic}) == (401, "API Token has expired")
    assert status(bench, {"Authorization": basic, **key}) == (200, "")


def test_a_key_says_whose_it_is(bench: Bench) -> None:  # 3.1
    assert bench.ask(WHO)["apiKeyPrincipal"]["seller"] is None
    assert bench.ask(WHO, key=bench.seller)["apiKeyPrincipal"]["seller"]["businessName"] == "Demo Homeware"


def test_keys_are_new_at_every_start() -> None:
    assert build().settings_env("http://127.0.0.1:1") != build().settings_env("http://127.0.0.1:1")


def test_a_seller_sees_its_own_listings_invoices_and_refunds_alone(bench: Bench) -> None:  # 1, 3.5
    bench.listed("OURS")
    bench.listed("THEIRS", seller=2)
    ours, theirs = bench.invoice(("OURS", 1)), bench.invoice(("THEIRS", 1), seller=2)
    for invoice in (ours, theirs):
        bench.do("refund-requests", invoice=invoice["legacyId"], until="AWAITING")
    query = """{
        allAdverts { nodes { ... on Advert { title variants { nodes { sku } } } } }
        advertsWhere(variantSkus: ["OURS", "THEIRS"]) { totalCount }
        invoices { nodes { id } }
        refundRequests { nodes { invoice { id } } }
    }"""
    found = bench.ask(query, key=bench.seller)
    assert found["advertsWhere"]["totalCount"] == 1
    assert [node["id"] for node in found["invoices"]["nodes"]] == [ours["id"]]
    assert [node["invoice"]["id"] for node in found["refundRequests"]["nodes"]] == [ours["id"]]
    assert bench.ask("query ($id: ID!) { node(id: $id) { id } }", id=theirs["id"], key=bench.seller)["node"] is None
    assert bench.ask(query)["advertsWhere"]["totalCount"] == 2


def test_a_seller_cannot_change_what_is_anothers(bench: Bench) -> None:  # 1
    variant = bench.listed("THEIRS", seller=2)
    query = """mutation ($id: ID!) {
        variantUpdate(input: {variantId: $id, attributes: {countOnHand: 1}}) { status errors { messages } }
    }"""
    assert bench.refusal(query, id=variant, key=bench.seller) == f"No object found for variantId: {variant}"


@pytest.mark.parametrize(
    "query",
    [
        "{ invoices { totalCount nodes { id order { id } } } }",
        "{ invoices { nodes { ...part } } } fragment part on Invoice { order { legacyId } }",
        "{ remittanceAdvices { totalCount } }",
        'mutation { refundRequestRefund(input: {refundRequestId: "x"}) { status } }',
        'mutation { externalIdUpsert(input: {owner: "x", key: "k", value: "v"}) { status } }',
        "mutation { orderCreate(input: {order: {}}) { status } }",
    ],
    ids=["order", "order in a fragment", "remittances", "refund", "external id", "create"],
)
def test_what_is_the_operators_fails_the_whole_query_of_a_seller(bench: Bench, query: str) -> None:  # 1, 10.8
    bench.listed()
    bench.invoice()
    answer = bench.answer(query, key=bench.seller)
    assert "data" not in answer
    assert "permission" in answer["errors"][0]["message"]


def test_a_missing_scope_is_an_error_of_that_field(bench: Bench) -> None:  # 2.1
    bench.system.set_switches(missing_scopes=["invoices"])
    answer = bench.answer("{ invoices { totalCount } brands { totalCount } }")
    assert answer["data"] == {"invoices": None, "brands": {"totalCount": 2}}
    assert (answer["errors"][0]["path"], answer["errors"][0]["extensions"]["code"]) == (["invoices"], "MISSING_SCOPE")


def hit(bench: Bench, key: str, times: int, session: requests.Session | None = None) -> list[int]:
    body, headers = {"query": "{ __typename }"}, {"MARKETPLACER-API-KEY": key}
    sent = session or bench.session
    return [
        sent.post(f"{bench.root}/graphql", json=body, headers=headers, timeout=30).status_code for _ in range(times)
    ]


@pytest.mark.parametrize(
    ("limit", "keys"),
    [("per_ip", "one"), ("per_key", "one"), ("per_operator", "both")],
)
def test_calls_are_counted_by_address_key_and_operator(bench: Bench, limit: str, keys: str) -> None:  # 2.5
    bench.system.set_limits(True)
    bench.system.set_switches(**{limit: 4})
    used = [bench.operator, bench.operator if keys == "one" else bench.seller]
    assert [hit(bench, key, 2) for key in used] == [[200, 200], [200, 200]]
    assert hit(bench, used[0], 1) == [429]
    bench.clock.advance(10)
    assert hit(bench, used[0], 1) == [200]


def test_the_documented_windows_are_the_default(bench: Bench) -> None:  # 2.5
    switches = bench.system.switches
    assert (switches.window, switches.per_ip, switches.per_key, switches.per_operator) == (10.0, 600, 750, 1200)


def test_another_key_has_a_window_of_its_own(bench: Bench) -> None:  # 2.5
    bench.system.set_limits(True)
    bench.system.set_switches(per_key=1)
    assert (hit(bench, bench.operator, 2), hit(bench, bench.seller, 1)) == ([200, 429], [200])


class _From(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, source_address=("127.0.0.2", 0), **more)


def test_another_address_has_a_window_of_its_own(bench: Bench) -> None:  # 2.5
    bench.system.set_limits(True)
    bench.system.set_switches(per_ip=1)
    assert hit(bench, bench.operator, 2) == [200, 429]
    with requests.Session() as other:
        other.mount("http://", _From())
        assert hit(bench, bench.operator, 1, other) == [200]


@pytest.mark.parametrize("refusal", [429, 503])
@pytest.mark.parametrize("form", ["absent", "seconds", "date"])
def test_a_refusal_may_be_a_503_and_may_say_when_to_come_back(bench: Bench, refusal: int, form: str) -> None:  # 2.5
    bench.system.set_limits(True)
    bench.system.set_switches(per_key=1, too_many=refusal, retry_after=form)
    hit(bench, bench.operator, 1)
    bench.clock.advance(3.5)
    answer = bench.post({"query": "{ __typename }"}, {"MARKETPLACER-API-KEY": bench.operator})
    assert answer.status_code == refusal
    told = answer.headers.get("Retry-After")
    if form == "date":
        assert told is not None
        assert (parsedate_to_datetime(told) - bench.clock.now()).total_seconds() == pytest.approx(7, abs=1)
    else:
        assert told == {"absent": None, "seconds": "7"}[form]


def test_limits_can_be_off(bench: Bench) -> None:
    bench.system.set_switches(per_key=1)
    assert hit(bench, bench.operator, 3) == [200, 200, 200]
