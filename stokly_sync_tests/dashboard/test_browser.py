"""In a real browser: what was planted in the demo's Stokly appears, is mended there, retried here, and closes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from stokly_sync.contracts.rules import Effect
from stokly_sync.dashboard.access import access_for
from stokly_sync.pipeline.by_hand import desk_of
from stokly_sync.sandbox.stokly import Put
from stokly_sync_tests.acceptance.account import now_in
from stokly_sync_tests.acceptance.benches import OmetriaBench
from stokly_sync_tests.acceptance.harness import Rig, opened
from stokly_sync_tests.dashboard.site import served
from stokly_sync_tests.support.browser import chromium

pytestmark = [pytest.mark.browser, pytest.mark.sandbox, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Rig]:
    """The demo's account with everything that was planted in it, loaded into Ometria."""
    path = tmp_path_factory.mktemp("browser") / "warehouse.sqlite"
    shutil.copy(migrated_sqlite, path)
    mapped = {"OMETRIA_CONTACT_PROPERTIES": '{"note": "extra.notes"}'}
    with opened(OmetriaBench(), f"sqlite:///{path}", seed="demo", environ=mapped) as made:
        made.sync().fine()
        made.reconcile()
        yield made


@pytest.fixture(scope="module")
def page(rig: Rig) -> Iterator[Page]:
    """A browser on the dashboard, which complains about nothing and asks nobody else."""
    access = access_for(host="127.0.0.1", url="http://127.0.0.1:3001", users={}, session_key=None)
    with served(desk_of(rig.services), access) as address, chromium() as browser:
        made = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900}).new_page()
        complaints: list[str] = []
        made.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        made.on("request", lambda r: None if r.url.startswith(address) else complaints.append(r.url))
        yield made
        assert complaints == []


def planted(rig: Rig) -> set[tuple[str, str]]:
    """(rule, key) of the defects that a person has to see to, at the source and at Ometria."""
    catalogue = rig.services.catalogue
    ours = [p for p in rig.stokly.seeded.planted if p.rule.startswith(("ST-", "OM-"))]
    return {(p.rule, p.key) for p in ours if catalogue[p.rule].effect is Effect.QUARANTINE}


def key_of(rig: Rig, rule: str) -> str:
    return next(p.key for p in rig.stokly.seeded.planted if p.rule == rule)


def open_one(page: Page, subject: str, key: str, rule: str) -> None:
    page.goto(f"/?{urlencode({'rule': rule, 'owner': 'all'})}")
    page.locator("tr", has_text=key).get_by_role("link").click()
    expect(page.get_by_text(subject).first).to_be_visible()


def mend(rig: Rig, collection: str, **row: Any) -> None:
    rig.stokly.mutate(Put(collection=collection, row={**row, "updatedAt": now_in(rig.stokly)}))


def retry(page: Page) -> None:
    page.get_by_role("button", name="Retry now").click()


def test_all_that_was_planted_is_on_the_list(page: Page, rig: Rig) -> None:
    shown = set()
    for state in ("open", "ignored", "closed"):  # other tests may have seen to some of them
        page.goto(f"/?owner=all&state={state}")
        rows = page.locator("tbody tr").all()
        shown |= {(row.locator(".tag").first.inner_text(), row.locator(".mono").inner_text()) for row in rows}
    assert planted(rig) - shown == set()


def test_a_team_sees_its_own_first(page: Page) -> None:
    page.goto("/")
    page.get_by_label("My team").select_option("finance")
    page.get_by_role("button", name="Set").click()
    expect(page.locator(".tile.here")).to_contain_text("my team")
    assert set(page.locator("tbody td:nth-child(4)").all_inner_texts()) == {"Finance"}
    page.get_by_label("My team").select_option("")
    page.get_by_role("button", name="Set").click()


def test_an_order_is_mended_in_stokly_retried_and_closes(page: Page, rig: Rig) -> None:
    key = key_of(rig, "ST-ORDER-TOTAL")
    open_one(page, "stokly.orders", key, "ST-ORDER-TOTAL")
    retry(page)
    expect(page.get_by_role("status")).to_contain_text("Still kept back")
    row = next(row for row in rig.stokly.store.rows("saleorders") if row["saleOrderId"] == key)
    right = {name: row[name] - Decimal(5) for name in ("total", "displayTotal", "amountPaid")}
    mend(rig, "saleorders", saleOrderId=key, **right)
    retry(page)
    expect(page.get_by_role("status")).to_contain_text("It passes now")
    expect(page.get_by_text("closed", exact=True).first).to_be_visible()
    page.goto("/?rule=ST-ORDER-TOTAL&owner=all")
    expect(page.get_by_text("Nothing matches these filters.")).to_be_visible()


def test_a_customer_gets_an_address_is_retried_and_reaches_the_destination(page: Page, rig: Rig) -> None:
    key = key_of(rig, "OM-CONTACT-EMAIL")
    open_one(page, "ometria/contacts", key, "OM-CONTACT-EMAIL")
    assert not re.search(r"@\w", page.content()), "nothing personal unasked"
    mend(rig, "customers", customerId=key, email="found-again@example.com")
    retry(page)
    expect(page.get_by_role("status")).to_contain_text("It passes now")
    assert rig.state("contacts", key) == "accepted"
    page.get_by_role("button", name="Reveal").click()
    expect(page.locator("pre").first).to_contain_text("found-again@example.com")
    page.get_by_role("link", name="Hide it").click()
    expect(page.locator("pre").first).not_to_contain_text("found-again@example.com")


def test_a_tracking_number_is_mended_and_its_mail_leaves(page: Page, rig: Rig) -> None:
    key = key_of(rig, "OM-TRACKING")
    open_one(page, "ometria/dispatches", key, "OM-TRACKING")
    mend(rig, "dispatches", dispatchId=key, trackingNumber="1Z999AA10123456784")
    retry(page)
    expect(page.get_by_role("status")).to_contain_text("It passes now")
    page.get_by_role("link", name="Where is it?").click()
    expect(page.get_by_text("accepted", exact=True).first).to_be_visible()


def test_one_is_ignored_with_a_reason_and_several_are_assigned(page: Page, rig: Rig) -> None:
    open_one(page, "stokly.items", key_of(rig, "ST-ITEM-SKU"), "ST-ITEM-SKU")
    page.get_by_label("reason").fill("a sample, never sold")
    page.get_by_role("button", name="Ignore").click()
    expect(page.get_by_text("a sample, never sold").first).to_be_visible()
    page.goto("/?rule=ST-MONEY&owner=all")
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_label("assign to").fill("day shift")
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_role("status")).to_contain_text("2 exceptions assigned to day shift")


def test_where_an_order_is_can_be_asked_by_its_number(page: Page, rig: Rig) -> None:
    accepted = {key for key, state in rig.states("orders").items() if state == "accepted"}
    row = next(row for row in rig.stokly.store.rows("saleorders") if row["saleOrderId"] in accepted)
    page.goto("/where")
    page.get_by_label("what to look for").fill(str(row["niceId"]))
    page.get_by_role("button", name="Look").click()
    expect(page.get_by_role("heading", name="What happened")).to_be_visible()
    expect(page.get_by_role("cell", name="Ometria order", exact=True)).to_be_visible()


@pytest.mark.parametrize(
    ("path", "heading"),
    [
        ("/waiting", "Waiting"),
        ("/problems", "Problems"),
        ("/reconciliation", "Reconciliation"),
        ("/trust", "Trust"),
        ("/plans", "Plans"),
    ],
)
def test_every_other_page_opens_and_fits_the_window(page: Page, path: str, heading: str) -> None:
    page.goto(path)
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_charts_are_drawn(page: Page) -> None:
    page.goto("/trust")
    drawn = page.locator("details").filter(has=page.locator("svg.chart polyline")).first
    drawn.locator("summary").click()
    expect(drawn.locator("svg.chart").first).to_be_visible()
