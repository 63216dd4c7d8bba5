"""dlt as a sender: a generator of the same documents into a `@dlt.destination` that posts batches of 100."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.peers.bound_deliver import BATCH, CHUNK, documents


def deliver(url: str, database: str, orders: int, folder: str) -> None:
    import dlt
    import orjson
    import requests

    session = requests.Session()
    headers = {"Content-Type": "application/json"}

    @dlt.destination(
        batch_size=BATCH,
        name="sink",
        naming_convention="direct",
        max_table_nesting=0,
        skip_dlt_columns_and_tables=True,
        loader_file_format="typed-jsonl",
    )
    def sink(items: list[dict[str, Any]], table: Any) -> None:  # noqa: ARG001  # signature of the library
        answer = session.post(f"{url}/v2/push", data=orjson.dumps(items, default=str), headers=headers)
        assert answer.status_code == 202, answer.status_code

    @dlt.resource(name="orders", max_table_nesting=0)
    def rows() -> Iterator[list[dict[str, Any]]]:
        chunk: list[dict[str, Any]] = []
        for document in documents(database, orders):
            chunk.append(document)
            if len(chunk) == CHUNK:
                yield chunk
                chunk = []
        yield chunk

    dlt.pipeline("bench", destination=sink, dataset_name="x", pipelines_dir=folder).run(
        rows, write_disposition="append"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--orders", type=int, required=True)
    parser.add_argument("--database", required=True)
    arguments = parser.parse_args()
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="bench-dlt-") as folder:
        deliver(arguments.url, arguments.database, arguments.orders, folder)
    print(json.dumps({"work": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
