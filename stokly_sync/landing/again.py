"""Looking again at records that a person names: read from the source now, checked, landed or kept back.

Windows would find a corrected record too, minutes or hours later. What is landed here belongs to the running window, as
in a sweep, so that feeds owe it; the watermark stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from stokly_sync.errors import PermanentError
from stokly_sync.flow import Extract, Window
from stokly_sync.landing import grid
from stokly_sync.landing.figures import LandingFigures
from stokly_sync.landing.run import Reader
from stokly_sync.landing.store import Chunk, check, store, touch
from stokly_sync.warehouse.windows import WindowKind

# A person is waiting; a load that is under way reads the record anyway.
_WAIT_S: Final = 10.0


def land_again(reader: Reader, extract: Extract, client: Any, keys: Sequence[str]) -> LandingFigures:
    """Read the records of some keys and land them; one that the source does not have any more counts nothing.

    Raises PermanentError where the source cannot be asked for single records, Busy when the dataset is being landed,
    and what the client raises.
    """
    if extract.fetch is None:
        raise PermanentError(
            f"{extract.dataset} is read as a whole or not at all: the record is looked at again by its next read."
        )
    moment = grid.floor(datetime.now(UTC))
    landing = reader.of(extract, Window(moment, moment + grid.STEP))
    figures = LandingFigures(extract.dataset)
    with reader.warehouse.exclusive(f"land:{extract.dataset}", purpose="look again", wait=_WAIT_S):
        for page in extract.fetch(client, keys):
            checked = check(landing, Chunk(page.documents, page.requested_at))
            with reader.warehouse.transaction() as conn:
                stored = store(conn, landing, checked, documents=page.documents)
                touch(conn, landing, stored.windows, kind=WindowKind.SWEEP)
            figures.add(stored.figures)
    figures.check()
    return figures
