"""The distribution's Chromium, for tests that look at pages as people do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from playwright.sync_api import Browser, sync_playwright

REQUIRED: Final = "STOKLY_SYNC_REQUIRE_BROWSER"
"""Set to 1 where the tests must run: a missing browser is a failure then."""

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_ARGUMENTS: Final = (
    # Root in a container has no sandbox of its own to give to the browser; the pages are ours.
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    # It stays at home: no updates, no look-ups, no telemetry.
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"),
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium; skips the test, with what is missing, where there is none."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        missing = "no Chromium on this machine; on Debian and Ubuntu: apt-get install chromium"
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{missing}; {REQUIRED}=1 says that these tests must run here")
        pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()
