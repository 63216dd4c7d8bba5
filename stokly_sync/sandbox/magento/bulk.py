"""Asynchronous and bulk calls: what is accepted, the queue, and the fate of each operation.

Belongs here: 202, the operations with their statuses, and draining. The queue is drained on demand; an
operation that crashes the consumer stays open and holds up all that follow until the consumer is restarted.
Source: Magento API contract 12.
"""

import hashlib
import uuid
from typing import TYPE_CHECKING, Any

from stokly_sync.sandbox.kit import encode
from stokly_sync.sandbox.magento.call import Call, Spec, column, columns
from stokly_sync.sandbox.magento.errors import CrashError, MagentoError, required
from stokly_sync.sandbox.magento.figures import Row, wire
from stokly_sync.sandbox.magento.search import Listing
from stokly_sync.sandbox.magento.shapes import arguments, snake

if TYPE_CHECKING:
    from stokly_sync.sandbox.magento.system import MagentoSandbox

COMPLETE, RETRIABLE, FAILED, OPEN, REJECTED = 1, 2, 3, 4, 5
MESSAGE_LENGTH, DATA_LENGTH = 255, 65_535
RESOURCE = "Magento_Logging::system_magento_logging_bulk_operations"
_FIELDS = "id bulk_uuid status topic_name start_time"


def queue_bulk(system: "MagentoSandbox", spec: Spec, body: Any, *, store: str, user: int) -> Row:
    """Accept an array of bodies, each with the parts of the path beside its members.

    Raises:
        MagentoError: 400 for the whole request if one element is not well formed.
    """
    if not isinstance(body, list):
        raise required(next((name.rstrip("!") for name in spec.body), "entity_array"))
    names = [part.strip("{}") for part in spec.path.split("/") if part.startswith("{")]
    operations: list[Row] = []
    for element in body:
        checked = arguments(element, spec.body, limit=system.switches.array_limit)
        given = {snake(name): value for name, value in element.items()} if isinstance(element, dict) else {}
        params = {name: str(given.get(snake(name), "")) for name in names}
        operations.append(_operation(checked, params, store=store))
    return _accepted(system, spec, operations, user=user, is_bulk=True)


def queue_one(system: "MagentoSandbox", spec: Spec, body: Any, params: dict[str, str], *, store: str, user: int) -> Row:
    """Accept one body; unlike in bulk, an SKU in the path goes into the product."""
    checked = arguments(body, spec.body, limit=system.switches.async_array_limit)
    operation = _operation(checked, params, store=store)
    return _accepted(system, spec, [operation], user=user, is_bulk=False)


def _operation(body: dict[str, Any], params: dict[str, str], *, store: str) -> Row:
    data = encode({"body": wire(body), "params": params}).decode()
    return {
        "status": OPEN,
        "result_message": None,
        "error_code": None,
        "_data": data,
        "_store": store,
        "_body": body,
        "_params": params,
        "_result": None,
    }


def _accepted(system: "MagentoSandbox", spec: Spec, operations: list[Row], *, user: int, is_bulk: bool) -> Row:
    bulk_id = str(uuid.uuid4())
    for number, operation in enumerate(operations):
        operation["id"] = number
    system.store.bulks.add(
        {
            "bulk_id": bulk_id,
            "_topic": f"async.{spec.method.lower()}.{spec.path}",
            "_spec": [spec.method, spec.path],
            "_bulk": is_bulk,
            "_at": system.clock.monotonic(),
            "operations": operations,
            "user_type": user,
            "user_id": 1,
            "description": f"Topic async.{spec.method.lower()}.{spec.path}",
            "start_time": system.now(),
            "operation_count": len(operations),
        }
    )
    system.touch()
    return {
        "bulk_uuid": bulk_id,
        "request_items": [
            {
                "id": row["id"],
                "data_hash": hashlib.sha256(f"{bulk_id}{row['id']}{row['_data']}".encode()).hexdigest(),
                "status": "accepted",
            }
            for row in operations
        ],
        "errors": False,
    }


def drain(system: "MagentoSandbox", *, restarted: bool = False, limit: int | None = None) -> int:
    """Run open operations in the order of the queue and say how many ended.

    A crashed consumer runs nothing until `restarted`, which leaves the operation that crashed it open.
    """
    if restarted:
        system.consumer_down = False
    done = 0
    for bulk in list(system.store.bulks):
        for operation in bulk["operations"]:
            if operation["status"] != OPEN or operation.get("_poison"):
                continue
            if system.consumer_down or done == limit:
                return done
            _run(system, bulk, operation)
            done += operation["status"] != OPEN
    system.touch()
    return done


def _run(system: "MagentoSandbox", bulk: Row, operation: Row) -> None:
    spec = system.specs[tuple(bulk["_spec"])]
    body, params = operation["_body"], operation["_params"]
    product = body.get("product")
    if bulk["_bulk"] and product is not None and not product.get("sku"):
        operation["_poison"] = True
        system.consumer_down = True
        return
    if system.switches.fates:
        text = "Deadlock found when trying to get lock; try restarting transaction"
        operation.update(status=system.switches.fates.pop(0), result_message=text, error_code=1213)
        return
    if bulk["_bulk"] and product is not None:
        params = {**params, "sku": product["sku"]}
    try:
        result = spec.handler(Call(system, params, body, {}, operation["_store"], bulk["user_type"]))
    except MagentoError as error:
        operation.update(status=FAILED, result_message=error.filled()[:MESSAGE_LENGTH], error_code=0)
    except CrashError:
        operation.update(status=FAILED, result_message="Unknown Error", error_code=0)
    else:
        message = f"Service execution success {spec.service}"
        operation.update(status=COMPLETE, result_message=message[:MESSAGE_LENGTH], _data="")
        operation["_result"] = encode(wire(result)).decode() if result != [] else None


def _due(system: "MagentoSandbox", bulk: Row) -> bool:
    waited = system.clock.monotonic() - bulk["_at"]
    return system.switches.drain == "asked" and waited >= system.switches.drain_after


def _found(call: Call) -> Row:
    rows = call.store.bulks.of("bulk_id", call.params["bulkUuid"])
    if not rows:
        raise MagentoError("Bulk uuid %bulkUuid not exist", {"bulkUuid": call.params["bulkUuid"]}, status=404)
    if _due(call.system, rows[0]):
        drain(call.system)
    return rows[0]


def _short(operation: Row) -> Row:
    return {name: operation[name] for name in ("id", "status", "result_message", "error_code")}


def _detailed(bulk: Row, operation: Row) -> Row:
    return {
        **_short(operation),
        "bulk_uuid": bulk["bulk_id"],
        "topic_name": bulk["_topic"],
        "serialized_data": operation["_data"][:DATA_LENGTH],
        "result_serialized_data": operation["_result"],
    }


def _envelope(bulk: Row, operations: list[Row]) -> Row:
    names = ("user_type", "bulk_id", "description", "start_time", "user_id", "operation_count")
    return {"operations_list": operations, **{name: bulk[name] for name in names}}


def _status(call: Call) -> Row:
    bulk = _found(call)
    return _envelope(bulk, [_short(row) for row in bulk["operations"]])


def _detailed_status(call: Call) -> Row:
    bulk = _found(call)
    return _envelope(bulk, [_detailed(bulk, row) for row in bulk["operations"]])


def _count(call: Call) -> int:
    code = call.number("code")
    return sum(1 for row in _found(call)["operations"] if row["status"] == code)


def _list(call: Call) -> Row:
    rows = [
        {"_bulk": bulk, "start_time": bulk["start_time"], **_detailed(bulk, row)}
        for bulk in call.store.bulks
        for row in bulk["operations"]
    ]
    listing = Listing(rows, column, lambda field: MagentoError(f"Unknown field {field}", status=500), columns(_FIELDS))
    return call.page(listing, lambda row: {name: row[name] for name in row if name not in ("_bulk", "start_time")})


SPECS = (
    Spec("GET", "bulk/{bulkUuid}/status", RESOURCE, _status),
    Spec("GET", "bulk/{bulkUuid}/detailed-status", RESOURCE, _detailed_status),
    Spec("GET", "bulk/{bulkUuid}/operation-status/{code}", RESOURCE, _count),
    Spec("GET", "bulk", RESOURCE, _list),
)
