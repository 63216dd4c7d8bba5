"""JSON with exact numbers, and error tables read from the top."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stokly_sync.errors import InDoubt, PermanentError, TransientError
from stokly_sync.systems.transport import COMMON, Verdict, decode, encode
from stokly_sync.systems.transport.answers import in_doubt, verdict


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**12), max_value=10**12))
def test_an_amount_survives_encoding_and_decoding_exactly(amount: Decimal) -> None:
    assert decode(encode({"amount": amount})) == {"amount": amount}


def test_a_number_too_large_for_an_integer_still_decodes() -> None:
    assert decode(b"[1e30, 100000000000000000000000000]") == [Decimal("1e30"), 10**26]


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a": ', b"\xff\xfe"])
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(body)


def test_the_first_row_that_fits_decides() -> None:
    own = (Verdict((400, 499), TransientError, "Wait.", contains="Later"),)
    assert verdict(own, status=422, body=b"come back LATER").error is TransientError
    assert verdict(own, status=422, body=b"no").error is PermanentError


@pytest.mark.parametrize("status", [100, 204, 302, 400, 418, 451, 500, 599])
def test_every_status_has_a_row(status: int) -> None:
    assert verdict((), status=status, body=b"").sentence


def test_every_sentence_says_what_to_do_next() -> None:
    assert all(len(row.sentence.split()) >= 4 for row in COMMON)


def test_doubt_says_what_to_do_next() -> None:
    assert isinstance(in_doubt("x"), InDoubt)
    assert "ask the other system" in str(in_doubt("Vendor: POST /x got no answer"))
