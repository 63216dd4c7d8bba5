from __future__ import annotations

import gc
import sys

import pytest

from stokly_sync.steady import prompt, steady


def test_the_interpreter_is_left_as_it_was_found_also_after_an_error_inside() -> None:
    before = gc.get_threshold(), gc.get_freeze_count(), sys.getswitchinterval()
    with steady(), steady(), prompt():
        assert gc.get_threshold()[0] > before[0][0]
        assert sys.getswitchinterval() < before[2]
    with pytest.raises(ValueError, match="inside"), steady(), prompt():
        raise ValueError("inside")
    assert (gc.get_threshold(), gc.get_freeze_count(), sys.getswitchinterval()) == before
