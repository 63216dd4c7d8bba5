from decimal import Decimal

import pytest

from stokly_sync.sandbox.kit import NotJsonError, decode, encode


@pytest.mark.parametrize("digits", ["12.500000001", "0.10", "-3.0", "123456789012345678901234.5"])
def test_money_keeps_its_digits_on_the_way_in_and_out(digits: str) -> None:
    value = decode(digits.encode())
    assert value == Decimal(digits)
    assert encode(value) == digits.encode()


def test_whole_numbers_stay_whole() -> None:
    assert isinstance(decode(b"7"), int)


@pytest.mark.parametrize("text", [b"", b"{", b"[1,]", b"NaN", b"<html>", b'"\xff"', b"[" * 100_000])
def test_what_is_no_json_is_told_so(text: bytes) -> None:
    with pytest.raises(NotJsonError):
        decode(text)
