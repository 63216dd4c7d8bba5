"""Begin a new step of the schema's history: `python -m stokly_sync.warehouse.migrations "what changes"`.

The file that it writes holds the difference between the newest step and today's tables; it is a draft. Read it, split
functions that grew too long, and see that rows survive the step on both databases.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command
from alembic.script import ScriptDirectory

from stokly_sync.warehouse.engine import open_engine
from stokly_sync.warehouse.migrations import config, migrate


def begin(message: str, folder: Path | None = None) -> Path:
    """Write the draft of the next step into `folder` (or among the steps of this package) and give its path."""
    made = config()
    made.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    number = f"{int(ScriptDirectory.from_config(made).get_heads()[0]) + 1:04}"
    where = folder or Path(__file__).parent / "versions"
    made.set_main_option("version_locations", f"{Path(__file__).parent / 'versions'}:{where}".replace("%", "%%"))
    with TemporaryDirectory() as place:
        engine = open_engine(f"sqlite:///{place}/newest.sqlite")
        migrate(engine)
        with engine.begin() as connection:
            made.attributes["connection"] = connection
            command.revision(made, message, autogenerate=True, rev_id=number, version_path=str(where))
        engine.dispose()
    return next(where.glob(f"{number}_*.py"))


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit(__doc__)
    print(begin(" ".join(sys.argv[1:])))  # noqa: T201  # the path is the answer
