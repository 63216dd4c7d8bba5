"""The bound of a first load, written by hand: requests, orjson, COPY of typed columns into two new tables.

No validation, no merge, no exact money, one process. With `--parse` nothing is stored: what the client alone costs.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from typing import Any

import orjson
import psycopg
import requests

from benchmarks.peers.shapes import LINE, LISTS, ORDER


def pages(url: str, orders: int) -> Iterator[list[dict[str, Any]]]:
    session = requests.Session()
    for page in range(-(-orders // 1000)):
        yield orjson.loads(session.get(f"{url}/v2/saleorders?page={page}&size=1000").content)["data"]


def create(cursor: psycopg.Cursor[Any]) -> None:
    own = [f"{column} {kind}" for _, column, kind in ORDER] + [f"{column} text" for _, column in LISTS]
    lines = ["order_id text", "position bigint", *(f"{column} {kind}" for _, column, kind in LINE)]
    cursor.execute(f"CREATE TABLE bound_orders ({', '.join(own)})".encode())
    cursor.execute(f"CREATE TABLE bound_lines ({', '.join(lines)})".encode())


def store(cursor: psycopg.Cursor[Any], page: list[dict[str, Any]]) -> None:
    own, lists, line_members = [m for m, *_ in ORDER], [m for m, _ in LISTS], [m for m, *_ in LINE]
    with cursor.copy("COPY bound_orders FROM STDIN") as copy:
        for order in page:
            copy.write_row([order[m] for m in own] + [",".join(order[m]) for m in lists])
    with cursor.copy("COPY bound_lines FROM STDIN") as copy:
        for order in page:
            order_id = order["saleOrderId"]
            for position, line in enumerate(order["items"]):
                copy.write_row([order_id, position, *[line[m] for m in line_members]])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--orders", type=int, required=True)
    parser.add_argument("--database", default="")
    parser.add_argument("--parse", action="store_true")
    arguments = parser.parse_args()
    started, read = time.perf_counter(), 0
    if arguments.parse:
        read = sum(len(page) for page in pages(arguments.url, arguments.orders))
    else:
        with psycopg.connect(arguments.database) as connection, connection.cursor() as cursor:
            create(cursor)
            for page in pages(arguments.url, arguments.orders):
                store(cursor, page)
                read += len(page)
    assert read == arguments.orders, read
    print(json.dumps({"work": time.perf_counter() - started, "rows": read}))


if __name__ == "__main__":
    main()
