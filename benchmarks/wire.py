"""The other side of every measurement: Stokly's lists and Ometria's push, from ready bytes, in a process of its own.

One blocking thread a connection and pages that are kept once made, so that the server's part of a measurement stays
small: after the first round an answer is one `sendall`. It knows no rules: the sandbox is for correctness. Lists honour
`page`, `size` and conditions on times and ids (which keyset paging uses); any other condition is taken as true.
Prints its port as the first line and runs until its standard input is closed.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from benchmarks import synthetic
from benchmarks.synthetic import Piece, Timeline

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CONDITION: Final = re.compile(r"[\[{](\w+)[\]}](==|!=|::|=\*|>>|>=|<=|<<)[{\[]([^}\]]*)[}\]]")
# Every order is on its way, every item simple.
_NONE: Final = {("itemStatuses", "unprocessed"), ("format", "2")}
REFUNDED: Final = 10
"""One order in so many has a refund, where there are any."""
_UNTIL_CREATED: Final = {
    "createdAt": False,
    "timeCreated": False,
    "dispatchedAt": False,
    "updatedAt": True,
    "timeUpdated": True,
}
_EMPTY_PATHS: Final = frozenset(
    {
        "/v0/invoices",
        "/v0/refunds",
        "/v0/credit-notes",
        "/v0/dispatches",
        "/v0/returns",
        "/v0/channels",
        "/v0/locations",
        "/v0/bins",
        "/v0/item-types",
        "/v0/item-barcodes",
        "/v0/item-attribute-values",
        "/v0/item-attributes",
        "/v0/composing-items",
        "/v0/units-of-measure",
        "/v0/tax-classes",
        "/v0/tags/items",
        "/v1/inventory-records",
    }
)


@dataclass(frozen=True)
class Rows:
    """One list: `count` rows, made by `piece`, found by the times of `timeline`."""

    count: int
    piece: Piece
    timeline: Timeline
    id_member: str

    def chosen(self, conditions: list[tuple[str, str, str]]) -> range | list[int]:
        """Row numbers that match, in order of creation."""
        low, high = 0, self.count
        for name, operator, literal in conditions:
            if name in _UNTIL_CREATED:
                bound = self.timeline.first_row(_moment(literal, operator), updated=_UNTIL_CREATED[name])
                low, high = (max(low, bound), high) if operator in (">>", ">=") else (low, min(high, bound))
            elif name == self.id_member:
                return [int(one.rpartition("-")[2], 16) for one in literal.split(",")]
            elif (name, literal) in _NONE:
                return range(0)
        return range(low, max(low, high))


def _moment(literal: str, operator: str) -> datetime:
    text = literal.partition(";")[2] if literal.startswith("@") else literal
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    # "Not earlier than the next microsecond" is "later than"; so one search serves all four operators.
    return moment + timedelta(microseconds=operator in (">>", "<="))


class Wire:
    """All state of the server: lists, ready pages, and what was asked so far."""

    def __init__(self, lists: dict[str, Rows], *, keep_bytes: int) -> None:
        self.lists = lists
        self.delay = 0.0
        self.calls: Counter[str] = Counter()
        self.records = 0
        self._keep_bytes = keep_bytes
        self._kept: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def answer(self, method: str, target: str, body: bytes) -> bytes:
        """The whole answer to one request, headers included."""
        kept = self._kept.get(target)
        path = target.partition("?")[0]
        with self._lock:
            self.calls[f"{method} {path}"] += 1
        if kept is not None:
            return kept
        if path.startswith("/bench/"):
            return self._control(target)
        if method == "POST":
            return self._posted(path, body)
        answer = self._listed(target, path)
        if len(answer) <= self._keep_bytes:
            self._keep_bytes -= len(answer)
            self._kept[target] = answer
        return answer

    def _listed(self, target: str, path: str) -> bytes:
        if path.endswith(("/push/_errors", "/unsubscribes")):
            return _whole(b"[]")
        if path.startswith("/v0/refunds/"):
            refund = path.removeprefix("/v0/refunds/").partition("/")[0]
            line = synthetic.refund_line(int(refund.rpartition("-")[2], 16))
            return _whole(b'{"metadata":{"count":1},"data":[%b]}' % line)
        rows = self.lists.get(path)
        if rows is None and (path in _EMPTY_PATHS or path.startswith("/v0/dispatches/")):
            return _whole(b'{"metadata":{"count":0},"data":[]}')
        if rows is None:
            return _whole(b'{"message":"Not found"}', "404 Not Found")
        query = dict(parse_qsl(urlsplit(target).query))
        if query.get("sortDirection", "ASC") != "ASC":
            return _whole(b'{"message":"Invalid sortDirection"}', "400 Bad Request")
        chosen = rows.chosen(_CONDITION.findall(query.get("filter", "")))
        size, page = min(int(query.get("size", "100")), 1000), int(query.get("page", "0"))
        pieces = [rows.piece(row) for row in chosen[page * size : (page + 1) * size]]
        return _whole(b'{"metadata":{"count":%d},"data":[' % len(chosen) + b",".join(pieces) + b"]}")

    def _posted(self, path: str, body: bytes) -> bytes:
        if path == "/v1/grant":
            result = {"accessToken": "a.b.c", "expiry": "2099-01-01T00:00:00.000Z"}
            return _whole(json.dumps({"data": {"authenticationResult": result}}).encode())
        records = body.count(b'"@type"')
        if self.delay:
            time.sleep(self.delay)
        with self._lock:
            self.records += records
        answer = b'{"status":"OK","request_id":"00000000-0000-4000-8000-000000000001","accepted":%d,"rejected":0}'
        return _whole(answer % records, "202 Accepted")

    def _control(self, target: str) -> bytes:
        query = dict(parse_qsl(urlsplit(target).query))
        if "delay_ms" in query:
            self.delay = float(query["delay_ms"]) / 1000
        with self._lock:
            calls = {path: n for path, n in sorted(self.calls.items()) if "/bench/" not in path}
            stats = {"calls": sum(calls.values()), "by_path": calls, "records": self.records}
            self.calls.clear()
            self.records = 0
        return _whole(json.dumps(stats).encode())


def _whole(body: bytes, status: str = "200 OK") -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        "x-ratelimit-remaining: 1000000\r\nX-QueueSize-Limit: 50000\r\nX-QueueSize-Remaining: 50000\r\n\r\n"
    )
    return head.encode() + body


def _serve(connection: socket.socket, wire: Wire) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    stream = connection.makefile("rb", buffering=1 << 20)
    with connection, stream:
        try:
            while (head := _head(stream)) is not None:
                method, target, _ = head.split(b" ", 2)
                length = _LENGTH.search(head)
                body = stream.read(int(length[1])) if length else b""
                connection.sendall(wire.answer(method.decode(), target.decode(), body))
        except ConnectionError:
            return


def _head(stream: Any) -> bytes | None:
    lines: list[bytes] = []
    while (line := stream.readline()) not in (b"\r\n", b""):
        lines.append(line)
    return b"".join(lines) if lines else None


def _lists(orders: int, end: datetime, *, papers: bool, guests: int) -> dict[str, Rows]:
    few = Timeline.until(end - timedelta(days=1), rows=synthetic.CUSTOMERS)
    many = Timeline.until(end, rows=orders)
    lists = {
        "/v2/saleorders": Rows(orders, synthetic.orders(many, guests=guests), many, "saleOrderId"),
        "/v0/customers": Rows(synthetic.CUSTOMERS, synthetic.customers(few), few, "customerId"),
        "/v0/items": Rows(synthetic.ITEMS, synthetic.items(few), few, "itemId"),
    }
    if papers:
        lists["/v0/dispatches"] = Rows(orders, synthetic.dispatches(many), many, "dispatchId")
        lists["/v0/refunds"] = Rows(orders // REFUNDED, synthetic.refunds(many), many, "refundId")
    return lists


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, default=200_000)
    parser.add_argument("--end", type=datetime.fromisoformat, required=True)
    parser.add_argument("--keep-mb", type=int, default=3_000)
    parser.add_argument("--papers", action="store_true", help="a dispatch for every order, and some refunds")
    parser.add_argument("--guests", type=int, default=0, help="one order in so many is a guest's; 0 for none")
    arguments = parser.parse_args()
    lists = _lists(arguments.orders, arguments.end, papers=arguments.papers, guests=arguments.guests)
    wire = Wire(lists, keep_bytes=arguments.keep_mb << 20)
    server = socket.create_server(("127.0.0.1", 0), backlog=128)
    threading.Thread(target=_accept, args=(server, wire), daemon=True).start()
    print(server.getsockname()[1], flush=True)
    sys.stdin.read()


def _accept(server: socket.socket, wire: Wire) -> None:
    while True:
        connection, _ = server.accept()
        threading.Thread(target=_serve, args=(connection, wire), daemon=True).start()


if __name__ == "__main__":
    main()
