"""What a destination is to the acceptance tests: its roles, what happens to its records, how it is looked into.

The tests speak of roles, and a bench says which feed plays them: `main` takes what the tests make in numbers, `follows`
takes what belongs to something else, and `changes` is the one of the two whose records are sent whole once they have
changed. Records go by our own key. What a destination cannot do its bench says in `lacks`, and tests that need it are
skipped with that reason. A bench knows its vendor; no test does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from stokly_sync.sandbox.kit import Clock, Fault, SandboxSystem

if TYPE_CHECKING:
    from stokly_sync_tests.acceptance.harness import Rig

Json = dict[str, Any]
Way = Literal["whole", "inside", "later"]
"""How a record may be refused: its batch, without a name; by name inside an answer of success; after it was taken."""

ENGINES: Final = ("sqlite", "postgresql")
PLACES: Final = (
    *(f"extract:{place}" for place in ("before-commit:1", "before-commit:4", "after-commit:4", "after-commit:9")),
    *(f"plan:{place}" for place in ("before-commit:1", "after-commit:1", "before-commit:8", "after-commit:7")),
    *(f"send:attempt-opened:{passage}" for passage in (1, 4)),
    *("send:before-call:6", "send:after-call:1", "send:after-call:9", "send:before-merge:3"),
)
SETTLING: Final = ("settle:before-merge:1", "settle:before-merge:3")
"""Where a sync of a destination with many feeds is killed, and of one that tells later what became of a record."""


class Bench(ABC):
    """One destination as the acceptance tests see it."""

    system: ClassVar[str]
    main: ClassVar[str]
    """Name of the feed whose records the tests make in numbers."""
    follows: ClassVar[str]
    """Name of a feed whose records wait for those of others."""
    changes: ClassVar[str]
    """Which of the two sends a record whole once it has changed."""
    once: ClassVar[frozenset[str]] = frozenset()
    """Feeds of which nothing that is held is ever taken again, not even by force."""
    lacks: ClassVar[Mapping[str, str]] = {}
    """What it cannot do, by the word that tests need it by (`people`, `changes`, ..., or a `Way`), and why."""
    settings: ClassVar[Mapping[str, str]]
    """Environment that makes it quick."""
    small_batches: ClassVar[Mapping[str, str]]
    """Environment by which a few records make several batches."""
    crowd: ClassVar[int] = 150
    """More records than one batch of `main` holds."""
    places: ClassVar[tuple[str, ...]] = PLACES
    """Where the kill tests end its sync; each is passed at least once."""
    engines: ClassVar[tuple[str, ...]] = ENGINES
    """Databases on which it is held to the tests that run on each; one is enough where others run the same SQL."""
    asks: ClassVar[int] = 0
    """Calls by which a batch of `main` asks what is there, beside those that write."""
    names_there: ClassVar[bool] = False
    """Whether documents name ids that it made up itself, and so differ from run to run."""
    write: ClassVar[Mapping[str, Any]]
    """`method` and `path` of the calls that write `main`, as a fault matches them."""

    @abstractmethod
    def make(self, clock: Clock) -> SandboxSystem:
        """A quick sandbox beside Stokly's, not started."""

    def furnish(self, rig: Rig) -> None:  # noqa: B027 - most destinations are empty before the first load
        """Put there what both sides hold before the product looks for the first time."""

    @abstractmethod
    def add(self, rig: Rig, feed: str, numbers: Iterable[int], *, created: datetime | None = None) -> list[str]:
        """Let new records of `main` or `follows` come to be at their source; gives their keys."""

    @abstractmethod
    def change(self, rig: Rig, feed: str, key: str, word: str, *, at: datetime | None = None) -> None:
        """Let a record of `main` or `changes` hold a new word at its source, as of now unless said otherwise."""

    @abstractmethod
    def keep(self, rig: Rig, feed: str, key: str) -> Callable[[], None]:
        """What shows a record's present state at the source again later, as a restored copy would."""

    @abstractmethod
    def spoil(self, rig: Rig, number: int, *, created: datetime) -> None:
        """Let a record come to be that breaks its contract."""

    @abstractmethod
    def wanted(self, rig: Rig) -> dict[str, list[str]]:
        """Keys of what it should hold by now, by feed, the oldest first."""

    @abstractmethod
    def held(self, rig: Rig, feed: str) -> dict[str, Json]:
        """What it holds of what a feed brings, by our key."""

    @abstractmethod
    def taken(self, rig: Rig, feed: str) -> dict[str, int]:
        """How often it took each record that a feed sent, by our key."""

    def settle(self, rig: Rig) -> None:  # noqa: B027 - most destinations show at once what they took
        """Let everything that was taken be seen."""

    def flat(self, rig: Rig) -> dict[str, dict[str, Json]]:
        """Everything that it holds, by feed."""
        return {feed: self.held(rig, feed) for feed in self.wanted(rig)}

    @abstractmethod
    def refuse(self, rig: Rig, way: Way, *keys: str) -> None:
        """Refuse these records of `main` from now on; none heals."""

    @abstractmethod
    def revoke(self, rig: Rig) -> None:
        """Accept our credentials no longer."""

    def leave(self, rig: Rig, email: str) -> None:
        """Let the person with that address opt out of e-mail there."""
        raise LookupError(f"{rig.bench.system} has nobody such as {email}")

    def join(self, rig: Rig, email: str) -> None:
        """Let the person with that address opt in to e-mail there."""
        raise LookupError(f"{rig.bench.system} has nobody such as {email}")

    def choice(self, rig: Rig, key: str) -> str | None:
        """Whether a customer may be written to as it sees it: in, out, or nobody said."""
        raise LookupError(f"{rig.bench.system} has nobody such as {key}")

    def fault(self, **how: Any) -> Fault:
        """A fault that hits the calls that write `main`."""
        return Fault(**{**self.write, **how})

    def writes(self, box: SandboxSystem) -> int:
        """Calls that write, whatever became of them."""
        return sum(
            int(row["calls"])
            for row in box.calls.rows()
            if row["method"] == self.write["method"] and str(row["template"]) == self.write["path"]
        )
