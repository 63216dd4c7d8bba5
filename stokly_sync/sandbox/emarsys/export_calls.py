"""The export of contact changes: ordered, waited for, fetched as CSV.

Belongs here: `getchanges` alone. The range is read as Vienna days, from the start of the first to the
start of the second; an order is done `export_delay` seconds later. Exports live in a process, not in the
saved state. Source: Emarsys API contract 1.9.
"""

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from stokly_sync.sandbox.emarsys.access import VIENNA
from stokly_sync.sandbox.emarsys.envelope import RefusedError, as_text, body_object, reply, whole_number
from stokly_sync.sandbox.emarsys.fields import EMAIL, OPTIN
from stokly_sync.sandbox.emarsys.guard import Row
from stokly_sync.sandbox.emarsys.store import Contact

if TYPE_CHECKING:
    from stokly_sync.sandbox.emarsys.system import EmarsysSandbox


@dataclass(frozen=True)
class Export:
    """One order; `due` is on the clock's monotonic count, `asked` tells two orders apart."""

    id: int
    asked: tuple[Any, ...]
    created: datetime
    begun: float
    due: float
    local: bool
    lines: list[str]


class ExportCalls:
    """The handlers, bound to one sandbox."""

    def __init__(self, system: "EmarsysSandbox") -> None:
        self._system = system
        self._exports: dict[int, Export] = {}

    def table(self) -> list[Row]:
        """Their routes."""
        return [
            ("POST", "/contact/getchanges", "export.getchanges", self.getchanges),
            ("GET", "/export/{id}", "export.get", self.status),
            ("GET", "/export/{id}/data", "export.get", self.data),
        ]

    async def getchanges(self, request: Request) -> Response:
        """Order an export; 4001 while the same one is running."""
        system = self._system
        body = await body_object(request)
        origin, method = body.get("origin"), body.get("distribution_method")
        if origin not in ("api", "form", "all") or method not in ("local", "ftp", "sftp"):
            raise RefusedError(10001, "origin must be api, form or all, distribution_method local, ftp or sftp.")
        since, until = _days(body.get("time_range"))
        fields = self._fields(body.get("contact_fields"))
        asked = (origin, method, since, until, tuple(fields))
        now = system.clock.monotonic()
        if any(export.asked == asked and now < export.due for export in self._exports.values()):
            raise RefusedError(4001, "The same export is already running.")
        number = system.store.next_id()
        contacts = [c for c in system.store.contacts.values() if self._changed(c, origin, since, until)]
        delimiter = body.get("delimiter", ",")
        if delimiter not in (",", ";"):
            raise RefusedError(10001, "delimiter must be a comma or a semicolon.")
        header = body.get("add_field_names_header") in (1, "1", True)
        lines = self._lines(contacts, fields, delimiter=delimiter, header=header)
        due = now + system.switches.export_delay
        self._exports[number] = Export(number, asked, system.clock.now(), now, due, method == "local", lines)
        return reply({"id": number})

    async def status(self, request: Request) -> Response:
        """How far an export is; `created` is Vienna time."""
        export = self._export(request)
        return reply(
            {
                "id": str(export.id),
                "created": export.created.astimezone(VIENNA).strftime("%Y-%m-%d %H:%M:%S"),
                "status": self._word(export),
                "type": "contact_changes",
                "file_name": f"changes-{export.id}.csv",
            }
        )

    async def data(self, request: Request) -> Response:
        """The CSV, `limit` lines from `offset`: 4005 before it is finished, 4004 if it went elsewhere."""
        export = self._export(request)
        if not export.local:
            raise RefusedError(4004, "The export was not ordered with local distribution.")
        if self._system.clock.monotonic() < export.due:
            raise RefusedError(4005, "The export is not finished.", status=404)
        limit = whole_number(request.query_params.get("limit"), len(export.lines))
        offset = whole_number(request.query_params.get("offset"), 0)
        if limit is None or offset is None:
            raise RefusedError(10001, "limit and offset must be whole numbers.")
        return Response("".join(export.lines[offset : offset + limit]), media_type="text/csv")

    def _word(self, export: Export) -> str:
        now = self._system.clock.monotonic()
        if now >= export.due:
            return self._system.switches.export_end
        return "in progress" if now >= (export.begun + export.due) / 2 else "scheduled"

    def _export(self, request: Request) -> Export:
        given: str = request.path_params["id"]
        found = self._exports.get(int(given)) if given.isascii() and given.isdecimal() else None
        if found is None:
            raise RefusedError(4003, "The export does not exist any more.", status=410)
        return found

    def _fields(self, given: Any) -> list[str]:
        fields = [as_text(field) for field in given] if isinstance(given, list) else []
        known = [field for field in fields if field is not None and field in self._system.store.fields.by_id]
        if not known or len(known) != len(fields):
            raise RefusedError(10001, "contact_fields must be an array of existing field ids.")
        return known

    def _changed(self, contact: Contact, origin: str, since: datetime, until: datetime) -> bool:
        return any(
            since <= change.at < until
            and origin in ("all", change.origin)
            and (change.origin == "form" or self._exports_api_change(field))
            for field, change in contact.changes.items()
        )

    def _exports_api_change(self, field: str) -> bool:
        return self._system.switches.export_api_changes == "any" or field in (EMAIL, OPTIN)

    def _lines(self, contacts: list[Contact], fields: list[str], *, delimiter: str, header: bool) -> list[str]:
        rows = [[_cell(contact.fields.get(field)) for field in fields] for contact in contacts]
        if header:
            rows.insert(0, [self._system.store.fields.by_id[field].name for field in fields])
        lines = []
        for row in rows:
            text = io.StringIO()
            csv.writer(text, delimiter=delimiter, lineterminator="\n").writerow(row)
            lines.append(text.getvalue())
        return lines


def _cell(value: str | list[str] | None) -> str:
    return "|".join(value) if isinstance(value, list) else value or ""


def _days(given: Any) -> tuple[datetime, datetime]:
    try:
        first, second = (datetime.combine(date.fromisoformat(day), datetime.min.time(), VIENNA) for day in given)
    except (TypeError, ValueError) as error:
        raise RefusedError(10001, "time_range must be two dates YYYY-MM-DD.") from error
    if first >= second:
        raise RefusedError(10001, "The two dates of time_range must differ, the earlier one first.")
    return first, second
