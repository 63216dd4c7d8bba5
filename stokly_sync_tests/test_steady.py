from __future__ import annotations

import gc

import pytest

from stokly_sync.steady import few_collections


def test_the_collector_is_left_as_it_was_found_also_after_an_error_inside() -> None:
    before = gc.get_threshold(), gc.get_freeze_count()
    with few_collections(), few_collections():
        assert gc.get_threshold()[0] > before[0][0]
    with pytest.raises(ValueError, match="inside"), few_collections():
        raise ValueError("inside")
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
