"""The vendor's routes: which handler answers which call, and in which tier it counts.

Belongs here: the table. Handlers are in `account_routes`, `contact_routes`, `insight_routes` and
`programme_routes`. Tiers are a guess, because the vendor tells them only page by page: bulk work and big
reads are low, single writes medium, single reads high, polling and sends unlimited.
Source: Dotdigital API contract 1 to 6.
"""

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stokly_sync.sandbox.dotdigital.account_routes import AccountRoutes
from stokly_sync.sandbox.dotdigital.contact_routes import ContactRoutes
from stokly_sync.sandbox.dotdigital.guard import Handler, guarded
from stokly_sync.sandbox.dotdigital.insight_routes import InsightRoutes
from stokly_sync.sandbox.dotdigital.inspection import inspection_routes
from stokly_sync.sandbox.dotdigital.programme_routes import ProgrammeRoutes
from stokly_sync.sandbox.dotdigital.subscription_routes import SubscriptionRoutes
from stokly_sync.sandbox.dotdigital.tiers import Tier
from stokly_sync.sandbox.kit import JsonResponse

if TYPE_CHECKING:
    from stokly_sync.sandbox.dotdigital.system import DotdigitalSandbox

Line = tuple[str, str, Handler, Tier]
CONTACT = "/contacts/v3/{identifier}/{value}"
OWNER = "/insightData/v3/contacts/{identifier}/{value}"


def build_app(system: "DotdigitalSandbox") -> Starlette:
    """The application of one sandbox."""
    table = [*_account(system), *_contacts(system), *_insight(system), *_insight_records(system), *_messages(system)]
    routes = [Route(path, guarded(system, handler, tier), methods=[verb]) for verb, path, handler, tier in table]
    return Starlette(routes=[*routes, *inspection_routes(system)], exception_handlers={HTTPException: _not_served})


async def _not_served(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return JsonResponse({"message": "Not found" if status == 404 else "Method not allowed"}, status)


def _account(system: "DotdigitalSandbox") -> list[Line]:
    account, subscriptions = AccountRoutes(system), SubscriptionRoutes(system)
    return [
        ("GET", "/v2/account-info", account.info, "high"),
        ("GET", "/v2/server-time", account.server_time, "high"),
        ("GET", "/v2/data-fields", account.fields, "high"),
        ("POST", "/v2/data-fields", account.add_field, "medium"),
        ("DELETE", "/v2/data-fields/{name}", account.drop_field, "medium"),
        ("GET", "/v2/address-books", account.lists, "high"),
        ("POST", "/v2/address-books", account.add_list, "medium"),
        ("GET", "/v2/address-books/{id:int}", account.one_list, "high"),
        ("DELETE", "/v2/address-books/{id:int}", account.drop_list, "medium"),
        ("GET", "/configuration/v3/customIdentifiers", account.identifiers, "high"),
        ("POST", "/configuration/v3/customIdentifiers", account.add_identifier, "medium"),
        ("DELETE", "/configuration/v3/customIdentifiers/{name}", account.drop_identifier, "medium"),
        ("GET", "/v2/contacts/count", account.count, "high"),
        ("GET", "/v2/contacts/suppressed-since/{date}", subscriptions.suppressed_since, "low"),
        ("GET", "/v2/contacts/unsubscribed-since/{date}", subscriptions.unsubscribed_since, "low"),
        ("POST", "/v2/contacts/unsubscribe", subscriptions.unsubscribe, "medium"),
        ("POST", "/v2/contacts/resubscribe", subscriptions.resubscribe, "medium"),
        ("POST", "/v2/contacts/resubscribe-with-no-challenge", subscriptions.resubscribe_at_once, "medium"),
        ("PUT", "/v2/contacts/suppress-contacts", subscriptions.suppress, "low"),
    ]


def _contacts(system: "DotdigitalSandbox") -> list[Line]:
    contacts = ContactRoutes(system)
    return [
        ("GET", "/contacts/v3", contacts.contacts, "low"),
        ("POST", "/contacts/v3", contacts.create, "medium"),
        ("PUT", "/contacts/v3/import", contacts.start_import, "low"),
        ("GET", "/contacts/v3/import/{id}", contacts.import_status, "unlimited"),
        ("POST", "/contacts/v3/delete", contacts.start_delete, "low"),
        ("GET", "/contacts/v3/delete/{id}", contacts.delete_status, "unlimited"),
        ("GET", CONTACT, contacts.contact, "high"),
        ("PATCH", CONTACT, contacts.patch, "medium"),
        ("PUT", CONTACT, contacts.replace, "medium"),
        ("DELETE", CONTACT, contacts.delete, "medium"),
    ]


def _insight(system: "DotdigitalSandbox") -> list[Line]:
    insight = InsightRoutes(system)
    return [
        ("PUT", "/insightData/v3/import", insight.start_import, "low"),
        ("GET", "/insightData/v3/import/{id}", insight.import_status, "unlimited"),
        ("GET", "/insightData/v3/async/{id}", insight.job_status, "unlimited"),
        ("GET", "/insightData/v3/collections", insight.collections, "high"),
        ("GET", "/insightData/v3/account", insight.account_collections, "high"),
        ("POST", "/insightData/v3/collections/{collection}", insight.create, "medium"),
        ("DELETE", "/insightData/v3/collections/{collection}", insight.drop, "medium"),
        ("DELETE", "/insightData/v3/collections/{collection}/empty", insight.empty, "medium"),
        ("GET", "/insightData/v3/collections/{collection}/schema", insight.schema, "high"),
    ]


def _insight_records(system: "DotdigitalSandbox") -> list[Line]:
    insight = InsightRoutes(system)
    account, record = "/insightData/v3/account/{collection}", "{record:path}"
    return [
        # The plural is the vendor's own, for this one call.
        ("DELETE", "/insightData/v3/accounts/{collection}/deleteRecords", insight.delete_records, "low"),
        ("GET", account, insight.records, "low"),
        ("GET", f"{account}/{record}", insight.record, "high"),
        ("PUT", f"{account}/{record}", insight.put, "medium"),
        ("DELETE", f"{account}/{record}", insight.delete, "medium"),
        ("GET", "/insightData/v3/contacts/{collection}", insight.all_contacts_records, "low"),
        ("GET", OWNER, insight.contact_collections, "high"),
        ("GET", f"{OWNER}/{{collection}}", insight.records, "high"),
        ("DELETE", f"{OWNER}/{{collection}}/deleteRecords", insight.delete_records, "low"),
        ("DELETE", f"{OWNER}/{{collection}}/empty", insight.empty, "medium"),
        ("GET", f"{OWNER}/{{collection}}/{record}", insight.record, "high"),
        ("PUT", f"{OWNER}/{{collection}}/{record}", insight.put, "medium"),
        ("DELETE", f"{OWNER}/{{collection}}/{record}", insight.delete, "medium"),
    ]


def _messages(system: "DotdigitalSandbox") -> list[Line]:
    programmes = ProgrammeRoutes(system)
    return [
        ("GET", "/v2/programs", programmes.programmes, "high"),
        ("GET", "/v2/programs/{id:int}", programmes.programme, "high"),
        ("POST", "/v2/programs/enrolments", programmes.enrol, "unlimited"),
        ("GET", "/v2/programs/enrolments/{id}", programmes.enrolment, "unlimited"),
        ("GET", "/v2/programs/enrolments/{id}/report-faults", programmes.faults, "unlimited"),
        ("POST", "/events/v3/import", programmes.events, "low"),
    ]
