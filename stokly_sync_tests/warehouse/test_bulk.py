"""What goes in comes out, on both databases, and only rows that should change do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stokly_sync.contracts.tables import UTC_TIME, Kind
from stokly_sync.warehouse import merging
from stokly_sync.warehouse.bulk import (
    Merge,
    among,
    delete_by,
    insert,
    merge,
    read_frame,
    rows_by,
    stream_frames,
    update,
)
from stokly_sync.warehouse.store import Warehouse
from stokly_sync.warehouse.tables import LANDED, LEDGER
from stokly_sync_tests.warehouse.examples import LINES, NOON, ORDERS, rows, typed

ORDER_TABLE = LANDED[ORDERS.name]
LINE_TABLE = LANDED[LINES.name]
BRAND = {"brand": "demo"}
LANDED_NOW = {"brand": "demo", "window_start": NOON, "landed_at": NOON}
NEWER = Merge(
    when=lambda stored, new: sa.and_(new.version >= stored.version, new.content_hash != stored.content_hash),
    returning=True,
)


@pytest.fixture(autouse=True, params=["few rows", "many rows"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of merging must come to the same, so each test takes the one for many rows as well."""
    monkeypatch.setattr(merging, "_WORTH_REPLACING", 1 if request.param == "many rows" else 10**9)


# Whatever JSON can carry and Arrow can hold: all of Unicode but lone surrogates; NUL has a test of its own.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.sampled_from(
    ["", '"', "'", "\\", "\\N", "\\.", "\n", "\r\n", ",", '","', "NULL", "nan", "None", "NaT", "<NA>", "t", "a\tb", " "]
)
INTEGERS = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-(2**63), 2**63 - 1, 2**53 + 1, 0, -1])
TIMES = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999), timezones=st.just(UTC))  # noqa: DTZ001  # bounds are naive by contract
CELLS: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.TEXT: TEXTS,
    Kind.JSON: TEXTS,
    Kind.MONEY: INTEGERS,
    Kind.WHOLE: INTEGERS,
    Kind.FLAG: st.booleans(),
    Kind.TIME: TIMES,
}


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    keys = draw(st.lists(TEXTS, unique=True, min_size=1, max_size=6))
    columns: dict[str, list[Any]] = {}
    for c in ORDERS.all_columns:
        cell = CELLS[c.kind] if c.required else st.none() | CELLS[c.kind]
        columns[c.name] = draw(st.lists(cell, min_size=len(keys), max_size=len(keys)))
    return typed(ORDERS, columns | {"order_id": sorted(keys)})


@given(frame=frames())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_frame_comes_back_exactly_as_it_was_merged(warehouse: Warehouse, frame: pd.DataFrame) -> None:
    with warehouse.engine.connect() as conn, conn.begin() as transaction:
        merge(conn, ORDER_TABLE, frame, fixed=LANDED_NOW)
        merge(conn, ORDER_TABLE, frame, fixed=LANDED_NOW)
        back = rows_by(conn, ORDERS, brand="demo", column="order_id", values=frame["order_id"])
        transaction.rollback()
    pd.testing.assert_frame_equal(back, frame, check_exact=True)


@given(frame=frames())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_frame_comes_back_exactly_as_it_was_inserted_and_streamed(warehouse: Warehouse, frame: pd.DataFrame) -> None:
    select = sa.select(*[ORDER_TABLE.c[c.name] for c in ORDERS.all_columns]).order_by(ORDER_TABLE.c.order_id)
    with warehouse.engine.connect() as conn, conn.begin() as transaction:
        insert(conn, ORDER_TABLE, frame, fixed=LANDED_NOW)
        back = pd.concat(stream_frames(conn, select, rows=2), ignore_index=True)
        transaction.rollback()
    pd.testing.assert_frame_equal(back, frame, check_exact=True)


def test_columns_of_plain_values_are_stored_as_a_frame_of_them_is(warehouse: Warehouse) -> None:
    frame = rows(ORDERS, ["1", "2"], city=["Leeds", None], total=[-(2**63), 2**63 - 1], tags=['["x"]', ""])
    plain = {str(name): frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in frame}
    with warehouse.transaction() as conn:
        insert(conn, ORDER_TABLE, {name: values[:1] for name, values in plain.items()}, fixed=LANDED_NOW)
        merge(conn, ORDER_TABLE, plain, fixed=LANDED_NOW)
        update(conn, ORDER_TABLE, {"order_id": ["2"], "tags": [b"[]"]}, key=["order_id"], fixed=BRAND)
        back = rows_by(conn, ORDERS, brand="demo", column="order_id", values=["1", "2"])
    pd.testing.assert_frame_equal(back, frame.assign(tags=['["x"]', "[]"]).astype(frame.dtypes), check_exact=True)


def test_empty_text_and_missing_text_stay_different(warehouse: Warehouse) -> None:
    with warehouse.transaction() as conn:
        merge(conn, ORDER_TABLE, rows(ORDERS, ["1", "2"], region=["", None]), fixed=LANDED_NOW)
        query = sa.select(ORDER_TABLE.c.region).order_by(ORDER_TABLE.c.order_id)
        assert list(conn.scalars(query)) == ["", None]
        assert read_frame(conn, query)["region"].isna().tolist() == [False, True]


def test_the_character_nul_is_shown_on_both_databases_and_its_key_is_still_found(warehouse: Warehouse) -> None:
    with warehouse.transaction() as conn:
        merge(conn, ORDER_TABLE, rows(ORDERS, ["a\0b"], city="x\0"), fixed=LANDED_NOW)
        back = rows_by(conn, ORDERS, brand="demo", column="order_id", values=["a\0b"])
    assert back[["order_id", "city"]].to_numpy().tolist() == [["a\ufffdb", "x\ufffd"]]


def test_only_content_that_is_new_and_not_older_moves_a_row(warehouse: Warehouse) -> None:
    later = NOON + timedelta(hours=1)
    first = rows(ORDERS, ["same", "older", "changed"], content_hash="h1", version=NOON)
    again = rows(
        ORDERS,
        ["same", "older", "changed", "new"],
        content_hash=["h1", "h2", "h2", "h2"],
        version=[later, NOON - timedelta(seconds=1), NOON, NOON],
        city="Leeds",
    )
    with warehouse.transaction() as conn:
        assert set(merge(conn, ORDER_TABLE, first, fixed=LANDED_NOW, condition=NEWER).keys["order_id"]) == set(
            first["order_id"]
        )
        result = merge(conn, ORDER_TABLE, again, fixed=LANDED_NOW | {"window_start": later}, condition=NEWER)
        moved = conn.execute(sa.select(ORDER_TABLE.c.order_id).where(ORDER_TABLE.c.window_start == later)).scalars()
        assert set(moved) == {"changed", "new"}
    assert (result.offered, result.written) == (4, 2)
    assert set(result.keys["order_id"]) == {"changed", "new"}
    assert list(result.keys.columns) == ["order_id"]


@pytest.mark.parametrize("returning", [True, False])
def test_written_rows_are_counted_whether_or_not_their_keys_are_wanted(warehouse: Warehouse, returning: bool) -> None:
    condition = Merge(when=lambda stored, new: new.total > stored.total, returning=returning)
    with warehouse.transaction() as conn:
        merge(conn, ORDER_TABLE, rows(ORDERS, ["1", "2"], total=[1, 5]), fixed=LANDED_NOW)
        frame = rows(ORDERS, ["1", "2", "3"], total=[2, 5, 1])
        result = merge(conn, ORDER_TABLE, frame, fixed=LANDED_NOW, condition=condition)
    assert (result.offered, result.written) == (3, 2)
    assert sorted(result.keys["order_id"]) == (["1", "3"] if returning else [])


def test_keeping_every_column_inserts_only_what_is_new(warehouse: Warehouse) -> None:
    keep = tuple(c.name for c in ORDER_TABLE.c if not c.primary_key)
    with warehouse.transaction() as conn:
        merge(conn, ORDER_TABLE, rows(ORDERS, ["1"], city="York"), fixed=LANDED_NOW)
        condition = Merge(keep=keep, returning=True)
        result = merge(conn, ORDER_TABLE, rows(ORDERS, ["1", "2"], city="Hull"), fixed=LANDED_NOW, condition=condition)
        back = rows_by(conn, ORDERS, brand="demo", column="order_id", values=["1", "2"])
    assert (result.written, result.keys["order_id"].tolist()) == (1, ["2"])
    assert back["city"].tolist() == ["York", "Hull"]


def test_the_condition_sees_fixed_columns_too(warehouse: Warehouse) -> None:
    condition = Merge(when=lambda stored, new: new.landed_at > stored.landed_at, returning=True)
    later = NOON + timedelta(hours=1)
    with warehouse.transaction() as conn:
        for at, expected in ((NOON, ["1"]), (NOON, []), (later, ["1"])):
            result = merge(
                conn, ORDER_TABLE, rows(ORDERS, ["1"]), fixed=LANDED_NOW | {"landed_at": at}, condition=condition
            )
            assert result.keys["order_id"].tolist() == expected


def test_keys_of_several_columns_are_compared_whole(warehouse: Warehouse) -> None:
    first = rows(LINES, ["a", "a", "b"], line_id=["1", "2", "1"], quantity=[1, 1, 1])
    second = rows(LINES, ["a", "a", "b", "b"], line_id=["1", "3", "1", "2"], quantity=[1, 2, 2, 2])
    condition = Merge(when=lambda stored, new: new.quantity > stored.quantity, returning=True)
    with warehouse.transaction() as conn:
        merge(conn, LINE_TABLE, first, fixed=BRAND)
        result = merge(conn, LINE_TABLE, second, fixed=BRAND, condition=condition)
        back = rows_by(conn, LINES, brand="demo", column="order_id", values=["a", "b"])
    assert sorted(map(tuple, result.keys.to_numpy())) == [("a", "3"), ("b", "1"), ("b", "2")]
    assert back["quantity"].tolist() == [1, 1, 2, 2, 2]


def test_kept_columns_stay_and_computed_ones_see_both_rows(warehouse: Warehouse) -> None:
    condition = Merge(keep=("city",), compute={"tax": lambda stored, new: stored.tax + new.tax})
    with warehouse.transaction() as conn:
        merge(conn, ORDER_TABLE, rows(ORDERS, ["1"], city="York", tax=5, total=1), fixed=LANDED_NOW)
        merge(
            conn, ORDER_TABLE, rows(ORDERS, ["1"], city="Hull", tax=7, total=2), fixed=LANDED_NOW, condition=condition
        )
        back = rows_by(conn, ORDERS, brand="demo", column="order_id", values=["1"])
    assert back[["city", "tax", "total"]].iloc[0].tolist() == ["York", 12, 2]


def test_brands_do_not_see_each_other(warehouse: Warehouse) -> None:
    with warehouse.transaction() as conn:
        for brand in ("demo", "other"):
            merge(conn, ORDER_TABLE, rows(ORDERS, ["1"], city=brand), fixed=LANDED_NOW | {"brand": brand})
        assert delete_by(conn, ORDER_TABLE, brand="other", column="order_id", values=["1"]) == 1
        back = rows_by(conn, ORDERS, brand="demo", column="order_id", values=["1"])
    assert back["city"].tolist() == ["demo"]


def test_a_key_that_occurs_twice_is_refused_on_both_databases(warehouse: Warehouse) -> None:
    twice = rows(ORDERS, ["1", "1"])
    for rows_twice in (twice, {"order_id": ["1", "1"]}):
        with warehouse.transaction() as conn, pytest.raises(ValueError, match=r"twice.*stokly_orders.*order_id"):
            merge(conn, ORDER_TABLE, rows_twice, fixed=LANDED_NOW)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": "red"}, "no column colour"),
        # Would be cut to a whole number in silence by a careless bulk path.
        ({"total": 0.5}, "does not fit its column of stokly_orders"),
        ({"city": 5}, "does not fit its column of stokly_orders"),
        ({"created_at": datetime(2026, 1, 1)}, "without a zone does not fit its column of stokly_orders"),  # noqa: DTZ001  # what is refused
    ],
)
def test_a_frame_that_does_not_fit_is_refused_without_its_values(
    warehouse: Warehouse, changes: dict[str, Any], message: str
) -> None:
    frame = rows(ORDERS, ["1"]).assign(**changes)
    plain = {"order_id": ["1"], **{name: [value] for name, value in changes.items()}}
    for unfit in (frame, plain):
        with warehouse.transaction() as conn, pytest.raises(ValueError, match=message):
            merge(conn, ORDER_TABLE, unfit, fixed=LANDED_NOW)


def test_a_value_that_the_database_refuses_is_not_repeated_in_the_error(warehouse: Warehouse) -> None:
    missing = rows(ORDERS, ["1"], customer_email="customer@example.com").assign(currency=pd.Series([None], dtype="str"))
    with pytest.raises(sa.exc.IntegrityError, match="currency") as caught, warehouse.transaction() as conn:
        merge(conn, ORDER_TABLE, missing, fixed=LANDED_NOW)
    shown = f"{caught.value} {caught.value.orig} {caught.value!r}"
    assert "customer@example.com" not in shown


def test_update_changes_known_rows_only_and_counts_them(warehouse: Warehouse) -> None:
    ledger = pd.DataFrame({"key": ["a", "b"], "state": ["planned", "planned"], "tries": [1, 5]})
    told = pd.DataFrame({"key": ["a", "b", "unknown"], "state": ["accepted", "rejected", "accepted"]})
    mine = BRAND | {"feed": "ometria/orders"}
    with warehouse.transaction() as conn:
        insert(conn, LEDGER, ledger, fixed=mine)
        insert(conn, LEDGER, ledger, fixed=mine | {"feed": "ometria/contacts"})
        changed = update(
            conn,
            LEDGER,
            told,
            key=["key"],
            fixed=mine,
            set_fixed={"settled_at": NOON, "tries": LEDGER.c.tries + 1},
            when=lambda stored, _: stored.tries < 5,
        )
        c = LEDGER.c
        query = sa.select(c.feed, c.key, c.state, c.tries, c.settled_at, c.stale).order_by(c.feed, c.key)
        stored = [tuple(row) for row in conn.execute(query)]
    assert changed == 1
    assert stored == [
        ("ometria/contacts", "a", "planned", 1, None, False),
        ("ometria/contacts", "b", "planned", 5, None, False),
        ("ometria/orders", "a", "accepted", 2, NOON, False),
        ("ometria/orders", "b", "planned", 5, None, False),
    ]


def test_nothing_to_write_writes_nothing(warehouse: Warehouse) -> None:
    none = rows(ORDERS, [])
    with warehouse.transaction() as conn:
        assert merge(conn, ORDER_TABLE, none, fixed=LANDED_NOW).offered == 0
        assert insert(conn, ORDER_TABLE, none, fixed=LANDED_NOW) == 0
        assert update(conn, ORDER_TABLE, none, key=["order_id"], fixed=BRAND) == 0
        assert delete_by(conn, ORDER_TABLE, brand="demo", column="order_id", values=[]) == 0
        back = rows_by(conn, ORDERS, brand="demo", column="order_id", values=["1"])
    pd.testing.assert_frame_equal(back, none)


def test_a_merge_after_a_failed_one_starts_clean(warehouse: Warehouse) -> None:
    bad = rows(ORDERS, ["1"]).assign(currency=pd.Series([None], dtype="str"))
    with pytest.raises(sa.exc.IntegrityError), warehouse.transaction() as conn:
        merge(conn, ORDER_TABLE, bad, fixed=LANDED_NOW)
    with warehouse.transaction() as conn:
        assert merge(conn, ORDER_TABLE, rows(ORDERS, ["1"]), fixed=LANDED_NOW).written == 1


@pytest.mark.parametrize("column", ["order_id", "position", "created_at"])
def test_long_lists_of_values_find_their_rows_by_one_parameter(warehouse: Warehouse, column: str) -> None:
    many = 40_000
    keys = [f"o{i}" for i in range(10)]
    table = LINE_TABLE if column == "position" else ORDER_TABLE
    wanted: dict[str, list[Any]] = {
        "order_id": [f"o{i}" for i in range(5, many)] + [None],
        "position": list(range(5, many)),
        "created_at": [pd.Timestamp(NOON) + pd.Timedelta(minutes=i) for i in range(5, many)] + [pd.NaT],
    }
    with warehouse.transaction() as conn:
        times = [NOON + timedelta(minutes=i) for i in range(10)]
        insert(conn, ORDER_TABLE, rows(ORDERS, keys, created_at=times), fixed=LANDED_NOW)
        insert(conn, LINE_TABLE, rows(LINES, keys, position=list(range(10))), fixed=BRAND)
        found = conn.execute(sa.select(table.c.order_id).where(among(conn, table.c[column], wanted[column]))).scalars()
        assert sorted(found) == keys[5:]


@pytest.mark.parametrize("value", ['a"b', "a\\b", "{a,b}", "a,b", "é'", "", " NULL ", "null", "%s", ":x"])
def test_values_with_special_characters_find_exactly_their_row(warehouse: Warehouse, value: str) -> None:
    with warehouse.transaction() as conn:
        insert(conn, ORDER_TABLE, rows(ORDERS, [value, "other"]), fixed=LANDED_NOW)
        back = rows_by(conn, ORDERS, brand="demo", column="order_id", values=[value])
    assert back["order_id"].tolist() == [value]


def test_only_texts_whole_numbers_and_times_can_be_listed(warehouse: Warehouse) -> None:
    with warehouse.reading() as conn, pytest.raises(TypeError, match="texts, whole numbers or times"):
        among(conn, ORDER_TABLE.c.live, [True])


def test_rows_come_in_the_order_of_code_points_on_both_databases(warehouse: Warehouse) -> None:
    keys = ["Z", "a", "Ä", "A10", "A9", "_", "-"]
    with warehouse.transaction() as conn:
        insert(conn, ORDER_TABLE, rows(ORDERS, keys), fixed=LANDED_NOW)
        back = rows_by(conn, ORDERS, brand="demo", column="order_id", values=keys)
    assert back["order_id"].tolist() == sorted(keys)


def test_kinds_may_be_named_where_sql_does_not_say_them(warehouse: Warehouse) -> None:
    with warehouse.transaction() as conn:
        insert(conn, ORDER_TABLE, rows(ORDERS, ["1", "2"], total=2**62), fixed=LANDED_NOW)
        query = sa.select(sa.func.count(), sa.func.max(ORDER_TABLE.c.created_at), sa.literal("x"))
        back = read_frame(conn, query, {"n": Kind.WHOLE, "last": Kind.TIME, "what": Kind.TEXT})
    assert back.iloc[0].tolist() == [2, pd.Timestamp(NOON), "x"]
    assert back.dtypes.tolist() == [pd.Int64Dtype(), UTC_TIME, pd.StringDtype(na_value=float("nan"))]


def test_a_stream_holds_no_more_rows_than_asked_for(warehouse: Warehouse) -> None:
    with warehouse.transaction() as conn:
        insert(conn, ORDER_TABLE, rows(ORDERS, [f"{i:03}" for i in range(25)]), fixed=LANDED_NOW)
    query = sa.select(ORDER_TABLE.c.order_id).order_by(ORDER_TABLE.c.order_id)
    with warehouse.reading() as conn:
        assert [len(frame) for frame in stream_frames(conn, query, rows=10)] == [10, 10, 5]
