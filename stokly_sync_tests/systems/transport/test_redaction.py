"""What must not be shown is not shown, and what is harmless stays readable."""

from __future__ import annotations

import io
import logging

import pytest

from stokly_sync.systems.transport import RedactingFilter, excerpt, looks_secret, redact

HIDDEN = [
    ("write to jo.bloggs+x@mail.example.co.uk now", "jo.bloggs"),
    ("/contacts/jo%40example.com/lists", "jo%40"),
    ('{"email":"jo@example.com"}', "jo@"),
    ("Authorization: Bearer abc.def-ghi", "abc.def"),
    ("authorization=Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "eyJzdWIi"),
    ('{"clientSecret": "top \\"quoted\\" value", "a": 1}', "quoted"),
    ("{'api_key': 'abc123'}", "abc123"),
    ("?apiKey=abc123&page=2", "abc123"),
    ("https://user:pass@example.com/x", "pass@"),
    ("password: hunter22, next", "hunter22"),
]


@pytest.mark.parametrize(("text", "hidden"), HIDDEN)
def test_secrets_and_addresses_are_masked(text: str, hidden: str) -> None:
    assert hidden not in redact(text)


HARMLESS = [
    "GET /v2/saleorders answered 503 (busy)",
    "2026-11-20T12:00:00Z order 10234: total 120.00 GBP",
    "the author asked for authority over 3 monkeys",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_is_left_alone(text: str) -> None:
    assert redact(text) == text


def test_known_values_are_hidden_wherever_they_stand() -> None:
    assert "0815" not in redact("x0815-4711y", secrets=["0815-4711"])


def test_a_value_too_short_to_be_a_secret_does_not_eat_the_text() -> None:
    assert redact("a banana", secrets=["a", ""]) == "a banana"


def test_an_excerpt_is_one_line_and_never_ends_in_half_a_secret() -> None:
    text = "x" * 190 + " jo@example.com\nsecond\x00line"
    cut = excerpt(text)
    assert len(cut) <= 200
    assert "jo@" not in cut
    assert "\n" not in excerpt("a\nb\x00c")


@pytest.mark.parametrize("name", ["apiKey", "client_secret", "accessToken", "password", "X-Ometria-Auth", "passwd"])
def test_names_of_secrets_are_recognised(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize("name", ["sku", "name", "total", "keyword", "monkey", "authorName"])
def test_other_names_are_not(name: str) -> None:
    assert not looks_secret(name)


def test_the_filter_redacts_arguments_and_tracebacks() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter(["0815-4711"]))
    logger = logging.getLogger("stokly_sync_tests.redacting")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        raise ValueError("jo@example.com 0815-4711")
    except ValueError:
        logger.exception("failed for %s with %s", "jo@example.com", "0815-4711")
    assert "jo@" not in stream.getvalue()
    assert "0815" not in stream.getvalue()
    assert "ValueError" in stream.getvalue()
