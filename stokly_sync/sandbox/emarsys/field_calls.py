"""The calls about fields and their choices.

Belongs here: listing, making and deleting fields. Source: Emarsys API contract 1.7 (fields).
"""

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from stokly_sync.sandbox.emarsys.envelope import RefusedError, body_object, reply
from stokly_sync.sandbox.emarsys.fields import CREATABLE, SLOTS, Field
from stokly_sync.sandbox.emarsys.guard import Row

if TYPE_CHECKING:
    from stokly_sync.sandbox.emarsys.system import EmarsysSandbox


class FieldCalls:
    """The handlers, bound to one sandbox."""

    def __init__(self, system: "EmarsysSandbox") -> None:
        self._system = system

    def table(self) -> list[Row]:
        """Their routes; labels are English whatever the language asked for."""
        return [
            ("GET", "/field", "field.get", self.fields),
            ("GET", "/field/translate/{language}", "field.get", self.fields),
            ("POST", "/field", "field.create", self.create),
            ("GET", "/field/choices", "field.get", self.choices_of_many),
            ("GET", "/field/{id}/choice/translate/{language}", "field.get", self.choices),
            ("DELETE", "/field/{id}", "field.delete", self.delete),
        ]

    async def fields(self, _request: Request) -> Response:
        """Every field."""
        numbers = self._system.switches.field_ids_as_numbers
        return reply(
            [
                {
                    "id": int(field.id) if numbers else field.id,
                    "name": field.name,
                    "application_type": field.application_type,
                    "string_id": field.string_id,
                }
                for field in self._system.store.fields.by_id.values()
            ]
        )

    async def create(self, request: Request) -> Response:
        """Make a custom field: 9002 to 9006."""
        body = await body_object(request)
        name, kind = body.get("name"), body.get("application_type")
        if not isinstance(name, str) or not name.strip() or not isinstance(kind, str):
            raise RefusedError(9005, "name and application_type are required.")
        if kind not in CREATABLE:
            raise RefusedError(9006, f"Fields of type {kind} cannot be created by API.")
        table = self._system.store.fields
        taken = next((field for field in table.by_id.values() if field.name.lower() == name.lower()), None)
        if taken is not None:
            raise (
                RefusedError(9002, "A field of that name exists.")
                if taken.custom
                else RefusedError(9003, "The name is reserved.")
            )
        if len(table.custom) >= SLOTS:
            raise RefusedError(9004, "There is no free slot for another field.", status=500)
        self._system.touch()
        return reply({"id": int(table.add(name, kind).id)})

    async def choices(self, request: Request) -> Response:
        """The choices of one field."""
        return reply(_choices(self._field(request.path_params["id"])))

    async def choices_of_many(self, request: Request) -> Response:
        """The choices of several fields, by field id."""
        asked = [number for number in request.query_params.get("fields", "").split(",") if number]
        return reply({number: _choices(self._field(number)) for number in asked})

    async def delete(self, request: Request) -> Response:
        """Delete a custom field with its values; 263 for a system field."""
        field = self._field(request.path_params["id"])
        if not field.custom:
            raise RefusedError(263, "System fields cannot be deleted.")
        store = self._system.store
        at = self._system.clock.now()
        for contact in store.contacts.values():
            store.write(contact, field.id, None, at=at)
            contact.changes.pop(field.id, None)
        del store.fields.by_id[field.id]
        self._system.touch()
        return reply("")

    def _field(self, number: str) -> Field:
        field = self._system.store.fields.by_id.get(number)
        if field is None:
            raise RefusedError(2006, f"Invalid field id: {number}", status=404)
        return field


def _choices(field: Field) -> list[dict[str, Any]]:
    return [
        {"id": number, "choice": label, "bit_position": position}
        for position, (number, label) in enumerate(field.choices.items())
    ]
