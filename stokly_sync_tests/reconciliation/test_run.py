"""Both sides of a destination gathered and compared, on both databases, over rows that came in through landing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pandas as pd
import pytest
import sqlalchemy as sa

from stokly_sync.contracts.money import NANO
from stokly_sync.contracts.rules import Rule, catalogue
from stokly_sync.delivery.figures import PlanScope
from stokly_sync.delivery.options import DeliveryStopped
from stokly_sync.delivery.planning import plan
from stokly_sync.delivery.sending import deliver
from stokly_sync.errors import InDoubt, TransientError
from stokly_sync.flow import Built, Document, Facts, Feed, Frames, ReplayClass, Team, Window
from stokly_sync.landing import grid
from stokly_sync.landing.run import Reader, land_window
from stokly_sync.reconciliation import report
from stokly_sync.reconciliation import run as reconciliation
from stokly_sync.reconciliation.compare import Comparison, Kind
from stokly_sync.reconciliation.run import reconcile
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import FINDINGS, RECONCILIATIONS
from stokly_sync_tests.delivery import kit
from stokly_sync_tests.delivery.kit import QUICK, Destination, build_orders, orders_feed
from stokly_sync_tests.landing.source import Source

T0: Final = grid.floor(datetime.now(UTC)) - timedelta(hours=4)
HOUR: Final = Window(T0, T0 + timedelta(hours=1))
_LANDING: Final = ("ST-MONEY", "ST-MEMBER-TYPE", "ST-SKU-DUPLICATE", "ST-ITEM-SKU", "ST-TIME")
RULES: Final = catalogue(
    (*kit.RULES.values(), *(Rule(code, "It is wrong.", "Mend it.", Team.FINANCE, "X2") for code in _LANDING))
)


def build(frames: Frames) -> Built:
    """The documents of the kit, with the buyer's address in them."""
    built = build_orders(frames)
    return replace(
        built, documents=[d._replace(content=d.body | {"email": "buyer@example.com"}) for d in built.documents]
    )


def facts(records: Sequence[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "key": pd.Series([r["id"] for r in records], dtype="str"),
            "value": pd.array([r["total"] for r in records], dtype="Int64"),
            "refunded": pd.array([r.get("refunded", 0) for r in records], dtype="Int64"),
            "currency": pd.Series(["GBP"] * len(records), dtype="str"),
            "note": pd.Series([r["note"] for r in records], dtype="str"),
        }
    )


def read_back(client: Destination) -> Iterator[Facts]:
    """Two records a page, as a destination would give them."""
    records = [versions[-1] for versions in client.held.values()]
    for start in range(0, len(records), 2):
        yield Facts(facts(records[start : start + 2]))


ORDERS: Final = orders_feed(build=build, facts=facts, read_back=read_back, compared=("note",), source_value="total")


@dataclass
class Bench:
    """Orders at a source, a warehouse, and a destination in memory."""

    warehouse: Warehouse
    feed: Feed = ORDERS
    client: Destination = field(default_factory=Destination)
    source: Source = field(default_factory=lambda: Source("stokly.orders", page=10))
    runs: int = 0

    def put(self, key: str, *, total: Any = 10 * NANO, number: str | None = None, minute: int = 0) -> None:
        price = 0 if total == "x" else total
        line = {"line_id": "1", "position": 0, "quantity": 1, "line_price": price, "line_tax": 0, "line_total": price}
        at = T0 + timedelta(minutes=minute)
        order = {"order_id": key, "number": number, "stage": "order", "currency": "GBP", "total": total, "live": True}
        rest = {"line_count": 1, "lines_total": price, "created_at": T0, "updated_at": at, "lines": [line]}
        self.source.put(**order, **rest)

    def sync(self) -> None:
        """Extract, plan and send what is due."""
        self.runs += 1
        run_id = f"run-{self.runs}"
        reader = Reader(self.warehouse, RULES, run_id=run_id, windows_from=T0 - timedelta(days=1))
        land_window(reader, self.source.extract(), None, HOUR)
        plan(self.warehouse, self.feed, catalogue=RULES, scope=PlanScope(), run_id=run_id).check()
        deliver(self.warehouse, self.feed, self.client, catalogue=RULES, run_id=run_id, options=QUICK)

    def reconcile(self) -> Comparison:
        (found,) = reconcile(self.warehouse, [self.feed], self.client, run_id=f"run-{self.runs}")
        return found

    def stored(self, table: sa.Table) -> list[Any]:
        order = table.c.first_seen if "first_seen" in table.c else table.c["at"]
        with self.warehouse.reading() as connection:
            return list(connection.execute(sa.select(table).order_by(order)))


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciliation, "SECOND_LOOK_S", 0)


@pytest.fixture
def bench(warehouse: Warehouse) -> Bench:
    """Ten orders of 10.00, delivered."""
    made = Bench(warehouse)
    for n in range(10):
        made.put(f"o{n}")
    made.sync()
    return made


def test_two_sides_that_hold_the_same_agree(bench: Bench) -> None:
    found = bench.reconcile()
    assert found.agreed
    assert found.differences == ()
    assert (found.source.count, found.ours.count, found.theirs.count) == (10, 10, 10)
    assert found.source.totals == found.ours.totals == found.theirs.totals == {"GBP": 100 * NANO}
    (row,) = bench.stored(RECONCILIATIONS)
    assert (row.subject, row.status, row.run_id, row.brand) == ("test/orders", "agreed", "run-1", "demo")
    assert bench.stored(FINDINGS) == []


def test_both_sides_are_read_whole_however_small_the_pieces(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciliation, "CHUNK_KEYS", 3)
    found = bench.reconcile()
    assert found.agreed
    assert found.ours.count == 10


def test_nothing_on_either_side_agrees(warehouse: Warehouse) -> None:
    found = Bench(warehouse).reconcile()
    assert found.agreed
    assert (found.source.count, found.theirs.count, found.theirs.totals) == (0, 0, {})


def test_a_record_that_the_destination_lost_is_found(bench: Bench) -> None:
    del bench.client.held["o3"]
    found = bench.reconcile()
    (only,) = found.unexplained
    assert (only.key, only.kind, only.amount, only.currency) == ("o3", Kind.MISSING, 10 * NANO, "GBP")
    assert not found.agreed


def test_a_record_that_nobody_sent_is_found(bench: Bench) -> None:
    bench.client.held["stray"] = [{"id": "stray", "total": 7 * NANO, "note": None}]
    (only,) = bench.reconcile().unexplained
    assert (only.key, only.kind, only.amount) == ("stray", Kind.UNEXPECTED, -7 * NANO)


@pytest.mark.parametrize(
    ("change", "kind", "member", "ours", "theirs"),
    [
        ({"total": 9 * NANO}, Kind.VALUE, "value", "10.00", "9.00"),
        ({"refunded": 2 * NANO}, Kind.REFUNDED, "refunded", "0.00", "2.00"),
        ({"note": "odd"}, Kind.FIELD, "note", "", "odd"),
    ],
)
def test_a_record_that_was_changed_there_is_found_with_both_values(
    bench: Bench, change: dict[str, Any], kind: Kind, member: str, ours: str, theirs: str
) -> None:
    bench.client.held["o4"].append(bench.client.held["o4"][-1] | change)
    (only,) = bench.reconcile().unexplained
    assert (only.key, only.kind, only.field, only.ours, only.theirs) == ("o4", kind, member, ours, theirs)


def test_one_finding_is_raised_however_often_it_is_seen_and_cleared_once_mended(bench: Bench) -> None:
    lost = bench.client.held.pop("o3")
    bench.reconcile()
    bench.reconcile()
    (finding,) = bench.stored(FINDINGS)
    assert (finding.kind, finding.subject, finding.problem_key) == ("reconciliation", "test/orders", "differs")
    assert (finding.state, finding.severity, finding.owner) == ("open", "high", "operations")
    assert finding.title == "test/orders does not agree with Stokly: 1 unexplained differences."
    assert [d["key"] for d in json.loads(finding.body)["sample"]] == ["o3"]
    bench.client.held["o3"] = lost
    assert bench.reconcile().agreed
    (finding,) = bench.stored(FINDINGS)
    assert finding.state == "cleared"
    assert [row.status for row in bench.stored(RECONCILIATIONS)] == ["differs", "differs", "agreed"]


def test_the_newest_comparison_lists_all_that_differs_and_those_before_it_the_first_of_them(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "SAMPLE", 2)
    bench.client.held.clear()
    bench.reconcile()
    bench.reconcile()
    kept = [json.loads(row.body) for row in bench.stored(RECONCILIATIONS)]
    assert [(len(body["records"]), body["differing"]) for body in kept] == [(2, 10), (10, 10)]


@pytest.mark.parametrize("rule", ["T-BAD", "T-GUEST", "T-NOT-CONFIRMED"])
def test_what_a_rule_quarantines_excludes_or_parks_is_explained_by_it(bench: Bench, rule: str) -> None:
    bench.put("held", number=rule, total=3 * NANO, minute=5)
    bench.sync()
    found = bench.reconcile()
    assert found.agreed
    assert found.explained == {rule: 1}
    assert (found.source.count, found.ours.count, found.theirs.count) == (11, 10, 10)
    assert found.source.totals == {"GBP": 103 * NANO}
    assert found.kept_back_totals == {"GBP": 3 * NANO}


def test_a_row_that_broke_its_contract_is_explained_by_that_rule(bench: Bench) -> None:
    bench.put("broken", total="x", minute=5)
    bench.sync()
    found = bench.reconcile()
    assert found.agreed
    assert found.explained == {"ST-MONEY": 1}
    assert (found.source.count, found.theirs.count) == (11, 10)


def test_a_delivered_record_whose_newer_state_broke_its_contract_counts_once(bench: Bench) -> None:
    bench.put("o5", total="x", minute=5)
    bench.sync()
    found = bench.reconcile()
    assert found.agreed
    assert (found.source.count, found.theirs.count) == (10, 10)
    assert found.kept_back == {}


def test_a_refused_record_is_explained_by_its_refusal(bench: Bench) -> None:
    bench.client.reject = lambda record: record.key == "refused"
    bench.put("refused", minute=5)
    bench.sync()
    found = bench.reconcile()
    assert found.agreed
    assert found.explained == {"T-REJECTED": 1}
    (only,) = found.differences
    assert (only.key, only.kind) == ("refused", Kind.MISSING)


def test_a_record_that_is_planned_and_not_sent_is_explained_by_nothing(bench: Bench) -> None:
    bench.put("late", minute=5)
    deliveries = bench.client.before

    def down(batch: object) -> None:  # noqa: ARG001
        raise TransientError("the destination is down")

    bench.client.before = down
    with pytest.raises(DeliveryStopped):
        bench.sync()
    bench.client.before = deliveries
    (only,) = bench.reconcile().unexplained
    assert (only.key, only.kind) == ("late", Kind.MISSING)


def test_a_record_in_doubt_is_no_explanation(warehouse: Warehouse) -> None:
    bench = Bench(warehouse, feed=replace(ORDERS, replay=ReplayClass.NEVER))
    bench.put("o1")
    bench.sync()
    bench.put("doubtful", minute=5)

    def cut(batch: object) -> None:  # noqa: ARG001
        raise InDoubt("no answer came")

    bench.client.before = cut
    with pytest.raises(DeliveryStopped):
        bench.sync()
    found = bench.reconcile()
    assert found.in_doubt == 1
    assert [d.key for d in found.unexplained] == ["doubtful"]
    assert not found.agreed


def test_a_record_in_doubt_that_did_arrive_still_needs_a_person(warehouse: Warehouse) -> None:
    bench = Bench(warehouse, feed=replace(ORDERS, replay=ReplayClass.NEVER))
    bench.put("o1")

    def cut(batch: object) -> None:  # noqa: ARG001
        raise InDoubt("no answer came")

    bench.client.after = cut
    with pytest.raises(DeliveryStopped):
        bench.sync()
    found = bench.reconcile()
    assert found.unexplained == ()
    assert not found.agreed


def test_money_that_a_builder_loses_is_unaccounted_although_both_sides_are_equal(warehouse: Warehouse) -> None:
    def lossy(frames: Frames) -> Built:
        built = build(frames)
        return replace(built, documents=[_less(d, 2 * NANO) if d.key == "o1" else d for d in built.documents])

    bench = Bench(warehouse, feed=replace(ORDERS, build=lossy))
    for n in range(3):
        bench.put(f"o{n}")
    bench.sync()
    found = bench.reconcile()
    assert found.unexplained == ()
    assert found.unaccounted == {"GBP": 2 * NANO}
    assert not found.agreed
    (finding,) = bench.stored(FINDINGS)
    assert finding.title == "test/orders does not agree with Stokly: unaccounted 2.00 GBP."


def _less(document: Document, amount: int) -> Document:
    return document._replace(content=document.body | {"total": document.body["total"] - amount})


def test_the_ledger_stands_in_for_a_destination_that_cannot_be_read(bench: Bench) -> None:
    bench.feed = replace(ORDERS, read_back=None)
    bench.client.held.clear()
    found = bench.reconcile()
    assert found.agreed
    assert (found.theirs.count, found.theirs.totals) == (10, {"GBP": 100 * NANO})
    assert found.read_back is False
    (row,) = bench.stored(RECONCILIATIONS)
    assert json.loads(row.body)["read_back"] is False


def test_a_destination_that_shows_a_record_late_is_looked_at_twice(bench: Bench) -> None:
    late = bench.client.held.pop("o3")
    looks = []

    def slow(client: Destination) -> Iterator[Facts]:
        looks.append(len(client.held))
        yield from read_back(client)
        client.held["o3"] = late

    bench.feed = replace(ORDERS, read_back=slow)
    assert bench.reconcile().agreed
    assert looks == [9, 10]
    assert bench.reconcile().agreed
    assert len(looks) == 3


def test_a_destination_that_cannot_be_asked_leaves_no_result(bench: Bench) -> None:
    def down(client: Destination) -> Iterator[Facts]:
        yield from read_back(client)
        raise TransientError("the destination is down")

    bench.feed = replace(ORDERS, read_back=down)
    with pytest.raises(TransientError):
        bench.reconcile()
    assert bench.stored(RECONCILIATIONS) == []
    assert bench.stored(FINDINGS) == []


def test_another_brands_records_are_not_looked_at(bench: Bench) -> None:
    other = Bench(Warehouse(bench.warehouse.engine, "other"))
    other.put("theirs")
    other.sync()
    assert bench.reconcile().source.count == 10
    assert other.reconcile().source.count == 1


def test_nothing_personal_is_stored_of_a_comparison(bench: Bench) -> None:
    assert bench.client.held["o1"][-1]["email"] == "buyer@example.com"
    bench.client.held["o1"].append(bench.client.held["o1"][-1] | {"note": "ring buyer@example.com"})
    bench.client.held["buyer@example.com"] = [{"id": "buyer@example.com", "total": 0, "note": None}]
    found = bench.reconcile()
    assert len(found.unexplained) == 2
    for row in (*bench.stored(RECONCILIATIONS), *bench.stored(FINDINGS)):
        assert "example.com" not in str(tuple(row))


class TestItems:
    """A feed whose key is not its dataset's: rows go by item, records by SKU."""

    @pytest.fixture
    def items(self, warehouse: Warehouse) -> Bench:
        def made(frames: Frames) -> Built:
            rows = frames["stokly.items"]
            values = zip(rows["sku"], rows["name"], rows["version"], strict=True)
            return Built([Document(sku, {"id": sku, "total": 0, "note": name}, at) for sku, name, at in values])

        feed = replace(
            ORDERS, name="products", dataset="stokly.items", key="sku", build=made, source_value=None, triggers=()
        )
        bench = Bench(warehouse, feed=feed, source=Source("stokly.items", page=10))
        for n in range(10):
            self.put(bench, n, "Mug")
        bench.sync()
        return bench

    def put(self, bench: Bench, number: int, name: str, **more: Any) -> None:
        row = {"item_id": f"i{number}", "sku": f"SKU-{number}", "name": name, "format": 0, "live": True}
        bench.source.put(**row, stocked=True, updated_at=T0, **more)

    def test_a_delivered_item_whose_newer_state_broke_its_contract_counts_once(self, items: Bench) -> None:
        self.put(items, 3, "Cup", total="x")
        items.sync()
        found = items.reconcile()
        assert found.agreed
        assert (found.source.count, found.theirs.count, found.kept_back) == (10, 10, {})

    def test_its_rule_explains_what_differs_there_meanwhile(self, items: Bench) -> None:
        self.put(items, 3, "Cup", total="x")
        items.sync()
        items.client.held["SKU-3"].append({"id": "SKU-3", "total": 0, "note": "Cup"})
        found = items.reconcile()
        assert found.agreed
        assert found.explained == {"ST-MONEY": 1}

    def test_an_item_that_never_passed_is_explained_by_its_rule(self, items: Bench) -> None:
        self.put(items, 11, "Cup", total="x")
        items.sync()
        found = items.reconcile()
        assert found.agreed
        assert (found.source.count, found.ours.count, found.explained) == (11, 10, {"ST-MONEY": 1})
