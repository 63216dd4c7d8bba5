"""What a request becomes: an answer, or one of our errors; and how often it is repeated."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from stokly_sync.errors import (
    BatchRefused,
    CredentialsError,
    InDoubt,
    PermanentError,
    PermissionDenied,
    TransientError,
)
from stokly_sync.flow import Lane
from stokly_sync.systems.transport import Clock, NoAuth, RetryPolicy, StaticAuth, Transport, Verdict, reading_only
from stokly_sync.systems.transport.session import Retry
from stokly_sync_tests.systems.transport.stub import Reply, serving, unused_url

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BUSY = Reply(503, b'{"message":"busy"}')
FINE = Reply(200, b'{"value": 1}')


class RecordingBudget:
    """Remembers what it was asked and told."""

    def __init__(self) -> None:
        self.taken: list[Lane] = []
        self.told: list[tuple[int | None, float | None]] = []

    def take(self, *, lane: Lane, cost: int = 1) -> None:
        self.taken += [lane] * cost

    def observe(self, *, remaining: int | None = None, retry_after: float | None = None) -> None:
        self.told.append((remaining, retry_after))


class Waits:
    """A clock that stands still and remembers how long it was asked to sleep."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.clock = Clock(now=lambda: NOW, sleep=self.slept.append)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def budget() -> RecordingBudget:
    return RecordingBudget()


Make = Callable[..., Transport]


@pytest.fixture
def make(waits: Waits, budget: RecordingBudget) -> Iterator[Make]:
    made: list[Transport] = []

    def connect(url: str, **changes: Any) -> Transport:
        settings: dict[str, Any] = {
            "vendor": "Vendor",
            "auth": NoAuth(),
            "budget": budget,
            "lane": Lane.INTERVAL,
            "clock": waits.clock,
            "retry": RetryPolicy(jitter=lambda: 0.999_999),
        }
        made.append(Transport(url, **{**settings, **changes}))
        return made[-1]

    yield connect
    for transport in made:
        transport.close()


def test_numbers_keep_all_their_digits_in_both_directions(make: Make) -> None:
    with serving(Reply(body=b'{"amount": 49.991666667, "count": 3}')) as stub:
        answer = make(stub.url).request("POST", "/v1/x", json={"amount": Decimal("0.100000000")})
    assert answer.data == {"amount": Decimal("49.991666667"), "count": 3}
    assert stub.seen[0].body == b'{"amount":0.100000000}'


def test_parameters_are_encoded_so_that_no_character_of_a_value_ends_it(make: Make) -> None:
    with serving(FINE) as stub:
        make(stub.url).request("GET", "/v0/x", params={"filter": "[a]=={b c}&&[d]=={é+}", "size": 2})
    assert stub.seen[0].path == "/v0/x?filter=%5Ba%5D%3D%3D%7Bb%20c%7D%26%26%5Bd%5D%3D%3D%7B%C3%A9%2B%7D&size=2"


@pytest.mark.parametrize("retry", ["safe", "once"])
def test_an_answer_with_success_is_given_back_with_the_time_of_its_request(make: Make, retry: Retry) -> None:
    with serving(Reply(202, b"", {"X-Left": "7"})) as stub:
        answer = make(stub.url).request("POST", "/x", json=[], retry=retry)
    assert (answer.status, answer.data, answer.requested_at, answer.headers["x-left"]) == (202, None, NOW, "7")


# What is sent again, what is not, and what is raised in the end.
REPEATED = [
    pytest.param(BUSY, "safe", True, id="a read that met 503 is repeated"),
    pytest.param(Reply(500), "safe", True, id="a read that met 500 is repeated"),
    pytest.param(Reply(429), "safe", True, id="a read that met 429 is repeated"),
    pytest.param(Reply(429), "once", True, id="a write that met 429 was not taken and is repeated"),
    pytest.param(Reply(cut="before"), "safe", True, id="a read without an answer is repeated"),
    pytest.param(Reply(200, b'{"data": [1, 2, 3]}', cut="half"), "safe", True, id="a read cut half-way is repeated"),
    pytest.param(Reply(200, b"<html>ok</html>"), "safe", True, id="a read without JSON is repeated"),
    pytest.param(BUSY, "once", False, id="a write that met 503 is in doubt"),
    pytest.param(Reply(500), "once", False, id="a write that met 500 is in doubt"),
    pytest.param(Reply(cut="before"), "once", False, id="a write without an answer is in doubt"),
    pytest.param(
        Reply(202, b'{"data": {"id": "x"}}', cut="half"), "once", False, id="a write cut half-way is in doubt"
    ),
    pytest.param(Reply(202, b"accepted"), "once", False, id="a write with an unreadable answer is in doubt"),
]


@pytest.mark.parametrize(("first", "retry", "repeated"), REPEATED)
def test_only_what_cannot_have_taken_effect_twice_is_repeated(
    make: Make, first: Reply, retry: Retry, repeated: bool
) -> None:
    replies = (first, FINE) if repeated else (first,)
    with serving(*replies) as stub:
        transport = make(stub.url)
        if repeated:
            assert transport.request("POST", "/x", json={}, retry=retry).data == {"value": 1}
        else:
            with pytest.raises(InDoubt, match="may or may not have taken effect"):
                transport.request("POST", "/x", json={}, retry=retry)
    assert transport.calls == len(replies)


@pytest.mark.parametrize("retry", ["safe", "once"])
def test_a_server_that_nobody_reaches_is_a_transient_error_even_for_a_write(make: Make, retry: Retry) -> None:
    transport = make(unused_url(), retry=RetryPolicy(attempts=2))
    with pytest.raises(TransientError, match=r"POST /x got no answer \(no connection\)"):
        transport.request("POST", "/x", json={}, retry=retry)
    assert transport.calls == 2


def test_a_slow_answer_is_a_timeout_and_says_so(make: Make) -> None:
    with serving(Reply(delay=0.3)) as stub:
        transport = make(stub.url, timeout=(1.0, 0.05), retry=RetryPolicy(attempts=1))
        with pytest.raises(TransientError, match="no answer in time"):
            transport.request("GET", "/x")


def test_attempts_are_bounded_and_wait_twice_as_long_each_time(make: Make, waits: Waits) -> None:
    with serving(*[BUSY] * 5) as stub, pytest.raises(TransientError, match=r"answered 503 \(busy\)"):
        make(stub.url).request("GET", "/x")
    assert [round(s, 3) for s in waits.slept] == [1.0, 2.0, 4.0, 8.0]


# Retry-After in all its forms, and the seconds that follow from it.
WAITS = [
    pytest.param({"Retry-After": "7"}, 7.0, id="seconds"),
    pytest.param({"Retry-After": "Fri, 20 Nov 2026 12:00:30 GMT"}, 30.0, id="a date"),
    pytest.param({"Retry-After": "0"}, 0.5, id="zero is lifted to the floor"),
    pytest.param({"Retry-After": "99999"}, 300.0, id="a day is cut to the ceiling"),
    pytest.param({"Retry-After": "soon"}, 5.0, id="malformed: the default"),
    pytest.param({}, 5.0, id="absent: the default"),
]


@pytest.mark.parametrize(("headers", "seconds"), WAITS)
def test_a_429_is_waited_out_and_the_budget_hears_of_it(
    make: Make, waits: Waits, budget: RecordingBudget, headers: Mapping[str, str], seconds: float
) -> None:
    with serving(Reply(429, b"{}", headers), FINE) as stub:
        make(stub.url).request("GET", "/x")
    assert waits.slept == [seconds]
    assert (None, seconds) in budget.told


def test_a_step_does_not_wait_longer_than_its_patience(make: Make) -> None:
    with serving(Reply(429, b"{}", {"Retry-After": "60"})) as stub, pytest.raises(TransientError) as caught:
        make(stub.url, retry=RetryPolicy(patience=30)).request("GET", "/x")
    assert caught.value.retry_after == 60


def test_each_attempt_is_taken_from_the_lane_and_the_header_is_told_on_errors_too(
    make: Make, budget: RecordingBudget
) -> None:
    replies = (Reply(500, b"{}", {"X-Left": "4"}), Reply(200, b"{}", {"X-Left": "3"}))
    with serving(*replies) as stub:
        make(stub.url, remaining_header="x-left").request("GET", "/x")
    assert budget.taken == [Lane.INTERVAL, Lane.INTERVAL]
    assert budget.told == [(4, None), (3, None)]


STATUSES = [
    (400, PermanentError),
    (401, CredentialsError),
    (403, PermissionDenied),
    (404, PermanentError),
    (302, PermanentError),
]


@pytest.mark.parametrize(("status", "error"), STATUSES)
def test_a_refusal_is_permanent_and_not_repeated(make: Make, status: int, error: type[Exception]) -> None:
    reply = Reply(status, b'{"message":"no"}', {"Location": "http://127.0.0.1:1/"})
    with serving(reply) as stub, pytest.raises(error, match=rf"Vendor: GET /x answered {status} \(no\)\. "):
        make(stub.url).request("GET", "/x")


def test_a_vendors_own_row_comes_before_the_common_table(make: Make) -> None:
    rows = (Verdict(400, BatchRefused, "Halve it.", contains="payload invalid"),)
    with serving(Reply(400, b'{"message":"Payload INVALID: x"}'), Reply(400, b'{"message":"other"}')) as stub:
        transport = make(stub.url, errors=rows)
        with pytest.raises(BatchRefused, match="Halve it"):
            transport.request("POST", "/x", json=[])
        with pytest.raises(PermanentError):
            transport.request("POST", "/x", json=[])


def test_an_expected_status_is_an_answer(make: Make) -> None:
    with serving(Reply(404, b"not here")) as stub:
        answer = make(stub.url).request("GET", "/x", expect=(404,))
    assert (answer.status, answer.data) == (404, None)


class Renewing:
    """Credentials that are exchanged once when refused."""

    def __init__(self) -> None:
        self.token = "first-token"

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def renew(self, *, status: int, body: bytes, sent: Mapping[str, str]) -> bool:
        self.token = "second-token"
        return status == 401 and b"expired" in body and "Authorization" in sent


def test_an_expired_token_is_renewed_and_the_request_replayed_once_even_if_it_writes(make: Make) -> None:
    expired = Reply(401, b'{"message":"expired"}')
    with serving(expired, FINE) as stub:
        make(stub.url, auth=Renewing()).request("POST", "/x", json={}, retry="once")
    assert [s.headers["Authorization"] for s in stub.seen] == ["Bearer first-token", "Bearer second-token"]
    with serving(expired, expired) as stub, pytest.raises(CredentialsError):
        make(stub.url, auth=Renewing()).request("GET", "/x")


def test_nothing_personal_and_no_secret_reaches_errors_and_logs(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    secret = "s3cr3t-value-0815"
    said = f'{{"message":"user jo@example.com with key {secret} and Bearer abcdef.ghijkl"}}'.encode()
    with serving(Reply(500, said), Reply(403, said)) as stub, caplog.at_level(logging.DEBUG):
        transport = make(stub.url, secrets=[secret], auth=StaticAuth({"X-Key": secret}))
        with pytest.raises(PermissionDenied) as caught:
            transport.request("GET", "/contacts/jo%40example.com")
    shown = f"{caught.value} {caught.value.__cause__} {caplog.text} {transport!r} {StaticAuth({'X-Key': secret})!r}"
    for hidden in (secret, "jo@", "jo%40", "abcdef"):
        assert hidden not in shown
    assert "[e-mail]" in shown


def test_broken_json_is_not_quoted_because_it_may_hold_peoples_data(make: Make) -> None:
    with serving(Reply(200, b'{"data": [{"name": "Customer 17850", ')) as stub, pytest.raises(TransientError) as caught:
        make(stub.url, retry=RetryPolicy(attempts=1)).request("GET", "/x")
    assert "17850" not in str(caught.value)
    with serving(Reply(200, b"<h1>Maintenance</h1>")) as stub, pytest.raises(TransientError, match="Maintenance"):
        make(stub.url, retry=RetryPolicy(attempts=1)).request("GET", "/x")


def test_surroundings_do_not_replace_our_credentials(
    make: Make, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serving(FINE) as stub:
        make(stub.url, auth=StaticAuth({"Authorization": "Bearer ours"})).request("GET", "/x")
    assert stub.seen[0].headers["Authorization"] == "Bearer ours"


def test_while_nothing_may_be_written_only_calls_that_read_leave_the_process(make: Make) -> None:
    with serving(FINE, FINE, FINE) as stub:
        transport = make(stub.url)
        with reading_only():
            transport.request("GET", "/x")
            transport.request("POST", "/look-up", json={}, reads=True)
            for method, reads in (("POST", None), ("DELETE", None), ("GET", False)):
                with pytest.raises(PermanentError, match="would write"):
                    transport.request(method, "/x", reads=reads)
        transport.request("POST", "/x", json={})
    assert [seen.method for seen in stub.seen] == ["GET", "POST", "POST"]
