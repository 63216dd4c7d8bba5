"""Documents written a column at a time: byte for byte what the encoder of documents makes of the same values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stokly_sync.contracts import columns, written
from stokly_sync.delivery.encoding import encode
from stokly_sync.flow import Document
from stokly_sync_tests.delivery.kit import T0

TEXTS = (
    st.none()
    | st.text()
    | st.sampled_from(["", "plain", 'with "quotes"', "back\\slash", "line\nbreak", "\x00\x1f\x7f", "Ünï€ð😀"])
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "name": TEXTS,
            "note": TEXTS,
            "flag": st.booleans(),
            "total": st.none() | st.integers(-(10**18), 10**18),
            "currency": st.sampled_from(["GBP", "JPY", "KWD", None]),
            "more": st.dictionaries(st.text(), st.integers(-9, 9), max_size=3),
        }
    ),
    min_size=1,
    max_size=20,
)


def encoded(body: dict[str, object]) -> bytes:
    return encode(Document("1", {name: value for name, value in body.items() if value is not None}, T0)).text


@given(ROWS)
def test_a_document_is_what_the_encoder_would_write_of_it(rows: list[dict[str, object]]) -> None:
    frame = pd.DataFrame({name: [row[name] for row in rows] for name in rows[0]}, dtype=object)
    currency, total = frame["currency"].astype("str"), frame["total"].astype("Int64")
    texts = written.documents(
        written.objects(
            {
                "name": written.texts(frame["name"].astype("str")),
                "filled": written.filled(list(frame["note"])),
                "flag": written.flags(frame["flag"].tolist()),
                "total": written.amounts(total, columns.digits(currency)),
                "kind": '"row"',
                "more": written.encoded(frame["more"].tolist()),
                "inner": written.objects({"note": written.texts(list(frame["note"]))}),
            }
        )
    )
    amounts = columns.amounts(total, currency)
    assert texts == [
        encoded(
            {
                "name": row["name"],
                "filled": row["note"] or None,
                "flag": row["flag"],
                "total": amount,
                "kind": "row",
                "more": row["more"] or None,
                "inner": {} if row["note"] is None else {"note": row["note"]},
            }
        )
        for row, amount in zip(rows, amounts, strict=True)
    ]


@given(st.lists(st.tuples(st.integers(-(10**18), 10**18), st.sampled_from(["GBP", "JPY", "KWD", None])), max_size=30))
def test_numbers_are_the_text_of_the_same_decimals(rows: list[tuple[int, str | None]]) -> None:
    nanos = np.array([nano for nano, _ in rows], dtype=np.int64)
    places = columns.digits(pd.Series([code for _, code in rows], dtype="str"))
    assert written.numbers(nanos, places).to_pylist() == [str(d) for d in columns.decimals(nanos, places)]


def test_a_slice_of_a_column_is_written_as_it_stands() -> None:
    texts = pd.Series(['"', "a", None, "b\t"], dtype="str")
    assert written.texts(texts[1:]).to_pylist() == ['"a"', None, '"b\\t"']


@pytest.mark.parametrize(
    ("starts", "lists"), [([0, 2, 2, 3], ["[1,2]", "[]", "[3]"]), ([0, 3], ["[1,2,3]"]), ([0, 0], ["[]"])]
)
def test_elements_are_put_into_lists_by_their_starts(starts: list[int], lists: list[str]) -> None:
    assert written.lists(written.wholes(np.array([1, 2, 3])), np.array(starts)).to_pylist() == lists
