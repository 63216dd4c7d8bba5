"""Finding anything by its id, and who is asking.

Belongs here: `node`, `nodes`, names of outside systems, sellers and the owner of the key. Source: Marketplacer API
contract 2.3, 3.1, 3.5.
"""

from typing import Any

from stokly_sync.sandbox.marketplacer.call import Args, Call, Resolver
from stokly_sync.sandbox.marketplacer.catalogue_reads import OffSale
from stokly_sync.sandbox.marketplacer.paging import connection
from stokly_sync.sandbox.marketplacer.things import Advert, Thing


def _node(call: Call, text: str) -> Thing | OffSale | None:
    found = call.store.node(text)
    if found is None or not call.sees(found):
        return None
    if isinstance(found, Advert) and found.deleted_at is not None:
        return OffSale("DeletedAdvert", found)
    return found


def _external_ids(_source: Any, call: Call, args: Args) -> Any:
    values = args.get("values")
    wanted = set(values or ()) | ({args["value"]} if args.get("value") is not None else set())
    asked = wanted if values is not None or wanted else None
    named = call.store.named(args["owner_type"], args.get("key"), asked)
    return [name for name, owner in named if call.sees(owner)]


def _principal(_source: Any, call: Call, _args: Args) -> dict[str, Any]:
    number = call.principal.seller
    if number is None:
        return {"name": "Sandbox operator", "email_address": "operator@example.com", "seller": None}
    seller = call.store.state.sellers[number]
    return {"name": seller.business_name, "email_address": seller.email_address, "seller": seller}


def _sellers(_source: Any, call: Call, args: Args) -> Any:
    return connection(call, [seller for seller in call.store.state.sellers.values() if call.sees(seller)], args)


RESOLVERS: dict[str, Resolver] = {
    "Query.node": lambda _, call, args: _node(call, args["id"]),
    "Query.nodes": lambda _, call, args: [_node(call, text) for text in args["ids"]],
    "Query.apiKeyPrincipal": _principal,
    "Query.externalIds": _external_ids,
    "Query.allSellers": _sellers,
    "ExternalID.owner": lambda name, call, _: _node(call, name.owner),
}
