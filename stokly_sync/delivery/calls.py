"""One batch on the wire: sent, halved where it is refused, and every record's fate told apart.

Runs in worker threads and touches no database. The feed's `send` speaks to the destination; here only the classes of
its errors are read (see `stokly_sync.errors`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from stokly_sync.crashpoints import crashpoint
from stokly_sync.errors import BatchRefused, InDoubt, PermanentError, TransientError
from stokly_sync.flow import Feed, Outcome, Record, State

_EMAIL: Final = re.compile(r"[^\s@<>\"',;:]+@[^\s@<>\"',;:]+")
_LONGEST_REASON: Final = 500


@dataclass
class CallResult:
    """What became of a batch: `outcomes` are known, `unknown` were sent without an answer, `unsent` never left.

    `trouble` is the error that stopped the batch, if one did; `calls` counts the requests.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    unknown: list[Record] = field(default_factory=list)
    unsent: list[Record] = field(default_factory=list)
    trouble: TransientError | PermanentError | None = None
    doubt: InDoubt | None = None
    calls: int = 0


def send_batch(feed: Feed, client: Any, batch: Sequence[Record]) -> CallResult:
    """Send a batch; a refused one is halved until the culprit stands alone, and the rest goes through (X16).

    Errors other than our own pass: what they left behind is found again by the open attempt.
    """
    result = CallResult()
    waiting = [list(batch)]
    while waiting:
        part = waiting.pop()
        if result.trouble is not None:
            result.unsent += part
            continue
        crashpoint("send:before-call")
        result.calls += 1
        try:
            answers = feed.send(client, part)
        except BatchRefused as refusal:
            if len(part) == 1:
                reason = masked(str(refusal))
                result.outcomes.append(Outcome(part[0].key, State.REJECTED, reason, rule=feed.rejected_rule))
            else:
                middle = len(part) // 2
                waiting += [part[middle:], part[:middle]]
        except InDoubt as doubt:
            result.unknown += part
            result.doubt = doubt
        except (TransientError, PermanentError) as trouble:
            result.unsent += part
            result.trouble = trouble
        else:
            crashpoint("send:after-call")
            _take(feed, part, answers, result)
    return result


def masked(text: str) -> str:
    """A vendor's words without e-mail addresses and of bounded length, fit for an exception's detail (X14)."""
    return _EMAIL.sub("***", text)[:_LONGEST_REASON]


def told(feed: Feed, outcome: Outcome) -> Outcome:
    """An outcome as it is stored: its reason masked, a rejection under the feed's rule unless it names its own."""
    if outcome.state is not State.REJECTED:
        return outcome if outcome.reason is None else _with(outcome, masked(outcome.reason), outcome.rule)
    reason = masked(outcome.reason or "refused without a reason")
    return _with(outcome, reason, outcome.rule or feed.rejected_rule)


def _with(outcome: Outcome, reason: str, rule: str | None) -> Outcome:
    return Outcome(outcome.key, outcome.state, reason, outcome.receipt, rule)


def _take(feed: Feed, part: Sequence[Record], answers: Sequence[Outcome], result: CallResult) -> None:
    """Sort the answers; a record without one, or in doubt, was sent and is unknown."""
    by_key = {r.key: r for r in part}
    for answer in answers:
        record = by_key.pop(answer.key, None)
        if record is None:
            raise PermanentError(f"{feed.id}: the destination's answer names a record that the batch did not hold")
        if answer.state is State.IN_DOUBT:
            result.unknown.append(record)
        else:
            result.outcomes.append(told(feed, answer))
    result.unknown += by_key.values()
    if by_key or any(a.state is State.IN_DOUBT for a in answers):
        result.doubt = result.doubt or InDoubt(f"{feed.id}: the answer left out some records of the batch")
