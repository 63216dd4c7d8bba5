"""The endpoint, the layers of errors, paging, ids and aliases: contract sections 2.1 to 2.4."""

import base64
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type, is_leaf_type

from stokly_sync.sandbox.kit import Fault
from stokly_sync.sandbox.marketplacer.query import MAX_DEPTH
from stokly_sync.sandbox.marketplacer.schema import PARTS, schema
from stokly_sync_tests.sandbox.marketplacer.bench import SHIP, STOCK, Bench

pytestmark = pytest.mark.sandbox


def test_there_is_one_route(bench: Bench) -> None:  # 2.1
    key = {"MARKETPLACER-API-KEY": bench.operator}
    assert bench.session.get(f"{bench.root}/graphql", headers=key, timeout=30).status_code == 405
    assert bench.session.post(f"{bench.root}/api/graphql", headers=key, json={}, timeout=30).status_code == 404


def test_the_schema_can_be_introspected(bench: Bench) -> None:
    names = {kind["name"] for kind in bench.ask("{ __schema { types { name } } }")["__schema"]["types"]}
    assert {"Advert", "Invoice", "RefundRequest", "RemittanceAdvice", "ISO8601Date"} <= names


def test_an_operation_is_chosen_by_its_name(bench: Bench) -> None:  # 2.1
    body = {"query": "query a { __typename } query b { brands { totalCount } }", "operationName": "b"}
    answer = bench.post(body, {"MARKETPLACER-API-KEY": bench.operator}).json()
    assert answer == {"data": {"brands": {"totalCount": 2}}}


@pytest.mark.parametrize("body", [{}, {"query": ""}, {"query": 1}, []])
def test_a_call_without_a_query_says_so(bench: Bench, body: Any) -> None:
    answer = bench.post(body, {"MARKETPLACER-API-KEY": bench.operator})
    assert answer.json() == {"errors": [{"message": "No query string was present"}]}


@pytest.mark.parametrize("query", ["{ nonsense }", "{ brands { nodes { nothing } } }", "{ brands", "{ node { id } }"])
def test_a_query_that_does_not_fit_the_schema_is_a_graphql_error_with_status_200(  # 2.2
    bench: Bench, query: str
) -> None:
    answer = bench.answer(query)
    assert "data" not in answer
    assert set(answer["errors"][0]) >= {"message", "locations"}


def test_a_wrong_variable_is_told_in_the_vendors_words(bench: Bench) -> None:  # 2.2
    given = {
        "invoiceId": "x",
        "shippedItems": [],
        "postageCarrierId": "x",
        "dispatchedAt": "2024-06-21T00",
        "trackingNumber": "1",
    }
    assert bench.error(SHIP, input=given)["message"] == (
        "Variable $input of type ShipmentCreateMutationInput! was provided invalid value for dispatchedAt "
        '(Could not coerce value "2024-06-21T00" to ISO8601Date)'
    )


@pytest.mark.parametrize("count", ["7", 1.5, True, None])
def test_stock_must_be_a_whole_number(bench: Bench, count: Any) -> None:  # 3.3
    variant = bench.listed()
    assert "$n of type Int!" in bench.error(STOCK, id=variant, n=count)["message"]


def test_a_required_variable_that_is_left_out_is_an_error(bench: Bench) -> None:  # 2.2
    assert "$id of type ID!" in bench.error("query ($id: ID!) { node(id: $id) { id } }")["message"]


def test_a_refused_mutation_is_a_payload_with_status_200_over_http(bench: Bench) -> None:  # 2.2
    payload = bench.ask(STOCK, id="nobody", n=1)["variantUpdate"]
    told = [{"field": "variantId", "messages": ["No object found for variantId: nobody"]}]
    assert payload == {"status": 404, "errors": told, "variant": None}


def test_errors_of_a_success_are_null_or_an_empty_list(bench: Bench) -> None:  # 2.2
    variant = bench.listed()
    assert bench.ask(STOCK, id=variant, n=1)["variantUpdate"]["errors"] is None
    bench.system.set_switches(empty_errors="list")
    assert bench.ask(STOCK, id=variant, n=1)["variantUpdate"]["errors"] == []


def test_a_client_mutation_id_comes_back(bench: Bench) -> None:  # 2.2
    query = """mutation ($id: ID!) {
        variantUpdate(input: {clientMutationId: "m-1", variantId: $id, attributes: {}}) { clientMutationId }
    }"""
    assert bench.ask(query, id=bench.listed())["variantUpdate"] == {"clientMutationId": "m-1"}


def test_aliases_run_in_order_and_one_refusal_leaves_the_others(bench: Bench) -> None:  # 2.3
    variant = bench.listed()
    query = """mutation ($id: ID!) {
        a: variantUpdate(input: {variantId: $id, attributes: {countOnHand: 1}}) { status variant { countOnHand } }
        b: variantUpdate(input: {variantId: "none", attributes: {countOnHand: 2}}) { status }
        c: variantUpdate(input: {variantId: $id, attributes: {countOnHand: 3}}) { status variant { countOnHand } }
    }"""
    answer = bench.ask(query, id=variant)
    assert list(answer) == ["a", "b", "c"]
    assert answer["a"] == {"status": 200, "variant": {"countOnHand": 1}}
    assert answer["b"]["status"] == 404
    assert answer["c"]["variant"] == {"countOnHand": 3}


def test_one_failing_alias_is_null_with_its_path_beside_the_data_of_the_others(bench: Bench) -> None:  # 2.2
    bench.system.set_switches(failing_fields={"taxons": "Something went wrong"})
    answer = bench.answer("{ a: brands { totalCount } b: taxons { totalCount } }")
    assert answer["data"] == {"a": {"totalCount": 2}, "b": None}
    (error,) = answer["errors"]
    assert (error["message"], error["path"]) == ("Something went wrong", ["b"])


def nested(depth: int) -> str:
    """A query of that depth; `taxons` and `nodes` are two of it, `displayName` one."""
    inner = depth - 3
    return (
        "{ taxons { nodes { " + "children { nodes { " * (inner // 2) + "displayName" + " } }" * (inner // 2) + " } } }"
    )


def test_a_query_may_be_thirty_levels_deep(bench: Bench) -> None:  # 2.3
    assert "errors" not in bench.answer(nested(29))
    assert bench.error(nested(31))["message"] == f"Query has depth of 31, which exceeds max depth of {MAX_DEPTH}"


def test_depth_counts_through_fragments(bench: Bench) -> None:  # 2.3
    deep = "children { nodes { " * 14 + "displayName" + " } }" * 14
    query = f"query {{ taxons {{ nodes {{ ...deep }} }} }} fragment deep on Taxon {{ {deep} }}"
    assert "depth of 31" in bench.error(query)["message"]


def test_ids_are_base64_of_type_and_number(bench: Bench) -> None:  # 2.3
    bench.listed()
    invoice = bench.invoice()
    assert base64.b64decode(invoice["id"]).decode() == f"Invoice-{invoice['legacyId']}"


def test_any_object_is_found_by_its_id(bench: Bench) -> None:  # 2.3
    variant = bench.listed()
    invoice = bench.invoice()
    query = """query ($ids: [ID!]!) {
        nodes(ids: $ids) { __typename id ... on Variant { sku } ... on LineItem { variantSku } }
    }"""
    ids = [variant, invoice["lineItems"][0]["id"], "nothing", invoice["id"]]
    found = bench.ask(query, ids=ids)["nodes"]
    assert [node and node["__typename"] for node in found] == ["Variant", "LineItem", None, "Invoice"]
    assert (found[0]["sku"], found[1]["variantSku"]) == ("SKU-1", "SKU-1")


PAGE = """query ($first: Int, $after: String, $last: Int, $before: String) {
    advertsWhere(status: DISPLAYED, first: $first, after: $after, last: $last, before: $before) {
        totalCount nodes { title } edges { cursor node { title } } pageInfo { hasNextPage endCursor }
    }
}"""


def pages(bench: Bench, **given: Any) -> Any:
    return bench.ask(PAGE, **given)["advertsWhere"]


def test_paging_goes_forward_to_the_end(bench: Bench) -> None:  # 2.3
    for number in range(5):
        bench.listed(f"SKU-{number}")
    sizes, after = [], None
    while True:
        page = pages(bench, first=2, after=after)
        assert page["totalCount"] == 5
        assert page["edges"][-1]["cursor"] == page["pageInfo"]["endCursor"]
        sizes.append(len(page["nodes"]))
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert sizes == [2, 2, 1]
    beyond = pages(bench, first=2, after=after)
    assert (beyond["nodes"], beyond["pageInfo"]) == ([], {"hasNextPage": False, "endCursor": None})


def test_backward_paging_does_nothing(bench: Bench) -> None:  # 2.3
    for number in range(3):
        bench.listed(f"SKU-{number}")
    cursor = pages(bench)["pageInfo"]["endCursor"]
    assert len(pages(bench, last=1, before=cursor)["nodes"]) == 3


def test_a_page_has_fifty_rows_by_default_and_is_capped(bench: Bench) -> None:  # 2.3
    for number in range(52):
        bench.listed(f"SKU-{number}")
    assert len(pages(bench)["nodes"]) == 50
    assert bench.system.switches.page_cap == 500
    bench.system.set_switches(page_cap=3)
    page = pages(bench, first=20_000)
    assert (len(page["nodes"]), page["pageInfo"]["hasNextPage"], page["totalCount"]) == (3, True, 52)


@pytest.mark.parametrize("cursor", ["1", "abc", "cm93", "%%"])
def test_a_made_up_cursor_is_refused(bench: Bench, cursor: str) -> None:  # 2.3: cursors are opaque
    assert "Invalid cursor" in bench.error(PAGE, after=cursor)["message"]


def test_a_list_that_shrinks_between_pages_shifts_under_the_reader(bench: Bench) -> None:
    for number in range(3):
        bench.listed(f"SKU-{number}")
    first = bench.invoice(("SKU-0", 1)), bench.invoice(("SKU-1", 1)), bench.invoice(("SKU-2", 1))
    query = """query ($after: String) {
        invoices(first: 1, after: $after, filters: {notDispatched: true}) { nodes { id } pageInfo { endCursor } }
    }"""
    page = bench.ask(query)["invoices"]
    bench.change(SHIP, input=bench.shipping(first[0]))
    (shown,) = bench.ask(query, after=page["pageInfo"]["endCursor"])["invoices"]["nodes"]
    assert (page["nodes"][0]["id"], shown["id"]) == (first[0]["id"], first[2]["id"])


def test_faults_of_the_kit_strike_graphql_calls(bench: Bench) -> None:
    text = '{"errors":[{"message":"Internal error"}]}'
    bench.system.faults.add(Fault(path="/graphql", body="brands", status=200, text=text))
    bench.system.faults.add(Fault(path="/graphql", body="taxons", status=503, retry_after="seconds"))
    assert bench.error("{ brands { totalCount } }")["message"] == "Internal error"
    answer = bench.post({"query": "{ taxons { totalCount } }"}, {"MARKETPLACER-API-KEY": bench.operator})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert bench.ask("{ taxons { totalCount } }")


def test_a_connection_can_be_cut_after_the_write_was_done(bench: Bench) -> None:
    variant = bench.listed()
    bench.system.faults.add(Fault(path="/graphql", body="variantUpdate", action="cut", processed=True))
    with pytest.raises(OSError, match="Connection"):
        bench.answer(STOCK, id=variant, n=4)
    assert bench.inspect("variants")[0]["count_on_hand"] == 4


def test_every_resolver_is_of_a_field_and_every_field_can_be_read(bench: Bench) -> None:
    known = {
        f"{name}.{field}"
        for name, kind in schema().type_map.items()
        if isinstance(kind, GraphQLObjectType)
        for field in kind.fields
    }
    resolved = [name for part in PARTS for name in part.RESOLVERS]
    assert set(resolved) <= known
    assert len(resolved) == len(set(resolved))
    bench.listed()
    invoice = bench.invoice(postage_cents=350)
    bench.change(SHIP, input=bench.shipping(invoice))
    bench.do("refund-requests", invoice=invoice["legacyId"], dispatched=True)
    bench.do("remittance-advices", invoices=[invoice["legacyId"]])
    roots = ("invoices", "refundRequests", "remittanceAdvices", "taxons", "brands", "commissionPackages", "allSellers")
    for root in (*roots, "shipmentCarriers", "allAdverts"):
        found = bench.ask(f"{{ {root} {{ {selection(root)} }} }}")[root]
        assert found["totalCount"] >= 1


def selection(root: str) -> str:
    """Everything that can be selected of a root field, four levels deep."""
    query = schema().query_type
    assert query is not None
    kind = get_named_type(query.fields[root].type)
    if root == "allAdverts":
        return f"totalCount nodes {{ ... on Advert {{ {fields(schema().type_map['Advert'], 2)} }} }}"
    return fields(kind, 4)


def fields(kind: Any, levels: int) -> str:
    parts = []
    for name, field in kind.fields.items():
        inner = get_named_type(field.type)
        if is_leaf_type(inner):
            parts.append(name)
        elif levels and isinstance(inner, GraphQLObjectType):
            parts.append(f"{name} {{ {fields(inner, levels - 1)} }}")
    return " ".join(parts) or "__typename"
