"""dlt's REST source into PostgreSQL with nested lines: with all its defaults, or tuned.

Tuned: CSV load files (COPY), two normalize workers, larger buffers, files rotated, no compression.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from typing import Any
from urllib.parse import urlsplit

TUNED = {
    "NORMALIZE__WORKERS": "2",
    "NORMALIZE__START_METHOD": "spawn",
    "DATA_WRITER__BUFFER_MAX_ITEMS": "50000",
    "EXTRACT__DATA_WRITER__FILE_MAX_ITEMS": "50000",
    "NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS": "200000",
    "DATA_WRITER__DISABLE_COMPRESSION": "true",
    "LOAD__WORKERS": "2",
    "EXTRACT__WORKERS": "2",
}


def load(url: str, *, tuned: bool, folder: str) -> None:
    import dlt
    from dlt.sources.rest_api import rest_api_source

    paginator: dict[str, Any] = {
        "type": "page_number",
        "base_page": 0,
        "page_param": "page",
        "total_path": None,
        "stop_after_empty_page": True,
    }
    endpoint = {"path": "v2/saleorders", "params": {"size": 1000}, "data_selector": "data", "paginator": paginator}
    source = rest_api_source({"client": {"base_url": url}, "resources": [{"name": "saleorders", "endpoint": endpoint}]})
    pipeline = dlt.pipeline("bench", destination="postgres", dataset_name="bench", pipelines_dir=folder)
    chosen = {"loader_file_format": "csv"} if tuned else {}
    pipeline.run(source, write_disposition="replace", **chosen)
    with pipeline.sql_client() as client:
        counted = client.execute_sql("SELECT count(*) FROM saleorders")
    print(json.dumps({"rows": counted[0][0]}))


def with_host(database: str) -> str:
    """The same URL with a host and a password, which dlt insists on; a socket folder in the query still wins."""
    parts = urlsplit(database)
    return database if parts.hostname else parts._replace(netloc=f"{parts.username}:none@localhost").geturl()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--orders", type=int, required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--tuned", action="store_true")
    arguments = parser.parse_args()
    os.environ |= {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "ERROR",
        "DESTINATION__POSTGRES__CREDENTIALS": with_host(arguments.database),
        **(TUNED if arguments.tuned else {}),
    }
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="bench-dlt-") as folder:
        load(arguments.url, tuned=arguments.tuned, folder=folder)
    print(json.dumps({"work": time.perf_counter() - started, "rows": arguments.orders}))


if __name__ == "__main__":
    main()
