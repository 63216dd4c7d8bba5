"""What a form asks to be done with exceptions, and what is said when it was done.

A retry reaches out to other systems and may take long: it runs beside the pages, one at a time, and a page waits for it
only so long as a person would.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, cast

import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request

from stokly_sync.dashboard.views import desk_of
from stokly_sync.delivery.doubts import Word
from stokly_sync.operations import acting
from stokly_sync.operations.acting import Chosen, NotDone, Retried
from stokly_sync.operations.listing import Ref, Wanted

PATIENCE_S: Final = 15.0


@dataclass(frozen=True)
class Said:
    """What a person is told after an act."""

    text: str
    bad: bool = False


def refs_of(form: FormData) -> list[Ref]:
    """The exceptions that were ticked; raises NotDone for one that cannot be read."""
    try:
        return [msgspec.json.decode(text, type=Ref) for text in form.getlist("ref") if isinstance(text, str)]
    except msgspec.MsgspecError as error:
        raise NotDone("The form cannot be read; open the page again.") from error


def act(request: Request, form: FormData, chosen: Chosen, *, actor: str) -> Said:
    """Do what the form's button says; raises NotDone when that is not possible."""
    name = str(form.get("act", ""))
    if name not in _ACTS:
        raise NotDone("Choose what to do.")
    return _ACTS[name](request, form, chosen, actor)


def _ignore(request: Request, form: FormData, chosen: Chosen, actor: str) -> Said:
    done = acting.ignore(desk_of(request), chosen, reason=str(form.get("reason", "")), actor=actor)
    return Said(f"{_exceptions(done)} ignored until the record changes.")


def _reopen(request: Request, _form: FormData, chosen: Chosen, actor: str) -> Said:
    return Said(f"{_exceptions(acting.reopen(desk_of(request), chosen, actor=actor))} open again.")


def _assign(request: Request, form: FormData, chosen: Chosen, actor: str) -> Said:
    to = str(form.get("person", ""))
    done = acting.assign(desk_of(request), chosen, to=to, actor=actor)
    return Said(f"{_exceptions(done)} assigned to {to.strip() or 'nobody'}.")


def _decide(request: Request, form: FormData, chosen: Chosen, actor: str) -> Said:
    if isinstance(chosen, Wanted):
        raise NotDone("What is in doubt is decided record by record: tick those that you have looked up.")
    word = cast("Word", str(form.get("act")))
    done = acting.decide(desk_of(request), chosen, word, actor=actor)
    what = "booked as arrived" if word == "arrived" else "planned again, sent by the next load"
    return Said(f"{_exceptions(done)} {what}.")


def _retry(request: Request, _form: FormData, chosen: Chosen, actor: str) -> Said:
    worker: ThreadPoolExecutor = request.app.state.worker
    future: Future[Retried] = worker.submit(acting.retry, desk_of(request), chosen, actor=actor)
    try:
        return _retried(future.result(timeout=PATIENCE_S))
    except TimeoutError:
        return Said("The retry goes on beside this page; look again in a moment.")


def _retried(done: Retried) -> Said:
    if not done.asked:
        return Said("Nothing to retry: none of these is open.")
    if not done.at_once:
        return Said(f"{_exceptions(done.asked)} due again; the next loads take them.")
    trouble = " ".join(done.trouble)
    if done.still_open:
        left = f"{done.still_open} of {done.asked} still kept back." if done.asked > 1 else "Still kept back."
        return Said(f"Retried. {left} {trouble}".strip(), bad=True)
    passed = "It passes now." if done.asked == 1 else f"All {done.asked} pass now."
    return Said(f"Retried. {passed} {trouble}".strip(), bad=bool(trouble))


def _exceptions(count: int) -> str:
    return f"{count:,} exception{'s' * (count != 1)}"


_ACTS: Final[dict[str, Callable[[Request, FormData, Chosen, str], Said]]] = {
    "ignore": _ignore,
    "reopen": _reopen,
    "assign": _assign,
    "retry": _retry,
    "arrived": _decide,
    "again": _decide,
}
