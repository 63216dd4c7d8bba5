from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stokly_sync.delivery.calls import masked
from stokly_sync.delivery.encoding import batches, encode
from stokly_sync.flow import BatchLimits, Document
from stokly_sync_tests.delivery.kit import T0

VALUES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()
BODIES = st.dictionaries(st.text(), VALUES | st.lists(VALUES) | st.dictionaries(st.text(), VALUES))


@given(BODIES)
def test_the_same_content_has_the_same_hash_whatever_the_order_of_its_members(body: dict[str, Any]) -> None:
    turned = dict(reversed(body.items()))
    assert encode(Document("1", body, T0)).hash == encode(Document("1", turned, T0)).hash
    assert json.loads(encode(Document("1", body, T0)).text) == body


def test_amounts_become_numbers_with_the_digits_they_have() -> None:
    assert encode(Document("1", {"total": Decimal("12.30"), "tax": Decimal("0.000000001")}, T0)).text == (
        b'{"tax":1E-9,"total":12.30}'
    )


@given(st.lists(st.binary(max_size=60)), st.integers(1, 5), st.integers(2, 80))
def test_batches_keep_order_and_limits_and_lose_nothing(documents: list[bytes], records: int, size: int) -> None:
    cut = list(batches(documents, BatchLimits(records, size), document=bytes))
    assert [d for batch in cut for d in batch] == documents
    for batch in cut:
        assert 1 <= len(batch) <= records
        assert len(batch) == 1 or sum(len(d) + 1 for d in batch) + 2 <= size


def test_a_vendors_words_are_stored_without_addresses_and_not_at_any_length() -> None:
    assert masked("no contact <someone@example.com> in list") == "no contact <***> in list"
    assert len(masked("x" * 10_000)) == 500
