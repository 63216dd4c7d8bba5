from __future__ import annotations

import dagster as dg
import pytest

from stokly_sync.errors import CredentialsError, TransientError
from stokly_sync.pipeline.failures import explained, impatient


def test_a_transient_error_passes_so_that_the_step_is_tried_again() -> None:
    with pytest.raises(TransientError), explained():
        raise TransientError("down for a minute")


def test_a_permanent_error_becomes_its_sentence_and_is_not_tried_again() -> None:
    with pytest.raises(dg.Failure) as caught, explained():
        raise CredentialsError("the key is not accepted")
    assert caught.value.description == "the key is not accepted"
    assert caught.value.allow_retries is False


def test_whoever_waits_for_the_answer_gets_a_transient_error_at_once() -> None:
    with pytest.raises(dg.Failure) as caught, impatient(), explained():
        raise TransientError("down for a minute")
    assert caught.value.allow_retries is False


def test_an_error_that_nobody_foresaw_does_not_quote_what_it_was_about() -> None:
    with pytest.raises(dg.Failure) as caught, explained():
        raise ValueError("customer-1@example.com is no number")
    assert "example.com" not in str(caught.value.description)
    assert isinstance(caught.value.__cause__, ValueError)
    assert caught.value.allow_retries is False
