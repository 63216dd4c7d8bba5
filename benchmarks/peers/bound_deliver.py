"""The bound of a delivery, written by hand: rows from PostgreSQL, mapped, orjson, POST in batches of 100.

No ledger, no plan, no comparison, one sender thread (or more with `--threads`).
"""

from __future__ import annotations

import argparse
import json
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import orjson
import psycopg
import requests

from benchmarks.peers.shapes import LINE_SQL, ORDER_SQL, push_document

CHUNK = 10_000
BATCH = 100


def documents(database: str, limit: int) -> Iterator[dict[str, Any]]:
    """Push documents of the landed orders, in key order."""
    with psycopg.connect(database) as connection, connection.cursor(name="orders") as cursor:
        cursor.itersize = CHUNK
        cursor.execute(f"{ORDER_SQL} LIMIT {limit}".encode())
        while rows := cursor.fetchmany(CHUNK):
            lines = defaultdict(list)
            with connection.cursor() as inner:
                for line in inner.execute(LINE_SQL.encode(), (rows[0][0], rows[-1][0])):
                    lines[line[0]].append(line)
            for row in rows:
                yield push_document(row, lines[row[0]])


def batches(database: str, limit: int) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for document in documents(database, limit):
        batch.append(document)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def sender(url: str, waiting: queue.Queue[list[dict[str, Any]] | None]) -> None:
    session = requests.Session()
    headers = {"Content-Type": "application/json", "X-Ometria-Auth": "none"}
    while (batch := waiting.get()) is not None:
        answer = session.post(f"{url}/v2/push", data=orjson.dumps(batch), headers=headers)
        assert answer.status_code == 202, answer.status_code


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--orders", type=int, required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    started = time.perf_counter()
    waiting: queue.Queue[list[dict[str, Any]] | None] = queue.Queue(maxsize=4 * arguments.threads)
    threads = [threading.Thread(target=sender, args=(arguments.url, waiting)) for _ in range(arguments.threads)]
    for thread in threads:
        thread.start()
    for batch in batches(arguments.database, arguments.orders):
        waiting.put(batch)
    for _ in threads:
        waiting.put(None)
    for thread in threads:
        thread.join()
    print(json.dumps({"work": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
