"""What a test can change about the sandbox's Epicor Kinetic server."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE_ROWS = 100


@dataclasses.dataclass
class Switches:
    """How this server behaves; change it at any time.

    Services are named in full (`Erp.BO.VendorSvc`), sets and row types as in the addresses (`Vendors`) and in
    the schema (`Vendor`).

    Attributes:
        time: Clock of the tokens, in seconds; a test may put its own.
        basic: `Authorization: Basic` is understood on business calls.
        token_resource: `TokenResource.svc` is switched on; otherwise it answers 404.
        token_resource_takes: Where it looks for user and password: two headers, Basic, a form.
        api_key_required: `EnforceApiKeyForRestApiV2`; False: calls without a key pass.
        key_refusal: Status of a missing, wrong or expired API key.
        company_refusal: Status for a user without rights to the company.
        token_life_seconds: Life of an access token.
        token_dies_after_calls: A token is refused after so many calls (None: only by time).
        expires_in: How `ExpiresIn` is written, or that it is left out.
        lower_case_token: TokenResource answers `access_token`, `expires_in`.
        forbidden_services: Services that the users' security keeps them from (403).
        missing_services: Services that this release does not have (404).
        license_failures: So many of the next calls find no licence (400); counts down.
        license_message: How the lack of a licence is worded.
        license_seats: Calls that may be under way at once; one more finds no licence.
        error_form: Shape of an error body.
        row_cap: No page is longer, whatever `$top` says (None: `$top` is honoured).
        default_rows: Rows of a page without `$top`, and with `$count=true`.
        skip_honoured: False: `$skip` is silently ignored and the first page comes again.
        next_links: Pages that are not the last carry `@odata.nextLink`.
        unordered: Rows without `$orderby` come in another order with every call.
        filter_ignored: Sets whose `$filter` has no effect.
        order_ignored: Sets whose `$orderby` has no effect.
        child_filter_on_parent: A filter on a child set of a header service meets the header's columns.
        calculated_filters: What a filter or order on a calculated column of a business object does.
        query_limit: Longest query string that the web server lets pass.
        query_limit_status: What it answers to a longer one, in HTML.
        decimals: How decimals are written.
        longs_as_text: Int64 (`SysRevID`) is written as a string.
        dates: How dates and moments are written: without offset, with `Z`, or with the server's offset.
        zone_minutes: The server's offset from UTC.
        change_dates_only_when_edited: Change columns are null (or 0) on rows that nobody edited.
        row_annotations: Rows carry `@odata.etag`.
        nullable_lies: `$metadata` says `Nullable="false"` of columns that are null in places.
        decimal_facets: `$metadata` states precision and scale of decimals.
        extra_columns: So many more columns on every row type.
        tables_without_revision: Row types that have no `SysRevID`.
        updated_on: Row types to which this installation has added a column `UpdatedOn`.
        columns_to_come: `_c` columns that nobody has made yet.
        custom_edits_move_revision: A change to nothing but `_c` columns moves `SysRevID` too.
        second_book: Posted journals are copied to a second book.
        payroll_checks: Payroll checks stand among the checks.
        blank_padding: A BAQ over an external source pads its text with blanks.
    """

    time: Callable[[], float] = time.monotonic
    basic: bool = True
    token_resource: bool = True
    token_resource_takes: frozenset[str] = frozenset({"headers", "basic"})
    api_key_required: bool = True
    key_refusal: Literal[400, 401, 403] = 403
    company_refusal: Literal[401, 403] = 403
    token_life_seconds: int = 3600
    token_dies_after_calls: int | None = None
    expires_in: Literal["number", "text", "absent"] = "number"
    lower_case_token: bool = False
    forbidden_services: frozenset[str] = frozenset()
    missing_services: frozenset[str] = frozenset()
    license_failures: int = 0
    license_message: str = "Maximum users exceeded on license."
    license_seats: int = 5
    error_form: Literal["epicor", "short", "odata", "html"] = "epicor"
    row_cap: int | None = None
    default_rows: int = PAGE_ROWS
    skip_honoured: bool = True
    next_links: bool = False
    unordered: bool = True
    filter_ignored: frozenset[str] = frozenset()
    order_ignored: frozenset[str] = frozenset()
    child_filter_on_parent: bool = True
    calculated_filters: Literal["refuse", "find nothing"] = "refuse"
    query_limit: int = 2048
    query_limit_status: Literal[404, 414] = 404
    decimals: Literal["number", "text"] = "number"
    longs_as_text: bool = False
    dates: Literal["naive", "Z", "offset"] = "naive"
    zone_minutes: int = 0
    change_dates_only_when_edited: bool = True
    row_annotations: bool = False
    nullable_lies: bool = True
    decimal_facets: bool = False
    extra_columns: int = 0
    tables_without_revision: frozenset[str] = frozenset()
    updated_on: frozenset[str] = frozenset()
    columns_to_come: frozenset[str] = frozenset()
    custom_edits_move_revision: bool = True
    second_book: bool = False
    payroll_checks: bool = True
    blank_padding: bool = True


def worst_mood() -> Switches:
    """A server that pages as badly as any that was reported.

    Pages end at 100 rows whatever `$top` says, `$skip` is ignored, no page names the next one, and rows that
    nobody ordered come in any order.
    """
    return Switches(row_cap=PAGE_ROWS, skip_honoured=False, next_links=False, unordered=True)
