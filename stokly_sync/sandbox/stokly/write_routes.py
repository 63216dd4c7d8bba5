"""Stokly's writes as calls: which path takes which body, what is refused at once, and when the effect is seen.

Belongs here: checking a write when it comes, answering 202 with an id, and applying it after the account's delay, so
that who reads at once does not see it. What a write makes stands in `sales_writes` and `paper_writes`. Nothing is
deduplicated and no idempotency key is known. Source: Stokly API contract 2.1, 2.6, 3.1, 3.3 to 3.5, 4.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response

from stokly_sync.sandbox.kit import JsonResponse
from stokly_sync.sandbox.stokly import paper_writes as papers
from stokly_sync.sandbox.stokly import sales_writes as sales
from stokly_sync.sandbox.stokly.bodies import RefusedWriteError, read_object
from stokly_sync.sandbox.stokly.store import Store, UnknownRecordError
from stokly_sync.sandbox.stokly.switches import StoklySwitches

Work = Callable[[Request, bytes], Response]
_ORDERS = "/v2/saleorders"


class Writes:
    """The writing calls of one account."""

    def __init__(self, *, store: Store, switches: StoklySwitches, touched: Callable[[], None]) -> None:
        self._store = store
        self._switches = switches
        self._touched = touched

    def routes(self) -> Iterator[tuple[str, str, Work]]:
        """Method, path and what answers, for every write."""
        yield "POST", "/v0/customers", self._create_customer
        yield "PATCH", "/v0/customers/{id}", self._change_customer
        yield "DELETE", "/v0/customers/{id}", self._delete_customer
        yield "POST", _ORDERS, self._create_order
        yield "PATCH", _ORDERS + "/{id}", self._change_order
        yield "DELETE", _ORDERS + "/{id}", self._cancelling("delete")
        yield "POST", _ORDERS + "/{id}/cancellations", self._cancelling("post")
        yield "POST", _ORDERS + "/{id}/invoices", self._create_invoices
        yield "POST", _ORDERS + "/{id}/collect-items", self._collect
        yield "POST", _ORDERS + "/{id}/refunds", self._create_refund
        yield "POST", "/v0/credit-notes", self._create_credit_note
        yield "POST", "/v1/adjustments", self._adjust

    def _later(self, change: Callable[[], object], key: str | None = None) -> Response:
        """Answer 202 and let the change be seen after the delay; one that is overtaken by another comes to nothing."""

        def apply() -> None:
            with suppress(RefusedWriteError, UnknownRecordError):
                change()

        self._store.accept(apply, delay=self._switches.write_delay)
        self._touched()
        return JsonResponse({"data": {"id": key}} if key else {}, 202)

    def _create_customer(self, _request: Request, body: bytes) -> Response:
        row = papers.new_customer(read_object(body))
        return self._later(lambda: papers.keep_customer(self._store, row), row["customerId"])

    def _change_customer(self, request: Request, body: bytes) -> Response:
        key = request.path_params["id"]
        self._store.get("customers", key)
        row = papers.changed_customer(key, read_object(body))
        return self._later(lambda: self._store.put("customers", row), key)

    def _delete_customer(self, request: Request, _body: bytes) -> Response:
        key = request.path_params["id"]
        self._store.get("customers", key)
        return self._later(lambda: self._store.delete("customers", key), key)

    def _create_order(self, _request: Request, body: bytes) -> Response:
        row = sales.new_order(self._store, read_object(body))
        sales.check_lines(self._store, row)
        return self._later(lambda: sales.keep_order(self._store, row), row["saleOrderId"])

    def _change_order(self, request: Request, body: bytes) -> Response:
        key, change = request.path_params["id"], read_object(body)
        self._store.get("saleorders", key)
        may_cancel = "patch" in self._switches.cancellations
        if change.get("stage") == "removed" and may_cancel:
            sales.check_cancel(self._store, key)
        elif "stage" in change:
            raise RefusedWriteError("Invalid stage")
        return self._later(lambda: sales.change_order(self._store, key, change, may_cancel=may_cancel), key)

    def _cancelling(self, way: str) -> Work:
        def work(request: Request, _body: bytes) -> Response:
            if way not in self._switches.cancellations:
                raise UnknownRecordError("Orders cannot be cancelled so.")
            key = request.path_params["id"]
            sales.check_cancel(self._store, key)
            return self._later(lambda: sales.cancel_order(self._store, key), key)

        return work

    def _create_invoices(self, request: Request, body: bytes) -> Response:
        order = self._store.get("saleorders", request.path_params["id"])
        rows = papers.new_invoices(self._store, order, read_object(body))

        def keep() -> None:
            for row in rows:
                papers.keep_invoice(self._store, row)

        return self._later(keep, rows[0]["saleInvoiceId"])

    def _collect(self, request: Request, body: bytes) -> Response:
        key, wanted = request.path_params["id"], read_object(body)
        sales.check_collect(self._store, key, wanted)
        return self._later(lambda: sales.collect(self._store, key, wanted))

    def _create_refund(self, request: Request, body: bytes) -> Response:
        self._refuse_absent("refunds")
        order = self._store.get("saleorders", request.path_params["id"])
        row = papers.new_refund(self._store, order, read_object(body))
        made = self._switches.refund_credit_notes
        return self._later(lambda: papers.keep_refund(self._store, row, credit_note=made), row["refundId"])

    def _create_credit_note(self, _request: Request, body: bytes) -> Response:
        row = papers.new_credit_note(self._store, read_object(body))
        return self._later(lambda: papers.keep_credit_note(self._store, row), row["creditNoteId"])

    def _adjust(self, _request: Request, body: bytes) -> Response:
        wanted = read_object(body)
        papers.check_adjustment(self._store, wanted)
        return self._later(lambda: papers.adjust(self._store, wanted))

    def _refuse_absent(self, name: str) -> None:
        if name in self._switches.absent_endpoints:
            raise UnknownRecordError("This endpoint is switched off.")
